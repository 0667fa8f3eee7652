import { availableParallelism } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * Threads for work that would keep the event loop: one task at a time each, by messages. What is large is shared (SharedArrayBuffer)
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

/** Starts a thread on a module that calls `serveThread`. */
export function startThread(module: URL, data?: unknown): Thread {
  const worker = new Worker(module, { workerData: data });
  let waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void } | undefined;
  const fail = (error: Error): void => {
    waiting?.reject(error);
    waiting = undefined;
  };
  worker.on('message', (message: { readonly value?: unknown; readonly error?: string }) => {
    const call = waiting;
    waiting = undefined;
    if (message.error === undefined) call?.resolve(message.value);
    else call?.reject(new Error(message.error));
  });
  worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => fail(new Error('the thread ended before its task was done')));
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        worker.postMessage(task);
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
  port.on('message', (task: unknown) => {
    void (async () => {
      try {
        port.postMessage({ value: await work(task, workerData) });
      } catch (error) {
        port.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      }
    })();
  });
}
