/**
 * The client registry: source records as nodes and loaders sent them, golden records computed from them, the ledger of why they
 * belong together, and the reviews that wait for a steward. See README.md.
 */

import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';
import type { Sql } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import type { ResealParticipant, StoredResource } from '../../store/index.ts';
import { type AdoptedPerson, adoptPersons } from './adopt.ts';
import { type Changes, createChanges } from './changes.ts';
import { checkRegistry, type CheckOptions, type CheckReport } from './check.ts';
import { createCore } from './core.ts';
import type { RegistryDeps } from './deps.ts';
import type { PersonFaults } from './examine.ts';
import type { LoadSession } from './load-session.ts';
import { type Narrowed, narrowedClients } from './narrowed.ts';
import { type LargeLoad, openLoad } from './open-load.ts';
import { bindEarlierGoldens, type EarlierOptions } from './rebinding.ts';
import { type RegistryModels, registryModels } from './registry-models.ts';
import { registryParticipants, tokensOfStored } from './reseal.ts';
import { type Repaired, repairPersons, type RepairOptions } from './repair.ts';
import { readReviewCounts } from './review-store.ts';
import { registryRoutes } from './routes.ts';
import type { RegistryCore } from './service.ts';
import { shareParticipant } from './shares.ts';
import { clientFigures, withinReach } from './visibility.ts';

export interface RegistryFigures {
  readonly clients: number;
  readonly sources: number;
  readonly reviewsOpen: number;
  readonly reviewsLater: number;
  readonly oldestReviewAt?: Date;
}

export interface Registry {
  /** Reads, searches and `$match` as this principal sees the registry: what is out of reach is not there. */
  as(principal: Principal): RegistryCore;
  /** See `RegistryCore`. */
  readonly submit: RegistryCore['submit'];
  /** For a load of very many new records; `undefined` where `submit` does as well. See load-session.ts. */
  openLoad(load: LargeLoad): Promise<LoadSession | undefined>;
  /** The user API. The FHIR routes are made by `fhirRoutes`. */
  readonly routes: readonly RouteDeclaration[];
  /** What key rotation has to walk over. */
  readonly resealParticipants: readonly ResealParticipant[];
  /** Search tokens of stored Patients under the current index key, for the store's part in a rotation. */
  tokensOfStored(sql: Sql, stored: readonly StoredResource[]): Promise<ReadonlyMap<ResourceId, readonly bigint[]>>;
  /** Counts of what this principal sees. */
  figures(principal: Principal): Promise<RegistryFigures>;
  /** For whom every client is in reach: what a repair could not give back to an organisation. */
  narrowed(): Promise<Narrowed>;
  /** Takes over persons of another registry with their ids; see adopt.ts. */
  adopt(
    actor: Actor,
    what: { readonly persons: readonly AdoptedPerson[]; readonly reason: string },
  ): Promise<AuditReceipt>;
  /** Which model decides, and going over all records with it. */
  readonly models: RegistryModels;
  /** What changed, for those who tell others. */
  readonly changes: Changes;
  /** Binds what an earlier version has written; see rebinding.ts. */
  bindEarlier(options?: EarlierOptions): Promise<number | undefined>;
  /** Finds what somebody has changed past Careseal; changes nothing. */
  check(options?: CheckOptions): Promise<CheckReport>;
  /** Mends what a check has found, or says what it would do. */
  repair(persons: readonly PersonFaults[], options: RepairOptions): Promise<readonly Repaired[]>;
  /** Resolves when no batch is queued or in flight. */
  drained(): Promise<void>;
}

