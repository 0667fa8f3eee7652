import type { Permission } from '../../kernel/access.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import type { Domains } from '../nodes/index.ts';
import type { Submitting } from './runner.ts';

export interface LoadDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: Pick<Audit, 'record' | 'recordNow'>;
  readonly registry: Submitting;
  /** Bytes of memory for a large load's image of the registry. Missing or 0: every load goes the ordinary way. */
  readonly memoryBytes?: number;
  readonly domains: Pick<Domains, 'resolve' | 'ensureForUsers'>;
  readonly jobs: Pick<Jobs, 'define' | 'enqueue' | 'cancel' | 'read'>;
  readonly clock: Clock;
  /** Whether the one a load acts for still may: asked every second while it runs. Default: yes. */
  readonly stillMay?: (principal: Principal, permission: Permission) => Promise<boolean>;
}

/** Today as a FHIR date, in UTC. */
export function today(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString().slice(0, 10);
}
