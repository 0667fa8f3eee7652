import { availableParallelism } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * Threads for work that would keep the event loop: tasks by messages, one after the other. What is large is shared (SharedArrayBuffer)
 * and not copied. A task that throws rejects its call; the thread lives on.
 */
export interface Thread {
  /** Runs a task in the thread. Rejects with the error's message when it fails or the thread ends. */
  run(task: unknown): Promise<unknown>;
  end(): Promise<void>;
}

/** How many threads make sense here: one per core, at most `most`. */
export function threadsWanted(most: number): number {
  return Math.max(1, Math.min(most, availableParallelism()));
}

export interface ThreadOptions {
  /** Memory for what was just made; V8's own choice where missing. */
  readonly youngMegabytes?: number;
}

/** Starts a thread on a module that calls `serveThread`. */
export function startThread(module: URL, data?: unknown, { youngMegabytes }: ThreadOptions = {}): Thread {
  const worker = new Worker(module, {
    workerData: data,
    ...(youngMegabytes !== undefined && { resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes } }),
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let ended: Error | undefined;
  let tasks = 0;
  const fail = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', ({ number, value, error }: Answer) => {
    const call = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) call?.resolve(value);
    else call?.reject(new Error(error));
  });
  worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => fail(new Error('the thread ended before its task was done')));
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) {
          reject(ended);
          return;
        }
        const number = tasks++;
        waiting.set(number, { resolve, reject });
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        worker.postMessage({ number, task } satisfies Asked);
      }),
    async end() {
      await worker.terminate();
    },
  };
}

/** Called by the module of a thread: answers every task with what `work` makes of it. */
export function serveThread(work: (task: unknown, data: unknown) => unknown): void {
  const port = parentPort;
  if (port === null) throw new Error('this module runs in a thread only');
  let before: Promise<void> = Promise.resolve();
  port.on('message', ({ number, task }: Asked) => {
    before = before.then(async () => {
      try {
        port.postMessage({ number, value: await work(task, workerData) } satisfies Answer);
      } catch (thrown) {
        const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
        port.postMessage({ number, error } satisfies Answer);
      }
    });
  });
}

interface Asked {
  readonly number: number;
  readonly task: unknown;
}

interface Answer {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: string;
}
