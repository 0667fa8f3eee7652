import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { ROLES, type Role } from '../../src/kernel/access.ts';
import { type OpenDoors, openDoors } from '../../src/main/doors.ts';
import { composeServices, operator, type Services } from '../../src/main/services.ts';
import { readConfig } from '../../src/platform/config/config.ts';
import { silentLogger } from '../../src/platform/log/index.ts';
import { createMetrics } from '../../src/platform/metrics/index.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { BASE_URL, enrol, type IdentityFixture, setUp } from '../support/identity.ts';
import { person } from '../support/registry.ts';
import { type Answer, OWN_PAGE, send } from '../support/tls.ts';

/**
 * P10: a signed-in account can use no route that its roles do not give. The whole application behind both doors; every route of the
 * golden list is asked by everybody. What a role may do is written out here once more, so that a change of rules is a change of
 * this table.
 */
const MAY: Readonly<Record<Role, readonly string[]>> = {
  administrator: [
    'client.read client.write client.load client.delete review.read review.decide node.read node.manage',
    'client.share client.break-glass user.read user.manage organisation.manage audit.read settings.manage',
  ].flatMap((names) => names.split(' ')),
  registrar: ['client.read', 'client.write', 'client.load', 'client.break-glass'],
  steward: [
    'client.read client.write client.load client.delete client.share client.break-glass review.read review.decide',
  ].flatMap((names) => names.split(' ')),
  auditor: ['audit.read'],
};

interface GoldenRoute {
  readonly door: string;
  readonly method: string;
  readonly path: string;
  readonly access: string;
}

const GOLDEN: readonly GoldenRoute[] = readFileSync(join(import.meta.dirname, '../golden/routes.txt'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const [head = '', access = ''] = line.split(' | ');
    const [door = '', method = '', path = ''] = head.split(' ');
    return { door, method, path, access };
  });
const at = (door: string) => GOLDEN.filter((one) => one.door === door);
const isAllowed = ({ access }: GoldenRoute, role: Role): boolean =>
  access.startsWith('permission ') ? MAY[role].includes(permissionOf(access)) : true;
/** Without what else is asked: a node's scope, a fresh proof. */
const permissionOf = (access: string): string => /^permission ([a-z.-]+)/.exec(access)?.[1] ?? '';

/** Asked of nobody: `public`, and at the nodes' door `open` to who has no certificate. */
const isForEverybody = ({ access }: GoldenRoute): boolean => /^(public|open)/.test(access);

const home = mkdtempSync(join(tmpdir(), 'careseal-roles-'));
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
let db: TestDatabase;
let services: Services;
let doors: OpenDoors;
let ca: string;
const cookies = new Map<Role, string>();
const userIds = new Map<Role, string>();
const nodes: Record<'active' | 'revoked', KeyMaterial | undefined> = { active: undefined, revoked: undefined };
/** Real things, so that "not found" would give their absence away. */
const real = { client: '', source: '', user: '', node: '' };

beforeAll(async () => {
  db = await testDatabase();
  const variables = { CARESEAL_USERS_PORT: '0', CARESEAL_NODES_PORT: '0', CARESEAL_HOSTNAMES: 'localhost' };
  const config = readConfig({ home, homeSource: 'default', workingDirectory: home, document: undefined, variables });
  services = await composeServices({ config, connection: db.connection, log: silentLogger() });
  doors = await openDoors(services, silentLogger(), createMetrics());
  ca = await services.nodes.authorities.rootsPem();
  const { identity } = services;
  const fixture = { identity, clock: { nowMs: Date.now, forward: () => undefined } } as unknown as IdentityFixture;
  await setUp(fixture);
  for (const role of ROLES) {
    const added = await identity.users.add(
      operator(),
      { name: role, email: `${role}@example.org`, roles: [role] },
      BASE_URL,
    );
    const { browser } = await enrol(fixture, added.link?.url ?? '');
    cookies.set(role, [...browser.cookies].map(([name, value]) => `__Host-${name}=${value}`).join('; '));
    userIds.set(role, added.user.id);
  }
  for (const state of ['active', 'revoked'] as const) {
    const { node, files } = await services.nodes.addNode(operator(), { name: state, domain: `urn:roles:${state}` });
    nodes[state] = { certificate: files['node.crt'], key: files['node.key'] ?? '' };
    real.node = node.id;
  }
  await services.nodes.revokeNode(operator(), { name: 'revoked' }, 'lost machine');
  const made = await toNodes('active', {
    method: 'POST',
    path: '/fhir/Patient',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(
      person({ key: ['urn:roles:active', 'r-1'], given: 'Zulu', family: 'Canary', birthDate: '1984-03-12' }),
    ),
  });
  if (made.status !== 201) throw new Error(made.text);
  real.source = made.json<{ id: string }>().id;
  real.client = String(made.headers['locationcruid']).replace('Patient/', '');
  real.user = userIds.get('administrator') ?? '';
});

afterAll(async () => {
  agent.destroy();
  await doors.close(0);
  await services.stop();
  await db.close();
  rmSync(home, { recursive: true, force: true });
});

