import { ALL_PERMISSIONS } from '../../src/features/identity/index.ts';
import { newSecretKey, secretKey } from '../../src/crypto/index.ts';
import type { AuditInput } from '../../src/features/audit/index.ts';
import { NODE_SCOPES } from '../../src/kernel/access.ts';
import type { NodeId, OrganisationId, SessionId, UserId } from '../../src/kernel/ids.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { createKeyRing, type KeyRing, type KeySet } from '../../src/store/key-ring.ts';

/** A key ring that nobody stores, with fresh keys, or with given ones (base64) for several processes to share. */
export function testKeyRing(keys?: readonly [data: string, index: string]): KeyRing {
  const key = (text: string | undefined) =>
    text === undefined ? newSecretKey() : secretKey(Buffer.from(text, 'base64'));
  const data = { id: 7, key: key(keys?.[0]) };
  const index = key(keys?.[1]);
  const current = { data, index, otherIndex: [] };
  const keySet: KeySet = { dataKeys: new Map([[data.id, data]]), current: { record: current, audit: current } };
  return createKeyRing(() => keySet);
}

export const nodeActor: Actor = {
  principal: {
    kind: 'node',
    nodeId: '0198f3a0-0000-7000-8000-000000000001' as NodeId,
    name: 'Clinic at the lake',
    organisationId: '0198f3a0-0000-7000-8000-00000000000a' as OrganisationId,
    domains: ['urn:clinic'],
    permissions: new Set(['client.read']),
    scopes: new Set(NODE_SCOPES),
    certificateSha256: 'ab'.repeat(32),
  },
  origin: { door: 'nodes', address: '10.1.2.3', requestId: '0198f3a0-0000-7000-8000-0000000000ff' },
};

const USER_PERMISSIONS = ['client.read', 'client.write', 'review.read', 'review.decide', 'audit.read'] as const;

export const userActor: Actor = {
  principal: {
    kind: 'user',
    userId: '0198f3a0-0000-7000-8000-000000000002' as UserId,
    displayName: 'Zoë "Z" Müller',
    organisationId: '0198f3a0-0000-7000-8000-00000000000a' as OrganisationId,
    roles: ['steward', 'registrar'],
    permissions: new Set(USER_PERMISSIONS),
    // Of the central organisation.
    reach: new Map(USER_PERMISSIONS.map((permission) => [permission, 'all'])),
    sessionId: '0198f3a0-0000-7000-8000-0000000000b1' as SessionId,
    authenticatedAtMs: 0,
  },
  origin: { door: 'users', address: '2001:db8::7', requestId: '0198f3a0-0000-7000-8000-0000000000fe' },
};

export const operatorActor: Actor = {
  principal: { kind: 'operator', osUser: 'root', permissions: ALL_PERMISSIONS },
  origin: { door: 'command-line', requestId: '0198f3a0-0000-7000-8000-0000000000fd' },
};

/** A read of one client, by a node. */
export function readInput(client: string, actor: Actor = nodeActor): AuditInput {
  return {
    actor,
    event: 'client.read',
    action: 'R',
    outcome: 'success',
    interaction: 'read',
    patients: [`Patient/${client}`],
  };
}
