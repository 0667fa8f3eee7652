import { startThread } from '../../platform/threads/index.ts';
import type { MatchingModel, MatchRecord } from '../matching/index.ts';

/** Two records with what people said of them. */
export interface Labelled {
  readonly a: MatchRecord;
  readonly b: MatchRecord;
  readonly same: boolean;
}

export interface RecordsOrder {
  /** What the model is called in every explanation. */
  readonly version: string;
  readonly description: string;
  readonly seed: number;
  readonly thresholds: MatchingModel['thresholds'];
  /** Pairs whose truth is known: they count as what they are, whatever they look like. */
  readonly labelled: readonly Labelled[];
}

export interface RecordsTrained {
  readonly model: MatchingModel;
  readonly records: number;
  readonly converged: boolean;
  readonly rounds: number;
  /** Pairs of one person, and of one household, that the records are expected to hold. */
  readonly matchesExpected: number;
  readonly householdsExpected: number;
}

/** Trains on records given page by page, in a thread of its own; nothing of them is written anywhere. */
export interface RecordsTrainer {
  add(records: readonly MatchRecord[]): Promise<void>;
  /** Once, when all records were given. The same records in the same order, and the same seed, give the same model. */
  train(order: RecordsOrder): Promise<RecordsTrained>;
  /** Ends the thread, also in the middle of training. */
  end(): Promise<void>;
}

export function startRecordsTrainer(): RecordsTrainer {
  const thread = startThread(new URL('./train-records-thread.ts', import.meta.url));
  return {
    async add(records) {
      await thread.run({ add: records });
    },
    // The thread answers an order with what it trained; see train-records-thread.ts.
    train: async (order) => (await thread.run({ train: order })) as RecordsTrained,
    end: () => thread.end(),
  };
}
