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

export function teamOfOne(): Team {
  const hand = new Hand();
  return {
    size: 1,
    perform: async (kind, tasks) => await Promise.resolve(tasks.map((task) => hand.perform(kind, task))),
    share: async (more) => await Promise.resolve(hand.share(more)),
    end: async () => await Promise.resolve(),
  };
}

export function teamOfThreads(wanted: number = threadsWanted(THREADS_MAX)): Team {
  const threads = Array.from({ length: wanted }, () => startThread(new URL('./hand-thread.ts', import.meta.url)));
  return {
    size: threads.length,
    perform: (kind, tasks) => divided(threads, kind, tasks),
    async share(more) {
      await Promise.all(threads.map((thread) => thread.run({ share: more })));
    },
    async end() {
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

async function divided<Kind extends TaskKind>(
  threads: readonly Thread[],
  kind: Kind,
  tasks: readonly Tasks[Kind][],
): Promise<readonly Results[Kind][]> {
  const results: Results[Kind][] = [];
  let next = 0;
  await Promise.all(
    threads.map(async (thread) => {
      for (let at = next++; at < tasks.length; at = next++) {
        // The thread answers a task with the result of its kind; see hand-thread.ts.
        results[at] = (await thread.run({ kind, task: tasks[at] })) as Results[Kind];
      }
    }),
  );
  return results;
}
