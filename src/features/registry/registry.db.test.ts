import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResourceId } from '../../kernel/ids.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { QUICK_COUNT_ROWS_MAX } from './bounds.ts';
import { createRehearsal, type SubmissionOutcome } from './index.ts';

let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

type Written = Exclude<SubmissionOutcome, { status: 'refused' }>;

function written(outcome: SubmissionOutcome | undefined): Written {
  if (!outcome || outcome.status === 'refused') {
    throw new Error(
      `expected a written record, got ${outcome?.status === 'refused' ? outcome.problem.code : 'nothing'}`,
    );
  }
  return outcome;
}

async function put(system: string, key: string, patient: Parameters<typeof person>[0]): Promise<Written> {
  const domain = await f.domain(system);
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain, key, patient: person({ ...patient, key: [system, key] }) },
  ]);
  return written(outcomes[0]);
}

async function count(sql: string): Promise<number> {
  const rows = await f.db.ownerDatabase.rows<{ n: bigint }>({ name: `t${sql.length}${sql}`.slice(0, 60), text: sql });
  return Number(rows[0]?.n ?? -1n);
}

const AMINA = {
  given: 'Amina',
  family: 'Okello',
  birthDate: '1984-03-12',
  gender: 'female',
  phone: '+256 772 300633',
} as const;

describe('registering', () => {
  it('makes a source record and a golden record, readable, with content ready to send', async () => {
    const made = await put('urn:t:one', 'a-1', {
      ...AMINA,
      given: 'Zubeda',
      family: 'Mirembe',
      phone: '+256 701 000111',
    });
    expect(made).toMatchObject({ status: 'created', version: 1, linked: false });
    const golden = await f.registry.read(made.goldenId);
    const json = JSON.parse(new TextDecoder().decode(golden?.content ?? new Uint8Array()));
    expect(json.meta.tag).toContainEqual({ system: 'https://careseal.org/fhir/record-kind', code: 'golden' });
    expect(json.link).toEqual([{ other: { reference: `Patient/${made.id}` }, type: 'seealso' }]);
    expect(json.identifier).toEqual([{ system: 'urn:t:one', value: 'a-1' }]);
  });

  it('changes nothing when the same record comes again', async () => {
    const first = await put('urn:t:same', 'x', { given: 'Obote', family: 'Lakony', birthDate: '1950-01-09' });
    const again = await put('urn:t:same', 'x', { given: 'Obote', family: 'Lakony', birthDate: '1950-01-09' });
    expect(again).toMatchObject({ status: 'unchanged', id: first.id, version: 1, goldenId: first.goldenId });
  });

  it('keeps versions and history, and refuses a stale If-Match', async () => {
    const first = await put('urn:t:versions', 'v', { given: 'Peter', family: 'Ssali', birthDate: '1971-07-07' });
    const second = await put('urn:t:versions', 'v', { given: 'Peter', family: 'Ssali', birthDate: '1971-07-08' });
    expect(second).toMatchObject({ status: 'updated', version: 2, id: first.id });
    const { outcomes } = await f.registry.submit(f.operator, [
      {
        kind: 'update',
        id: first.id,
        ifMatchVersion: 1,
        patient: person({ key: ['urn:t:versions', 'v'], given: 'P' }),
      },
    ]);
    expect(outcomes[0]).toMatchObject({ status: 'refused', problem: { code: 'version-conflict' } });
    const history = await f.registry.history(first.id, { limit: 10 });
    expect(history.map((one) => one.version)).toEqual([2, 1]);
  });

  it('links two records of one person from two domains, and unites their identifiers', async () => {
    const a = await put('urn:t:clinic', 'c-1', AMINA);
    const b = await put('urn:t:lab', 'l-9', AMINA);
    expect(b).toMatchObject({ status: 'created', linked: true, goldenId: a.goldenId });
    const golden = await f.registry.read(a.goldenId);
    const json = JSON.parse(new TextDecoder().decode(golden?.content ?? new Uint8Array()));
    expect(json.identifier).toHaveLength(2);
    expect(json.meta.versionId).toBe('2');
  });

  it('does not miss a duplicate registered at the same moment', async () => {
    const twice = {
      given: 'Grace',
      family: 'Nabirye',
      birthDate: '1999-11-30',
      gender: 'female',
      phone: '0755123987',
    } as const;
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, index) => put(`urn:t:race-${index % 3}`, `r-${index}`, twice)),
    );
    expect(new Set(made.map((one) => one.goldenId)).size).toBe(1);
  });

  it('decides submissions of one record in one batch one after the other', async () => {
    const domain = await f.domain('urn:t:order');
    const version = (birthDate: string) => ({
      kind: 'upsert' as const,
      domain,
      key: 'o',
      patient: person({ key: ['urn:t:order', 'o'], given: 'Ruth', family: 'Adongo', birthDate }),
    });
    const { outcomes } = await f.registry.submit(f.operator, [
      version('1990-01-02'),
      version('1990-01-03'),
      version('1990-01-03'),
    ]);
    expect(outcomes.map((one) => one.status)).toEqual(['created', 'updated', 'unchanged']);
    expect(new Set(outcomes.map((one) => written(one).id)).size).toBe(1);
  });

  it('writes nothing of an atomic group when one entry is refused', async () => {
    const domain = await f.domain('urn:t:atomic');
    const before = await count('SELECT count(*) AS n FROM registry.source');
    const { outcomes, audited } = await f.registry.submit(
      f.operator,
      [
        { kind: 'create', domain, patient: person({ key: ['urn:t:atomic', '1'], given: 'Moses' }) },
        { kind: 'delete', id: '0198f3a0-0000-7000-8000-0000000000ff' as ResourceId },
      ],
      { atomic: true },
    );
    expect(outcomes.map((one) => one.status)).toEqual(['refused', 'refused']);
    expect(audited).toBeUndefined();
    expect(await count('SELECT count(*) AS n FROM registry.source')).toBe(before);
  });

  it('writes nothing in a dry run, but answers as if', async () => {
    const before = await count('SELECT count(*) AS n FROM registry.golden');
    const domain = await f.domain('urn:t:dry');
    const { outcomes } = await f.registry.submit(
      f.operator,
      [{ kind: 'upsert', domain, key: 'd', patient: person({ key: ['urn:t:dry', 'd'], given: 'Dry', family: 'Run' }) }],
      { rehearsal: createRehearsal() },
    );
    expect(outcomes[0]).toMatchObject({ status: 'created' });
    expect(await count('SELECT count(*) AS n FROM registry.golden')).toBe(before);
  });

  it('deletes a source record: its person follows, its id answers nothing, and the ledger keeps the fact', async () => {
    const made = await put('urn:t:gone', 'g', { given: 'Hellen', family: 'Atim', birthDate: '1966-06-16' });
    const { outcomes } = await f.registry.submit(f.operator, [{ kind: 'delete', id: made.id }]);
    expect(outcomes[0]).toMatchObject({ status: 'deleted', version: 2 });
    expect((await f.registry.read(made.id))?.content).toBeNull();
    expect((await f.registry.read(made.goldenId))?.content).toBeNull();
    const again = await f.registry.submit(f.operator, [{ kind: 'delete', id: made.id }]);
    expect(again.outcomes[0]).toMatchObject({ status: 'refused', problem: { code: 'client-deleted' } });
  });
});

