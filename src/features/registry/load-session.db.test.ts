import { afterEach, describe, expect, it } from 'vitest';
import { people } from '../../../bench/people.ts';
import { DOMAIN, patientOf } from '../../../bench/support/population.ts';
import { type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { sha256Hex } from '../../crypto/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { SubmissionOutcome, UpsertSubmission, ValidPatient } from './model.ts';
import type { SubmitOptions } from './submit-options.ts';

const open: RegistryFixture[] = [];
afterEach(async () => {
  for (const f of open.splice(0)) await f.close();
});
const fixture = async (): Promise<RegistryFixture> => {
  const f = await registryFixture();
  open.push(f);
  return f;
};

/** Generated people, the same at each run: households, twins, second and third registrations with mistakes. */
function file(domain: { id: number; system: string }, count: number): UpsertSubmission[] {
  const records = [...people({ seed: 3, count, duplicates: 0.5 })];
  // Not side by side: every third first, then the others.
  const mixed = [0, 1, 2].flatMap((turn) => records.filter((_, at) => at % 3 === turn));
  return mixed.map((record) => ({
    ...{ kind: 'upsert', domain, key: record.id },
    patient: patientOf(record) as ValidPatient,
  }));
}

const inGroups = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));

type Submit = (group: readonly UpsertSubmission[], options?: SubmitOptions) => Promise<readonly SubmissionOutcome[]>;

/** Each group in a transaction of its own, as the loader asks for it. */
const ordinary =
  (f: RegistryFixture): Submit =>
  async (group, options = { alongside: async () => {} }) =>
    (await f.registry.submit(f.operator, group, options)).outcomes;

const MEGABYTE = 2 ** 20;

async function quickly(f: RegistryFixture, first: readonly UpsertSubmission[], bytesMax = 64 * MEGABYTE) {
  const session = await f.registry.openLoad({ actor: f.operator, first, records: 50_000, bytesMax });
  if (session === undefined) throw new Error('the ordinary way was chosen');
  const submit: Submit = async (group, options = {}) => (await session.submit(f.operator, group, options)).outcomes;
  return { session, submit };
}

/** All groups, several under way. Ids of the records by their keys. */
async function load(submit: Submit, groups: readonly UpsertSubmission[][]): Promise<Map<ResourceId, string>> {
  const names = new Map<ResourceId, string>();
  const answers = await Promise.all(groups.map((group) => submit(group)));
  for (const [at, outcomes] of answers.entries()) {
    for (const [row, outcome] of outcomes.entries()) {
      if (outcome.status === 'refused') throw outcome.problem;
      names.set(outcome.id, groups[at]?.[row]?.key ?? '');
    }
  }
  return names;
}

type Row = Record<string, string | bigint | number | null>;
const rows = (f: RegistryFixture, text: string): Promise<Row[]> =>
  f.db.ownerDatabase.rows<Row>({ name: `load-session.${sha256Hex(Buffer.from(text)).slice(0, 20)}`, text });

