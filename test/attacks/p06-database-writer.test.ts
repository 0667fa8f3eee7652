import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newSecretKey, sealedAtRest, sealKeyId } from '../../src/crypto/index.ts';
import { seal } from '../../src/crypto/seal.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { type FhirClient, fhirFixture } from '../support/fhir-client.ts';
import { codeAt, identityFixture, PASSWORD, setUp, TestBrowser } from '../support/identity.ts';
import { person, type RegistryFixture, registryFixture } from '../support/registry.ts';

/**
 * P06. Attacker: may write anything into the database, as its superuser, and has read all of it before; has no keys. Goal: that a
 * record is shown as true which is not: another person's, an edited or an invented one, an old version as the current one.
 * Not promised (SECURITY.md): that rows are not deleted, or put back whole as they were before, version number and all.
 */
const SYSTEM = 'urn:attack:node';
let registry: RegistryFixture;
let node: FhirClient;
let mine: string;
let theirs: string;

// A database for each test: a broken record is refused wherever it is a candidate, in the next test too.
beforeEach(async () => {
  registry = await registryFixture();
  node = fhirFixture(registry).as(await registry.node('clinic', SYSTEM));
  mine = await create(person({ key: [SYSTEM, 'mine'], given: 'Apio', family: 'Wandera', birthDate: '1980-05-17' }));
  theirs = await create(
    person({ key: [SYSTEM, 'theirs'], given: 'Tobias', family: 'Mwesige', birthDate: '1955-11-23' }),
  );
});

afterEach(async () => {
  await registry.close();
});

async function create(patient: object): Promise<string> {
  const made = await node.post('/fhir/Patient', patient);
  expect(made.status).toBe(201);
  return made.json.id;
}

/** SQL as the attacker, $1 being mine and $2 theirs; answers how many rows it changed. */
async function attack(sql: string, ...values: Uint8Array[]): Promise<void> {
  await withMaintenanceSession(registry.db.superuserConnection, async (session) => {
    const changed = await session.rows<{ n: number }>(
      `WITH mine AS (SELECT $1::uuid AS id), theirs AS (SELECT $2::uuid AS id), changed AS (${sql} RETURNING 1)
       SELECT count(*)::integer AS n FROM changed`,
      [mine, theirs, ...values],
    );
    expect(changed[0]?.n).toBeGreaterThan(0);
  });
}

/** The record is refused, whichever way it is asked for, and nothing of anybody is in the answer. */
async function expectRefused(id: string): Promise<void> {
  const answer = await node.get(`/fhir/Patient/${id}`);
  expect([answer.status, answer.json.resourceType]).toEqual([500, 'OperationOutcome']);
  expect(answer.text).not.toMatch(/Wandera|Mwesige|Tobias|\d{4}-\d\d-\d\d/);
}

const MINE = `store.resource.id = (SELECT id FROM mine)`;

describe('a stored record is refused', () => {
  test('with another person’s content', async () => {
    await attack(
      `UPDATE store.resource SET sealed = (SELECT o.sealed FROM store.resource o, theirs WHERE o.id = theirs.id) WHERE ${MINE}`,
    );
    await expectRefused(mine);
    expect((await node.get(`/fhir/Patient/${theirs}`)).status).toBe(200);
  });

  test('with its own earlier content under its present version', async () => {
    const changed = { ...(await node.get(`/fhir/Patient/${mine}`)).json, gender: 'female' };
    expect((await node.put(`/fhir/Patient/${mine}`, changed)).status).toBe(200);
    await attack(
      `UPDATE store.resource SET sealed = (SELECT h.sealed FROM store.resource_history h, mine WHERE h.id = mine.id AND h.version = 1) WHERE ${MINE}`,
    );
    await expectRefused(mine);
  });

  test('as another version, or as another resource', async () => {
    await attack(`UPDATE store.resource SET version = version + 1 WHERE ${MINE}`);
    await expectRefused(mine);
    await attack(`UPDATE store.resource SET id = gen_random_uuid() WHERE id = (SELECT id FROM theirs)`);
    await attack(`UPDATE store.resource SET version = version - 1, id = (SELECT id FROM theirs) WHERE ${MINE}`);
    await expectRefused(theirs);
  });

  test('with any byte changed', async () => {
    for (const at of [0, 1, 4, 5, 16, 17, 60, -17, -16, -1]) {
      const place = at < 0 ? `length(sealed) ${at}` : String(at);
      const flip = `UPDATE store.resource SET sealed = set_byte(sealed, ${place}, get_byte(sealed, ${place}) # 1) WHERE ${MINE}`;
      await attack(flip);
      const answer = await node.get(`/fhir/Patient/${mine}`);
      // A key id that nobody has is answered with "try again"; nothing is shown either way.
      expect([at, answer.status]).toEqual([at, at >= 1 && at <= 4 ? 503 : 500]);
      expect(answer.text).not.toMatch(/Wandera/);
      await attack(flip);
      expect((await node.get(`/fhir/Patient/${mine}`)).status).toBe(200);
    }
  });

  test('that the attacker made', async () => {
    const plaintext = Buffer.from(JSON.stringify({ resourceType: 'Patient', id: mine, name: [{ family: 'Forged' }] }));
    const sealed = await sealedOf(mine);
    const id = sealKeyId(sealedAtRest(sealed));
    const context = { table: 'store.resource', type: 'Patient', id: mine, version: 1 };
    const ownSeal = seal({ id, key: newSecretKey() }, plaintext, context);
    for (const forged of [new Uint8Array(0), sealed.subarray(0, 32), plaintext, ownSeal]) {
      await attack(`UPDATE store.resource SET sealed = $3 WHERE ${MINE}`, forged);
      await expectRefused(mine);
    }
  });
});

