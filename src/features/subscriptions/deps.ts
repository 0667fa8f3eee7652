import type { NodeId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { Outbound } from '../../platform/outbound/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import type { Changes, Registry } from '../registry/index.ts';

export interface SubscriptionDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: Pick<Audit, 'record' | 'recordNow'>;
  readonly clock: Clock;
  readonly registry: Pick<Registry, 'as'>;
  /** What changed, in order. */
  readonly changes: Changes;
  readonly outbound: Outbound;
  /** Whether a node may be told anything now: it exists and is neither revoked nor suspended. */
  readonly mayReceive: (nodeId: NodeId) => Promise<boolean>;
  /** Where systems reach FHIR: the base of what is sent. */
  readonly fhirUrl: string;
  readonly random: () => number;
  /** Told when the loop itself fails (the database is away); it goes on by itself. */
  readonly onFailure: (error: unknown) => void;
}
