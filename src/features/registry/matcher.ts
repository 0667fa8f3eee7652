/** The registry's view of matching: records in, comparisons out, blocking keys blinded by the store's index key. */
import type { CompiledModel, PreparedRecord } from '../matching/index.ts';
import { blockingKeys, explain, prepare, score } from '../matching/index.ts';
import type { Explanation, MatchRecord } from '../matching/index.ts';
import type { PairScore } from './rules.ts';

export type { PreparedRecord };

export interface Matcher {
  readonly modelVersion: string;
  prepare(record: MatchRecord): PreparedRecord;
  /** Each key once, rule name first: what two records must share to be compared. */
  keys(prepared: PreparedRecord): readonly string[];
  compare(a: PreparedRecord, b: PreparedRecord): PairScore;
  explain(a: PreparedRecord, b: PreparedRecord): Explanation;
}

export function createMatcher(model: CompiledModel): Matcher {
  return {
    modelVersion: model.version,
    prepare: (record) => prepare(model, record),
    keys: (prepared) => blockingKeys(model, prepared),
    compare(a, b) {
      const found = score(model, a, b);
      return {
        score: found.score,
        weight: found.weight,
        grade: found.grade,
        decision: found.decision,
        contradicted: found.contradicted,
      };
    },
    explain: (a, b) => explain(model, a, b),
  };
}
