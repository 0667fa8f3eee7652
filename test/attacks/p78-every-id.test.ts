import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newId } from '../../src/crypto/index.ts';
import { CENTRAL_PERMISSIONS, ROLE_PERMISSIONS } from '../../src/features/identity/rights.ts';
import { operator } from '../../src/main/services.ts';
import type { RouteDeclaration } from '../../src/platform/http/index.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type Address, addressesOf, type ForeignIds, foreignIds, type Kind } from '../support/foreign-ids.ts';
import { BASE_URL, enrol, type IdentityFixture } from '../support/identity.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { type Answer, OWN_PAGE } from '../support/tls.ts';
import { SUBSCRIPTION } from '../support/subscription.ts';

/**
 * P78: an id of another organisation's thing is an id of nothing, in every place of every address that takes one (path, question,
 * body), to everybody who is bounded: each role of the other organisation, who is somebody else in the organisation it is of, a
 * personal token, and a system. The same status, words and headers, and the same event in the log that the asker may read. The places
 * are read from the declarations: one that is in no table here fails the test.
 */
let p: Programme;
let foreign: ForeignIds;
let routes: readonly RouteDeclaration[];
/** What each asker adds to a request, and whose account it is. */
const askers = new Map<string, { readonly userId: string; readonly headers: Record<string, string> }>();
let system: KeyMaterial;

const ADDRESSES = addressesOf(() => foreign);
const ROLES = ['administrator', 'steward', 'registrar', 'auditor'] as const;
const ASKERS = [...ROLES.map((role) => `north ${role}`), 'registrar here and auditor there', 'token'] as const;
const reason = 'a reason long enough';
const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();
const days = () => ({ from: new Date(Date.now() - 86_400_000).toISOString(), to: tomorrow() });

