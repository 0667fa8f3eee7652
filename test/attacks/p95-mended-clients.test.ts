import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PersonFaults, Repaired } from '../../src/features/registry/index.ts';
import type { ResourceId } from '../../src/kernel/ids.ts';
import { repairEvidence } from '../../src/main/index.ts';
import { operator } from '../../src/main/services.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { type Programme, programme, type Who } from '../support/organisations.ts';

/**
 * P95. Attacker: owns the database, has no keys, and an account in the organisation "north". Goal: to keep a client of "south" from being
 * used for good, to have its repair open it to the north, or to change it unfound.
 */
let p: Programme;
let own: Ids;
let victim: Ids & { readonly family: string };
let count = 0;

interface Ids {
  readonly source: string;
  readonly golden: string;
}

const FAMILIES = ['Nantongo', 'Wanjiru', 'Okello', 'Mukasa', 'Zziwa', 'Banda', 'Chirwa', 'Phiri', 'Tembo', 'Abara'];
const MORE = ['Quaye', 'Sesay', 'Diallo', 'Eshun', 'Fofanah', 'Gicheru', 'Haule', 'Igwe', 'Jawara', 'Kipruto', 'Lungu'];

beforeAll(async () => {
  p = await programme();
  await p.services.registry.bindEarlier();
}, 120_000);
afterAll(() => p.close());

beforeEach(async () => {
  const family = [...FAMILIES, ...MORE][count++] ?? '';
  own = await p.register('north registrar', {
    ...{ key: ['urn:north:mrn', `N-${count}`], given: 'Peter', family: `Ochieng${'abcdefghijklmnopqrstuvw'[count]}` },
    birthDate: `${1990 - count}-02-0${(count % 9) + 1}`,
  });
  const fields = { given: 'Zulaika', family, birthDate: `${1940 + count * 2}-0${(count % 9) + 1}-1${count % 9}` };
  victim = { ...(await p.register('south registrar', { key: ['urn:south:mrn', `S-${count}`], ...fields })), family };
  if ((await found()).length > 0) throw new Error('what the test before has changed is still there');
});

/** SQL as the superuser. */
async function run(sql: string): Promise<void> {
  await withMaintenanceSession(p.db.superuserConnection, (session) => session.script(sql));
  p.services.nodes.domains.forget();
}

async function found(): Promise<readonly PersonFaults[]> {
  const report = await p.services.registry.check();
  expect(report.finished).toBe(true);
  return report.persons;
}

const kinds = async () => [...new Set((await found()).flatMap(({ faults }) => faults.map(({ kind }) => kind)))].sort();

async function repair(apply = true): Promise<readonly Repaired[]> {
  const asOwner = () => Promise.reject(new Error('not needed'));
  const evidence = repairEvidence({ ...p.services, actor: operator(), besideServer: true, asOwner });
  const how = apply ? { apply: { actor: operator(), reason: 'somebody wrote to the database' } } : {};
  return await p.services.registry.repair(await found(), { evidence, ...how });
}

const status = async (who: Who, id = victim.golden) => (await p.ask(who, 'GET', `/fhir/Patient/${id}`)).status;

/** Who has the client sees it whole, who has not does not, and everybody may write to it again. */
async function isServed(): Promise<void> {
  const seen = await p.ask('south registrar', 'GET', `/fhir/Patient/${victim.golden}`);
  expect([seen.status, seen.text]).toEqual([200, expect.stringContaining(victim.family)]);
  expect(await status('north registrar')).toBe(404);
  const search = await p.ask('south registrar', 'GET', `/fhir/Patient?family=${victim.family}`);
  expect(search.json<{ total: number }>().total).toBe(1);
  const stored = await p.ask('south registrar', 'GET', `/fhir/Patient/${victim.source}`);
  const changed = { ...stored.json<object>(), gender: 'female' };
  expect((await p.ask('south registrar', 'PUT', `/fhir/Patient/${victim.source}`, changed)).status).toBe(200);
  expect(await found()).toEqual([]);
}

async function isAudited(golden = victim.golden): Promise<void> {
  await p.services.audit.sequence();
  const path = `/api/audit/events?event=registry.repair&limit=50&client=${golden}`;
  const events = (await p.ask('centre administrator', 'GET', path)).json<{ events: { reason?: string }[] }>().events;
  expect(events.map(({ reason }) => reason)).toContain('somebody wrote to the database');
  const history = await p.ask('centre steward', 'GET', `/api/clients/${golden}/history`);
  expect(history.text).toContain('was put right');
}

/** On the first page of whoever sees all, until the client is shared with who knows it. */
async function isRemembered(): Promise<void> {
  const item = async (who: Who) => {
    const home = (await p.ask(who, 'GET', '/api/home')).json<{ attention: { kind: string }[] }>();
    return home.attention.find(({ kind }) => kind === 'clients-narrowed');
  };
  expect(await item('centre steward')).toMatchObject({ count: 1, href: `/clients/${victim.golden}` });
  expect(await item('south steward')).toBeUndefined();
  const shared = await p.ask('centre steward', 'POST', `/api/clients/${victim.golden}/shares`, {
    ...{ organisationId: p.organisations.south, reason: 'their record, by its number' },
  });
  expect(shared.status, shared.text).toBe(204);
  expect(await item('centre steward')).toBeUndefined();
  expect(await status('south registrar')).toBe(200);
}

