/** People and systems at a registry, acting by chance from a seed; and what must hold of it whatever they did. */
import { expect } from 'vitest';
import { sha256Hex } from '../../src/crypto/index.ts';
import type { Registry, RegistryCore } from '../../src/features/registry/index.ts';
import { storedFits } from '../../src/features/registry/altered.ts';
import { patientOf } from '../../src/features/registry/content.ts';
import { readGoldens } from '../../src/features/registry/store.ts';
import { computeGolden } from '../../src/features/registry/survivorship.ts';
import type { ClientDetailReply, ReviewSummary } from '../../src/features/registry/wire.ts';
import { canonicalJson } from '../../src/kernel/canonical-json.ts';
import type { ResourceId } from '../../src/kernel/ids.ts';
import type { RouteRequest } from '../../src/platform/http/route.ts';
import { userActor } from './audit.ts';
import { handled } from './handled.ts';
import { person, type RegistryFixture } from './registry.ts';

export type PlayedRegistry = Registry & RegistryCore;

/** Decisions that two records are different people, by who made them: each stands until it is taken back itself. */
export type Never = Map<string, Set<string>>;

/** One who acts. */
export interface Player {
  readonly f: RegistryFixture;
  readonly registry: PlayedRegistry;
  readonly roll: (sides: number) => number;
  /** What was kept apart, where nobody else acts at the same time: then it is known what has to stand. */
  readonly never?: Never;
  readonly decided: Map<string, { readonly entryId: string; readonly a: string; readonly b: string }>;
}

/** Small numbers from a seed (mulberry32). */
export function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

/** A registry without records; what the log and the ledger say of former ones stays. */
export async function emptyRegistry(f: RegistryFixture): Promise<void> {
  await f.db.ownerDatabase.run({
    name: 'play.empty',
    text: 'TRUNCATE registry.source, registry.golden, registry.blocking_key, registry.review, registry.never_link, store.resource, store.resource_history',
  });
}

type Row = Record<string, string>;
const rows = (f: RegistryFixture, sql: string): Promise<Row[]> =>
  f.db.ownerDatabase.rows<Row>({ name: `play.${sha256Hex(Buffer.from(sql)).slice(0, 20)}`, text: sql });