/** Places beside those of the shared table: in questions, and of what the log and lists hold. */
const MORE: readonly Address[] = [
  { method: 'GET', path: '/api/audit/events/:id', kinds: ['event', 'client'] },
  { method: 'GET', path: '/api/audit/events/:id/export', kinds: ['event', 'client'] },
  { method: 'DELETE', path: '/api/audit/searches/:id', kinds: ['saved search'] },
  { method: 'GET', path: '/api/audit/events?actor=:id', kinds: ['user', 'node'] },
  { method: 'GET', path: '/api/audit/activity?actor=:id', kinds: ['user', 'node'] },
  { method: 'GET', path: '/api/alerts?before=:id', kinds: ['event', 'client'] },
  { method: 'GET', path: '/api/access-review?organisation=:id', kinds: ['organisation'] },
  { method: 'GET', path: '/api/users/:id', kinds: ['user', 'organisation'] },
  { method: 'GET', path: '/api/users?organisation=:id', kinds: ['organisation'] },
  { method: 'DELETE', path: '/api/users/:id/memberships/:organisation', kinds: ['user', 'organisation'] },
  {
    method: 'POST',
    path: '/api/audit/report',
    kinds: ['organisation'],
    body: (id) => ({ ...days(), organisation: id }),
  },
  { method: 'POST', path: '/api/audit/report', kinds: ['user'], body: (id) => ({ ...days(), actor: id }) },
  ...(['organisation', 'actor'] as const).map((name) => ({
    ...{ method: 'POST', path: '/api/audit/report/file' },
    kinds: [name === 'actor' ? 'user' : name] as const,
    body: (id: string) => ({ ...days(), format: 'csv', [name]: id }),
  })),
  {
    ...{ method: 'POST', path: '/api/rights', kinds: ['organisation'] },
    body: (id) => ({ userId: p.users.get('north registrar')?.id, organisationId: id }),
  },
  {
    ...{ method: 'POST', path: '/api/rights', kinds: ['organisation'] },
    body: (id) => ({ userId: foreign.their('user'), organisationId: id }),
  },
  { method: 'POST', path: '/api/users/search', kinds: ['organisation'], body: (id) => ({ organisation: id }) },
  {
    method: 'POST',
    path: '/api/session/organisation',
    kinds: ['organisation'],
    body: (id) => ({ organisationId: id }),
  },
  {
    ...{ method: 'POST', path: '/api/users', kinds: ['organisation'] },
    body: (id) => ({ name: 'N', email: 'n@north.example.org', roles: ['registrar'], organisationId: id }),
  },
  {
    ...{ method: 'POST', path: '/api/users/:id/memberships', kinds: ['user'] },
    body: () => ({ roles: ['registrar'], organisationId: p.organisations.south }),
  },
  { method: 'PUT', path: '/api/users/:id/roles', kinds: ['user'], body: () => ({ roles: ['registrar'] }) },
  { method: 'PUT', path: '/api/users/:id/roles', kinds: ['user'], body: () => ({ roles: [newId()] }) },
  {
    ...{ method: 'PUT', path: '/api/users/:id/roles', kinds: ['user'] },
    body: () => ({ roles: ['registrar'], organisationId: p.organisations.south }),
  },
  {
    ...{ method: 'POST', path: '/api/access-review/confirm', kinds: ['organisation'] },
    body: (id) => ({ userId: p.users.get('north registrar')?.id, organisationId: id }),
  },
  { method: 'POST', path: '/api/reviews/assign', kinds: ['user'], body: (id) => ({ reviews: [newId()], to: id }) },
  {
    ...{ method: 'POST', path: '/api/clients/:id/unlink', kinds: ['record'] },
    body: (id) => ({ sourceId: id, reason }),
  },
  {
    method: 'POST',
    path: '/api/never-link',
    kinds: ['record'],
    body: (id) => ({ a: foreign.own.source, b: id, reason }),
  },
  {
    method: 'POST',
    path: '/api/never-link',
    kinds: ['record'],
    body: (id) => ({ a: id, b: foreign.own.source, reason }),
  },
  {
    ...{ method: 'POST', path: '/api/clients/merge', kinds: ['client', 'record'] },
    body: (id) => ({ survivor: foreign.own.golden, other: id, reason }),
  },
  {
    ...{ method: 'POST', path: '/api/clients/merge', kinds: ['client', 'record'] },
    body: (id) => ({ survivor: id, other: foreign.own.golden, reason }),
  },
  { method: 'GET', path: '/fhir/Patient?_id=:id', kinds: ['client', 'record'] },
  { method: 'GET', path: '/fhir/Patient?link=Patient/:id', kinds: ['client', 'record'] },
  { method: 'DELETE', path: '/fhir/Patient?identifier=urn:north:mrn|:id', kinds: ['client'] },
  {
    ...{ method: 'POST', path: '/fhir', kinds: ['client', 'record'] },
    body: (id) => ({
      ...{ resourceType: 'Bundle', type: 'batch' },
      entry: [
        { request: { method: 'GET', url: `Patient/${id}` } },
        { request: { method: 'GET', url: `Patient/${id}/_history` } },
        { request: { method: 'DELETE', url: `Patient/${id}` } },
      ],
    }),
  },
];

/** Questions to the log about a client. Asked before anything else, since what one did about an id oneself is told. */
const OF_THE_LOG: readonly Address[] = [
  { method: 'GET', path: '/api/audit/events?client=:id', kinds: ['client', 'record'] },
  { method: 'POST', path: '/api/audit/report', kinds: ['client'], body: (id) => ({ ...days(), client: id }) },
  {
    ...{ method: 'POST', path: '/api/audit/report/file', kinds: ['client'] },
    body: (id) => ({ ...days(), format: 'csv', client: id }),
  },
];