const one = (golden = victim.golden) => expect.objectContaining({ goldenId: golden });
const exactly = (golden = victim.golden) =>
  expect.objectContaining({ goldenId: golden, outcome: 'mended', basis: 'binding' });

describe('a client that was changed is found, refused, and put back exactly', () => {
  const north = () => p.organisations.north;
  const changes: readonly (readonly [string, () => string])[] = [
    ['its organisations', () => `organisations = organisations || '{${north()}}'`],
    ['whom it is shared with', () => `organisations = '{${north()}}', shared_with = '{${north()}}'`],
    ['its version', () => 'version = version + 7'],
    ['all of it but the binding', () => `organisations = '{}', shared_with = '{${north()}}', version = 99`],
  ];
  for (const [what, change] of changes) {
    test(what, async () => {
      await run(`UPDATE registry.golden SET ${change()} WHERE golden_id = '${victim.golden}'`);
      expect(await status('south registrar')).toBe(404);
      expect(await found()).toEqual([one()]);
      expect(await repair(false)).toEqual([expect.objectContaining({ outcome: 'would-mend', basis: 'binding' })]);
      expect(await status('south registrar')).toBe(404);
      expect(await repair()).toEqual([exactly()]);
      await isServed();
      await isAudited();
    });
  }

  test('the domain of its record', async () => {
    await run(
      `UPDATE registry.source SET domain_id = (SELECT id FROM nodes.domain WHERE system = 'urn:north:mrn'), key_token = 1
       WHERE source_id = '${victim.source}'`,
    );
    expect(await found()).toEqual([one()]);
    expect(await repair()).toEqual([exactly()]);
    await isServed();
  });

  test('its record, put to another client', async () => {
    await run(`UPDATE registry.source SET golden_id = '${own.golden}' WHERE source_id = '${victim.source}'`);
    expect((await found()).map(({ goldenId }) => goldenId).toSorted()).toEqual([own.golden, victim.golden].toSorted());
    expect(await repair()).toEqual(expect.arrayContaining([exactly(), exactly(own.golden)]));
    await isServed();
    expect(await status('north registrar', own.golden)).toBe(200);
  });

  test('its record, put to nobody', async () => {
    await run(`UPDATE registry.source SET golden_id = gen_random_uuid() WHERE source_id = '${victim.source}'`);
    expect(await kinds()).toEqual(['altered', 'record-lost', 'records-differ']);
    expect(await repair()).toContainEqual(exactly());
    await isServed();
  });

  test('its record, whose row was deleted, with what it is compared by', async () => {
    await run(
      `DELETE FROM registry.source WHERE source_id = '${victim.source}';
       DELETE FROM registry.blocking_key WHERE source_id = '${victim.source}'`,
    );
    expect(await repair()).toEqual([exactly()]);
    await isServed();
    const again = await p.register('south registrar', {
      ...{ key: ['urn:south:other', `O-${count}`], given: 'Zulaika', family: victim.family },
      birthDate: `${1940 + count * 2}-0${(count % 9) + 1}-1${count % 9}`,
    });
    expect(again.golden).toBe(victim.golden);
  });

  test('a record that was made up and put to it', async () => {
    await run(
      `INSERT INTO registry.source SELECT gen_random_uuid(), golden_id, domain_id, NULL, version, pinned, match_record
       FROM registry.source WHERE source_id = '${victim.source}'`,
    );
    expect(await repair()).toEqual([exactly()]);
    await isServed();
  });

  test('its content, which is computed again from its records', async () => {
    await run(
      `UPDATE store.resource SET sealed = set_byte(sealed, 40, (get_byte(sealed, 40) + 1) % 256) WHERE id = '${victim.golden}'`,
    );
    expect(await kinds()).toEqual(['content-broken']);
    expect(await repair()).toEqual([exactly()]);
    await isServed();
  });

  test('what its record is compared by', async () => {
    await run(`UPDATE registry.source SET match_record = '\\x00' WHERE source_id = '${victim.source}'`);
    expect(await kinds()).toEqual(['match-record-broken']);
    expect(await repair()).toEqual([exactly()]);
    await isServed();
  });

  test('a client that was merged, said not to be', async () => {
    const other = await p.register('south registrar', {
      ...{ key: ['urn:south:mrn', `M-${count}`], given: 'Moses', family: `Kato${'abcdefghijklmnopqrstuvw'[count]}` },
      birthDate: `19${30 + count}-05-05`,
    });
    const merged = await p.ask('centre steward', 'POST', `/api/clients/merge`, {
      ...{ survivor: victim.golden, other: other.golden, reason: 'one person, seen together' },
    });
    expect(merged.status, merged.text).toBeLessThan(300);
    await run(`UPDATE registry.golden SET replaced_by = NULL, deleted = true WHERE golden_id = '${other.golden}'`);
    expect(await kinds()).toEqual(['successor-differs']);
    expect(await repair()).toEqual([exactly(other.golden)]);
    expect(await found()).toEqual([]);
  });
});

