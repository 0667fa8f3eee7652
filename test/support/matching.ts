import { type CompiledModel, compileModel } from '../../src/features/matching/compiled-model.ts';
import { DEFAULT_MODEL } from '../../src/features/matching/default-model.ts';
import type { MatchRecord } from '../../src/features/matching/model.ts';
import { prepare } from '../../src/features/matching/prepared-record.ts';
import { type PairScore, score } from '../../src/features/matching/score.ts';

/** Only for tests: short ways to write a record and to score two. */
export const model: CompiledModel = compileModel(DEFAULT_MODEL);

export function recordOf(parts: Partial<MatchRecord> = {}): MatchRecord {
  return { given: [], family: [], phones: [], emails: [], identifiers: [], ...parts };
}

export function scorePair(a: Partial<MatchRecord>, b: Partial<MatchRecord>): PairScore {
  return score(model, prepare(model, recordOf(a)), prepare(model, recordOf(b)));
}