/** Places that hold ids of nothing an organisation has, and why. */
const NOBODYS: Readonly<Record<string, string>> = {
  'GET /fhir/CapabilityStatement/:actor :actor': 'a name of the program’s',
  'GET /pki/:id :id': 'an authority, for everybody',
  'DELETE /api/mappings/:name :name': 'a name within the organisation: p56',
  'PUT /api/mappings/:name :name': 'a name within the organisation: p56',
  'POST /api/notices/:id/acknowledge :id': 'a notice is for people of a role, wherever they are',
  'POST /api/identities providerId': 'a provider is everybody’s',
  'POST /api/identity-link providerId': 'a provider is everybody’s',
  'POST /api/sign-in/provider providerId': 'a provider is everybody’s',
  'POST /api/nodes/:id/certificates/:sha256/revoke :sha256': 'of the node that is named before it',
  'GET /fhir/Patient/:id/_history/:version :version': 'a number',
  'GET /match/potential-matches/:id :id': 'systems find everybody: decisions/whose-clients.md',
  'GET /match/:call :call': 'a name of the program’s',
  'POST /match/:call :call': 'a name of the program’s',
  'GET /fhir/Subscription/:id :id': 'below: of the system that made it',
  'PUT /fhir/Subscription/:id :id': 'below',
  'DELETE /fhir/Subscription/:id :id': 'below',
  'GET /api/users ?after': 'a place in time: any id is one, and what is listed is bounded (p31)',
  'POST /api/users/search after': 'the same',
  'POST /api/users roles': 'roles are the whole programme’s',
  'POST /api/users/:id/memberships roles': 'roles are the whole programme’s',
  'PUT /api/users/:id/roles roles': 'roles are the whole programme’s',
  'DELETE /api/users/:id/personal-tokens/:token :token': 'of the person who is named before it',
};

const isBounded = ({ access }: RouteDeclaration): boolean =>
  access.kind === 'signed-in' ||
  (access.kind === 'permission' && access.everywhere !== true && !CENTRAL_PERMISSIONS.has(access.permission));

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly format?: string;
}

/** Names of members, of any depth, that hold ids. */
function idsOf(schema: unknown): string[] {
  if (typeof schema === 'string') return [];
  const found = new Set<string>();
  const visit = (node: Node, name: string): void => {
    if (node.format === 'uuid' || /^(actor|client|node)$/.test(name)) found.add(name);
    if (node.items) visit(node.items, name);
    for (const one of node.anyOf ?? []) visit(one, name);
    for (const [inner, value] of Object.entries(node.properties ?? {})) visit(value, inner);
  };
  visit(z.toJSONSchema(schema as z.ZodType, { io: 'input', unrepresentable: 'any' }) as Node, '');
  return [...found];
}

/** Where an id is put, of an address of the tables: `:id`, `?actor`, or the members of its body. */
const placesOf = ({ method, path, body }: Address): string[] => {
  const [route = '', query = ''] = path.split('?');
  const marks = [...route.matchAll(/:\w+/g)].map(([mark]) => mark);
  const asked = query === '' ? [] : [`?${query.split('=')[0]}`];
  const members = body === undefined ? [] : idMembers(body('#id#'));
  return [...marks, ...asked, ...members].map((place) => `${method} ${route} ${place}`);
};

const idMembers = (body: unknown): string[] =>
  typeof body === 'object' && body !== null
    ? Object.entries(body).flatMap(([name, value]) =>
        JSON.stringify(value).includes('#id#') || /(Id|organisation)$/.test(name) ? [name] : [],
      )
    : [];

beforeAll(async () => {
  p = await programme();
  foreign = await foreignIds(p);
  routes = p.services.routes;
  const { identity } = p.services;
  const fixture = { identity, clock: { nowMs: Date.now, forward: () => undefined } } as unknown as IdentityFixture;
  const cookieOf = (cookies: ReadonlyMap<string, string>) =>
    [...cookies].map(([name, value]) => `__Host-${name}=${value}`).join('; ');
  const { north, south } = p.organisations;
  for (const name of ASKERS) {
    const [, role = ''] = name.split(' ');
    if (name === 'token') continue;
    const roles = name.startsWith('north') ? [role] : ['registrar'];
    const email = `${name.replaceAll(' ', '-')}@askers.example.org`;
    const added = await identity.users.add(operator(), { name, email, roles, organisationId: north }, BASE_URL);
    const { browser } = await enrol(fixture, added.link?.url ?? '');
    if (roles[0] !== role) {
      const act = { kind: 'join', organisationId: south, roles: ['auditor'] } as const;
      await identity.users.change(operator(), added.user.id, act, BASE_URL);
    }
    askers.set(name, { userId: added.user.id, headers: { ...OWN_PAGE, cookie: cookieOf(browser.cookies) } });
  }
  const steward = askers.get('north steward');
  const made = await p.send({
    ...{ method: 'POST', path: '/api/personal-tokens' },
    headers: { ...steward?.headers, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ label: 'nightly', days: 7 },
      permissions: ['client.read', 'client.write', 'client.delete'],
    }),
  });
  const secret = made.json<{ secret: string }>().secret;
  if (made.status !== 201) throw new Error(made.text);
  askers.set('token', { userId: steward?.userId ?? '', headers: { authorization: `Bearer ${secret}` } });
  const wanted = { name: 'North system', domain: 'urn:north:system', organisationId: north };
  const { files } = await p.services.nodes.addNode(operator(), wanted);
  system = { certificate: files['node.crt'] ?? '', key: files['node.key'] ?? '' };
}, 120_000);
afterAll(() => p.close());

