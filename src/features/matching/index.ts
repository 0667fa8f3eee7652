/**
 * Who is the same person: pure comparison, scoring, explanation and blocking. Nothing here reads a clock, randomness or a
 * database. Order of use: `compileModel` once per model version; `prepare` once per record; `blockingKeys` to find
 * candidates; `score` per pair; `explain` for pairs that somebody will look at.
 */
export { blockingKeys, ruleOfKey } from './blocking.ts';
export { type CompiledModel, type CompileOptions, compileModel } from './compiled-model.ts';
export { DEFAULT_MODEL } from './default-model.ts';
export { explain } from './explain.ts';
export { fold } from './fold.ts';
export { countedFrequencies, type Frequencies, type FrequencyField } from './frequencies.ts';
export { CONTRADICTIONS, type Contradiction } from './guards.ts';
export type {
  Decision,
  Explanation,
  FieldExplanation,
  MatchAddress,
  MatchGrade,
  MatchIdentifier,
  MatchRecord,
} from './model.ts';
export { MatchingModel, parseModel } from './model-document.ts';
export { type PreparedRecord, prepare } from './prepared-record.ts';
export { decodeRecord, encodeRecord } from './record-codec.ts';
export { gradeOf, type PairScore, score } from './score.ts';
