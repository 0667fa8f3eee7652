import type { Patient } from '@medplum/fhirtypes';
import type { OrganisationId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing, ResourceStore } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import type { DomainTable } from '../nodes/index.ts';
import type { Matcher } from './matcher.ts';
import type { SearchTerm } from './service.ts';

export interface RegistryDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly resources: ResourceStore;
  readonly audit: Pick<Audit, 'record' | 'recordNow'>;
  readonly matcher: Matcher;
  readonly domains: {
    table(): Promise<DomainTable>;
    /** The next `table()` is read anew. */
    forget?(): void;
  };
  /**
   * The organisation whose people see every client, once there is one; its records need no mark of their own. Missing: none, and
   * every record is marked.
   */
  readonly centralOrganisation?: () => Promise<OrganisationId | undefined>;
  readonly clock: Clock;
  /** Plain search terms of a Patient (src/fhir), to be blinded here. Beyond `enough` it need not go on. */
  readonly termsOf: (patient: Patient, enough?: number) => readonly SearchTerm[];
}

export type { Domain, DomainTable } from '../nodes/index.ts';
