import { Problem } from '../../kernel/problem.ts';
import { startThread } from '../../platform/threads/index.ts';
import type { MapDocument } from '../load/wire.ts';
import type { MatchingModel } from '../matching/index.ts';
import type { HeldFile } from './file-source.ts';
import type { Evaluation } from './wire.ts';

/** What is asked of the thread. */
export interface HeldEvaluation {
  readonly file: HeldFile;
  readonly map: MapDocument;
  /** Column that says who is the same person. */
  readonly truth: string;
  /** Without one a model is trained on the file, labels unseen. */
  readonly model: MatchingModel | undefined;
  readonly seed: number;
  /** FHIR date. */
  readonly today: string;
  readonly rowsMax: number;
}

/** A problem of the file crosses the thread as what it says; anything else rejects. */
export type Answer =
  | { readonly found: Evaluation }
  | { readonly problem: { readonly code: string; readonly message: string } };

export const STEPS = ['reading', 'blocking', 'training', 'comparing', 'clustering'] as const;

/** Judges one file that is held in memory, in a thread of its own; nothing of it is written anywhere. */
export interface Evaluator {
  /** Once. Throws Problem for what cannot be read. */
  run(order: HeldEvaluation): Promise<Evaluation>;
  /** Which of the steps is under way, from 0. */
  step(): { readonly name: string; readonly at: number; readonly of: number };
  /** Ends the thread, also in the middle; `run` rejects then. */
  end(): Promise<void>;
}

export function startEvaluator(): Evaluator {
  const thread = startThread(new URL('./evaluate-thread.ts', import.meta.url));
  const progress = new Int32Array(new SharedArrayBuffer(4));
  return {
    async run(order) {
      // The thread answers with this shape; see evaluate-thread.ts.
      const answer = (await thread.run({ order, progress })) as Answer;
      if ('found' in answer) return answer.found;
      throw new Problem('invalid', answer.problem.code, answer.problem.message);
    },
    step() {
      const at = Atomics.load(progress, 0);
      return { name: STEPS[at] ?? STEPS[0], at, of: STEPS.length };
    },
    end: () => thread.end(),
  };
}