/** Who belongs to whom, who is asked about, what was written down, in keys of the file instead of ids. */
async function contents(f: RegistryFixture, names: ReadonlyMap<ResourceId, string>) {
  const name = (id: unknown): string => (id === null ? '' : (names.get(id as ResourceId) ?? `unknown ${String(id)}`));
  const sources = await rows(f, 'SELECT source_id, golden_id, version FROM registry.source');
  const persons = Map.groupBy(sources, (row) => row['golden_id']);
  const membersOf = (members: readonly Row[]) =>
    members
      .map((row) => name(row['source_id']))
      .sort()
      .join('+');
  const personOf = new Map(
    [...persons.values()].flatMap((members) => members.map((row) => [row['source_id'], membersOf(members)])),
  );
  // Of two records of one person that are equally alike, either may be the one it was linked through.
  const person = (id: unknown): string => (id === null ? '' : (personOf.get(id as string) ?? `unknown ${String(id)}`));
  const reviews = await rows(f, 'SELECT a, b, cause, score, grade, model_version, state FROM registry.review');
  const ledger = await rows(f, 'SELECT kind, source_id, other_source_id FROM registry.ledger');
  const [counts] = await rows(
    f,
    // Of persons with one record: more are also found by what the store added to the records, where these were read from it.
    `SELECT (SELECT count(*) FROM registry.blocking_key) AS keys,
       (SELECT sum(cardinality(tokens)) FROM store.resource WHERE version = 1) AS tokens,
       (SELECT count(*) FROM store.resource) AS resources, (SELECT count(*) FROM store.resource_history) AS former,
       (SELECT sum(events) FROM audit.batch) AS events, (SELECT sum(version) FROM registry.golden) AS versions,
       (SELECT count(*) FROM registry.golden AS g JOIN store.resource AS r ON r.id = g.golden_id AND r.version = g.version) AS whole`,
  );
  return {
    persons: [...persons.values()].map(membersOf).sort(),
    reviews: reviews
      .map(({ a, b, cause, score, grade, model_version, state }) =>
        [[person(a), person(b)].sort().join(' '), cause, score, grade, model_version, state].join(' '),
      )
      .sort(),
    ledger: ledger
      .map(({ kind, source_id, other_source_id }) => `${kind} ${name(source_id)} ${person(other_source_id)}`)
      .sort(),
    counts,
  };
}

