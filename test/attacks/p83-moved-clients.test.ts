import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { person } from '../support/registry.ts';

/**
 * P83. Attacker: owns the database (its superuser), has no keys, and an account in the organisation "north". Goal: to see a client of
 * "south", by writing whose it is: the client's organisations, its record's domain or person, the domain's organisation, a share.
 */
let p: Programme;
/** The thief's own client, and the one that is meant. */
let own: Ids;
let victim: Ids & { readonly family: string; readonly number: string };
let count = 0;

interface Ids {
  readonly source: string;
  readonly golden: string;
}

const FAMILIES = ['Nantongo', 'Wanjiru', 'Okello', 'Mukasa', 'Zziwa', 'Banda', 'Chirwa', 'Phiri', 'Tembo', 'Abara'];
const MORE = ['Quaye', 'Sesay', 'Diallo', 'Eshun', 'Fofanah', 'Gicheru', 'Haule', 'Igwe', 'Jawara', 'Kipruto', 'Lungu'];
const TABLES = ['registry.golden', 'registry.source', 'registry.share', 'nodes.domain', 'store.resource'];

beforeAll(async () => {
  p = await programme();
  // As after the first start of a version with bindings: what has none is somebody else's doing.
  if ((await p.services.registry.bindEarlier()) !== 0) throw new Error('a new home has nothing of before to bind');
}, 120_000);
afterAll(() => p.close());

beforeEach(async () => {
  const family = [...FAMILIES, ...MORE][count++] ?? '';
  const number = `CM-SOUTH-${family}`;
  const born = `${1940 + count * 2}-0${(count % 9) + 1}-1${count % 9}`;
  own = await p.register('north registrar', {
    ...{ key: ['urn:north:mrn', `N-${count}`], given: 'Peter', family: `Ochieng${'abcdefghijklmnopqrstuvw'[count]}` },
    birthDate: `${1990 - count}-02-0${(count % 9) + 1}`,
  });
  const fields = { given: 'Zulaika', family, birthDate: born, gender: 'female' } as const;
  victim = { ...(await p.register('south registrar', { key: ['urn:south:mrn', number], ...fields })), family, number };
  await run(TABLES.map((table) => `CREATE TABLE public.${saved(table)} AS TABLE ${table};`).join('\n'));
  await seenBySouth();
});

/** Everything as it was: then it is seen again by whom it was seen. */
afterEach(async () => {
  await run(
    `DELETE FROM registry.golden; INSERT INTO registry.golden TABLE public.saved_golden;
     DELETE FROM registry.source; INSERT INTO registry.source TABLE public.saved_source;
     DELETE FROM registry.share; INSERT INTO registry.share TABLE public.saved_share;
     DELETE FROM nodes.domain; INSERT INTO nodes.domain OVERRIDING SYSTEM VALUE TABLE public.saved_domain;
     SELECT setval('nodes.domain_id_seq', (SELECT max(id) FROM nodes.domain));
     DELETE FROM store.resource; INSERT INTO store.resource TABLE public.saved_resource;
     DELETE FROM store.resource_history h USING store.resource r WHERE h.id = r.id AND h.version >= r.version;
     DROP TABLE ${TABLES.map((table) => `public.${saved(table)}`).join(', ')};`,
  );
  p.services.nodes.domains.forget();
  await seenBySouth();
});

/** Those whose client it is see it, before and after. */
async function seenBySouth(): Promise<void> {
  const { text } = await p.ask('south registrar', 'GET', `/fhir/Patient/${victim.golden}`);
  if (!text.includes(victim.family)) throw new Error(`the south does not see its client: ${text}`);
}

const saved = (table: string) => `saved_${table.split('.')[1]}`;

/** SQL as the superuser. */
async function run(sql: string): Promise<void> {
  await withMaintenanceSession(p.db.superuserConnection, (session) => session.script(sql));
  p.services.nodes.domains.forget();
}

/** Gives the thief's search tokens to the client that is meant, so that searches lead to it. */
const withTokens = () =>
  `UPDATE store.resource SET tokens = tokens || (SELECT tokens FROM store.resource WHERE id = '${own.golden}')
   WHERE id = '${victim.golden}';`;

const SEARCHES = () => [
  `family=${victim.family}`,
  `family=${victim.family.slice(0, 3)}&_total=accurate`,
  `family=${victim.family}&_summary=count`,
  `given:contains=laik&_total=accurate`,
  `identifier=urn:south:mrn|${victim.number}`,
  `_id=${victim.golden}`,
  `_id=${victim.source}`,
  `name=${victim.family}&_tag=https://careseal.org/fhir/record-kind|source&_total=accurate`,
];

