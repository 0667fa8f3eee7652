import type { OrganisationId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { Limits } from '../../platform/http/index.ts';
import type { Outbound } from '../../platform/outbound/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import type { EndingCertificate } from './model.ts';

export type NodeAudit = Pick<Audit, 'record' | 'recordNow'>;

export interface NodesDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: NodeAudit;
  readonly clock: Clock;
  /** Whose nodes the actor works on: a user's own organisation; for the operator the one there is, or a Problem before set-up. */
  readonly organisationFor: (actor: Actor) => Promise<OrganisationId>;
  /**
   * Whether domains have been bound. Kept outside the database, so that from then on one without a binding is known to be somebody
   * else's doing. Missing itself: that is not known, and such rows are believed.
   */
  readonly domainsBound?: { isSet(): boolean; set(): Promise<void> };
  /** Names of organisations, for lists that hold several's nodes. Missing: none is named. */
  readonly organisationNames?: (ids: readonly OrganisationId[]) => Promise<ReadonlyMap<OrganisationId, string>>;
  /** Where systems reach FHIR from outside: `https://registry.example.org:8444/fhir`. */
  readonly fhirUrl: string;
  /** `https://registry.example.org:8443`: the users' door, where lists of revoked certificates are fetched. */
  readonly publicUrl: string;
  /** Where nodes' requests are counted; missing: in this process alone. */
  readonly rates?: Limits;
  /** For key sets that nodes publish at an address of their own. */
  readonly outbound: Outbound;
  /** Told when last-seen times or calls could not be written; nothing else depends on them. */
  readonly onBackgroundFailure: (error: unknown) => void;
  /** Told of certificates that end soon; for the log. */
  readonly onEnding: (ending: EndingCertificate) => void;
}
