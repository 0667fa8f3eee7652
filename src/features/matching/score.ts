import { compareRecords } from './compare.ts';
import { newComparison, type PairComparison } from './pair-comparison.ts';
import { type CompiledModel, FIELDS } from './compiled-model.ts';
import { type Contradiction, contradictionNames, NEVER_WORTH_A_LOOK, NOT_EVEN_REVIEW } from './contradictions.ts';
import { findContradictions } from './guards.ts';
import type { Decision, MatchGrade } from './model.ts';
import type { PreparedRecord } from './prepared-record.ts';

export interface PairScore {
  /** log2 of the odds that both are one person: prior and all fields. */
  readonly weight: number;
  /** Calibrated probability 0..1, after rules and contradictions. The decision follows from it alone. */
  readonly score: number;
  readonly grade: MatchGrade;
  readonly decision: Decision;
  /** The deterministic rule that decided, if one did. */
  readonly rule: RuleName | undefined;
  readonly contradictions: readonly Contradiction[];
  /** Some contradiction stands against the pair. */
  readonly contradicted: boolean;
}
export type RuleName = 'unique-identifier';

// Scratch of the hot path: written completely by every comparison before it is read, so nothing passes from pair to pair.
const scratch = newComparison();

/** Scores one pair. Symmetric; deterministic; allocates its result only. */
export function score(model: CompiledModel, a: PreparedRecord, b: PreparedRecord): PairScore {
  return scoreInto(model, a, b, scratch);
}

/** The same, leaving the comparison behind for whoever explains it. */
export function scoreInto(model: CompiledModel, a: PreparedRecord, b: PreparedRecord, pair: PairComparison): PairScore {
  compareRecords(model, a, b, pair);
  const { weights } = pair;
  let weight = model.priorWeight + pair.identifierWeight;
  for (let field = 0; field < FIELDS.length; field++) weight += weights[field] as number;
  const bits = findContradictions(model, a, b, pair);
  const { thresholds, rules } = model.document;
  let probability = probabilityOf(weight);
  let rule: RuleName | undefined;
  if (bits !== 0) {
    probability = Math.min(probability, cap(bits, thresholds));
    // An equal identifier that is contradicted is always worth a look, unless another number and name say two people.
    if (pair.identifiersEqual > 0 && (bits & NEVER_WORTH_A_LOOK) === 0)
      probability = Math.max(probability, thresholds.review);
  } else if (pair.identifiersEqual > 0 && rules.uniqueIdentifier.enabled) {
    rule = 'unique-identifier';
    probability = Math.max(probability, rules.uniqueIdentifier.score);
  }
  return {
    weight,
    score: probability,
    grade: gradeOf(model, probability),
    decision: decide(probability, thresholds),
    rule,
    contradictions: contradictionNames(bits),
    contradicted: bits !== 0,
  };
}

/** 2^w / (1 + 2^w), kept inside (0, 1). */
export function probabilityOf(weight: number): number {
  if (weight > 50) return 1 - 2 ** -50;
  if (weight < -50) return 2 ** -50;
  const odds = 2 ** weight;
  return odds / (1 + odds);
}

type Thresholds = CompiledModel['document']['thresholds'];

/** The highest score a contradicted pair may have: just under the threshold it must not reach. */
function cap(bits: number, thresholds: Thresholds): number {
  return (bits & NOT_EVEN_REVIEW) !== 0 ? thresholds.review * 0.9 : thresholds.match * 0.99;
}

function decide(probability: number, thresholds: Thresholds): Decision {
  if (probability >= thresholds.match) return 'match';
  return probability >= thresholds.review ? 'review' : 'none';
}

/** IHE's match grade of a score. `certain` is what Careseal would link by itself. */
export function gradeOf(model: CompiledModel, probability: number): MatchGrade {
  const { match, probable, review } = model.document.thresholds;
  if (probability >= match) return 'certain';
  if (probability >= probable) return 'probable';
  return probability >= review ? 'possible' : 'certainly-not';
}
