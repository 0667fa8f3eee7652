import { isProblem } from '../../kernel/problem.ts';
import { serveThread } from '../../platform/threads/index.ts';
import { evaluate } from './evaluate.ts';
import { type Answer, type HeldEvaluation, STEPS } from './evaluate-held.ts';

/** A thread that judges one file held in memory; started by `evaluate-held.ts`. */
interface Message {
  readonly order: HeldEvaluation;
  readonly progress: Int32Array;
}

serveThread(async (message): Promise<Answer> => {
  // Only evaluate-held.ts sends messages here, and only of this shape.
  const { order, progress } = message as Message;
  const { file, ...rest } = order;
  try {
    const found = await evaluate({
      ...rest,
      path: file,
      values: true,
      nowMs: () => performance.now(),
      onProgress: (step) => {
        const at = STEPS.findIndex((one) => one === step);
        if (at >= 0) Atomics.store(progress, 0, at);
      },
    });
    return { found };
  } catch (error) {
    if (isProblem(error)) return { problem: { code: error.code, message: error.publicDetail } };
    throw error;
  }
});