/** Builds the registry. `deps` are in deps.ts; nothing is started, nothing is read until the first call. */
export function createRegistry(deps: RegistryDeps): Registry {
  const built = createCore(deps);
  return {
    as: built.as,
    submit: (actor, submissions, options = {}) => built.intake.submit(actor, submissions, options),
    openLoad: (load) => openLoad(built.roundDeps, built.intake, load),
    routes: registryRoutes(deps, built),
    resealParticipants: [...registryParticipants(built.roundDeps), shareParticipant(built.roundDeps)],
    tokensOfStored: (sql, stored) => tokensOfStored(built.roundDeps, sql, stored),
    adopt: (actor, what) => adoptPersons(built.roundDeps, actor, what),
    models: registryModels(built),
    changes: createChanges(),
    bindEarlier: (options) => bindEarlierGoldens(built.roundDeps, options),
    check: (options) => checkRegistry(built.roundDeps, options),
    repair: (persons, options) => repairPersons(built.roundDeps, persons, options),
    drained: () => built.intake.drained(),
    narrowed: () => narrowedClients(deps),
    async figures(principal) {
      const midnight = new Date(new Date(deps.clock.nowMs()).setUTCHours(0, 0, 0, 0));
      const [rows, counts] = await Promise.all([
        clientFigures(deps, await withinReach(deps, principal, 'client.read')),
        readReviewCounts(deps.database, midnight, await withinReach(deps, principal, 'review.read')),
      ]);
      return {
        clients: rows.clients,
        sources: rows.sources,
        reviewsOpen: counts.open,
        reviewsLater: counts.later,
        ...(counts.oldest ? { oldestReviewAt: counts.oldest } : {}),
      };
    },
  };
}

export type { AdoptedPerson } from './adopt.ts';
export type { CheckReport } from './check.ts';
/** What a check finds, in words. */
export { FAULT_WORDS, type FaultKind, type PersonFaults } from './examine.ts';
export { UNPLACED } from './narrowed.ts';
export type { Repaired } from './repair.ts';
export type { NotMended, RepairEvidence } from './repair-plan.ts';
/** Other names of identifier systems, as an administrator keeps them. */
export { type Aliases, createAliases } from './aliases.ts';
export type { ChangeNote, Changes } from './changes.ts';
export type { Domain, DomainTable, RegistryDeps } from './deps.ts';
/** Valid R4 and within the bounds of what one record may repeat; throws Problem. For whoever brings Patients from outside. */
export { assertRegistrable } from './fhir-bounds.ts';
/** A record as its sender's records have to be: systems under their own names, checked. */
export { incoming } from './fhir-identities.ts';
/** The golden record that an identifier leads to, as PIX queries ask. */
export { personByIdentifier } from './fhir-pix.ts';
/** A FHIR route of another feature, for the capability statement. */
export type { ServedRoute } from './fhir-route.ts';
/** FHIR R4 at /fhir, for both doors. */
export { type FhirRouteDeps, fhirRoutes } from './fhir-routes.ts';
/** What makes rounds in a thread of its own (main/load-maker-thread.ts). */
export { makePacked, type PackedRound, type RoundToMake } from './load-making.ts';
export type { RoundMaker } from './round-maker.ts';
export type { LoadSession } from './load-session.ts';
export type { LargeLoad } from './open-load.ts';
/** What matching compares, taken out of a Patient. */
export { matchRecordOf } from './match-record.ts';
export { createMatcher, type Matcher } from './matcher.ts';
export type {
  CreateSubmission,
  Cursor,
  DeleteSubmission,
  DomainRef,
  IdentityRules,
  RecordKind,
  Submission,
  SubmissionOutcome,
  UpdateSubmission,
  UpsertSubmission,
  ValidPatient,
} from './model.ts';
export {
  type ActivationId,
  type GroupTally,
  HISTOGRAM,
  type LabelledPair,
  newGroupTally,
  newTally,
  type RegistryModels,
  type ShadowListener,
  type ShadowNote,
  type SimulationTally,
} from './registry-models.ts';
/** Of a dry run, handed over with each of its batches. */
export { createRehearsal, type Rehearsal } from './rehearsal.ts';
export type {
  MatchCandidate,
  MatchResult,
  RegistryCore,
  RegistrySearch,
  RegistrySearchResult,
  SearchTerm,
  TogetherStep,
} from './service.ts';
/** For the prior of matching: the size of the registry, roughly. */
export { bindRule } from './second-person.ts';
export { estimateSources } from './store.ts';
export type { SubmitOptions } from './submit-options.ts';
/** Every client, page by page, for work over the whole registry. */
export { type WalkedClient, walkClients } from './walk.ts';
