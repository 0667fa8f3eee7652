/** What another model would decide about the records that are here. Reads only. */
import type { ResourceId } from '../../kernel/ids.ts';
import { type CompiledModel, type Decision, type Explanation, ruleOfKey } from '../matching/index.ts';
import { orderedPair, pairKey, type RoundState, type SourceState } from './batch-state.ts';
import { CANDIDATES_PER_KEY_MAX } from './bounds.ts';
import { createMatcher, type Matcher, type PreparedRecord } from './matcher.ts';
import { loadRound, type RoundDeps } from './round-loading.ts';
import { readRound } from './round-store.ts';
import { decideLink, type ScoredGolden } from './rules.ts';
import { type Draw, drawnRows } from './study-reads.ts';

/** Scores are counted by their log2 odds, from -12 to 12 in steps of a quarter. */
export const HISTOGRAM = { from: -12, to: 12, step: 0.25 } as const;
const BINS = (HISTOGRAM.to - HISTOGRAM.from) / HISTOGRAM.step;

export interface Histogram {
  /** Pairs that now stand for one person, and pairs that do not, by the candidate's score. */
  readonly together: number[];
  readonly apart: number[];
}

export type ExampleKind = 'gained' | 'lost' | 'asked' | 'no-longer-asked';
export interface Example {
  readonly kind: ExampleKind;
  readonly a: ResourceId;
  readonly b: ResourceId;
  readonly before: Explanation;
  readonly after: Explanation;
}

/** What a blocking rule of the active model costs and finds. */
export interface RuleTally {
  /** Records that have a key by it. */
  records: number;
  /** Other records met by it; blocks fuller than the bound count as far as they were compared. */
  met: number;
  /** Records in a block fuller than the bound. */
  full: number;
  /** Links of the records looked at that it finds, and that no other rule does. */
  links: number;
  linksAlone: number;
}

export interface SimulationTally {
  records: number;
  pairs: number;
  /** `<now>-><then>` of pairs: match, review, none. */
  readonly changes: Record<string, number>;
  /** Records that would join another person, or leave theirs, by themselves. */
  gained: number;
  lost: number;
  /** Links a steward placed: no model touches them. */
  bound: number;
  /** Blocks so full that not all in them were compared. */
  cut: number;
  /** By rule of the active model. */
  readonly rules: Record<string, RuleTally>;
  /** Links that no rule finds: a steward made them. */
  linksUnmet: number;
  readonly histogram: Histogram;
  readonly examples: Example[];
}

export const EXAMPLES_MAX = 12;

export function newTally(): SimulationTally {
  const zeros = () => Array.from({ length: BINS }, () => 0);
  return {
    ...{ records: 0, pairs: 0, changes: {}, gained: 0, lost: 0, bound: 0, cut: 0, rules: {}, linksUnmet: 0 },
    histogram: { together: zeros(), apart: zeros() },
    examples: [],
  };
}

export interface SimulationBatch {
  readonly candidate: CompiledModel;
  readonly draw: Draw;
  readonly after: ResourceId | undefined;
  readonly limit: number;
  readonly tally: SimulationTally;
}

/** Adds a page of records to the tally; answers where it ended, undefined at the end. */
export async function simulateBatch(live: RoundDeps, batch: SimulationBatch): Promise<ResourceId | undefined> {
  const deps = { ...live };
  const rows = await drawnRows(deps.database, batch.draw, batch);
  if (rows.length === 0) return undefined;
  const tokensOf = new Map(
    rows.map((row) => [row.source_id, deps.records.lookupKeys(deps.records.open(row).prepared)]),
  );
  const found = await readRound(deps.database, {
    tokens: [...new Set([...tokensOf.values()].flat())],
    perKeyMax: CANDIDATES_PER_KEY_MAX + 1,
    ids: [...tokensOf.keys()],
    keys: [],
  });
  const state = loadRound(deps, { ...found, existing: [] });
  const models = { now: deps.matcher, later: createMatcher(batch.candidate) };
  const prepared = new Map<ResourceId, PreparedRecord>();
  const preparedThen = (source: SourceState): PreparedRecord => {
    const known = prepared.get(source.id) ?? models.later.prepare(source.record);
    prepared.set(source.id, known);
    return known;
  };
  const seen = new Set<string>();
  for (const [id, tokens] of tokensOf) {
    const source = state.sources.get(id);
    if (!source) continue;
    batch.tally.records++;
    if (tokens.some((token) => state.cutTokens.has(token))) batch.tally.cut++;
    noteRules(batch.tally, deps, state, source);
    const sides = { now: [] as ScoredGolden[], later: [] as ScoredGolden[] };
    for (const goldenId of goldensAround(state, source, tokens)) {
      const members = [...state.golden(goldenId).members].flatMap((one) =>
        one === id ? [] : (state.sources.get(one) ?? []),
      );
      if (members.length === 0) continue;
      const now = members.map((other) =>
        scored(models.now, source.prepared, other.prepared, state.neverLinked(id, other.id), other.id),
      );
      const then = members.map((other) =>
        scored(models.later, preparedThen(source), preparedThen(other), state.neverLinked(id, other.id), other.id),
      );
      sides.now.push({ goldenId, members: now });
      sides.later.push({ goldenId, members: then });
      for (const [at, other] of members.entries()) {
        const pair = pairKey(id, other.id);
        const [left, right] = [now[at], then[at]];
        if (seen.has(pair) || !left || !right) continue;
        seen.add(pair);
        const isOne = other.goldenId === source.goldenId;
        notePair(batch.tally, {
          source,
          other,
          isOne,
          now: left.comparison.decision,
          later: right.comparison.decision,
          score: right.comparison.score,
          explain: () => ({
            before: models.now.explain(source.prepared, other.prepared),
            after: models.later.explain(preparedThen(source), preparedThen(other)),
          }),
        });
      }
    }
    notePerson(batch.tally, source, sides);
  }
  return rows.length < batch.limit ? undefined : rows.at(-1)?.source_id;
}