type Ask = Parameters<typeof send>[1];
const toNodes = (which: 'active' | 'revoked' | 'nobody', what: Ask): Promise<Answer> => {
  const identity = which === 'nobody' ? undefined : nodes[which];
  return send({ port: doors.nodesPort, ca, ...(identity ? { identity } : {}) }, what);
};
const toUsers = (role: Role | 'nobody', what: Ask): Promise<Answer> =>
  send(
    { port: doors.usersPort, ca, agent },
    {
      ...what,
      headers: { ...OWN_PAGE, ...what.headers, ...(role === 'nobody' ? {} : { cookie: cookies.get(role) ?? '' }) },
    },
  );

/** Addresses of one route: with what exists, with what does not, and with what cannot. */
function addresses({ path }: GoldenRoute): string[] {
  const existing = path.includes('/users/') ? real.user : path.includes('/nodes/') ? real.node : real.client;
  const filled = (id: string) =>
    path
      .replace(':version', '1')
      .replace(/:(id|name)/, id)
      .replace('*', '0/000');
  return path.includes(':') ? [filled(existing), filled(newId()), filled('none')] : [filled('')];
}

/** Everything a caller sees but the request's own number. */
const seen = ({ status, text }: Answer): string => `${status} ${text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '#')}`;

async function events(): Promise<number> {
  const [row] = await db.ownerDatabase.rows<{ n: bigint }>({
    name: 'test.n',
    text: 'SELECT coalesce(sum(events), 0)::bigint AS n FROM audit.batch',
  });
  return Number(row?.n);
}

test('the list is whole, and each role is in it', () => {
  expect(at('users').length).toBeGreaterThan(60);
  expect(at('nodes').length).toBeGreaterThan(12);
  expect(
    GOLDEN.every(({ access }) =>
      /^(permission [a-z]+\.[a-z-]+(, [a-z -]+)*$|(signed-in|public|open)(, step-up)?: )/.test(access),
    ),
  ).toBe(true);
});

describe.each(ROLES)('a signed-in %s', (role) => {
  const forbidden = at('users').filter((one) => !isAllowed(one, role));
  const allowed = at('users').filter((one) => isAllowed(one, role));

  test('is refused everything else, told nothing by the refusal, and each refusal is recorded', async () => {
    expect(forbidden.length === 0).toBe(role === 'administrator');
    const before = await events();
    let asked = 0;
    for (const one of forbidden) {
      const answers: Answer[] = [];
      for (const path of addresses(one)) answers.push(await toUsers(role, { method: one.method, path }));
      asked += answers.length;
      for (const answer of answers) expect(answer.status, `${one.method} ${one.path}`).toBe(403);
      expect(new Set(answers.map(seen)).size, `${one.method} ${one.path}`).toBe(1);
      expect(answers[0]?.headers['cache-control']).toBe('no-store');
      expect(answers[0]?.text).not.toMatch(/Canary|Zulu|urn:roles/);
    }
    expect((await events()) - before).toBe(asked);
  });

  test('is not refused for the role where the role allows it', async () => {
    for (const one of allowed) {
      // Ending one's own session would end the test; making nodes and links is tested elsewhere.
      if (one.path === '/api/sign-out') continue;
      for (const path of addresses(one)) {
        const answer = await toUsers(role, { method: one.method, path });
        expect(answer.status, `${one.method} ${path}`).toBeLessThan(500);
        if (answer.status === 403) expect(answer.text, `${one.method} ${path}`).toContain('own-rights');
      }
    }
  });

  test('sees no count of what the role does not see', async () => {
    const { figures, attention } = (await toUsers(role, { path: '/api/home' })).json<{
      figures: Record<string, unknown>;
      attention: { href: string }[];
    }>();
    const may = (name: string) => MAY[role].includes(name);
    expect('clients' in figures).toBe(may('client.read'));
    expect('sources' in figures).toBe(may('client.read'));
    expect('reviewsOpen' in figures).toBe(may('review.read'));
    expect('loads' in figures).toBe(may('client.load'));
    expect('nodes' in figures).toBe(may('node.read'));
    expect('users' in figures).toBe(may('user.read'));
    const pages: Record<string, string> = {
      '/audit': 'audit.read',
      '/audit/alerts': 'audit.read',
      '/nodes': 'node.read',
      '/load': 'client.load',
      '/reviews': 'review.read',
      '/people': 'user.read',
    };
    for (const { href } of attention) expect(may(pages[href] ?? '')).toBe(true);
  });

  test('gets no way round by another spelling of an address or another method', async () => {
    for (const one of forbidden.filter(({ method }) => method === 'GET')) {
      const [path = ''] = addresses(one);
      const spellings = [
        path.replace('/api/', '/%61pi/').replace('/fhir', '/%66hir').replace('/audit/', '/%61udit/'),
        path.replace('/', '//'),
        path.toUpperCase(),
        `${path}/`,
        `/assets/..${path}`,
        `/x/%2e%2e${path}`,
        `${path};x=1`,
        `https://localhost:${doors.usersPort}${path}`,
      ];
      for (const spelling of spellings) {
        const answer = await toUsers(role, { path: spelling, headers: { 'x-http-method-override': 'GET' } });
        // The application's own page, which holds nothing, or a refusal.
        const isPage = answer.status === 200 && String(answer.headers['content-type']).startsWith('text/html');
        expect(isPage || [400, 401, 403, 404, 405].includes(answer.status), `${spelling}: ${answer.status}`).toBe(true);
        expect(answer.text).not.toMatch(/Canary|urn:roles/);
      }
      const head = await toUsers(role, { method: 'HEAD', path });
      expect([403, 404, 405]).toContain(head.status);
    }
  });
});

