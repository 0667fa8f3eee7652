import { fromHex } from '../../kernel/bytes.ts';
import { NODE_SCOPES } from '../../kernel/access.ts';
import type { NodeId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { PeerCertificate } from '../../platform/http/index.ts';
import { nodeProblem } from './errors.ts';
import type { Registration } from './model.ts';
import { isForeign, judgeCertificate, NODE_PERMISSIONS } from './rules.ts';
import { FIND_REGISTRATION, type RegistrationRow } from './store.ts';

/** Registrations looked up in the last second. Changes are notified as well, so this bounds what a lost notice can cost. */
const FRESH_MS = 1_000;
const ENTRIES_MAX = 10_000;

export interface Authenticator {
  /** Who a connection's certificate stands for, decided anew for each request. Throws the Problem that refuses it. */
  authenticateNode(peer: PeerCertificate | undefined): Promise<Principal>;
  /** Forgets everything: a node, certificate or domain changed. */
  forget(): void;
}

interface Entry {
  readonly atMs: number;
  readonly registration: Promise<Registration | undefined>;
}

export function createAuthenticator(
  deps: { readonly database: Database; readonly clock: Clock },
  seen: (nodeId: NodeId) => void,
): Authenticator {
  const entries = new Map<string, Entry>();

  function lookUp(sha256: string, nowMs: number): Promise<Registration | undefined> {
    const known = entries.get(sha256);
    if (known !== undefined && nowMs >= known.atMs && nowMs - known.atMs < FRESH_MS) return known.registration;
    const registration = load(deps.database, sha256);
    if (entries.size >= ENTRIES_MAX) entries.clear();
    entries.set(sha256, { atMs: nowMs, registration });
    // Neither failures nor strangers are remembered: the next request asks again, and junk takes no room.
    const drop = (): void => {
      if (entries.get(sha256)?.registration === registration) entries.delete(sha256);
    };
    registration.then((found) => (found === undefined ? drop() : undefined), drop);
    return registration;
  }

  return {
    async authenticateNode(peer) {
      if (peer === undefined)
        throw nodeProblem(
          'unauthenticated',
          'certificate-missing',
          'This door is for systems with a client certificate, and the connection came without one.',
        );
      const nowMs = deps.clock.nowMs();
      const registration = isForeign(peer.chainError) ? undefined : await lookUp(peer.sha256, nowMs);
      const refused = judgeCertificate(registration, peer.chainError, nowMs);
      if (refused !== undefined) throw refused;
      // judgeCertificate refuses what is not registered; this tells the compiler.
      if (registration === undefined) throw new Error('unreachable');
      seen(registration.principal.nodeId);
      return registration.principal;
    },
    forget: () => entries.clear(),
  };
}

async function load(database: Database, sha256: string): Promise<Registration | undefined> {
  const [row] = await database.rows(FIND_REGISTRATION, [fromHex(sha256) ?? new Uint8Array(0)]);
  return row === undefined ? undefined : toRegistration(row, sha256);
}

function toRegistration(row: RegistrationRow, sha256: string): Registration {
  return {
    principal: {
      kind: 'node',
      nodeId: row.node_id,
      name: row.name,
      organisationId: row.organisation_id,
      domains: row.domains,
      permissions: NODE_PERMISSIONS,
      scopes: new Set(NODE_SCOPES),
      certificateSha256: sha256,
    },
    notBeforeMs: row.not_before.getTime(),
    notAfterMs: row.not_after.getTime(),
    certificateRevoked: row.certificate_revoked,
    nodeRevoked: row.node_revoked,
  };
}
