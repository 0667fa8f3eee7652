/** Registrations that are decided before they have the lock: what may happen between. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import type { Database } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import { compileModel, DEFAULT_MODEL } from '../matching/index.ts';
import { searchTerms } from '../../fhir/index.ts';
import { createMatcher, createRegistry } from './index.ts';

let f: RegistryFixture;
/** Called before a planned batch is sent. */
let beforeBurst = async (): Promise<void> => {};
/** Planned batches that were sent, and those of them that were refused. */
const bursts = { sent: 0, failed: 0 };
/** How the log takes events. */
let record: RegistryFixture['audit']['record'];
let planning: ReturnType<typeof registryOn>;

beforeAll(async () => {
  f = await registryFixture();
  record = (tx, inputs) => f.audit.record(tx, inputs);
  planning = registryOn({
    ...f.db.database,
    async burst(start) {
      await beforeBurst();
      bursts.sent += 1;
      return await f.db.database.burst(start).catch((error: unknown) => {
        bursts.failed += 1;
        throw error;
      });
    },
  });
  // The first batch of a process has the lock before it decides.
  await put(planning, 'urn:p:first', 'first', { given: 'Philomena', family: 'Ssekandi', birthDate: '1951-02-03' });
});
afterAll(() => f.close());
afterEach(() => {
  beforeBurst = async () => {};
  record = (tx, inputs) => f.audit.record(tx, inputs);
});

/** Another process on the same database, as far as turns are concerned. */
function registryOn(database: Database) {
  const audit = { record: ((tx, inputs) => record(tx, inputs)) as typeof record, recordNow: f.audit.recordNow };
  const { keyRing, resources, clock, nodes } = f;
  const matcher = createMatcher(compileModel(DEFAULT_MODEL));
  const deps = { database, keyRing, resources, audit, matcher, domains: nodes.domains, clock, termsOf: searchTerms };
  const registry = createRegistry(deps);
  return { ...registry.as(f.operator.principal), ...registry };
}

const domains = new Map<string, Awaited<ReturnType<RegistryFixture['domain']>>>();