describe('where nothing binds it any more, it is seen by no more than is proven', () => {
  test('a row whose binding was taken away is made again, its shares gone', async () => {
    const { north } = p.organisations;
    await run(
      `UPDATE registry.golden SET organisations = '{${north}}', shared_with = '{${north}}', binding = NULL WHERE golden_id = '${victim.golden}'`,
    );
    expect(await kinds()).toEqual(['unbound']);
    expect(await repair()).toEqual([expect.objectContaining({ basis: 'contents', outcome: 'mended', unplaced: [] })]);
    await isServed();
  });

  test('a row that was deleted, likewise', async () => {
    await run(`DELETE FROM registry.golden WHERE golden_id = '${victim.golden}'`);
    expect(await kinds()).toEqual(['record-lost', 'row-missing']);
    expect(await repair()).toEqual([expect.objectContaining({ goldenId: victim.golden, basis: 'contents' })]);
    await isServed();
  });

  test('a row of then, when it was shared, is not believed', async () => {
    const share = (at: 'shares' | 'shares/end') =>
      p.ask('south steward', 'POST', `/api/clients/${victim.golden}/${at}`, {
        ...{ organisationId: p.organisations.north, reason: 'referral to the clinic' },
      });
    expect((await share('shares')).status).toBe(204);
    await run(`CREATE TABLE public.kept AS SELECT * FROM registry.golden WHERE golden_id = '${victim.golden}'`);
    expect((await share('shares/end')).status).toBe(204);
    await run(
      `DELETE FROM registry.golden WHERE golden_id = '${victim.golden}'; INSERT INTO registry.golden TABLE public.kept;
       UPDATE registry.share SET ended_at = NULL WHERE golden_id = '${victim.golden}'; DROP TABLE public.kept`,
    );
    expect(await kinds()).toEqual(['content-version']);
    expect(await repair()).toEqual([expect.objectContaining({ basis: 'contents', outcome: 'mended', unplaced: [] })]);
    await isServed();
  });

  test('a record that the log does not say the organisation of is seen by the centre alone', async () => {
    await run(
      `UPDATE registry.golden SET binding = NULL WHERE golden_id = '${victim.golden}';
       UPDATE registry.source SET domain_id = (SELECT id FROM nodes.domain WHERE system = 'urn:north:mrn') WHERE source_id = '${victim.source}'`,
    );
    const evidence = repairEvidence({
      ...{ ...p.services, actor: operator(), besideServer: true },
      asOwner: () => Promise.reject(new Error('not needed')),
    });
    const silent = { ...evidence, registeredBy: async () => undefined };
    const apply = { actor: operator(), reason: 'somebody wrote to the database' };
    const repaired = await p.services.registry.repair(await found(), { evidence: silent, apply });
    expect(repaired).toEqual([expect.objectContaining({ basis: 'contents', unplaced: [victim.source] })]);
    expect([await status('south registrar'), await status('north registrar')]).toEqual([404, 404]);
    expect(await status('centre registrar')).toBe(200);
    expect(await found()).toEqual([]);
    await isRemembered();
  });
});

describe('what nothing proves stays refused, and is told', () => {
  test('a client whose record’s newest content is lost', async () => {
    await run(`UPDATE store.resource SET sealed = '\\x00' WHERE id = '${victim.source}'`);
    expect(await repair()).toEqual([{ goldenId: victim.golden, outcome: 'cannot', why: 'record-content-lost' }]);
    expect(await found()).toEqual([one()]);
    await run(
      `DELETE FROM registry.golden WHERE golden_id = '${victim.golden}'; DELETE FROM registry.source WHERE source_id = '${victim.source}';
       DELETE FROM store.resource WHERE id IN ('${victim.golden}', '${victim.source}')`,
    );
  });
});

test('a domain given to another organisation is put back as its binding says, and its clients are served', async () => {
  const { centre, north, south } = p.organisations;
  await run(`UPDATE nodes.domain SET organisation_id = '${north}' WHERE system = 'urn:south:mrn'`);
  const report = await p.services.registry.check();
  expect(report.domains).toEqual(['urn:south:mrn']);
  expect(report.persons.find(({ goldenId }) => goldenId === victim.golden)?.faults).toEqual([
    { kind: 'domain-altered', id: victim.golden as ResourceId },
  ]);
  const altered = await p.services.nodes.domains.altered([centre, north, south]);
  expect(altered).toEqual([expect.objectContaining({ proven: { system: 'urn:south:mrn', organisationId: south } })]);
  await p.services.nodes.domains.mend(p.db.ownerDatabase, altered);
  await isServed();
});
