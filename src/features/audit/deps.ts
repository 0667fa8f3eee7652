import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import type { AuditSource } from './audit-event.ts';
import type { PageVerifier } from './verify-page.ts';
import type { WitnessSetting } from './witnesses.ts';

export interface AuditDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  /** Host name and address of this installation, as they stand in events. */
  readonly source: AuditSource;
  /**
   * Told of what goes wrong where no caller waits: sequencing that failed or finds the tree damaged. `code` says what; there is
   * no health data in either.
   */
  readonly onFailure: (code: 'sequencing-failed' | 'tree-damaged', error: unknown) => void;
  /** Those outside who are asked to sign our heads. */
  readonly witnesses?: readonly WitnessSetting[];
  /** Years that what events say is kept at least; six or more. */
  readonly keepYears?: number;
  /** Starts threads that recompute pages of a large log. Default: `verify` works alone. */
  readonly verifyThreads?: (() => readonly PageVerifier[]) | undefined;
  /**
   * Ids of the only people and systems whose acts this one may see; undefined: everybody's. Default: everybody's for auditors of all
   * organisations, nobody's for others.
   */
  readonly within?: ((actor: Actor) => Promise<readonly string[] | undefined>) | undefined;
  /** Longest time between two checkpoints while events come in. Default 1,000 ms. */
  readonly checkpointEveryMs?: number;
}
