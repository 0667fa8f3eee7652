import type { ResourceId } from '../kernel/ids.ts';

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
