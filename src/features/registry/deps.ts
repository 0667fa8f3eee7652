import type { Patient } from '@medplum/fhirtypes';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Reach } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing, ResourceStore } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import type { DomainTable } from '../nodes/index.ts';
import type { LongWalks } from './long-walks.ts';
import type { Matcher } from './matcher.ts';
import type { RoundMaker } from './round-maker.ts';
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
  /** Names of users, for showing who works on a review. Missing: nobody is named. */
  readonly userNames?: (ids: readonly UserId[]) => Promise<ReadonlyMap<UserId, string>>;
  /** Who may decide reviews, for handing them over: the first by name, of whom the text finds, or the one of this id. */
  readonly reviewers?: (
    reach: Reach,
    which: { readonly text?: string; readonly id?: UserId },
  ) => Promise<{ readonly people: readonly { readonly id: UserId; readonly name: string }[]; readonly more: boolean }>;
  readonly clock: Clock;
  /** Turns of searches that read very many records. Missing: the registry makes its own. */
  readonly longWalks?: LongWalks;
  /** Kept outside the database: once set, a rule that is missing there was taken away. Missing itself: none is expected. */
  readonly rulesBound?: { isSet(): Promise<boolean>; set(): Promise<void> };
  /**
   * Kept outside the database: once set, a golden record without a binding is somebody else's doing. Missing itself: that is not
   * known, and such rows are believed.
   */
  readonly goldensBound?: { isSet(): boolean; set(): Promise<void> };
  /**
   * Identifiers of domains that other nodes own may be carried by whoever has one of their own, unless marked official: they are
   * shown and found, and nobody is matched by them. Missing or false: such records are refused.
   */
  readonly informativeIdentifiers?: boolean;
  /** Names of organisations; those that are not there are missing. Missing itself: every organisation is taken to be there. */
  readonly organisationNames?: (ids: readonly OrganisationId[]) => Promise<ReadonlyMap<OrganisationId, string>>;
  /** Makes the rounds of a large load, in a thread beside this one. Missing: they are made here. */
  readonly roundMaker?: () => RoundMaker;
  /** Plain search terms of a Patient (src/fhir), to be blinded here. Beyond `enough` it need not go on. */
  readonly termsOf: (patient: Patient, enough?: number) => readonly SearchTerm[];
}

export type { Domain, DomainTable } from '../nodes/index.ts';
