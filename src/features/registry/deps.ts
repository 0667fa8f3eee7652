import type { Patient } from '@medplum/fhirtypes';
import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing, ResourceStore } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import type { Matcher } from './matcher.ts';
import type { SearchTerm } from './service.ts';

/** One assigning authority, as the registry needs it. */
export interface Domain {
  readonly id: number;
  readonly system: string;
  readonly ownerNodeId?: NodeId;
  readonly ownerNodeName?: string;
  readonly organisationId?: OrganisationId;
}

/** All domains at this moment; a snapshot is at most a second old. */
export interface DomainTable {
  byId(id: number): Domain | undefined;
  bySystem(system: string): Domain | undefined;
}

export interface RegistryDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly resources: ResourceStore;
  readonly audit: Audit;
  readonly matcher: Matcher;
  readonly domains: { table(): Promise<DomainTable> };
  readonly clock: Clock;
  /** Plain search terms of a Patient (src/fhir), to be blinded here. */
  readonly termsOf: (patient: Patient) => readonly SearchTerm[];
}
