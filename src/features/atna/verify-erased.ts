import { erasedReceived } from './received-store.ts';
import { nextDigest } from './received-retention.ts';
import { eventsOf, type ReceivedProblem, type VerifyReceivedDeps } from './verify-log.ts';

const PAGE = 500;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

interface Run {
  events: number;
  digest: string;
}

/**
 * Holds the received events that say nothing any more to what the log says was erased: how many, and which. Answers how many there are. An
 * erasure that was cut off in the middle has no such event: its rows are held by their seals alone.
 */
export async function checkErased(deps: VerifyReceivedDeps, problems: ReceivedProblem[]): Promise<number> {
  const runs = await erasedRuns(deps, problems);
  let erased = 0;
  for (const { events } of runs.values()) erased += events;
  for await (const { summary } of eventsOf(deps, 'audit.erase')) {
    const { because, events, sha256 } = summary.detail ?? {};
    if (because === undefined || events === undefined) continue;
    const run = runs.get(because);
    if (run !== undefined && run.events === Number(events) && run.digest === sha256) continue;
    const detail = `Of ${events} received events that were erased, ${run?.events ?? 0} are erased now, or others are.`;
    problems.push({ code: 'received-changed', detail, id: summary.id });
  }
  return erased;
}

/** By the event that says why. */
async function erasedRuns({ database, repository }: VerifyReceivedDeps, problems: ReceivedProblem[]) {
  const runs = new Map<string, Run>();
  let after = FIRST_ID;
  for (;;) {
    const rows = await erasedReceived(database, after, PAGE);
    for (const row of rows) {
      after = row.id;
      const { erased } = repository.read(row);
      if (erased === undefined) {
        const detail = 'A received event is said to be erased, and its seal does not say so.';
        problems.push({ code: 'received-changed', detail, id: row.id });
        continue;
      }
      const run = runs.get(erased) ?? { events: 0, digest: '' };
      runs.set(erased, { events: run.events + 1, digest: nextDigest(run.digest, row.id) });
    }
    if (rows.length < PAGE) return runs;
  }
}
