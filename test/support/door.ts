import { z } from 'zod';
import { newId } from '../../src/crypto/index.ts';
import { issueAuditReceipt } from '../../src/platform/http/audited.ts';
import {
  createDoor,
  type DoorHandle,
  type DoorOptions,
  event,
  noneBecause,
  publicBecause,
  type Refusal,
  type RouteDeclaration,
  route,
} from '../../src/platform/http/index.ts';
import { nodesTls, usersTls } from '../../src/platform/tls/index.ts';
import { fixedTls, type Client, type TestAuthority, testAuthority, testLeaf } from './tls.ts';

export const PUBLIC = publicBecause('exists in this test only');
export const NO_AUDIT = noneBecause('exists in this test only');
export const NO_INPUT = { params: z.object({}), query: z.object({}), body: 'none' } as const;
export const PLENTY = { bodyBytesMax: 0, perMinute: 1_000_000 } as const;

/** A declaration with everything a test does not care about filled in. */
export function testRoute(changes: Partial<RouteDeclaration>): RouteDeclaration {
  return {
    ...route({
      doors: ['users', 'nodes'],
      method: 'GET',
      path: '/api/test',
      access: PUBLIC,
      audit: NO_AUDIT,
      input: NO_INPUT,
      output: z.object({ ok: z.boolean() }),
      limits: PLENTY,
      handle: async () => ({ status: 200, body: { ok: true }, audited: null }),
    }),
    ...changes,
  };
}

/** A receipt as features/audit would give it. */
export const audited = (event = 'home.read') => issueAuditReceipt([{ event }]);
export const EVENT = event('home.read');

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export interface TestDoor {
  readonly port: number;
  readonly client: Client;
  readonly authority: TestAuthority;
  readonly refusals: Refusal[];
  readonly logged: LogLine[];
  readonly handle: DoorHandle;
  close(): Promise<void>;
}

/** A real door on a free loopback port, with TLS from an authority of its own. */
export async function testDoor(
  routes: readonly RouteDeclaration[],
  changes: Partial<DoorOptions> = {},
  authority?: TestAuthority,
): Promise<TestDoor> {
  const own = authority ?? (await testAuthority());
  const name = changes.name ?? 'users';
  const material = [await testLeaf(own, { usage: 'server' })];
  const tls = name === 'nodes' ? nodesTls(material, [own.ca, own.issuing.certificate.pem]) : usersTls(material);
  const refusals: Refusal[] = [];
  const logged: LogLine[] = [];
  const logAs = (level: string) => (fields: object, message: string) => void logged.push({ level, fields, message });
  const handle = createDoor({
    name,
    routes,
    hostNames: ['localhost', '127.0.0.1'],
    tls: fixedTls(tls),
    authenticate: () => ({ kind: 'anonymous', permissions: new Set() }),
    decideAccess: () => undefined,
    recordRefusal: async (refusal) => void refusals.push(refusal),
    clock: { nowMs: Date.now },
    newRequestId: newId,
    log: { info: logAs('info'), warn: logAs('warn'), error: logAs('error') },
    validateOutput: true,
    ...changes,
  });
  const { port } = await handle.listen({ host: '127.0.0.1', port: 0 });
  return {
    port,
    client: { port, ca: own.ca },
    authority: own,
    refusals,
    logged,
    handle,
    close: () => handle.close(100),
  };
}
