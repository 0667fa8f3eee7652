import type { Patient } from '@medplum/fhirtypes';
import type { Branded, LinkEntryId, ResourceId } from '../../kernel/ids.ts';
import type { Problem } from '../../kernel/problem.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';

/** A Patient that passed R4 validation (src/fhir); only the door and the loader make one. */
export type ValidPatient = Patient & { readonly resourceType: 'Patient' };

/** Told by a tag of the system `RECORD_KIND_SYSTEM` (src/fhir): in `Patient.meta.tag`, and in the `_tag` of searches. */
export type RecordKind = 'golden' | 'source';

/** An identifier system with its number in `nodes.domain`. */
export interface DomainRef {
  readonly id: number;
  readonly system: string;
}

/** One wish to change source records. The registry answers each with a `SubmissionOutcome`. */
export type Submission = CreateSubmission | UpdateSubmission | UpsertSubmission | DeleteSubmission;

export interface CreateSubmission {
  readonly kind: 'create';
  /** Chosen by the caller, so that entries of a transaction can refer to it before it exists; a new one otherwise. */
  readonly id?: ResourceId;
  readonly domain: DomainRef;
  readonly patient: ValidPatient;
  /** FHIR If-None-Exist by an identifier in `domain`: an existing record is answered (`unchanged`) instead of a second one made. */
  readonly ifNoneExist?: { readonly value: string };
}

export interface UpdateSubmission {
  readonly kind: 'update';
  readonly id: ResourceId;
  readonly patient: ValidPatient;
  readonly ifMatchVersion?: number;
}

/** Conditional update by the record's own identifier in its domain; the loader's and the feeds' way. */
export interface UpsertSubmission {
  readonly kind: 'upsert';
  readonly domain: DomainRef;
  /** Value of the identifier in `domain.system`; must be among `patient.identifier`. */
  readonly key: string;
  readonly patient: ValidPatient;
  readonly ifMatchVersion?: number;
}

export interface DeleteSubmission {
  readonly kind: 'delete';
  readonly id: ResourceId;
  readonly ifMatchVersion?: number;
}

export type SubmissionOutcome =
  | {
      readonly status: 'created' | 'updated' | 'unchanged' | 'deleted';
      readonly id: ResourceId;
      readonly version: number;
      readonly lastUpdatedMs: number;
      readonly goldenId: ResourceId;
      /** The source record as stored, FHIR JSON in UTF-8; null after a delete. */
      readonly content: Uint8Array | null;
      /** True when it joined a golden record that already stood for others. */
      readonly linked: boolean;
      readonly reviewsOpened: number;
      /** Candidate search hit its bound: some similar records were not compared. */
      readonly candidatesCut: boolean;
    }
  | { readonly status: 'refused'; readonly problem: Problem };

/**
 * How strictly identities are taken. `openhie`: as the OpenHIE client registry tests ask: every identifier of a known domain,
 * references that lead somewhere, and identifiers of others' domains allowed as information (never to match by).
 */
export type IdentityRules = 'plain' | 'openhie';

/** A record that its sender replaced by another one of its own. */
export interface SourceMerge {
  readonly obsolete: ResourceId;
  readonly survivor: ResourceId;
  /** What the sender says of the obsolete record now; its former content stays where this is missing. */
  readonly patient?: ValidPatient | undefined;
}

export interface SourceMerged {
  /** False when it was replaced by the same record before: saying it again changes nothing. */
  readonly changed: boolean;
  readonly survivor: ResourceId;
  /** The person that both belong to now. */
  readonly goldenId: ResourceId;
  readonly audited: AuditReceipt;
}

/** Code of a refusal of this feature. */
export type RegistryProblemCode =
  | 'client-not-found'
  | 'client-deleted'
  | 'client-merged'
  | 'version-conflict'
  | 'duplicate-key'
  | 'domain-not-owned'
  | 'not-own-record'
  | 'key-missing'
  | 'key-changed'
  | 'golden-is-computed'
  | 'review-not-found'
  | 'review-already-decided'
  | 'nothing-to-undo'
  | 'same-client'
  | 'never-linked'
  | 'last-source'
  | 'not-merged'
  | 'search-too-broad'
  | 'searches-busy'
  | 'shared-client'
  | 'merge-not-allowed'
  | 'second-person-needed'
  | 'no-links-to-check'
  | 'link-check-not-found'
  | 'link-check-done'
  | 'bulk-not-found'
  | 'bulk-outdated'
  | 'bulk-over'
  | 'too-few-alike'
  | 'sample-pending'
  | 'sample-failed'
  | 'reviewer-unknown'
  | 'share-unknown'
  | 'same-record'
  | 'merge-loop'
  | 'successor-replaced'
  | 'unmerge-refused'
  | 'merge-elsewhere'
  | 'id-taken'
  | 'busy';

export type LedgerKind =
  | 'created'
  | 'linked'
  | 'unlinked'
  | 'merged'
  | 'unmerged'
  | 'never-link'
  | 'review-opened'
  | 'review-decided'
  | 'decision-undone'
  | 'repaired';

/** What the ledger keeps sealed beside its ids. */
export interface LedgerDetail {
  readonly actor: { readonly kind: string; readonly id?: string; readonly name: string };
  readonly reason?: string;
  readonly rule?: string;
  readonly score?: number;
  readonly modelVersion?: string;
  /** Sources that moved with a merge, so that it can be undone. */
  readonly moved?: readonly string[];
  readonly reviewId?: string;
  /** Other reviews between the same two people, which the decision answers as well. */
  readonly answers?: readonly string[];
  readonly decision?: string;
  readonly undoes?: string;
  /** User who proposed a link that a second person agreed to. */
  readonly proposedBy?: string;
}

export interface LedgerEntry extends LedgerDetail {
  readonly entryId: LinkEntryId;
  readonly kind: LedgerKind;
  readonly atMs: number;
  readonly goldenId: ResourceId;
  readonly otherGoldenId?: ResourceId;
  readonly sourceId?: ResourceId;
  readonly otherSourceId?: ResourceId;
}

export type ReviewCause =
  | 'between-thresholds'
  | 'contradiction'
  | 'two-people-match'
  | 'record-changed'
  | 'linked-doubtful'
  | 'chain'
  | 'overlay'
  | 'changed-into'
  | 'merge-proposed';
export type ReviewState = 'open' | 'later' | 'decided';

/** Opaque paging position; sealed before it leaves the server. */
export type Cursor = Branded<'Cursor'>;