/** Asks a route of the user API as a user who may do everything. */
async function call(
  registry: PlayedRegistry,
  path: string,
  parts: { params?: object; query?: object; body?: object },
): Promise<unknown> {
  const [method, url] = path.split(' ');
  const found = registry.routes.find((one) => one.method === method && one.path === url);
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

const NAMES = [
  ['Amina', 'Okello', '1984-03-12'],
  ['Amina', 'Okelo', '1984-03-12'],
  ['Aminah', 'Okello', '1984-12-03'],
  ['Kizito', 'Okello', '1984-03-12'],
  ['Zubeda', 'Mirembe', '1971-07-30'],
  ['Zubaida', 'Mirembe', '1971-07-30'],
] as const;
const SYSTEMS = ['urn:q:a', 'urn:q:b', 'urn:q:c'] as const;
const reason = 'because of a test';

export const pair = (x: string, y: string): string => (x < y ? `${x} ${y}` : `${y} ${x}`);

function note({ never }: Player, both: string, entryId: string): void {
  never?.set(both, (never.get(both) ?? new Set()).add(entryId));
}

async function anySource({ f, roll }: Player): Promise<{ id: string; golden: string } | undefined> {
  const all = await rows(f, 'SELECT source_id::text AS id, golden_id::text AS golden FROM registry.source ORDER BY 1');
  const one = all[roll(Math.max(1, all.length))];
  return one && { id: one['id'] ?? '', golden: one['golden'] ?? '' };
}

async function anyRecord({ f, roll }: Player, system: (typeof SYSTEMS)[number]) {
  const [given = '', family = '', birthDate = ''] = NAMES[roll(NAMES.length)] ?? [];
  const key = `k${roll(4)}`;
  const phone = roll(2) === 0 ? { phone: `+256 772 30063${roll(2)}` } : {};
  const patient = person({ key: [system, key], given, family, birthDate, ...phone });
  return { kind: 'upsert' as const, domain: await f.domain(system), key, patient };
}

const anySystem = ({ roll }: Player) => SYSTEMS[roll(SYSTEMS.length)] ?? SYSTEMS[0];

/** What people and systems may do; each picks by its dice, and may be refused. */
export const ACTS: Readonly<Record<string, (player: Player) => Promise<void>>> = {
  async register(player) {
    const record = await anyRecord(player, anySystem(player));
    const { outcomes } = await player.registry.submit(player.f.operator, [record]);
    expect(outcomes[0]?.status).not.toBe('refused');
  },
  async remove(player) {
    const one = await anySource(player);
    if (!one || player.roll(2) === 0) return;
    await player.registry.submit(player.f.operator, [{ kind: 'delete', id: one.id as ResourceId }]);
    const { never } = player;
    for (const both of [...(never?.keys() ?? [])]) if (both.includes(one.id)) never?.delete(both);
  },
  async unlink(player) {
    const one = await anySource(player);
    if (!one) return;
    const before = await rows(player.f, 'SELECT source_id::text AS id, golden_id::text AS golden FROM registry.source');
    const done = (await call(player.registry, 'POST /api/clients/:id/unlink', {
      params: { id: one.golden },
      body: { sourceId: one.id, reason },
    })) as { entryId: string };
    const others = before.filter((row) => row['golden'] === one.golden && row['id'] !== one.id);
    for (const other of others) note(player, pair(one.id, other['id'] ?? ''), done.entryId);
  },
  async merge(player) {
    const [one, two] = [await anySource(player), await anySource(player)];
    if (!one || !two) return;
    const body = { survivor: one.golden, other: two.golden, reason };
    await call(player.registry, 'POST /api/clients/merge', { body });
  },
  async unmerge(player) {
    const one = await anySource(player);
    if (!one) return;
    await call(player.registry, 'POST /api/clients/:id/unmerge', { params: { id: one.golden }, body: { reason } });
  },
  async neverLink(player) {
    const [one, two] = [await anySource(player), await anySource(player)];
    if (!one || !two) return;
    const body = { a: one.id, b: two.id, reason };
    const done = (await call(player.registry, 'POST /api/never-link', { body })) as { entryId: string };
    note(player, pair(one.id, two.id), done.entryId);
  },
  async decide(player) {
    const state = player.roll(4) === 0 ? 'later' : 'open';
    const { reviews } = (await call(player.registry, 'GET /api/reviews', { query: { state } })) as {
      reviews: ReviewSummary[];
    };
    const review = reviews[player.roll(Math.max(1, reviews.length))];
    if (!review) return;
    const decision = (['link', 'different', 'later'] as const)[player.roll(3)] ?? 'later';
    const done = (await call(player.registry, 'POST /api/reviews/:id/decision', {
      params: { id: review.id },
      body: { decision },
    })) as { entryId?: string };
    if (!done.entryId) return;
    const [a, b] = [review.a.sourceId, review.b.sourceId];
    player.decided.set(review.id, { entryId: done.entryId, a, b });
    if (decision === 'different') note(player, pair(a, b), done.entryId);
  },
  async undo(player) {
    const decided = [...player.decided];
    const [id, was] = decided[player.roll(Math.max(1, decided.length))] ?? [];
    if (id === undefined || !was) return;
    await call(player.registry, 'POST /api/reviews/:id/undo', { params: { id } });
    player.decided.delete(id);
    for (const by of player.never?.values() ?? []) by.delete(was.entryId);
  },
};

/** Several records together, all or none of them. */
export async function registerSeveral(player: Player): Promise<void> {
  const system = anySystem(player);
  const many = [];
  for (let left = 1 + player.roll(4); left > 0; left--) many.push(await anyRecord(player, system));
  await player.registry.submit(player.f.operator, many, { atomic: player.roll(2) === 0 });
}

/** Causes of questions that are asked about two records of one person as well. */
const WITHIN_ONE = new Set(['record-changed', 'overlay', 'linked-doubtful']);

/** What holds whatever was done: who is who, what each person's record says, what was kept apart, what is asked. */
export async function expectWhole({ f, registry, never }: Pick<Player, 'f' | 'registry' | 'never'>): Promise<void> {
  const [sources, goldens, kept, reviews, keys] = await Promise.all([
    rows(f, 'SELECT source_id::text AS id, golden_id::text AS golden FROM registry.source'),
    rows(f, 'SELECT golden_id::text AS id, replaced_by::text AS to, deleted::text AS gone FROM registry.golden'),
    rows(f, 'SELECT a::text AS a, b::text AS b FROM registry.never_link'),
    rows(f, `SELECT a::text AS a, b::text AS b, cause FROM registry.review WHERE state <> 'decided'`),
    rows(f, 'SELECT DISTINCT source_id::text AS id FROM registry.blocking_key'),
  ]);
  const goldenOf = new Map(sources.map((row) => [row['id'] ?? '', row['golden'] ?? '']));
  const live = goldens.filter((row) => row['to'] === null && row['gone'] === 'false').map((row) => row['id'] ?? '');
  // Each person is one live golden record, and each of those is somebody.
  expect(new Set(goldenOf.values())).toEqual(new Set(live));
  // Whoever left left no key behind by which they would be found.
  expect(keys.filter((row) => !goldenOf.has(row['id'] ?? ''))).toEqual([]);
  expectRedirectsEnd(goldens);
  for (const id of live) await expectPerson({ f, registry }, id, goldenOf);
  await expectBound(
    f,
    goldens.map((row) => (row['id'] ?? '') as ResourceId),
  );
  const pairs = new Set(kept.map((row) => `${row['a']} ${row['b']}`));
  for (const both of pairs) {
    const [a, b] = both.split(' ').map((id) => goldenOf.get(id));
    if (a !== undefined && b !== undefined) expect(a, `never-linked ${both}`).not.toBe(b);
  }
  for (const [both, by] of never ?? []) {
    const known = both.split(' ').every((id) => goldenOf.has(id));
    if (by.size > 0 && known) expect(pairs.has(both), `forgotten: ${both}`).toBe(true);
  }
  for (const { a = '', b = '', cause = '' } of reviews) {
    expect(goldenOf.has(a) && goldenOf.has(b)).toBe(true);
    if (!WITHIN_ONE.has(cause)) expect(goldenOf.get(a), cause).not.toBe(goldenOf.get(b));
    else expect(pairs.has(`${a} ${b}`), 'a question that was answered').toBe(false);
  }
}

/** Whose each is, those that stand for nobody any more too, fits what it is bound to; and what is stored is of its row's version. */
async function expectBound(
  { db, nodes, keyRing, resources }: RegistryFixture,
  ids: readonly ResourceId[],
): Promise<void> {
  const domains = await nodes.domains.table();
  const deps = {
    ...{ keyRing, domains: nodes.domains, onAltered: () => undefined },
    goldensBound: { isSet: () => true, set: () => Promise.resolve() },
  };
  const rows = await readGoldens(db.database, ids);
  expect(rows.filter((row) => !storedFits(deps, row, domains)).map((row) => row.golden_id)).toEqual([]);
  const stored = await resources.read(db.database, 'Patient', ids);
  const versions = new Map(rows.map((row) => [row.golden_id, row.version]));
  expect(new Map([...stored.values()].map(({ id, version }) => [id, version]))).toEqual(versions);
}

function expectRedirectsEnd(goldens: readonly Row[]): void {
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
}

/** The page shows whose records these are and how each came there; the golden record is what they say, no more and no less. */
async function expectPerson(
  { f, registry }: Pick<Player, 'f' | 'registry'>,
  id: string,
  goldenOf: ReadonlyMap<string, string>,
): Promise<void> {
  const own = [...goldenOf].filter(([, golden]) => golden === id).map(([sourceId]) => sourceId as ResourceId);
  const detail = (await call(registry, 'GET /api/clients/:id', { params: { id } })) as ClientDetailReply;
  expect(detail.sources.map((one) => one.id).toSorted()).toEqual(own.toSorted());
  for (const one of detail.sources) expect(one.linkedBy, one.id).toBeDefined();
  const stored = await f.resources.read(f.db.database, 'Patient', [...own, id as ResourceId]);
  const contentOf = (one: ResourceId) => patientOf(stored.get(one)?.content ?? new Uint8Array());
  const members = own.map((sourceId) => ({
    ...{ sourceId, patient: contentOf(sourceId) },
    lastUpdatedMs: stored.get(sourceId)?.lastUpdatedMs ?? 0,
  }));
  const { id: _id, meta: _meta, ...says } = contentOf(id as ResourceId);
  expect(canonicalJson(says), `what ${id} says`).toBe(canonicalJson(computeGolden(members).patient));
}