describe('who may write what', () => {
  it('refuses a node a record of another node, an update of it, and an identifier of a domain it does not own', async () => {
    const lake = await f.node('Lake clinic', 'urn:n:lake');
    const hill = await f.node('Hill clinic', 'urn:n:hill');
    const lakeDomain = { id: (await f.nodes.domains.resolve('urn:n:lake'))?.id ?? 0, system: 'urn:n:lake' };
    const made = await f.registry.submit(lake, [
      {
        kind: 'create',
        domain: lakeDomain,
        patient: person({ key: ['urn:n:lake', '1'], given: 'Joy', family: 'Auma' }),
      },
    ]);
    const { id } = written(made.outcomes[0]);
    const hillDomain = { id: (await f.nodes.domains.resolve('urn:n:hill'))?.id ?? 0, system: 'urn:n:hill' };
    const { outcomes } = await f.registry.submit(hill, [
      { kind: 'create', domain: lakeDomain, patient: person({ key: ['urn:n:lake', '2'], given: 'Joy' }) },
      { kind: 'update', id, patient: person({ given: 'Not', family: 'Joy' }) },
      { kind: 'delete', id },
      {
        kind: 'create',
        domain: hillDomain,
        patient: person({ key: ['urn:n:lake', '1'], given: 'Joy', family: 'Auma' }),
      },
    ]);
    const codes = outcomes.map((one) => (one.status === 'refused' ? one.problem.code : one.status));
    expect(codes).toEqual(['not-own-record', 'not-own-record', 'not-own-record', 'domain-not-owned']);
  });

  it('refuses a person a domain that a node owns, and anybody a golden record', async () => {
    await f.node('Owner', 'urn:n:owned');
    const domain = { id: (await f.nodes.domains.resolve('urn:n:owned'))?.id ?? 0, system: 'urn:n:owned' };
    const made = await put('urn:t:golden-write', '1', { given: 'Ida', family: 'Opio' });
    const { outcomes } = await f.registry.submit(f.operator, [
      { kind: 'create', domain, patient: person({ key: ['urn:n:owned', '1'], given: 'Ida' }) },
      { kind: 'update', id: made.goldenId, patient: person({ given: 'Ida', family: 'Changed' }) },
    ]);
    const codes = outcomes.map((one) => (one.status === 'refused' ? one.problem.code : one.status));
    expect(codes).toEqual(['not-own-record', 'golden-is-computed']);
  });

  it('refuses a second record with the same identifier in its domain, and answers If-None-Exist with the first', async () => {
    const first = await put('urn:t:dup', 'k', { given: 'Sarah', family: 'Nakato' });
    const domain = await f.domain('urn:t:dup');
    const patient = person({ key: ['urn:t:dup', 'k'], given: 'Somebody', family: 'Else' });
    const { outcomes } = await f.registry.submit(f.operator, [
      { kind: 'create', domain, patient },
      { kind: 'create', domain, patient, ifNoneExist: { value: 'k' } },
    ]);
    expect(outcomes[0]).toMatchObject({ status: 'refused', problem: { code: 'duplicate-key' } });
    expect(outcomes[1]).toMatchObject({ status: 'unchanged', id: first.id });
  });
});

