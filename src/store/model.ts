import type { ResourceId } from '../kernel/ids.ts';
import type { Sql, Transaction } from '../platform/db/sql.ts';

/** One version of one resource as the store hands it out: opened. `content` is the resource's JSON, UTF-8; null when deleted. */
export interface StoredResource {
  readonly type: string;
  readonly id: ResourceId;
  /** 1 for the first version; becomes meta.versionId. */
  readonly version: number;
  readonly lastUpdatedMs: number;
  readonly content: Uint8Array | null;
}

/** One version to write. Version 1 inserts; version n > 1 moves version n-1 into the history, or refuses if that is not current. */
export interface ResourceWrite {
  readonly type: string;
  readonly id: ResourceId;
  readonly version: number;
  readonly lastUpdatedMs: number;
  readonly content: Uint8Array | null;
  /** Blind tokens to find it by; empty for records that are reached through another one. */
  readonly tokens: readonly bigint[];
}

/** AND of ORs of blind tokens, as the database searches it. The caller filters exactly what comes back. */
export interface TokenQuery {
  readonly type: string;
  readonly allOf: readonly (readonly bigint[])[];
  readonly lastUpdated?: { readonly fromMs?: number; readonly beforeMs?: number };
  readonly order: 'id' | 'last-updated' | 'last-updated-descending';
  /** Rows strictly after this one in the order given. */
  readonly after?: { readonly lastUpdatedMs: number; readonly id: ResourceId };
  readonly limit: number;
}

/** What is made new for all rows: `data` re-seals them under the new data key, `index` computes their tokens anew. */
export type RotationKind = 'data' | 'index';

/**
 * A feature's sealed or tokened rows, as a key rotation walks over them. Every table that holds `SealedAtRest` bytes or blind
 * tokens of the record family belongs to one participant; what is left out becomes unreadable or unfindable when the old key
 * is destroyed. Rows of the audit family take no part.
 */
export interface ResealParticipant {
  /** Table or feature name, unique and stable: progress is kept under it. */
  readonly name: string;
  readonly kinds: readonly RotationKind[];
  /** Rows that a rotation of this kind will visit, for the progress shown; need not be exact. */
  count(sql: Sql, kind: RotationKind): Promise<number>;
  /**
   * Makes up to `limit` rows after `cursor` new with `KeyRing.seal`/`blind`, in the order of a key that does not change.
   * Locks the rows it reads (`FOR UPDATE`), since the feature goes on writing them. Must do no harm when it visits a row twice.
   */
  resealBatch(tx: Transaction, batch: ResealBatch): Promise<ResealProgress>;
}

export interface ResealBatch {
  readonly kind: RotationKind;
  /** What the last batch returned; undefined for the first. */
  readonly cursor: string | undefined;
  readonly limit: number;
}

export interface ResealProgress {
  /** Where the next batch begins; undefined when no rows are left. */
  readonly cursor: string | undefined;
  readonly visited: number;
}
