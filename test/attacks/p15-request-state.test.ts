import { Agent } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { UserId } from '../../src/kernel/ids.ts';
import type { Principal } from '../../src/kernel/principal.ts';
import { Problem } from '../../src/kernel/problem.ts';
import { event, permission, publicBecause } from '../../src/platform/http/route.ts';
import { audited, type TestDoor, testDoor, testRoute } from '../support/door.ts';
import { OWN_PAGE, send } from '../support/tls.ts';

/**
 * P15: one request's authorization leaks into another (OpenCR kept it in a module variable: after any OPTIONS or sign-in
 * call, certificate checks were off for everybody). Signed-in, anonymous and refused requests are interleaved, on shared
 * and own connections, with authentication that takes its time.
 */
let door: TestDoor;
let handledFor: string[] = [];

const user = (name: string): Principal => ({
  kind: 'user',
  userId: name as UserId,
  displayName: name,
  organisationId: 'o' as never,
  roles: ['auditor'],
  permissions: new Set(['audit.read']),
  sessionId: name as never,
  authenticatedAtMs: 0,
});

beforeAll(async () => {
  const nameOf = (principal: Principal) => (principal.kind === 'user' ? principal.userId : principal.kind);
  door = await testDoor(
    [
      testRoute({
        path: '/api/secret',
        access: permission('audit.read', { scope: 'read' }),
        audit: event('audit.list'),
        output: 'fhir',
        handle: async ({ actor }) => {
          await pause();
          handledFor.push(nameOf(actor.principal));
          return { status: 200, body: { who: nameOf(actor.principal) }, audited: audited('audit.list') };
        },
      }),
      testRoute({
        method: 'POST',
        path: '/api/sign-in/password',
        access: publicBecause('signing in is how one gets in'),
        output: 'fhir',
        handle: async () => {
          await pause();
          return { status: 200, body: {}, audited: null };
        },
      }),
    ],
    {
      authenticate: async ({ cookieHeader }) => {
        await pause();
        const name = /__Host-session=(\w+)/.exec(cookieHeader ?? '')?.[1];
        return name === undefined ? { kind: 'anonymous', permissions: new Set() } : user(name);
      },
      decideAccess: (principal, access) =>
        access.kind === 'public' || principal.kind === 'user'
          ? undefined
          : new Problem('unauthenticated', 'sign-in-needed', 'Sign in first.'),
    },
  );
});
afterAll(() => door.close());

const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 8));

test('after OPTIONS, sign-in, errors and refusals, nothing is open that was closed before', async () => {
  const openers = [
    { method: 'OPTIONS', path: '/api/secret', headers: OWN_PAGE },
    { method: 'OPTIONS', path: '/api/sign-in/password', headers: OWN_PAGE },
    { method: 'POST', path: '/api/sign-in/password', headers: OWN_PAGE },
    { path: '/api/secret', headers: { cookie: '__Host-session=alice' } },
    { path: '/api/%zz' },
    { path: '/api/nothing' },
    { path: '/api/secret', headers: { host: 'evil.example' } },
  ];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const opener of openers) {
    await send({ ...door.client, agent }, opener);
    // On the very connection of the opener, and on a fresh one.
    expect((await send({ ...door.client, agent }, { path: '/api/secret' })).status).toBe(401);
    expect((await send(door.client, { path: '/api/secret' })).status).toBe(401);
  }
  agent.destroy();
});

test('interleaved requests keep their own callers', async () => {
  handledFor = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const callers = ['alice', 'bob', undefined, 'carol', 'signing-in'];
  const asked = Array.from({ length: 300 }, (_, i) => callers[i % callers.length]);
  const answers = await Promise.all(
    asked.map((who) =>
      who === 'signing-in'
        ? send({ ...door.client, agent }, { method: 'POST', path: '/api/sign-in/password', headers: OWN_PAGE })
        : send(
            { ...door.client, agent },
            { path: '/api/secret', headers: who === undefined ? {} : { cookie: `__Host-session=${who}` } },
          ),
    ),
  );
  for (const [i, who] of asked.entries()) {
    if (who === undefined) expect(answers[i]?.status).toBe(401);
    else if (who !== 'signing-in') expect(answers[i]?.json()).toEqual({ who });
  }
  expect(handledFor).not.toContain('anonymous');
  expect(handledFor).toHaveLength(180);
  agent.destroy();
});
