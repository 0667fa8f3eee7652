/** What one round of submissions knows while it decides: loaded from the database, changed in memory, written once at the end. */
import type { Patient } from '@medplum/fhirtypes';
import type { LinkEntryId, OrganisationId, ResourceId } from '../../kernel/ids.ts';
import type { MatchRecord } from '../matching/index.ts';
import type { PreparedRecord } from './matcher.ts';
import type { LedgerDetail, LedgerKind } from './model.ts';
import type { WantedReview } from './rules.ts';

/** A deleted record that somebody decided something about. */
export interface FormerRecord {
  readonly id: ResourceId;
  readonly pinned: boolean;
  /** Records that a steward declared to be somebody else. */
  readonly apart: readonly ResourceId[];
}

export interface SourceState {
  readonly id: ResourceId;
  goldenId: ResourceId;
  readonly domainId: number;
  keyToken: bigint | null;
  /** Version in the database; 0 for a record that this round makes. */
  readonly storedVersion: number;
  version: number;
  pinned: boolean;
  record: MatchRecord;
  prepared: PreparedRecord;
  /** Blinded blocking keys as they stand in the database, then as they shall stand. */
  storedTokens: readonly bigint[] | undefined;
  tokens: readonly bigint[] | undefined;
  /** The id it had before it was deleted and came again, where a steward had decided something about it. */
  readonly formerId?: ResourceId;
  /** Full content, where it was needed or is new. */
  patient: Patient | undefined;
  /** The stored bytes of that content, as long as nothing was changed. */
  storedContent?: Uint8Array;
  lastUpdatedMs: number;
  change: 'none' | 'written' | 'moved' | 'deleted';
}

export interface GoldenState {
  readonly id: ResourceId;
  /** Version in the database; 0 for one that this round makes. */
  storedVersion: number;
  readonly members: Set<ResourceId>;
  touched: boolean;
  /** Its row was read, or it is new: what stands here is what the database has. */
  known: boolean;
  replacedBy?: ResourceId;
  /** Who saw it before, and with whom it is shared; empty for one that this round makes. */
  organisations: readonly OrganisationId[];
  sharedWith: readonly OrganisationId[];
  shareChanged?: boolean;
  /** As read; whether it fits is asked before anything is changed (altered.ts). */
  binding: bigint | null;
  /** Records that stand for it were read from the database. */
  loaded: boolean;
  /** It was asked, and it fits. */
  whole?: boolean;
}

export interface PendingLedgerEntry {
  /** Known beforehand where other rows refer to the entry. */
  readonly entryId?: LinkEntryId;
  readonly kind: LedgerKind;
  readonly goldenId: ResourceId;
  readonly sourceId?: ResourceId;
  readonly otherSourceId?: ResourceId;
  readonly otherGoldenId?: ResourceId;
  readonly detail: LedgerDetail;
}

export interface PendingReview extends WantedReview {
  readonly sourceId: ResourceId;
}

export class RoundState {
  readonly sources = new Map<ResourceId, SourceState>();
  readonly goldens = new Map<ResourceId, GoldenState>();
  /** Blind blocking key → records that carry it: what the database answered, and what this round adds. */
  readonly byToken = new Map<bigint, ResourceId[]>();
  /** Keys whose block was larger than the bound. */
  readonly cutTokens = new Set<bigint>();
  readonly neverLinks = new Set<string>();
  /** Deleted records by the blind token of their own identifier. */
  readonly former = new Map<bigint, FormerRecord>();
  /** Records that stood in the database and belong to another golden record now. */
  readonly moved = new Set<ResourceId>();
  readonly ledger: PendingLedgerEntry[] = [];
  readonly reviews: PendingReview[] = [];

  add(source: SourceState): void {
    this.sources.set(source.id, source);
    this.golden(source.goldenId).members.add(source.id);
  }

  golden(id: ResourceId): GoldenState {
    let golden = this.goldens.get(id);
    if (!golden) {
      golden = {
        id,
        storedVersion: 0,
        members: new Set(),
        touched: false,
        known: false,
        organisations: [],
        sharedWith: [],
        binding: null,
        loaded: false,
      };
      this.goldens.set(id, golden);
    }
    return golden;
  }

  /** Moves a record to another golden record and marks both for recomputation. */
  place(source: SourceState, goldenId: ResourceId): void {
    const from = this.golden(source.goldenId);
    from.members.delete(source.id);
    from.touched = true;
    source.goldenId = goldenId;
    if (source.storedVersion > 0) this.moved.add(source.id);
    if (source.change === 'none') source.change = 'moved';
    const to = this.golden(goldenId);
    to.members.add(source.id);
    to.touched = true;
  }

  index(tokens: readonly bigint[], id: ResourceId): void {
    for (const token of tokens) {
      const list = this.byToken.get(token);
      if (!list) this.byToken.set(token, [id]);
      else if (!list.includes(id)) list.push(id);
    }
  }

  neverLinked(x: ResourceId, y: ResourceId): boolean {
    // Asked of every candidate, and hardly ever is anybody kept apart.
    return this.neverLinks.size > 0 && this.neverLinks.has(pairKey(x, y));
  }
}

export function orderedPair(x: ResourceId, y: ResourceId): readonly [ResourceId, ResourceId] {
  return x < y ? [x, y] : [y, x];
}

export function pairKey(x: ResourceId, y: ResourceId): string {
  return orderedPair(x, y).join(' ');
}
