import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FhirDoor, fhirDoor } from '../../../test/support/fhir-door.ts';
import { openHimClient } from '../../../test/support/openhim-client.ts';
import { type OpenHimCore, openHimCore } from '../../../test/support/openhim-core.ts';
import { person } from '../../../test/support/registry.ts';
import { createOutbound } from '../../platform/outbound/index.ts';
import type { KeyMaterial } from '../../platform/tls/index.ts';
import { answeringOpenHim, createMediator, type Mediator } from './index.ts';

const USER = 'careseal@openhim.example';
const PASSWORD = 'correct horse battery staple';
let core: OpenHimCore;
const warnings: object[] = [];

function mediator(more: { password?: string; trusted?: boolean; user?: string; everyMs?: number } = {}): Mediator {
  return createMediator({
    coreUrl: `${core.url}/`,
    user: more.user ?? USER,
    password: async () => more.password ?? PASSWORD,
    fhirUrl: 'https://registry.example:8444/fhir',
    softwareVersion: '1.2.3-beta',
    outbound: createOutbound({
      allowedNetworks: 'any',
      ...(more.trusted === false ? {} : { authoritiesPem: core.authority.ca }),
    }),
    uptimeSeconds: () => 42,
    log: { info: () => undefined, warn: (message, facts) => warnings.push({ message, ...facts }) },
    ...(more.everyMs === undefined ? {} : { everyMs: more.everyMs }),
  });
}

beforeAll(async () => {
  core = await openHimCore(USER, PASSWORD);
});
afterAll(() => core.close());

describe('an OpenHIM mediator', () => {
  it('registers itself, sends heartbeats, and registers again when the core has forgotten it', async () => {
    const one = mediator();
    await one.beat();
    const known = core.mediators.get(one.urn);
    expect(known?.document).toMatchObject({
      version: '1.2.3',
      endpoints: [{ host: 'registry.example', port: '8444', path: '/fhir', primary: true }],
    });
    expect(JSON.stringify(known?.document)).toContain('"secured":true');
    await one.beat();
    await one.beat();
    expect(known?.heartbeats).toEqual([42, 42]);
    core.forget();
    await one.beat();
    expect(core.mediators.has(one.urn)).toBe(true);
    expect(mediator().urn).toBe(one.urn);
  });
  it('says what OpenHIM’s own library for mediators says, to the same places', async () => {
    core.forget();
    const one = mediator();
    core.taken.length = 0;
    await one.beat();
    await one.beat();
    const ours = core.taken.splice(0);
    const theirs = openHimClient({ apiURL: core.url, username: USER, password: PASSWORD, urn: one.urn });
    const document = ours[0]?.body ?? {};
    await theirs.register(document);
    await theirs.heartbeat();
    expect(core.taken.map(({ call }) => call)).toEqual(ours.map(({ call }) => call));
    expect(core.taken[0]?.body).toEqual(document);
    expect(Object.keys(ours[1]?.body ?? {})).toEqual(['uptime']);
    expect(core.taken[1]?.body).toMatchObject({ uptime: expect.any(Number) as number });
    await expect(theirs.register({ ...document, endpoints: [] })).rejects.toThrow('400');
  });
  it('by itself, in the background', async () => {
    core.forget();
    const one = mediator({ everyMs: 20 });
    one.start();
    await expect.poll(() => core.mediators.get(one.urn)?.heartbeats.length ?? 0).toBeGreaterThan(1);
    await one.stop();
  });
  it('is refused with a wrong password or user, and says so without it', async () => {
    const before = core.refused.length;
    await expect(mediator({ password: 'wrong' }).beat()).rejects.toMatchObject({ code: 'openhim-401' });
    await expect(mediator({ user: 'nobody' }).beat()).rejects.toMatchObject({ code: 'openhim-404' });
    expect(core.refused.length).toBe(before + 1);
    const wrong = mediator({ password: 'wrong', everyMs: 10 });
    wrong.start();
    await expect.poll(() => warnings.length).toBeGreaterThan(0);
    await wrong.stop();
    expect(JSON.stringify(warnings)).not.toMatch(/wrong|careseal@/);
  });
  it('does not speak with a core whose certificate it cannot verify', async () => {
    const before = core.refused.length + core.mediators.size;
    await expect(mediator({ trusted: false }).beat()).rejects.toMatchObject({ code: 'outbound-tls' });
    expect(core.refused.length + core.mediators.size).toBe(before);
  });
});

describe('requests through OpenHIM', () => {
  let door: FhirDoor;
  let himself: KeyMaterial;
  beforeAll(async () => {
    door = await fhirDoor((routes, clock) => answeringOpenHim(routes, { urn: 'urn:uuid:mediator', clock }));
    himself = await door.newNode('urn:openhim');
  });
  afterAll(() => door.close());
  const through = (what: Parameters<OpenHimCore['route']>[0], identity = himself) =>
    core.route(what, { port: door.port, ca: door.ca, identity });
  const JSON_BODY = { 'content-type': 'application/fhir+json' };

  it('are answered in its format, JSON and XML; without its mark plainly', async () => {
    const made = await through({
      method: 'POST',
      path: '/fhir/Patient',
      headers: JSON_BODY,
      body: JSON.stringify(person({ key: ['urn:openhim', '1'], family: 'Through' })),
    });
    expect([made.status, made.transaction]).toEqual([201, { status: 'Successful', urn: 'urn:uuid:mediator' }]);
    expect(JSON.parse(made.body).name[0].family).toBe('Through');
    const found = await through({ path: '/fhir/Patient?identifier=urn:openhim|1&_format=xml' });
    expect([found.status, found.contentType]).toEqual([200, 'application/fhir+xml; charset=utf-8']);
    const plain = await door.send(himself, { path: '/fhir/Patient?identifier=urn:openhim|1' });
    expect(plain.json()).toMatchObject({ resourceType: 'Bundle', total: 1 });
    const deleted = await through({ method: 'DELETE', path: '/fhir/Patient?identifier=urn:openhim|1' });
    expect([deleted.status, deleted.body]).toEqual([204, '']);
  });
  it('are refused like any others: certificate, domain, scope; the mark opens nothing', async () => {
    const foreign = await through({
      method: 'POST',
      path: '/fhir/Patient',
      headers: JSON_BODY,
      body: JSON.stringify(person({ key: ['urn:someone-else', '1'] })),
    });
    expect(foreign.status).toBeLessThan(500);
    const other = await door.newNode('urn:other');
    const stolen = await through({
      method: 'PUT',
      path: '/fhir/Patient?identifier=urn:other|1',
      headers: JSON_BODY,
      body: JSON.stringify(person({ key: ['urn:other', '1'] })),
    });
    expect([stolen.status, stolen.transaction]).toEqual([403, undefined]);
    expect(other.certificate).toContain('BEGIN CERTIFICATE');
    const nobody = await core.route(
      { path: '/fhir/Patient?family=x' },
      { port: door.port, ca: door.ca, identity: undefined as never },
    );
    expect(nobody.status).toBe(401);
  });
});