/** Everything that is told but numbers of requests, ids and times. */
const seen = ({ status, headers, text }: Answer): unknown => {
  const { date: _date, 'x-request-id': _request, 'content-length': _length, ...rest } = headers;
  const plain = (said: string) =>
    said
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '#')
      .replaceAll(/\d{4}-\d\d-\d\d[T ]?[\d:.]*Z?/g, '#')
      .replaceAll(/"(cursor|next)":"[^"]*"/g, '#');
  return { status, headers: JSON.parse(plain(JSON.stringify(rest))) as unknown, text: plain(text) };
};

async function ask(who: string, { method, path, body }: Address, id: string): Promise<Answer> {
  const filled = path
    .replace(':version', '1')
    .replace(':organisation', path.includes('memberships/') ? p.organisations.south : id)
    .replace(':sha256', 'a'.repeat(64))
    .replace(':token', foreign.their('token'))
    .replace(':id', id)
    .replace('|', '%7C');
  const sent = body?.(id);
  const type = path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json';
  return await p.send({
    ...{ method, path: filled },
    headers: { ...askers.get(who)?.headers, ...(sent === undefined ? {} : { 'content-type': type }) },
    ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
  });
}

/** What the log says of a request, to whoever may read the acts of who asked: nothing of whose the thing is. */
async function logged(who: string, answer: Answer): Promise<string[]> {
  const userId = askers.get(who)?.userId ?? '';
  const { events } = await p.services.audit.search({ actors: [userId], limit: 20 });
  return events
    .filter(({ requestId }) => requestId === answer.headers['x-request-id'])
    .map(({ event, outcome, reason: why, detail, entities, client }) => ({
      ...{ event, outcome, why },
      told: JSON.stringify([detail, entities, client]).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '#'),
    }))
    .map((one) => JSON.stringify(one))
    .toSorted();
}

const nobody = new Map<Kind, string>([
  ['client', newId()],
  ['record', newId()],
]);

const ALL = [...ADDRESSES, ...MORE, ...OF_THE_LOG];
const named = (list: readonly Address[]) => list.map((one) => [`${one.method} ${one.path}`, one] as const);

describe.each(ASKERS)('%s, who asks the log', (who) => {
  test.each(named(OF_THE_LOG))('%s', async (_name, address) => {
    // As often about the one as about the other: that one asked is told as well.
    for (const kind of address.kinds) {
      const nothing = await ask(who, address, nobody.get(kind) ?? '');
      expect(seen(await ask(who, address, foreign.their(kind))), kind).toEqual(seen(nothing));
    }
  });
});

describe.each(ASKERS)('%s', (who) => {
  test.each(named([...ADDRESSES, ...MORE]))('%s', async (_name, address) => {
    // Who belongs to it may act in it.
    if (address.path === '/api/session/organisation' && who.includes('there')) return;
    const nothing = await ask(who, address, newId());
    const told = await logged(who, nothing);
    expect([415, 429, 500], nothing.text).not.toContain(nothing.status);
    for (const kind of address.kinds) {
      const answer = await ask(who, address, foreign.their(kind));
      expect(seen(answer), kind).toEqual(seen(nothing));
      expect(await logged(who, answer), kind).toEqual(told);
      expect(answer.text, kind).not.toMatch(/Nantongo|Zulaika|South clinic/);
    }
  });
});