/** What anybody of the north gets by any way to a client: nothing of the victim. */
async function seesNothing(): Promise<void> {
  const secrets = new RegExp(`${victim.family}|Zulaika|${victim.number}`);
  for (const who of ['north registrar', 'north steward'] as const) {
    for (const id of [victim.golden, victim.source]) {
      for (const path of [`/fhir/Patient/${id}`, `/fhir/Patient/${id}/_history`, `/fhir/Patient/${id}/_history/1`]) {
        const answer = await p.ask(who, 'GET', path);
        expect(answer.text, path).not.toMatch(secrets);
      }
    }
    for (const path of ['', '/history', '/shares']) {
      const answer = await p.ask(who, 'GET', `/api/clients/${victim.golden}${path}`);
      expect([answer.status, answer.text], path).toEqual([404, expect.not.stringMatching(secrets)]);
      expect((await p.ask(who, 'GET', `/api/clients/${own.golden}${path}`)).text, path).not.toMatch(secrets);
    }
    for (const query of SEARCHES()) {
      const answer = await p.ask(who, 'GET', `/fhir/Patient?${query}`);
      const { total = 0, entry = [] } = answer.json<{ total?: number; entry?: unknown[] }>();
      expect([answer.status, total, entry.length], query).toEqual([200, 0, 0]);
    }
    for (const kind of ['golden', 'source']) {
      const all = await p.ask(
        who,
        'GET',
        `/fhir/Patient?_tag=https://careseal.org/fhir/record-kind|${kind}&_count=100`,
      );
      expect([all.status, all.text], kind).toEqual([200, expect.not.stringMatching(secrets)]);
    }
    const quick = await p.ask(who, 'POST', '/api/clients/search', { q: victim.family.slice(0, 4), limit: 50 });
    expect(quick.json()).toMatchObject({ clients: [], total: 0 });
    expect((await p.ask(who, 'POST', '/api/clients/search', { q: '', limit: 50 })).text).not.toMatch(secrets);
    const like = person({ given: 'Zulaika', family: victim.family, gender: 'female' });
    const parameters = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: like }] };
    const matched = await p.ask(who, 'POST', '/fhir/Patient/$match', parameters);
    expect([matched.status, matched.json<{ total: number }>().total]).toEqual([200, 0]);
    const pix = await p.ask(who, 'GET', `/fhir/Patient/$ihe-pix?sourceIdentifier=urn:south:mrn|${victim.number}`);
    expect(pix.text).not.toContain(victim.golden);
    expect((await p.ask(who, 'GET', '/api/reviews')).text).not.toMatch(secrets);
  }
}

/** An event tells of it, to those who see all. */
async function isTold(what: 'client' | 'domain' = 'client', golden = victim.golden): Promise<void> {
  const query = what === 'client' ? `&client=${golden}` : '';
  const told = async (): Promise<number> => {
    await p.services.audit.sequence();
    const path = `/api/audit/events?event=registry.changed&limit=50${query}`;
    return (await p.ask('centre administrator', 'GET', path)).json<{ events: unknown[] }>().events.length;
  };
  await expect.poll(told, { timeout: 15_000 }).toBeGreaterThan(0);
}

/** And so does an alert that leads to the client. */
async function isAlertedAbout(golden: string): Promise<void> {
  const raised = async (): Promise<unknown[]> => {
    await p.services.audit.sequence();
    await p.services.logFollowers.alerts.follower.catchUp();
    return (await p.ask('centre administrator', 'GET', '/api/alerts')).json<{ alerts: unknown[] }>().alerts;
  };
  const about = expect.objectContaining({ rule: 'changed-past', client: golden });
  await expect.poll(raised, { timeout: 15_000 }).toContainEqual(about);
}

const north = () => p.organisations.north;

