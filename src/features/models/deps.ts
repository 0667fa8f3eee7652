import type { UserId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import type { Load } from '../load/index.ts';
import type { MatchingModel } from '../matching/index.ts';
import type { RegistryModels } from '../registry/index.ts';

export interface ModelsDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: Pick<Audit, 'record' | 'recordNow'>;
  readonly registry: RegistryModels;
  /** Jobs of their own: going over all records must not keep loads waiting. */
  readonly jobs: Pick<Jobs, 'define' | 'enqueue' | 'cancel' | 'read'>;
  readonly clock: Clock;
  /** The model that comes with the program. */
  readonly shipped: MatchingModel;
  /** Names of users, for showing who proposed. Missing: nobody is named. */
  readonly userNames?: (ids: readonly UserId[]) => Promise<ReadonlyMap<UserId, string>>;
  /** Uploaded files that models are judged by. */
  readonly uploads: Pick<Load['uploads'], 'own' | 'held' | 'forget'>;
  /**
   * Whether which model decides has been bound. Kept outside the database, so that from then on a missing binding is somebody else's
   * doing. Missing itself: that is not known.
   */
  readonly inForceBound?: { isSet(): Promise<boolean>; set(): Promise<void> };
  readonly onReloadFailed: (error: unknown) => void;
  /** How long other processes may still decide by the former model after a change; default 2 s. */
  readonly settleMs?: number;
}
