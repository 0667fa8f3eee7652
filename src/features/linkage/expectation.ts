import { LEVELS } from '../matching/index.ts';
import type { Parameters } from './parameters.ts';
import type { Patterns } from './patterns.ts';
import { isPersonal, normal } from './starting-point.ts';

/**
 * Expectation and maximisation over the space of all pairs (Dempster, Laird and Rubin 1977; for linkage Winkler 1988). Pairs that
 * blocking brought together are seen as a sample, the others by random pairs; which pairs were seen depends on their levels only, so the
 * chance of a pair to be one person is what it would be among all pairs. Counts from the starting point are added, so that a level that
 * hardly occurs, or a file with hardly any duplicates, stays sensible.
 */
export interface Evidence {
  /** Pairs that blocking brings together; each weighs as many pairs of the file as it stands for. */
  readonly candidates: Patterns;
  /** Random pairs that no rule brings together: strangers, as far as anybody can tell. */
  readonly strangers: Patterns;
  readonly allPairs: number;
  /** Pairs that people decided: they count as what they are, besides the others. */
  readonly labelled?: Labels | undefined;
}

export interface Labels {
  readonly match: Patterns;
  readonly stranger: Patterns;
}

export interface TrainingResult {
  readonly parameters: Parameters;
  readonly rounds: number;
  readonly converged: boolean;
  /** Pairs of one person that the file is expected to hold. */
  readonly matchesExpected: number;
}

const ROUNDS_MAX = 200;
const STEADY = 1e-5;
/** As many imagined matches and household pairs speak for the starting point. */
const MATCHES_IMAGINED = 20;
const HOUSEHOLDS_IMAGINED = 50;
const STRANGERS_IMAGINED = 0.5;

export function train(start: Parameters, evidence: Evidence): TrainingResult {
  const free = repeated(start, evidence, false);
  if (free.converged) return free;
  // What records of one person look like cannot be learned here; how many there are, and what strangers are like, can.
  const bound = repeated(start, evidence, true);
  return { ...bound, rounds: free.rounds + bound.rounds, converged: false };
}

function repeated(start: Parameters, evidence: Evidence, keepsLooks: boolean): TrainingResult {
  let parameters = start;
  let rounds = 0;
  let converged = false;
  while (rounds < ROUNDS_MAX && !converged) {
    rounds++;
    const made = oneRound(start, parameters, evidence);
    const next = keepsLooks ? { ...made, match: start.match, household: start.household } : made;
    converged =
      Math.abs(next.matchShare - parameters.matchShare) <= STEADY * parameters.matchShare &&
      Math.abs(next.householdShare - parameters.householdShare) <=
        STEADY * Math.max(parameters.householdShare, next.matchShare);
    parameters = next;
  }
  return { parameters, rounds, converged, matchesExpected: parameters.matchShare * evidence.allPairs };
}

interface Sums {
  readonly match: Float64Array[];
  readonly household: Float64Array[];
  readonly stranger: Float64Array[];
  matches: number;
  households: number;
}

function oneRound(
  start: Parameters,
  now: Parameters,
  { candidates, strangers: apart, allPairs, labelled }: Evidence,
): Parameters {
  const sums = expected(now, candidates);
  addAll(sums.stranger, apart);
  if (labelled !== undefined) {
    addAll(sums.match, labelled.match);
    addAll(sums.stranger, labelled.stranger);
  }
  return {
    match: sums.match.map((counts, field) => blended(counts, start.match[field], MATCHES_IMAGINED)),
    household: sums.household.map((counts, field) =>
      isPersonal(field) ? personal(now, start, field) : blended(counts, start.household[field], HOUSEHOLDS_IMAGINED),
    ),
    stranger: withSwapped(sums.stranger.map((counts, field) => strangers(counts, start.stranger[field]))),
    matchShare: Math.max(sums.matches, 0.01) / allPairs,
    householdShare: Math.max(sums.households, 0.001) / allPairs,
  };
}

/** The household's share of twins on top of what strangers have now. */
function personal(now: Parameters, start: Parameters, field: number): Float64Array {
  const stranger = now.stranger[field] as Float64Array;
  const began = start.household[field] as Float64Array;
  const before = start.stranger[field] as Float64Array;
  return normal(
    stranger.map((chance, level) => chance + Math.max(0, (began[level] as number) - (before[level] as number))),
  );
}

function blended(counts: Float64Array, prior: Float64Array | undefined, imagined: number): Float64Array {
  return normal(counts.map((count, level) => count + imagined * (prior?.[level] ?? 0)));
}

function strangers(counts: Float64Array, prior: Float64Array | undefined): Float64Array {
  let sum = 0;
  for (const count of counts) sum += count;
  if (sum === 0 && prior !== undefined) return prior;
  return normal(counts.map((count) => count + STRANGERS_IMAGINED));
}

/**
 * Exchanged names are so rare among strangers that a sample hardly has them; yet whoever has the same two names as another's exchanged
 * record has them. That chance is at least the one of both names being equal, times how often names are exchanged.
 */
function withSwapped(stranger: Float64Array[]): Float64Array[] {
  const given = stranger[LEVELS.GIVEN];
  const family = stranger[LEVELS.FAMILY];
  if (given === undefined || family === undefined) return stranger;
  const least = (given[0] as number) * (family[0] as number);
  for (const level of [LEVELS.SWAPPED, LEVELS.SWAPPED_CLOSE]) {
    given[level] = Math.max(given[level] as number, least);
  }
  return stranger;
}

function expected(now: Parameters, patterns: Patterns): Sums {
  const zeros = (of: readonly Float64Array[]) => of.map((levels) => new Float64Array(levels.length));
  const sums: Sums = {
    match: zeros(now.match),
    household: zeros(now.household),
    stranger: zeros(now.stranger),
    matches: 0,
    households: 0,
  };
  const { width, levels, weights, count } = patterns;
  const strangerShare = 1 - now.matchShare - now.householdShare;
  for (let at = 0; at < count; at++) {
    let match = now.matchShare;
    let household = now.householdShare;
    let stranger = strangerShare;
    for (let field = 0; field < width; field++) {
      const level = levels[at * width + field] as number;
      if (level < 0) continue;
      match *= (now.match[field] as Float64Array)[level] as number;
      household *= (now.household[field] as Float64Array)[level] as number;
      stranger *= (now.stranger[field] as Float64Array)[level] as number;
    }
    const all = match + household + stranger;
    const weight = weights[at] as number;
    const share = all > 0 ? weight / all : 0;
    match *= share;
    household *= share;
    stranger = weight - match - household;
    sums.matches += match;
    sums.households += household;
    for (let field = 0; field < width; field++) {
      const level = levels[at * width + field] as number;
      if (level < 0) continue;
      add(sums.match[field], level, match);
      add(sums.household[field], level, household);
      add(sums.stranger[field], level, stranger);
    }
  }
  return sums;
}

function addAll(counts: readonly Float64Array[], { width, levels, weights, count }: Patterns): void {
  for (let at = 0; at < count; at++) {
    for (let field = 0; field < width; field++) {
      const level = levels[at * width + field] as number;
      if (level >= 0) add(counts[field], level, weights[at] as number);
    }
  }
}

function add(counts: Float64Array | undefined, level: number, value: number): void {
  if (counts !== undefined) counts[level] = (counts[level] as number) + value;
}
