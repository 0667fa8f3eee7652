import type { OrganisationId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';

export type NodeAudit = Pick<Audit, 'record' | 'recordNow'>;

export interface NodesDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: NodeAudit;
  readonly clock: Clock;
  /** Whose nodes the actor works on: a user's own organisation; for the operator the one there is, or a Problem before set-up. */
  readonly organisationFor: (actor: Actor) => Promise<OrganisationId>;
  /** Where systems reach FHIR from outside: `https://registry.example.org:8444/fhir`. */
  readonly fhirUrl: string;
  /** Told when last-seen times could not be written; nothing else depends on them. */
  readonly onBackgroundFailure: (error: unknown) => void;
}