describe('a client of another organisation', () => {
  test('is not seen when it is said to be of one’s own', async () => {
    await p.services.logFollowers.alerts.follower.catchUp();
    await run(
      `UPDATE registry.golden SET organisations = organisations || '{${north()}}' WHERE golden_id = '${victim.golden}';${withTokens()}`,
    );
    await seesNothing();
    await isTold();
    await isAlertedAbout(victim.golden);
  });

  test('is not seen when it is said to be shared', async () => {
    await run(
      `UPDATE registry.golden SET organisations = '{${north()}}', shared_with = '{${north()}}' WHERE golden_id = '${victim.golden}';${withTokens()}`,
    );
    await seesNothing();
    await isTold();
  });

  test('is not seen when its row takes over what one’s own says, binding included', async () => {
    await run(
      `UPDATE registry.golden g SET organisations = o.organisations, shared_with = o.shared_with, version = o.version, binding = o.binding
       FROM registry.golden o WHERE o.golden_id = '${own.golden}' AND g.golden_id = '${victim.golden}';${withTokens()}`,
    );
    await seesNothing();
    await isTold();
  });

  test('is not seen when its row looks as if an earlier version had written it', async () => {
    await run(
      `UPDATE registry.golden SET organisations = '{${north()}}', binding = NULL WHERE golden_id = '${victim.golden}';${withTokens()}`,
    );
    await seesNothing();
    await isTold();
  });

  test('is not seen when its record is said to be of one’s own domain, and cannot be changed then', async () => {
    await run(
      `UPDATE registry.source SET domain_id = (SELECT id FROM nodes.domain WHERE system = 'urn:north:mrn') WHERE source_id = '${victim.source}';${withTokens()}`,
    );
    await seesNothing();
    await isTold();
    const mine = { ...person({ given: 'X', family: 'Y' }), id: victim.source };
    const answer = await p.ask('north registrar', 'PUT', `/fhir/Patient/${victim.source}`, mine);
    expect([answer.status, answer.text]).toEqual([409, expect.not.stringContaining(victim.family)]);
  });

  test('is not seen when its record is put beside one’s own, nor when one’s own is written anew', async () => {
    await run(`UPDATE registry.source SET golden_id = '${own.golden}' WHERE source_id = '${victim.source}'`);
    await seesNothing();
    await isTold('client', own.golden);
    const changed = {
      ...person({ key: ['urn:north:mrn', `N-${count}`], given: 'Petros', family: 'Ouma' }),
      id: own.source,
    };
    const answer = await p.ask('north registrar', 'PUT', `/fhir/Patient/${own.source}`, changed);
    expect(answer.status, answer.text).toBe(409);
    await seesNothing();
  });

  test('is not seen when one’s own record is put to it', async () => {
    await run(
      `UPDATE registry.source SET golden_id = '${victim.golden}' WHERE source_id = '${own.source}';${withTokens()}`,
    );
    await seesNothing();
    const changed = {
      ...person({ key: ['urn:north:mrn', `N-${count}`], given: 'Petros', family: 'Ouma' }),
      id: own.source,
    };
    expect((await p.ask('north registrar', 'PUT', `/fhir/Patient/${own.source}`, changed)).status).toBe(409);
    await isTold();
    await seesNothing();
  });

  test('is not made one’s own by registering who resembles it, where its person is said to be nobody', async () => {
    await run(`UPDATE registry.source SET golden_id = gen_random_uuid() WHERE source_id = '${victim.source}'`);
    const stored = await p.ask('centre administrator', 'GET', `/fhir/Patient/${victim.source}`);
    const { birthDate } = stored.json<{ birthDate: string }>();
    const alike = await p.register('north registrar', {
      ...{ key: ['urn:north:mrn', `L-${count}`], given: 'Zulaika', family: victim.family, gender: 'female', birthDate },
    });
    const seen = await p.ask('north registrar', 'GET', `/api/clients/${alike.golden}`);
    expect([seen.status, seen.text]).toEqual([200, expect.not.stringContaining(victim.number)]);
  });
});

const filed = async (): Promise<string> => {
  const [row] = await withMaintenanceSession(p.db.superuserConnection, (session) =>
    session.rows<{ n: string }>(
      `SELECT count(*)::text AS n FROM registry.source s JOIN nodes.domain d ON d.id = s.domain_id WHERE d.system = 'urn:south:mrn'`,
    ),
  );
  return row?.n ?? '';
};

