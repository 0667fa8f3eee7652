import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { createSavedSearches } from '../../src/features/reports/saved-searches.ts';
import { sealOwners } from '../../src/features/subscriptions/sealing.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { person } from '../support/registry.ts';
import { type SubscriptionsFixture, subscriptionsFixture } from '../support/subscriptions.ts';
import type { TestDatabase } from '../support/database.ts';

/**
 * P87. Attacker: owns the database (its superuser), has no keys, and has an account or a system's certificate, which may have been
 * taken away. Goal: to be told or shown what is somebody else's by giving a row to another owner, or its sealed part to another row.
 */
async function attack(db: TestDatabase, sql: string): Promise<void> {
  await withMaintenanceSession(db.superuserConnection, async (session) => {
    expect(await session.rows(`${sql} RETURNING 1`), sql).not.toEqual([]);
  });
}

describe('a subscription', () => {
  let s: SubscriptionsFixture;
  let hospital: Actor;
  let id = '';
  let serial = 0;
  beforeAll(async () => {
    s = await subscriptionsFixture();
    hospital = await s.f.node('hospital', 'urn:hospital');
    const made = await s.clinic.post('/fhir/Subscription', s.resource());
    if (made.status !== 201) throw new Error(made.text);
    id = made.json.id;
  });
  afterAll(() => s.close());

  const register = async (): Promise<void> => {
    const key: [string, string] = ['urn:subscribed', `moved-${serial++}`];
    const patient = person({ key, given: 'Zulaika', family: `Nantongo${serial}`, birthDate: '1984-03-12' });
    expect((await s.clinic.post('/fhir/Patient', patient)).status).toBe(201);
    s.f.clock.forward(60_000);
    await s.subscriptions.dispatcher.runOnce();
  };
  const give = async (to: Actor): Promise<void> => {
    if (to.principal.kind !== 'node') throw new Error('not a node');
    await attack(s.f.db, `UPDATE subscriptions.subscription SET node_id = '${to.principal.nodeId}', status = 'active'`);
  };

  test('of a system that may be told nothing any more is not told of anything by being given to one that may', async () => {
    await register();
    expect(s.subscriber.notices).toHaveLength(1);
    if (s.clinicActor.principal.kind === 'node') s.silenced.add(s.clinicActor.principal.nodeId);
    await give(hospital);
    await register();
    expect(s.subscriber.notices).toHaveLength(1);
  });

  test('shows its owner’s address and headers to nobody else, and cannot be changed by who has it in the database', async () => {
    await give(hospital);
    const other = s.fhir.as(hospital);
    expect((await other.get('/fhir/Subscription')).text).not.toContain(s.subscriber.url);
    for (const answer of [
      await other.get(`/fhir/Subscription/${id}`),
      await other.put(`/fhir/Subscription/${id}`, { ...s.resource(), id }),
      await other.delete(`/fhir/Subscription/${id}`),
    ])
      expect(answer.status).toBe(404);
  });

  test('of an earlier version is its system’s, and from the first start on it stays so', async () => {
    const row = { id, table: 'subscriptions.subscription', type: 'resource', version: 1 };
    const sealed = s.f.keyRing.seal(Buffer.from(JSON.stringify(s.resource())), row);
    await give(s.clinicActor);
    await attack(s.f.db, `UPDATE subscriptions.subscription SET sealed = '\\x${Buffer.from(sealed).toString('hex')}'`);
    expect((await s.clinic.get(`/fhir/Subscription/${id}`)).status).toBe(200);
    await sealOwners({ database: s.f.db.database, keyRing: s.f.keyRing });
    await give(hospital);
    expect((await s.fhir.as(hospital).get(`/fhir/Subscription/${id}`)).status).toBe(404);
    await give(s.clinicActor);
    expect((await s.clinic.get(`/fhir/Subscription/${id}`)).status).toBe(200);
  });
});

describe('what people keep', () => {
  let p: Programme;
  beforeAll(async () => {
    p = await programme();
  }, 120_000);
  afterAll(() => p.close());

  test('a search of the log that an auditor saved is not another’s, whatever the row says', async () => {
    const { database } = p.db;
    const saved = createSavedSearches({ keyRing: p.services.vault.keyRing, clock: { nowMs: Date.now } });
    const [amina, mallory] = [newId(), newId()];
    await database.transaction((tx) => saved.save(tx, amina, { name: 'The minister', filters: { client: newId() } }));
    expect(await saved.list(database, amina)).toHaveLength(1);
    await attack(p.db, `UPDATE reports.saved_search SET user_id = '${mallory}'`);
    expect(await saved.list(database, mallory)).toEqual([]);
  });

  test('a mapping of another organisation, or the content of one under another name, does not open', async () => {
    const at = (name: string) => `/api/mappings/${name}`;
    for (const [name, column] of Object.entries({ Monthly: 'prenom', Weekly: 'nom' }))
      await p.ask('south registrar', 'PUT', at(name), { map: { given: column } });
    await attack(
      p.db,
      `UPDATE load.mapping m SET detail = o.detail FROM load.mapping o WHERE m.name = 'Monthly' AND o.name = 'Weekly'`,
    );
    expect((await p.ask('south registrar', 'GET', '/api/mappings')).text).not.toMatch(/prenom|nom/);
    await attack(p.db, `DELETE FROM load.mapping WHERE name = 'Monthly'`);
    await attack(p.db, `UPDATE load.mapping SET organisation_id = '${p.organisations.north}'`);
    const answer = await p.ask('north registrar', 'GET', '/api/mappings');
    expect([answer.status, answer.text]).toEqual([500, expect.not.stringMatching(/nom/)]);
  });

  test('a model’s document under another model’s name is never the one that decides', async () => {
    const listed = await p.ask('centre steward', 'GET', '/api/models');
    expect(listed.status, listed.text).toBe(200);
    const [inForce] = listed.json<{ models: { id: string; version: string }[] }>().models;
    const added = await p.ask('centre steward', 'POST', `/api/models/${inForce?.id}/adjust`, {
      ...{ version: 'mine-1', notes: 'lower', review: 0.5, match: 0.95 },
    });
    expect(added.status, added.text).toBe(201);
    await attack(
      p.db,
      `UPDATE models.model m SET document = o.document FROM models.model o WHERE o.version = 'mine-1' AND m.version = '${inForce?.version}'`,
    );
    const read = await p.ask('centre steward', 'GET', `/api/models/${inForce?.id}/document`);
    expect([read.status, read.json<{ code?: string }>().code]).toEqual([500, 'seal-broken']);
  });

  test('a notice’s words exchanged for another’s are shown to nobody', async () => {
    for (const text of ['Read this first', 'Salaries of all']) {
      const wanted = { title: 'Mind', text, roles: ['steward'] };
      const answer = await p.ask('centre administrator', 'POST', '/api/notices', wanted);
      expect(answer.status, answer.text).toBe(204);
    }
    await attack(
      p.db,
      `UPDATE identity.notices n SET sealed_notice = o.sealed_notice FROM identity.notices o WHERE n.id <> o.id AND n.id < o.id`,
    );
    const shown = await p.ask('north steward', 'GET', '/api/notices/pending');
    expect(shown.text).not.toMatch(/Salaries/);
  });
});