async function put(
  registry: Pick<typeof planning, 'submit'>,
  system: string,
  key: string,
  fields: Parameters<typeof person>[0],
) {
  const patient = person({ ...fields, key: [system, key] });
  // Known ones at once: what is put first is submitted first.
  const domain = domains.get(system) ?? (await f.domain(system));
  domains.set(system, domain);
  const { outcomes } = await registry.submit(f.operator, [{ kind: 'upsert', domain, key, patient }]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error(outcome?.problem.code ?? 'no outcome');
  return outcome;
}

/** One person as three systems write them. */
const grace = (n: number) => ({
  given: ['Grace', 'Norah', 'Esther', 'Patience'][n % 4] ?? 'Grace',
  family: ['Nabirye', 'Okello', 'Mugisha', 'Atim', 'Wanyama'][n % 5] ?? 'Nabirye',
  birthDate: `19${60 + (n % 40)}-0${1 + (n % 9)}-1${n % 10}`,
  gender: 'female' as const,
  phone: `0755${String(100_000 + n * 7919).slice(0, 6)}`,
});

const numberOf = statement<{ n: bigint }>('planned-test.events', 'SELECT sum(events)::bigint AS n FROM audit.batch');
const events = async () => Number((await f.db.database.rows(numberOf))[0]?.n ?? 0n);
const goldens = statement<{ golden_id: string }>(
  'planned-test.goldens',
  'SELECT DISTINCT golden_id FROM registry.source WHERE source_id = ANY ($1::uuid[])',
);
const goldensOf = async (made: readonly { readonly id: string }[]) =>
  (await f.db.database.rows(goldens, [made.map(({ id }) => id)])).length;

describe('planned registrations', () => {
  it('that meet in any order and number make one golden record for each person', async () => {
    const people = Array.from({ length: 30 }, (_, n) => n);
    const before = bursts.sent;
    const made = await Promise.all(
      [0, 1, 2].flatMap((system) =>
        people.map(async (n) => {
          // Callers come one after the other, some together, so that batches are under way when their doubles arrive.
          for (let turns = (n * 7 + system * 13) % 40; turns > 0; turns--) await turn();
          return { n, ...(await put(planning, `urn:p:s${system}`, `k-${n}`, grace(n))) };
        }),
      ),
    );
    for (const n of people) expect(await goldensOf(made.filter((one) => one.n === n))).toBe(1);
    expect(await goldensOf(made)).toBe(people.length);
    expect(bursts.sent).toBeGreaterThan(before);
  });

  it('wait for a batch under way that they have to do with', async () => {
    await restore('urn:p:gate');
    const { promise: open, resolve: go } = Promise.withResolvers<void>();
    const { promise: arrived, resolve: came } = Promise.withResolvers<void>();
    beforeBurst = async () => {
      beforeBurst = async () => {};
      came();
      await open;
    };
    const first = put(planning, 'urn:p:gate', 'one', grace(500));
    await arrived;
    const second = put(planning, 'urn:p:gate', 'two', grace(500));
    const stranger = put(planning, 'urn:p:gate', 'three', grace(513));
    // Time enough to decide without it, if that were allowed.
    for (let n = 0; n < 20; n++) await events();
    go();
    const made = await Promise.all([first, second]);
    expect(await goldensOf(made)).toBe(1);
    expect(await goldensOf([...made, await stranger])).toBe(2);
  });

  it('are decided anew when another process had a turn after they had been decided', async () => {
    const other = registryOn(f.db.database);
    const failed = bursts.failed;
    const who = { given: 'Zipporah', family: 'Tumwebaze', birthDate: '1972-07-19', phone: '0782 445 566' };
    await restore('urn:p:ours');
    let theirs: Awaited<ReturnType<typeof put>> | undefined;
    beforeBurst = async () => {
      theirs ??= await put(other, 'urn:p:theirs', 'z', who);
    };
    const ours = await put(planning, 'urn:p:ours', 'z', who);
    expect(theirs).toBeDefined();
    expect(bursts.failed).toBe(failed + 1);
    expect(ours.goldenId).toBe(theirs?.goldenId);
    expect(ours.linked).toBe(true);
  });

  it('of two processes at once never make two golden records of one person', async () => {
    const other = registryOn(f.db.database);
    const people = Array.from({ length: 20 }, (_, n) => n + 100);
    const made = await Promise.all(
      people.flatMap((n) => [
        put(planning, 'urn:p:one', `w-${n}`, grace(n)).then((one) => ({ n, ...one })),
        put(other, 'urn:p:two', `w-${n}`, grace(n)).then((one) => ({ n, ...one })),
      ]),
    );
    for (const n of people) expect(await goldensOf(made.filter((one) => one.n === n))).toBe(1);
  });

  it('that fail in the database write nothing, and do no harm to those beside them', async () => {
    await restore('urn:p:broken');
    const before = await events();
    let first = true;
    record = async (tx, inputs) => {
      if (first) {
        first = false;
        await tx.run(statement('planned-test.broken', 'SELECT 1 / 0'));
      }
      return await f.audit.record(tx, inputs);
    };
    const made = await Promise.all(
      ['a', 'b', 'c'].map((key, at) => put(planning, 'urn:p:broken', key, grace(200 + at))),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(3);
    expect(made.map(({ version }) => version)).toEqual([1, 1, 1]);
    expect((await events()) - before).toBe(3);
  });

  it('are not committed before their events are written, however late the log begins', async () => {
    await restore('urn:p:late');
    const sent = bursts.sent;
    const before = await events();
    record = async (tx, inputs) => {
      await turn();
      return await f.audit.record(tx, inputs);
    };
    await put(planning, 'urn:p:late', 'l', grace(300));
    expect(bursts.sent).toBe(sent + 1);
    expect((await events()) - before).toBe(1);
  });

  it('of one identifier keep the order in which they were sent', async () => {
    await restore('urn:p:order');
    const made = await Promise.all(
      ['1980-01-01', '1980-01-02', '1980-01-03', '1980-01-04'].map((birthDate) =>
        put(planning, 'urn:p:order', 'o', { given: 'Ruth', family: 'Adongo', birthDate }),
      ),
    );
    expect(made.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
    const id = made[0]?.id;
    expect(new Set(made.map((one) => one.id))).toEqual(new Set([id]));
    const stored = id && (await planning.read(id));
    expect(JSON.parse(Buffer.from((stored && stored.content) || '{}').toString())).toMatchObject({
      birthDate: '1980-01-04',
    });
  });
});

/** Turns of this process alone, until it plans again. */
async function restore(system: string): Promise<void> {
  for (let n = 0; n < 10; n++) await put(planning, system, `calm-${n}`, grace(400 + n));
}
