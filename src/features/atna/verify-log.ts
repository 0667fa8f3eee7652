import type { Database } from '../../platform/db/index.ts';
import type { Audit, WholeEvent } from '../audit/index.ts';
import type { Repository } from './receiver.ts';

export interface ReceivedProblem {
  readonly code:
    | 'received-changed' // a row is not as it was kept
    | 'received-missing' // the log says that more were kept
    | 'received-unknown'; // the log does not say that it was kept
  readonly detail: string;
  /** Of the received event, or of the event in the log. */
  readonly id: string;
}

export interface VerifyReceivedDeps {
  readonly database: Database;
  readonly repository: Repository;
  readonly audit: Pick<Audit, 'searchWhole'>;
}

const PAGE = 200;

/** Events of our own log, newest first. */
export async function* eventsOf(
  { audit }: Pick<VerifyReceivedDeps, 'audit'>,
  event: 'audit.receive' | 'audit.erase',
): AsyncGenerator<WholeEvent> {
  let cursor: string | undefined;
  do {
    const page = await audit.searchWhole({
      ...{ events: [event], outcome: 'success', limit: PAGE },
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* page.events;
    cursor = page.next;
  } while (cursor !== undefined);
}