function goldensAround(state: RoundState, source: SourceState, tokens: readonly bigint[]): Set<ResourceId> {
  const goldens = new Set([source.goldenId]);
  for (const token of tokens) {
    for (const other of state.byToken.get(token) ?? []) {
      const golden = state.sources.get(other)?.goldenId;
      if (golden) goldens.add(golden);
    }
  }
  return goldens;
}

function noteRules(
  tally: SimulationTally,
  { records, matcher }: RoundDeps,
  state: RoundState,
  source: SourceState,
): void {
  const tokens = records.blindKeys(source.prepared);
  const own = new Set([...state.golden(source.goldenId).members].filter((id) => id !== source.id));
  const foundBy = new Map<ResourceId, Set<string>>();
  const met = new Map<string, Set<ResourceId>>();
  const full = new Set<string>();
  for (const [at, key] of matcher.keys(source.prepared).entries()) {
    const rule = ruleOfKey(key);
    const token = tokens[at];
    if (token === undefined) continue;
    const others = met.get(rule) ?? new Set();
    met.set(rule, others);
    if (state.cutTokens.has(token)) full.add(rule);
    for (const id of state.byToken.get(token) ?? []) {
      if (id === source.id) continue;
      others.add(id);
      if (own.has(id)) foundBy.set(id, (foundBy.get(id) ?? new Set()).add(rule));
    }
  }
  for (const [rule, others] of met) {
    const of = (tally.rules[rule] ??= { records: 0, met: 0, full: 0, links: 0, linksAlone: 0 });
    of.records++;
    of.met += others.size;
    if (full.has(rule)) of.full++;
    for (const rules of foundBy.values()) {
      if (rules.has(rule)) of.links++;
      if (rules.has(rule) && rules.size === 1) of.linksAlone++;
    }
  }
  tally.linksUnmet += own.size - foundBy.size;
}

function scored(matcher: Matcher, a: PreparedRecord, b: PreparedRecord, neverLinked: boolean, sourceId: ResourceId) {
  return { sourceId, comparison: matcher.compare(a, b), neverLinked };
}

function notePair(
  tally: SimulationTally,
  pair: {
    readonly source: SourceState;
    readonly other: SourceState;
    readonly isOne: boolean;
    readonly now: Decision;
    readonly later: Decision;
    readonly score: number;
    readonly explain: () => Pick<Example, 'before' | 'after'>;
  },
): void {
  const { isOne, now, later, source, other } = pair;
  tally.pairs++;
  const change = `${now}->${later}`;
  tally.changes[change] = (tally.changes[change] ?? 0) + 1;
  const odds = Math.log2(pair.score / (1 - pair.score));
  const bin = Math.max(0, Math.min(BINS - 1, Math.floor((odds - HISTOGRAM.from) / HISTOGRAM.step)));
  const counts = isOne ? tally.histogram.together : tally.histogram.apart;
  counts[bin] = (counts[bin] ?? 0) + 1;
  if (isOne && source.pinned && other.pinned) tally.bound++;
  const kind = exampleKind(isOne, now, later);
  if (!kind || (isOne && source.pinned && other.pinned)) return;
  if (tally.examples.filter((one) => one.kind === kind).length >= EXAMPLES_MAX) return;
  const [a, b] = orderedPair(source.id, other.id);
  tally.examples.push({ kind, a, b, ...pair.explain() });
}

function exampleKind(isOne: boolean, now: Decision, then: Decision): ExampleKind | undefined {
  if (isOne) return then === 'none' && now !== 'none' ? 'lost' : undefined;
  if (then === 'match' && now !== 'match') return 'gained';
  if (then === 'review' && now === 'none') return 'asked';
  return then === 'none' && now === 'review' ? 'no-longer-asked' : undefined;
}

/** By person, as a re-link would decide: contradictions and chains stop a link, a steward's word binds. */
function notePerson(
  tally: SimulationTally,
  source: SourceState,
  { now, later }: { readonly now: readonly ScoredGolden[]; readonly later: readonly ScoredGolden[] },
): void {
  if (source.pinned) return;
  const others = (goldens: readonly ScoredGolden[]) => goldens.filter(({ goldenId }) => goldenId !== source.goldenId);
  if (decideLink(others(later)).join && !decideLink(others(now)).join) tally.gained++;
  const own = later.find(({ goldenId }) => goldenId === source.goldenId);
  const held = (golden: ScoredGolden | undefined) =>
    golden?.members.some(({ comparison }) => comparison.decision !== 'none') ?? true;
  if (own && !held(own) && held(now.find(({ goldenId }) => goldenId === source.goldenId))) tally.lost++;
}
