import { setImmediate } from 'node:timers/promises';
import { startThread, type Thread, threadsWanted } from '../../platform/threads/index.ts';
import { Hand, type Results, type Shared, type TaskKind, type Tasks } from './work.ts';

/** Whoever does the work: threads, or this one alone where starting threads would take longer than the work. */
export interface Team {
  /** Performs the tasks, several at a time; answers in their order. */
  perform<Kind extends TaskKind>(kind: Kind, tasks: readonly Tasks[Kind][]): Promise<readonly Results[Kind][]>;
  share(more: Shared): Promise<void>;
  readonly size: number;
  end(): Promise<void>;
}

/** More threads than this gain nothing: reading and clustering are not divided further. */
const THREADS_MAX = 8;

/** `signal`: once aborted nobody begins another task; the call rejects with its reason. */
export function teamOfOne(signal?: AbortSignal): Team {
  const hand = new Hand();
  return {
    size: 1,
    async perform(kind, tasks) {
      const results: Results[typeof kind][] = [];
      for (const task of tasks) {
        // A turn of the event loop, without which nobody could say stop.
        await setImmediate();
        signal?.throwIfAborted();
        results.push(hand.perform(kind, task));
      }
      return results;
    },
    share: async (more) => await Promise.resolve(hand.share(more)),
    end: async () => await Promise.resolve(),
  };
}

export function teamOfThreads(signal?: AbortSignal, wanted: number = threadsWanted(THREADS_MAX)): Team {
  const threads = Array.from({ length: wanted }, () => startThread(new URL('./hand-thread.ts', import.meta.url)));
  return {
    size: threads.length,
    perform: (kind, tasks) => divided({ threads, signal }, kind, tasks),
    async share(more) {
      await Promise.all(threads.map((thread) => thread.run({ share: more })));
    },
    async end() {
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

async function divided<Kind extends TaskKind>(
  { threads, signal }: { readonly threads: readonly Thread[]; readonly signal: AbortSignal | undefined },
  kind: Kind,
  tasks: readonly Tasks[Kind][],
): Promise<readonly Results[Kind][]> {
  const results: Results[Kind][] = [];
  let next = 0;
  await Promise.all(
    threads.map(async (thread) => {
      for (let at = next++; at < tasks.length; at = next++) {
        signal?.throwIfAborted();
        // The thread answers a task with the result of its kind; see hand-thread.ts.
        results[at] = (await thread.run({ kind, task: tasks[at] })) as Results[Kind];
      }
    }),
  );
  return results;
}