describe('searching', () => {
  it('finds golden records by blind tokens and source records through them, page by page', async () => {
    const made = await Promise.all(
      Array.from({ length: 7 }, (_, index) =>
        put('urn:t:pages', `p-${index}`, {
          given: ['Akello', 'Brian', 'Carol', 'David', 'Esther', 'Fred', 'Gilbert'][index] ?? '',
          family: 'Pagemark',
          birthDate: `19${60 + index * 5}-0${index + 1}-11`,
        }),
      ),
    );
    const search = {
      terms: [[{ parameter: 'family', value: 'pagema' }]],
      accepts: (patient: { name?: { family?: string }[] }) => patient.name?.[0]?.family === 'Pagemark',
      everything: false,
      order: 'id' as const,
      limit: 3,
      total: 'quick' as const,
    };
    const seen: string[] = [];
    let after: Awaited<ReturnType<typeof f.registry.search>>['next'];
    do {
      const page = await f.registry.search({ kind: 'golden', ...search, ...(after ? { after } : {}) });
      expect(page.total).toBe(7);
      seen.push(...page.records.map((record) => record.id));
      after = page.next;
    } while (after);
    expect(seen.toSorted()).toEqual(made.map((one) => one.goldenId).toSorted());
    const sources = await f.registry.search({ kind: 'source', ...search, limit: 50 });
    expect(sources.records.map((record) => record.id).toSorted()).toEqual(made.map((one) => one.id).toSorted());
  });

  it('says how many there are at least where counting all would take too long', async () => {
    const domain = await f.domain('urn:t:many');
    const word = (n: number): string =>
      createHash('sha256').update(String(n)).digest('hex').replace(/\d/g, '').slice(0, 9);
    const many = Array.from({ length: QUICK_COUNT_ROWS_MAX + 1 }, (_, n) => {
      const birthDate = `${1930 + (n % 80)}-0${1 + (n % 9)}-1${n % 10}`;
      const patient = person({ given: word(n), family: 'Manyfold', birthDate, key: ['urn:t:many', `m-${n}`] });
      return { kind: 'upsert' as const, domain, key: `m-${n}`, patient };
    });
    const { outcomes } = await f.registry.submit(f.operator, many);
    for (const outcome of outcomes) written(outcome);
    const search = {
      kind: 'golden' as const,
      terms: [[{ parameter: 'family', value: 'manyfo' }]],
      accepts: (patient: { name?: { family?: string }[] }) => patient.name?.[0]?.family === 'Manyfold',
      everything: false,
      order: 'id' as const,
      limit: 10,
    };
    const quick = await f.registry.search({ ...search, total: 'quick' });
    expect(quick).toMatchObject({ atLeast: QUICK_COUNT_ROWS_MAX });
    expect(quick.total).toBeUndefined();
    const exact = await f.registry.search({ ...search, total: 'accurate' });
    expect(exact.total).toBe(QUICK_COUNT_ROWS_MAX + 1);
    expect(exact.atLeast).toBeUndefined();
  });

  it('refuses a forged page link', async () => {
    const forged = 'AAAA' as NonNullable<Awaited<ReturnType<typeof f.registry.search>>['next']>;
    const search = {
      kind: 'golden' as const,
      terms: [],
      accepts: () => true,
      everything: true,
      order: 'id' as const,
      limit: 3,
      total: 'none' as const,
    };
    await expect(f.registry.search({ ...search, after: forged })).rejects.toMatchObject({ code: 'bad-cursor' });
  });

  it('matches a Patient against the registry', async () => {
    const made = await put('urn:t:match', 'm', {
      given: 'Ezekiel',
      family: 'Tumusiime',
      birthDate: '1977-05-23',
      gender: 'male',
    });
    const found = await f.registry.match(
      person({ given: 'Ezekiel', family: 'Tumusime', birthDate: '1977-05-23', gender: 'male' }),
    );
    expect(found.candidates[0]).toMatchObject({ goldenId: made.goldenId });
    expect(found.candidates[0]?.golden.content).toBeInstanceOf(Uint8Array);
    const asked = person({ given: 'Ezekiel', family: 'Tumusime', birthDate: '1977-05-23', gender: 'male' });
    const { golden: _golden, ...first } = found.candidates[0] ?? { golden: undefined };
    expect((await f.registry.rank(asked)).ranked[0]).toEqual(first);
    const none = await f.registry.match(person({ given: 'Nobody', family: 'Unheardof', birthDate: '1901-01-31' }));
    expect(none.candidates).toEqual([]);
  });
});