test('what is for the centre alone is refused before anything is looked for, whatever its id', async () => {
  const central = routes.filter((one) => !isBounded(one) && one.access.kind === 'permission' && /:\w+/.test(one.path));
  expect(central.length).toBeGreaterThan(30);
  for (const { method, path, doors } of central) {
    if (!doors.includes('users')) continue;
    const at = { method, path: path.replace(/:(name|call|at)/, 'x'), kinds: [] };
    for (const who of ASKERS) {
      const [nothing, theirs] = [await ask(who, at, newId()), await ask(who, at, foreign.their('client'))];
      expect([nothing.status, seen(theirs)], `${who} ${method} ${path}`).toEqual([403, seen(nothing)]);
    }
  }
});

test.each(['PUT', 'DELETE'])('a system: %s of another’s record is as of none', async (method) => {
  const at = (id: string) => ({
    ...{ method, path: `/fhir/Patient/${id}` },
    ...(method === 'PUT'
      ? { headers: { 'content-type': 'application/fhir+json' }, body: JSON.stringify({ resourceType: 'Patient', id }) }
      : {}),
  });
  const nothing = await p.sendAsNode(system, at(newId()));
  // Systems find everybody (decisions/whose-clients.md); that a record is not theirs to change is no secret to them.
  expect(nothing.status, nothing.text).toBeGreaterThanOrEqual(400);
  for (const kind of ['client', 'record'] as const) {
    expect((await p.sendAsNode(system, at(foreign.their(kind)))).status).toBeGreaterThanOrEqual(400);
  }
});

describe('a subscription', () => {
  let theirs = '';
  const sent = { headers: { 'content-type': 'application/fhir+json' }, body: JSON.stringify(SUBSCRIPTION) };

  let other: { certificate: string; key: string };
  const subscriber = async (place: 'north' | 'south') => {
    const { files } = await p.services.nodes.addNode(operator(), {
      ...{ name: `Subscriber of ${place}`, domain: `urn:${place}:subscriber`, scopes: ['read', 'subscribe'] },
      organisationId: p.organisations[place],
    });
    return { certificate: files['node.crt'] ?? '', key: files['node.key'] ?? '' };
  };
  beforeAll(async () => {
    other = await subscriber('north');
    const south = await subscriber('south');
    const made = await p.sendAsNode(south, { method: 'POST', path: '/fhir/Subscription', ...sent });
    if (made.status !== 201) throw new Error(made.text);
    theirs = made.json<{ id: string }>().id;
  });
  test.each(['GET', 'PUT', 'DELETE'])('%s by another system', async (method) => {
    const at = (id: string) => ({
      ...{ method, path: `/fhir/Subscription/${id}` },
      ...(method === 'PUT' ? { ...sent, body: JSON.stringify({ ...SUBSCRIPTION, id }) } : {}),
    });
    const nothing = await p.sendAsNode(other, at(newId()));
    expect([nothing.status, seen(await p.sendAsNode(other, at(theirs)))]).toEqual([404, seen(nothing)]);
  });
  test('is in no list of another system', async () => {
    const list = await p.sendAsNode(other, { path: '/fhir/Subscription' });
    expect([list.status, list.text.includes('subscriber.example.org')]).toEqual([200, false]);
  });
});

test('every place of every address that takes an id is in a table', () => {
  const asked = new Set(ALL.flatMap(placesOf));
  const missing = routes.filter(isBounded).flatMap(({ method, path, input }) => {
    const marks = [...path.matchAll(/:\w+/g)].map(([mark]) => mark);
    const questions = idsOf(input.query).map((name) => `?${name}`);
    return [...marks, ...questions, ...idsOf(input.body)]
      .map((place) => `${method} ${path} ${place}`)
      .filter((place) => !asked.has(place) && !(place in NOBODYS));
  });
  expect(missing, missing.join('\n')).toEqual([]);
});

test('the roles that ask are all there are', () => {
  expect(ROLES.toSorted()).toEqual(Object.keys(ROLE_PERMISSIONS).toSorted());
});
