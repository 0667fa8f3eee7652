/** The registry's view of matching: records in, comparisons out, blocking keys blinded by the store's index key. */
import type { CompiledModel, PreparedRecord } from '../matching/index.ts';
import { blockingKeys, explain, prepare, score } from '../matching/index.ts';
import type { Explanation, MatchRecord } from '../matching/index.ts';
import type { PairScore } from './rules.ts';
import type { ShadowScoring } from './shadow-note.ts';

export type { PreparedRecord };

export interface Matcher {
  readonly modelVersion: string;
  prepare(record: MatchRecord): PreparedRecord;
  /** Each key once, rule name first: what two records must share to be compared. */
  keys(prepared: PreparedRecord): readonly string[];
  readonly hasFormer: boolean;
  /** What the record may be found by besides: keys of models that decided before, while not every record has the new ones yet. */
  formerKeys(prepared: PreparedRecord): readonly string[];
  compare(a: PreparedRecord, b: PreparedRecord): PairScore;
  explain(a: PreparedRecord, b: PreparedRecord): Explanation;
  /** Told of every decision about a new record, where a second model is tried. */
  readonly beside?: ShadowScoring;
  /** Whether a record was changed into what looks like somebody else: its numbers left out, the two versions are strangers. */
  becameSomebodyElse(before: MatchRecord, after: MatchRecord): boolean;
}

/** log2: what all fields of two records say together, the rarity of pairs left out. One name that differs says about -5. */
const AGAINST = -4;

/** `former`: models whose blocking keys stored records may still have. */
export function createMatcher(model: CompiledModel, former: readonly CompiledModel[] = []): Matcher {
  // A prepared record belongs to its model (skipped words, shares of names): keys of another one need the record itself.
  const recordOf = new WeakMap<PreparedRecord, MatchRecord>();
  const none: readonly string[] = [];
  return {
    modelVersion: model.version,
    hasFormer: former.length > 0,
    prepare(record) {
      const prepared = prepare(model, record);
      if (former.length > 0) recordOf.set(prepared, record);
      return prepared;
    },
    keys: (prepared) => blockingKeys(model, prepared),
    formerKeys(prepared) {
      const record = former.length === 0 ? undefined : recordOf.get(prepared);
      if (record === undefined) return none;
      const own = new Set(blockingKeys(model, prepared));
      const keys = former.flatMap((one) => blockingKeys(one, prepare(one, record)));
      return [...new Set(keys)].filter((key) => !own.has(key));
    },
    compare(a, b) {
      const found = score(model, a, b);
      return {
        score: found.score,
        weight: found.weight,
        grade: found.grade,
        decision: found.decision,
        contradicted: found.contradicted,
        speaksAgainst: found.weight - model.priorWeight <= AGAINST,
      };
    },
    explain: (a, b) => explain(model, a, b),
    becameSomebodyElse(before, after) {
      const [a, b] = [before, after].map((record) => prepare(model, { ...record, identifiers: [] }));
      return a !== undefined && b !== undefined && score(model, a, b).weight - model.priorWeight <= AGAINST;
    },
  };
}
