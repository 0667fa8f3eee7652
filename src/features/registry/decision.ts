import type { LinkEntryId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { RoundState } from './batch-state.ts';
import type { RoundDeps } from './round-loading.ts';

/** One decision in progress. */
export interface Decision {
  readonly deps: RoundDeps;
  readonly tx: Transaction;
  readonly actor: Actor;
  readonly state: RoundState;
  readonly nowMs: number;
  readonly entryId: LinkEntryId;
}
