import { afterAll, beforeAll, expect, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { handled } from '../../../test/support/handled.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { sha256Hex } from '../../crypto/index.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { RouteRequest } from '../../platform/http/route.ts';
import type { ClientDetailReply, ReviewSummary } from './wire.ts';

/**
 * Registrations and stewards' decisions in random order, against what must hold after each of them whatever came before. A seed
 * that fails fails again: the sequence is printed with it.
 */
let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

type Row = Record<string, string>;
const rows = (sql: string): Promise<Row[]> =>
  f.db.ownerDatabase.rows<Row>({ name: `seq.${sha256Hex(Buffer.from(sql)).slice(0, 20)}`, text: sql });

/** Small numbers from a seed (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

async function call(path: string, parts: { params?: object; query?: object; body?: object }): Promise<unknown> {
  const [method, url] = path.split(' ');
  const found = f.registry.routes.find((one) => one.method === method && one.path === url);
  if (!found) throw new Error(path);
  const { query, body } = found.input;
  const request = {
    actor: userActor,
    params: parts.params ?? {},
    query: query === 'raw' ? '' : query.parse(parts.query ?? {}),
    body: typeof body === 'string' ? undefined : body.parse(parts.body ?? {}),
  } as unknown as RouteRequest<never, never, never>;
  return (await handled(found, request)).body;
}

/** Decisions that two records are different people, by who made them: each stands until it is taken back itself. */
type Never = Map<string, Set<string>>;
const pair = (x: string, y: string): string => (x < y ? `${x} ${y}` : `${y} ${x}`);

const NAMES = [
  ['Amina', 'Okello', '1984-03-12'],
  ['Amina', 'Okelo', '1984-03-12'],
  ['Aminah', 'Okello', '1984-12-03'],
  ['Kizito', 'Okello', '1984-03-12'],
  ['Zubeda', 'Mirembe', '1971-07-30'],
  ['Zubaida', 'Mirembe', '1971-07-30'],
] as const;
const SYSTEMS = ['urn:q:a', 'urn:q:b', 'urn:q:c'];
const reason = 'because of a test';

interface World {
  readonly roll: (sides: number) => number;
  readonly never: Never;
  readonly decided: Map<string, { readonly entryId: string; readonly a: string; readonly b: string }>;
}

async function anySource({ roll }: World): Promise<{ id: string; golden: string } | undefined> {
  const all = await rows(
    'SELECT source_id::text AS id, golden_id::text AS golden FROM registry.source ORDER BY source_id',
  );
  const one = all[roll(Math.max(1, all.length))];
  return one && { id: one['id'] ?? '', golden: one['golden'] ?? '' };
}

const ACTS: Record<string, (world: World) => Promise<void>> = {
  async register({ roll }) {
    const [given = '', family = '', birthDate = ''] = NAMES[roll(NAMES.length)] ?? [];
    const system = SYSTEMS[roll(SYSTEMS.length)] ?? '';
    const key = `k${roll(4)}`;
    const phone = roll(2) === 0 ? { phone: `+256 772 30063${roll(2)}` } : {};
    const patient = person({ key: [system, key], given, family, birthDate, ...phone });
    const { outcomes } = await f.registry.submit(f.operator, [
      { kind: 'upsert', domain: await f.domain(system), key, patient },
    ]);
    expect(outcomes[0]?.status).not.toBe('refused');
  },
  async remove(world) {
    const one = await anySource(world);
    if (!one || world.roll(2) === 0) return;
    await f.registry.submit(f.operator, [{ kind: 'delete', id: one.id as never }]);
    for (const both of [...world.never.keys()]) if (both.includes(one.id)) world.never.delete(both);
  },
  async unlink(world) {
    const one = await anySource(world);
    if (!one) return;
    const before = await rows('SELECT source_id::text AS id, golden_id::text AS golden FROM registry.source');
    const done = (await call('POST /api/clients/:id/unlink', {
      params: { id: one.golden },
      body: { sourceId: one.id, reason },
    })) as { entryId: string };
    const others = before.filter((row) => row['golden'] === one.golden && row['id'] !== one.id);
    for (const other of others) note(world.never, pair(one.id, other['id'] ?? ''), done.entryId);
  },
  async merge(world) {
    const [one, two] = [await anySource(world), await anySource(world)];
    if (!one || !two) return;
    await call('POST /api/clients/merge', { body: { survivor: one.golden, other: two.golden, reason } });
  },
  async unmerge(world) {
    const one = await anySource(world);
    if (one) await call('POST /api/clients/:id/unmerge', { params: { id: one.golden }, body: { reason } });
  },
  async neverLink(world) {
    const [one, two] = [await anySource(world), await anySource(world)];
    if (!one || !two) return;
    const done = (await call('POST /api/never-link', { body: { a: one.id, b: two.id, reason } })) as {
      entryId: string;
    };
    note(world.never, pair(one.id, two.id), done.entryId);
  },
  async decide(world) {
    const state = world.roll(4) === 0 ? 'later' : 'open';
    const { reviews } = (await call('GET /api/reviews', { query: { state } })) as { reviews: ReviewSummary[] };
    const review = reviews[world.roll(Math.max(1, reviews.length))];
    if (!review) return;
    const decision = (['link', 'different', 'later'] as const)[world.roll(3)] ?? 'later';
    const done = (await call('POST /api/reviews/:id/decision', { params: { id: review.id }, body: { decision } })) as {
      entryId?: string;
    };
    if (!done.entryId) return;
    world.decided.set(review.id, { entryId: done.entryId, a: review.a.sourceId, b: review.b.sourceId });
    if (decision === 'different') note(world.never, pair(review.a.sourceId, review.b.sourceId), done.entryId);
  },
  async undo(world) {
    const decided = [...world.decided];
    const [id, was] = decided[world.roll(Math.max(1, decided.length))] ?? [];
    if (id === undefined || !was) return;
    await call('POST /api/reviews/:id/undo', { params: { id } });
    world.decided.delete(id);
    for (const by of world.never.values()) by.delete(was.entryId);
  },
};

function note(never: Never, both: string, entryId: string): void {
  const by = never.get(both) ?? new Set();
  never.set(both, by.add(entryId));
}

async function expectWhole({ never }: World): Promise<void> {
  const [sources, goldens, kept, reviews] = await Promise.all([
    rows('SELECT source_id::text AS id, golden_id::text AS golden FROM registry.source'),
    rows('SELECT golden_id::text AS id, replaced_by::text AS to, deleted::text AS gone FROM registry.golden'),
    rows('SELECT a::text AS a, b::text AS b FROM registry.never_link'),
    rows(`SELECT a::text AS a, b::text AS b, cause FROM registry.review WHERE state <> 'decided'`),
  ]);
  const goldenOf = new Map(sources.map((row) => [row['id'] ?? '', row['golden'] ?? '']));
  const live = goldens.filter((row) => row['to'] === null && row['gone'] === 'false').map((row) => row['id'] ?? '');
  // Each person is one live golden record, and each of those is somebody.
  expect(new Set(goldenOf.values())).toEqual(new Set(live));
  const redirects = new Map(
    goldens.filter((row) => row['to'] !== null).map((row) => [row['id'] ?? '', row['to'] ?? '']),
  );
  for (const start of redirects.keys()) {
    let at = start;
    for (let hops = 0; redirects.has(at); hops++) {
      expect(hops).toBeLessThan(redirects.size + 1);
      at = redirects.get(at) ?? '';
    }
  }
  for (const id of live) {
    const own = sources.filter((row) => row['golden'] === id).map((row) => row['id'] ?? '');
    const detail = (await call('GET /api/clients/:id', { params: { id } })) as ClientDetailReply;
    expect(detail.sources.map((one) => one.id).toSorted()).toEqual(own.toSorted());
    // The ledger says how each came to be there.
    for (const one of detail.sources) expect(one.linkedBy, one.id).toBeDefined();
    const stored = await f.registry.read(id as never);
    const golden = JSON.parse(new TextDecoder().decode(stored?.content ?? new Uint8Array())) as {
      link: { other: { reference: string } }[];
    };
    expect(golden.link.map(({ other }) => other.reference.slice('Patient/'.length)).toSorted()).toEqual(own.toSorted());
  }
  const pairs = new Set(kept.map((row) => `${row['a']} ${row['b']}`));
  for (const both of pairs) {
    const [a, b] = both.split(' ').map((id) => goldenOf.get(id));
    if (a !== undefined && b !== undefined) expect(a, `never-linked ${both}`).not.toBe(b);
  }
  for (const [both, by] of never) {
    const known = both.split(' ').every((id) => goldenOf.has(id));
    if (by.size > 0 && known) expect(pairs.has(both), `forgotten: ${both}`).toBe(true);
  }
  for (const { a = '', b = '', cause } of reviews) {
    expect(goldenOf.has(a) && goldenOf.has(b)).toBe(true);
    if (cause !== 'record-changed' && cause !== 'overlay') expect(goldenOf.get(a)).not.toBe(goldenOf.get(b));
    else expect(pairs.has(`${a} ${b}`), 'a question that was answered').toBe(false);
  }
}

async function play(seed: number, steps: number): Promise<void> {
  const world: World = { roll: dice(seed), never: new Map(), decided: new Map() };
  const names = ['register', 'register', 'register', ...Object.keys(ACTS)];
  const played: string[] = [];
  for (let step = 0; step < steps; step++) {
    const name = names[world.roll(names.length)] ?? 'register';
    played.push(name);
    f.clock.forward(1000);
    try {
      await ACTS[name]?.(world);
    } catch (error) {
      // A refusal is an answer; anything else is a fault.
      if (!isProblem(error) || error.kind === 'internal')
        throw new Error(`seed ${seed}: ${played.join(' ')}`, { cause: error });
    }
    try {
      await expectWhole(world);
    } catch (error) {
      throw new Error(`seed ${seed} after ${played.join(' ')}: ${error instanceof Error ? error.message : ''}`, {
        cause: error,
      });
    }
  }
}

it.each([1, 4, 5, 9])(
  'whatever is registered and decided, and in whatever order (seed %i)',
  async (seed) => {
    await f.db.ownerDatabase.run({
      name: 'seq.empty',
      text: 'TRUNCATE registry.source, registry.golden, registry.blocking_key, registry.review, registry.never_link, store.resource, store.resource_history',
    });
    await play(seed, 40);
  },
  60_000,
);
