import type { PageFindings, PageVerifier } from '../features/audit/index.ts';
import type { Connection } from '../platform/db/index.ts';
import { startThread, type Thread, threadsWanted } from '../platform/threads/index.ts';
import type { RootKeyPlace } from './root-key.ts';

/** What a thread is started with. */
export interface VerifyData {
  readonly root: RootKeyPlace;
  readonly connection: Connection;
}

/** Leaves of a page, or the end: connections are closed in an orderly way. */
export type VerifyTask = { readonly from: number; readonly below: number } | 'end';

/** Beyond this many PostgreSQL is what is waited for. */
const THREADS_MAX = 4;

/** Threads that recompute pages of the log: opening and hashing events takes one core 20 to 40 seconds per million. */
export function startVerifyThreads(data: VerifyData): PageVerifier[] {
  const module = new URL('./verify-thread.ts', import.meta.url);
  return Array.from({ length: threadsWanted(THREADS_MAX) }, () => verifierOf(startThread(module, data)));
}

function verifierOf(thread: Thread): PageVerifier {
  // A thread takes one task at a time.
  let last: Promise<unknown> = Promise.resolve();
  const run = (task: VerifyTask): Promise<unknown> => {
    const result = last.then(() => thread.run(task));
    last = result.catch(() => undefined);
    return result;
  };
  return {
    // What verify-thread.ts answers.
    check: async (from, below) => (await run({ from, below })) as PageFindings,
    async end() {
      await run('end').catch(() => undefined);
      await thread.end();
    },
  };
}