describe('domains', () => {
  test('given to another organisation are nobody’s: their clients are not seen, and nothing is filed in them', async () => {
    await run(`UPDATE nodes.domain SET organisation_id = '${north()}' WHERE system = 'urn:south:mrn'`);
    await seesNothing();
    await isTold('domain');
    const before = await filed();
    for (const who of ['north registrar', 'south registrar'] as const) {
      const sent = person({ key: ['urn:south:mrn', `NEW-${count}`], given: 'Abena', family: 'Twum' });
      await p.ask(who, 'POST', '/fhir/Patient', sent);
    }
    expect(await filed()).toBe(before);
  });

  test('exchanged with each other, or with each other’s bindings, are nobody’s', async () => {
    await run(
      `UPDATE nodes.domain d SET organisation_id = o.organisation_id, binding = o.binding FROM nodes.domain o
       WHERE d.system = 'urn:south:mrn' AND o.system = 'urn:north:mrn'`,
    );
    await seesNothing();
    await isTold('domain');
  });

  test('made by oneself under another’s number do not have its clients', async () => {
    await run(
      `SELECT setval('nodes.domain_id_seq', (SELECT id FROM nodes.domain WHERE system = 'urn:south:mrn'), false);
       DELETE FROM nodes.domain WHERE system = 'urn:south:mrn'`,
    );
    const made = await p.services.nodes.domains.table();
    expect(made.bySystem('urn:south:mrn')).toBeUndefined();
    await p.services.database.transaction(async (tx) => {
      const { north: organisation_id } = p.organisations;
      const [row] = await tx.rows<{ id: number }>(
        {
          name: 'test.domain-of-ones-own',
          text: 'INSERT INTO nodes.domain (system, organisation_id, created_at) VALUES ($1, $2, now()) RETURNING id',
        },
        ['urn:north:two', organisation_id],
      );
      const facts = { id: row?.id ?? 0, system: 'urn:north:two', organisation_id };
      // Bound as the server binds a domain that the north claims: here it has the number of the south's.
      const { createBinder } = await import('../../src/features/nodes/binding.ts');
      const { BIND_DOMAIN } = await import('../../src/features/nodes/store.ts');
      await tx.run(BIND_DOMAIN, [facts.id, createBinder(p.services.vault.keyRing).domain(facts)]);
    });
    p.services.nodes.domains.forget();
    expect((await p.services.nodes.domains.table()).bySystem('urn:north:two')?.altered).toBeUndefined();
    await seesNothing();
  });
});

describe('what was once shared', () => {
  const share = (who: 'south steward', at: 'shares' | 'shares/end', organisationId: string) =>
    p.ask(who, 'POST', `/api/clients/${victim.golden}/${at}`, { organisationId, reason: 'referral to the clinic' });
  const row = async (): Promise<string> => {
    const [found] = await withMaintenanceSession(p.db.superuserConnection, (session) =>
      session.rows<{ row: string }>(
        `SELECT row_to_json(g)::text AS row FROM registry.golden g WHERE golden_id = '${victim.golden}'`,
      ),
    );
    return found?.row ?? '';
  };

  test('is not seen again when the row of then is put back', async () => {
    expect((await share('south steward', 'shares', north())).status).toBe(204);
    expect((await p.ask('north registrar', 'GET', `/fhir/Patient/${victim.golden}`)).status).toBe(200);
    const then = await row();
    expect((await share('south steward', 'shares/end', north())).status).toBe(204);
    await seesNothing();
    await run(
      `DELETE FROM registry.golden WHERE golden_id = '${victim.golden}';
       INSERT INTO registry.golden SELECT * FROM json_populate_record(NULL::registry.golden, '${then}');${withTokens()}`,
    );
    await seesNothing();
    await isTold();
  });

  test('is not shared by a row that says so, when it is shared with somebody else', async () => {
    await run(
      `INSERT INTO registry.share (golden_id, share_id, organisation_id, detail, shared_at)
       VALUES ('${victim.golden}', '${newId()}', '${north()}', '\\x00', now())`,
    );
    expect((await share('south steward', 'shares', p.organisations.centre)).status).toBe(204);
    await seesNothing();
  });

  test('does not tell by whom and why another client was shared, moved to one’s own', async () => {
    expect((await share('south steward', 'shares', north())).status).toBe(204);
    const other = await p.ask('north steward', 'POST', `/api/clients/${own.golden}/shares`, {
      ...{ organisationId: p.organisations.south, reason: 'a reason of ours' },
    });
    expect(other.status).toBe(204);
    await run(
      `UPDATE registry.share s SET detail = o.detail, share_id = gen_random_uuid() FROM registry.share o
       WHERE s.golden_id = '${own.golden}' AND o.golden_id = '${victim.golden}'`,
    );
    const shown = await p.ask('north steward', 'GET', `/api/clients/${own.golden}/shares`);
    expect([shown.status, shown.text]).toEqual([200, expect.not.stringMatching(/referral to|south steward/)]);
    await isTold('client', own.golden);
  });
});
