/**
 * Batch linkage: a whole file, or a whole registry, read into columns, blocked, trained without labels, scored by several threads and put
 * into groups. See README.md.
 */
export { type EvaluationOrder, evaluate } from './evaluate.ts';
/** The same on a file held in memory, in a thread. */
export { startEvaluator } from './evaluate-held.ts';
export { type ModelOrder, type TrainedModel, trainModel } from './train-model.ts';
/** Training on records in memory, in a thread. */
export { type RecordsTrained, startRecordsTrainer } from './train-records.ts';