describe('a large load', () => {
  it('writes what the ordinary way writes: persons, questions, ledger, keys, versions, events', async () => {
    const [f, g] = [await fixture(), await fixture()];
    const groups = inGroups(file(await f.domain(DOMAIN), 400), 60);
    const { session, submit } = await quickly(f, groups[0] ?? []);
    const names = await load(submit, groups);
    expect(session.isQuick()).toBe(true);
    const other = inGroups(file(await g.domain(DOMAIN), 400), 60);
    const found = await contents(f, names);
    expect(found).toEqual(await contents(g, await load(ordinary(g), other)));
    expect(found.reviews.length).toBeGreaterThan(0);
    expect(found.persons.some((members) => members.includes('+'))).toBe(true);
  });

  it('goes on over what is there: an image is read from the registry', async () => {
    const [f, g] = [await fixture(), await fixture()];
    const groups = inGroups(file(await f.domain(DOMAIN), 300), 50);
    const names = await load(ordinary(f), groups.slice(0, 3));
    const { session, submit } = await quickly(f, groups[3] ?? []);
    for (const [id, key] of await load(submit, groups.slice(3))) names.set(id, key);
    expect(session.isQuick()).toBe(true);
    const other = inGroups(file(await g.domain(DOMAIN), 300), 50);
    expect(await contents(f, names)).toEqual(await contents(g, await load(ordinary(g), other)));
  });

  it('takes a record that comes again in the same file as a change of it', async () => {
    const [f, g] = [await fixture(), await fixture()];
    const withChange = (all: UpsertSubmission[]): UpsertSubmission[] => {
      const changed = all.slice(10, 13).map((one) => ({
        ...one,
        patient: { ...one.patient, telecom: [{ system: 'phone' as const, value: '0700123456' }] },
      }));
      return [...all.slice(0, 150), ...changed, ...all.slice(150)];
    };
    const groups = inGroups(withChange(file(await f.domain(DOMAIN), 200)), 40);
    const { session, submit } = await quickly(f, groups[0] ?? []);
    const names = await load(submit, groups);
    expect(session.isQuick()).toBe(true);
    const other = inGroups(withChange(file(await g.domain(DOMAIN), 200)), 40);
    expect(await contents(f, names)).toEqual(await contents(g, await load(ordinary(g), other)));
  });

  it('goes on the ordinary way when somebody else registers meanwhile, who is seen', async () => {
    const f = await fixture();
    const groups = inGroups(file(await f.domain(DOMAIN), 200), 40);
    const { session, submit } = await quickly(f, groups[0] ?? []);
    await load(submit, groups.slice(0, 3));
    const clinic = await f.domain('urn:test:clinic');
    const twice = groups.flat()[160]?.patient as ValidPatient;
    const [newcomer] = await ordinary(f)([
      {
        ...{ kind: 'upsert', domain: clinic, key: 'n1' },
        patient: {
          ...twice,
          identifier: [{ system: clinic.system, value: 'n1' }, ...(twice.identifier ?? []).slice(1)],
        },
      },
    ]);
    const answers = await Promise.all(groups.slice(3).map((group) => submit(group)));
    expect(session.isQuick()).toBe(false);
    expect(answers.flat().map(({ status }) => status)).toEqual(
      groups.slice(3).flatMap((group) => group.map(() => 'created')),
    );
    const again = answers[1]?.[0];
    if (newcomer?.status !== 'created' || again?.status !== 'created') throw new Error('not registered');
    expect(again.goldenId).toBe(newcomer.goldenId);
    const [{ n } = {}] = await rows(f, 'SELECT count(*) AS n FROM registry.source');
    expect(Number(n)).toBe(groups.flat().length + 1);
  });

  it('commits no group before the one in front of it, and decides again what rested on one that failed', async () => {
    const f = await fixture();
    const groups = inGroups(file(await f.domain(DOMAIN), 160), 40);
    const { submit } = await quickly(f, groups[0] ?? []);
    const committed: number[] = [];
    let failures = 1;
    const alongside = (at: number) => async (tx: Transaction) => {
      if (at === 1 && failures-- > 0) throw new Error('the disk is full');
      tx.afterCommit(() => committed.push(at));
    };
    const answers = await Promise.all(groups.map((group, at) => submit(group, { alongside: alongside(at) })));
    expect(answers.flat().every(({ status }) => status === 'created')).toBe(true);
    expect(committed).toEqual(groups.map((_, at) => at));
    const [{ n } = {}] = await rows(f, 'SELECT count(*) AS n FROM registry.source');
    expect(Number(n)).toBe(groups.flat().length);
  });

  it('is not chosen for a file that is there already, a small one, or where stewards have kept people apart', async () => {
    const f = await fixture();
    const [first = []] = inGroups(file(await f.domain(DOMAIN), 60), 20);
    const asked = { actor: f.operator, first, records: 50_000, bytesMax: 64 * MEGABYTE };
    expect(await f.registry.openLoad({ ...asked, records: 100 })).toBeUndefined();
    expect(await f.registry.openLoad({ ...asked, bytesMax: 1_000 })).toBeDefined();
    const [one, two] = [...(await load(ordinary(f), [first])).keys()];
    expect(await f.registry.openLoad(asked)).toBeUndefined();
    const others = file(await f.domain(DOMAIN), 60).slice(20, 40);
    expect(await f.registry.openLoad({ ...asked, first: others })).toBeDefined();
    await rows(
      f,
      `INSERT INTO registry.never_link VALUES (least('${one}'::uuid, '${two}'), greatest('${one}'::uuid, '${two}'), '${one}')`,
    );
    expect(await f.registry.openLoad({ ...asked, first: others })).toBeUndefined();
  });

  it('stays within its memory: what is beyond goes the ordinary way', async () => {
    const [f, g] = [await fixture(), await fixture()];
    const groups = inGroups(file(await f.domain(DOMAIN), 200), 40);
    const { session, submit } = await quickly(f, groups[0] ?? [], 4.6 * MEGABYTE);
    const names = await load(submit, groups);
    expect(session.isQuick()).toBe(false);
    const other = inGroups(file(await g.domain(DOMAIN), 200), 40);
    expect(await contents(f, names)).toEqual(await contents(g, await load(ordinary(g), other)));
  });
});