test('another site cannot open data as a page, however it spells the address', async () => {
  const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  for (const path of ['/api/home', '/%61pi/home', `/%66hir/Patient/${real.client}`, '/audit/log/checkpoint']) {
    const answer = await toUsers('administrator', { path, headers });
    expect([answer.status, answer.text.includes('cross-site')], path).toEqual([403, true]);
  }
});

test('a record cannot make the server stumble over the name of its domain', async () => {
  for (const system of [
    `urn:long:${Array.from({ length: 1_000 }, newId).join('')}`,
    'urn:\u0001',
    'urn:"<script>',
    'urn:a|b',
    '|',
    '__proto__',
    'constructor',
  ]) {
    const answer = await toUsers('registrar', {
      method: 'POST',
      path: '/fhir/Patient',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(person({ key: [system, 'v-1'], given: 'Peter', family: 'Banda', birthDate: '1999-12-12' })),
    });
    expect(answer.status, system.slice(0, 20)).toBeLessThan(500);
  }
});

describe('a stranger', () => {
  test('is told to sign in everywhere, whatever exists', async () => {
    for (const one of at('users')) {
      if (isForEverybody(one)) continue;
      const answers: Answer[] = [];
      for (const path of addresses(one)) answers.push(await toUsers('nobody', { method: one.method, path }));
      expect(new Set(answers.map(({ status }) => status)), `${one.method} ${one.path}`).toEqual(new Set([401]));
      expect(new Set(answers.map(seen)).size, `${one.method} ${one.path}`).toBe(1);
    }
  });

  test('is told nothing by what is open to everybody', async () => {
    for (const one of at('users').filter(isForEverybody)) {
      const [path = ''] = addresses(one);
      const answer = await toUsers('nobody', { method: one.method, path });
      expect(answer.status, `${one.method} ${path}`).toBeLessThan(500);
      expect(answer.text).not.toMatch(/Canary|Zulu|urn:roles|example\.org/);
    }
  });

  test('has no use of a node’s certificate at the users’ door', async () => {
    const { active } = nodes;
    const client = { port: doors.usersPort, ca, ...(active ? { identity: active } : {}) };
    for (const path of [`/fhir/Patient/${real.client}`, '/fhir/Patient', '/api/nodes']) {
      expect((await send(client, { path })).status).toBe(401);
    }
  });
});

describe('at the nodes’ door', () => {
  test('a node reaches FHIR and nothing of the users’ door, with a cookie or without', async () => {
    const cookie = cookies.get('administrator') ?? '';
    for (const one of at('nodes').filter(({ access }) => !access.startsWith('open'))) {
      for (const path of addresses(one)) {
        const answer = await toNodes('active', { method: one.method, path });
        // A node has some interactions and not others; p36 to p39 are about those.
        const lacks = one.access.startsWith('permission audit.') || /scope|repository-off/.test(answer.text);
        expect([401, 403].includes(answer.status) && !lacks, `${one.method} ${path}: ${answer.text}`).toBe(false);
        expect(answer.status).toBeLessThan(500);
      }
    }
    const here = new Set(at('nodes').map(({ path }) => path));
    const elsewhere = at('users').filter(({ path }) => !path.startsWith('/fhir') && !here.has(path));
    for (const one of elsewhere) {
      const [path = ''] = addresses(one);
      const answer = await toNodes('active', { method: one.method, path, headers: { cookie, 'x-careseal': '1' } });
      expect([answer.status, answer.json()['code']], `${one.method} ${path}`).toEqual([404, 'route-unknown']);
    }
  });

  test.each([
    ['revoked', 403, 'node-revoked'],
    ['nobody', 401, 'certificate-missing'],
  ] as const)(
    '%s is refused alike at every address, known or not, with a cookie or without',
    async (which, status, code) => {
      const cookie = cookies.get('administrator') ?? '';
      const paths = [...new Set([...at('nodes'), ...at('users')].flatMap(addresses)), '/', '/nothing/here'];
      const open = new Set(
        at('nodes')
          .filter(({ access }) => access.startsWith('open'))
          .flatMap(addresses),
      );
      for (const path of paths.filter((one) => !open.has(one) && !one.startsWith('/pki/'))) {
        const answer = await toNodes(which, { path, headers: { cookie } });
        if (path === '/fhir/metadata' && answer.status === 200) throw new Error('answered before it was authenticated');
        expect([answer.status, answer.text.includes(code)], path).toEqual([status, true]);
      }
    },
  );
});