async function sealedOf(id: string): Promise<Uint8Array> {
  return await withMaintenanceSession(registry.db.superuserConnection, async (session) => {
    const [row] = await session.rows<{ sealed: Uint8Array }>('SELECT sealed FROM store.resource WHERE id = $1', [id]);
    return row?.sealed ?? new Uint8Array(0);
  });
}

test('a history with exchanged versions is refused', async () => {
  const changed = { ...(await node.get(`/fhir/Patient/${mine}`)).json, gender: 'female' };
  expect((await node.put(`/fhir/Patient/${mine}`, changed)).status).toBe(200);
  await attack(
    `UPDATE store.resource_history h SET sealed = r.sealed FROM store.resource r, mine WHERE r.id = mine.id AND h.id = r.id`,
  );
  expect((await node.get(`/fhir/Patient/${mine}/_history/1`)).status).toBe(500);
  expect((await node.get(`/fhir/Patient/${mine}/_history`)).status).toBe(500);
  expect((await node.get(`/fhir/Patient/${mine}`)).status).toBe(200);
});

test('tokens put on another record do not make it an answer', async () => {
  const found = async (family: string) => {
    const answer = await node.get(`/fhir/Patient?family=${family}`);
    return (
      answer.json.entry?.map((entry: { resource: { name: [{ family: string }] } }) => entry.resource.name[0].family) ??
      []
    );
  };
  expect(await found('Mwesige')).toEqual(['Mwesige']);
  await withMaintenanceSession(registry.db.superuserConnection, async (session) => {
    await session.script(
      `UPDATE store.resource SET tokens = (SELECT array_agg(DISTINCT t) FROM store.resource, unnest(tokens) t) WHERE tokens <> '{}'`,
    );
  });
  expect(await found('Mwesige')).toEqual(['Mwesige']);
});

test('what is compared for matching cannot be exchanged either', async () => {
  await attack(
    `UPDATE registry.source SET match_record = (SELECT o.match_record FROM registry.source o, theirs WHERE o.source_id = theirs.id)
     WHERE source_id = (SELECT id FROM mine)`,
  );
  const { id: _, meta: __, ...query } = (await node.get(`/fhir/Patient/${mine}`)).json;
  const parameters = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: query }] };
  const answer = await node.post('/fhir/Patient/$match', parameters);
  expect(answer.status).toBe(500);
  expect(answer.text).not.toMatch(/Mwesige|Tobias/);
});

test('a user’s password and second factor do not open another user’s account', async () => {
  const { db } = registry;
  const fixture = identityFixture(db.database, { keyRing: registry.keyRing });
  const admin = await setUp(fixture);
  const invited = await admin.browser.ask('POST', '/api/users', {
    name: 'Mallory',
    email: 'mallory@clinic.example.org',
    roles: ['registrar'],
  });
  const token = new URL(invited.link).hash.slice(1);
  const mallory = new TestBrowser(fixture.identity);
  const secret = 'four loud hornbills at noon';
  const { totp } = await mallory.ask('POST', '/api/enrol/account', { token, password: secret });
  await mallory.ask('POST', '/api/enrol/confirm', { token, code: codeAt(totp, fixture.clock.nowMs()) });
  fixture.clock.forward(30_000);
  const signIn = async (email: string, password: string) => {
    const browser = new TestBrowser(fixture.identity);
    await browser.ask('POST', '/api/sign-in/password', { email, password });
    return await browser.ask('POST', '/api/sign-in/code', { code: codeAt(totp, fixture.clock.nowMs()) });
  };
  expect(await signIn('mallory@clinic.example.org', secret)).toMatchObject({ state: 'signed-in' });
  fixture.clock.forward(30_000);
  await withMaintenanceSession(db.superuserConnection, async (session) => {
    await session.script(`
      UPDATE identity.users a SET sealed_password = m.sealed_password FROM identity.users m WHERE m.id <> a.id AND m.id = '${invited.user.id}';
      UPDATE identity.factors a SET sealed_secret = m.sealed_secret FROM identity.factors m WHERE m.user_id <> a.user_id AND m.user_id = '${invited.user.id}'`);
  });
  await expect(signIn(admin.email, secret)).rejects.toMatchObject({ code: 'sign-in-refused' });
  await expect(signIn(admin.email, PASSWORD)).rejects.toMatchObject({ code: 'sign-in-refused' });
});
