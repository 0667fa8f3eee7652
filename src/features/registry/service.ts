import type { Patient, RelatedPerson } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Problem } from '../../kernel/problem.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { StoredResource } from '../../store/model.ts';
import type { MatchGrade } from '../matching/index.ts';
import type { Cursor, RecordKind, SourceMerge, SourceMerged, Submission, SubmissionOutcome } from './model.ts';
import type { SubmitOptions } from './submit-options.ts';

/** A search term before blinding, as `src/fhir` makes them from a query and from a resource. */
export interface SearchTerm {
  readonly parameter: string;
  readonly value: string;
}

export interface RegistrySearch {
  readonly kind: RecordKind;
  /** AND of ORs. Empty where no index helps: then every record is tested, up to a bound. */
  readonly terms: readonly (readonly SearchTerm[])[];
  /** The exact test: the database's answer is only a superset. */
  accepts(patient: Patient): boolean;
  /** There is no condition at all: `accepts` need not be asked. */
  readonly everything: boolean;
  readonly lastUpdated?: { readonly fromMs?: number; readonly beforeMs?: number };
  readonly order: 'id' | 'last-updated' | 'last-updated-descending';
  readonly after?: Cursor;
  /** Records on one page, 1..1000. */
  readonly limit: number;
  /** `none`: do not count; `quick`: count when that is cheap, else leave out; `accurate`: count or refuse. */
  readonly total: 'none' | 'quick' | 'accurate';
  /** Who asks: what reads very much takes turns by it. */
  readonly caller?: string;
}

export interface RegistrySearchResult {
  readonly records: readonly StoredResource[];
  readonly next?: Cursor;
  readonly total?: number;
  /** Of a first page whose `total` was not counted to its end: there are as many, and perhaps more. */
  readonly atLeast?: number;
}

export interface RankedMatch {
  readonly goldenId: ResourceId;
  /** 0..1. */
  readonly score: number;
  readonly grade: MatchGrade;
  /** The source record that scored best. */
  readonly sourceId: ResourceId;
}

export interface MatchCandidate extends RankedMatch {
  readonly golden: StoredResource;
}

interface Matched {
  /** Candidate search hit its bound: others may exist that were not compared. */
  readonly cut: boolean;
  readonly modelVersion: string;
}

export interface MatchRanking extends Matched {
  /** Most likely first, one per golden record, grades below `possible` left out. */
  readonly ranked: readonly RankedMatch[];
}

export interface MatchResult extends Matched {
  /** As ranked; who has been deleted since is left out. */
  readonly candidates: readonly MatchCandidate[];
}

export interface MatchOptions {
  readonly count?: number;
}

/** RelatedPersons that came in feeds. */
export interface RelatedPersons {
  /** The id a RelatedPerson of this record has already, or a new one: the same identifier, else the same name and relationship. */
  idFor(sourceId: ResourceId | undefined, person: RelatedPerson): Promise<ResourceId>;
  /** Writes them with the records they belong to; `person.id` was given by `idFor`. */
  write(tx: Transaction, persons: readonly RelatedWrite[]): Promise<void>;
  ofSources(sourceIds: readonly ResourceId[]): Promise<readonly StoredRelated[]>;
  read(id: ResourceId): Promise<StoredRelated | undefined>;
}

export interface StoredRelated extends StoredResource {
  readonly sourceId: ResourceId;
}

export interface RelatedWrite {
  readonly sourceId: ResourceId;
  readonly person: RelatedPerson & { readonly id: ResourceId };
}

/** The registry's core, used by the FHIR routes, the loader and the pages. */
export interface RegistryCore {
  /**
   * THE write path. Submissions of concurrent callers share one transaction per batch (group commit) under one lock, so two
   * simultaneous registrations of one person cannot miss each other. Each is answered on its own, unless `atomic`.
   * `audited` is absent only when every submission was refused and `auditAll` is off: throw the refusal, the door records it.
   * Rejects with Problem `unavailable` when the database is; then nothing of it was written.
   */
  submit(
    actor: Actor,
    submissions: readonly Submission[],
    options?: SubmitOptions,
  ): Promise<{ readonly outcomes: readonly SubmissionOutcome[]; readonly audited: AuditReceipt | undefined }>;
  /** Current versions of golden or source records; deleted ones have null content. Concurrent reads share round trips. */
  read(id: ResourceId): Promise<StoredResource | undefined>;
  readMany(ids: readonly ResourceId[]): Promise<ReadonlyMap<ResourceId, StoredResource>>;
  readVersion(id: ResourceId, version: number): Promise<StoredResource | undefined>;
  /** Newest first. */
  history(id: ResourceId, page: { limit: number; beforeVersion?: number }): Promise<readonly StoredResource[]>;
  search(search: RegistrySearch): Promise<RegistrySearchResult>;
  match(patient: Patient, options?: MatchOptions): Promise<MatchResult>;
  /** The same without the golden records' content, for those who have something else to do while it is read. */
  rank(patient: Patient, options?: MatchOptions): Promise<MatchRanking>;
  /** The golden record of each source record; ids that are no live source records are absent. */
  goldenOf(sourceIds: readonly ResourceId[]): Promise<ReadonlyMap<ResourceId, ResourceId>>;
  /** Source records (any golden) whose own identifier in a domain is this one. At most one. */
  findByKey(system: string, value: string): Promise<ResourceId | undefined>;
  /**
   * One source record replaced by another of the same sender: it stays, inactive, and belongs to the other's person from now on.
   * Throws Problem: not its own records, unknown, a loop, kept apart by a steward.
   */
  replace(actor: Actor, what: SourceMerge): Promise<SourceMerged>;
  /**
   * Changes and merges of one sender in their order, in one transaction: all of it or nothing. A refusal is answered, with its place.
   */
  applyTogether(actor: Actor, what: Together): Promise<TogetherDone | TogetherRefused>;
  /** RelatedPersons that came in feeds. */
  readonly related: RelatedPersons;
}

export type TogetherStep =
  | { readonly kind: 'writes'; readonly submissions: readonly Submission[] }
  | { readonly kind: 'merge'; readonly merge: SourceMerge };

export interface Together {
  readonly steps: readonly TogetherStep[];
  /** Extra rows of the same transaction. */
  readonly alongside?: (tx: Transaction) => Promise<void>;
  /** Records to show as they are at the end. */
  readonly show?: readonly ResourceId[];
  /** Decide and show, keep nothing: not even the audit events, so that the caller records one of its own. */
  readonly preview?: true;
}

export interface TogetherDone {
  readonly status: 'done';
  /** By step; empty for a merge. */
  readonly outcomes: readonly (readonly SubmissionOutcome[])[];
  readonly shown: ReadonlyMap<ResourceId, StoredResource>;
  /** Absent in a preview, and where nothing happened. */
  readonly audited: AuditReceipt | undefined;
}

export interface TogetherRefused {
  readonly status: 'refused';
  readonly problem: Problem;
  /** Which step, and which of its submissions; 0 for a merge. */
  readonly step: number;
  readonly submission: number;
}
