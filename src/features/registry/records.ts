/** Opens source rows into what scoring reads, and keeps the recently used ones prepared. */
import { sealedAtRest } from '../../crypto/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { KeyRing } from '../../store/index.ts';
import { decodeRecord, encodeRecord, type MatchRecord } from '../matching/index.ts';
import type { SourceState } from './batch-state.ts';
import { RECORD_CACHE_MAX } from './bounds.ts';
import type { Matcher, PreparedRecord } from './matcher.ts';
import { isBroken } from './newest.ts';
import type { SourceRow } from './store.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const context = (id: ResourceId, version: number) => ({ table: 'registry.source', type: 'match-record', id, version });

interface CachedRecord {
  /** End of the sealed bytes it was opened from. A version number is no name: what a transaction wrote may have been undone. */
  readonly tag: string;
  readonly record: MatchRecord;
  readonly prepared: PreparedRecord;
}

type SealedRecord = Pick<SourceRow, 'source_id' | 'version' | 'match_record'>;

export interface Records {
  open(row: SourceRow): SourceState;
  /** What scoring reads of a stored record, and nothing else. */
  prepared(row: SealedRecord): PreparedRecord;
  seal(id: ResourceId, version: number, record: MatchRecord): Uint8Array;
  blindKeys(prepared: PreparedRecord): readonly bigint[];
  /** Both at once: what to write, and what to look for. */
  bothKeys(prepared: PreparedRecord): { readonly current: readonly bigint[]; readonly lookup: readonly bigint[] };
  /** Whether records may still have keys of models that decided before. */
  readonly hasFormer: boolean;
  /** Tokens to look for: under every index key still in use. */
  lookupKeys(prepared: PreparedRecord): readonly bigint[];
}

const BLOCKING = 'registry.blocking';

/** Whether what a record is compared by is as it was sealed. */
export function opensRecord(keyRing: Pick<KeyRing, 'open'>, row: SealedRecord): boolean {
  try {
    keyRing.open(sealedAtRest(row.match_record), context(row.source_id, row.version));
    return true;
  } catch (error) {
    if (isBroken(error)) return false;
    throw error;
  }
}

/** `text`: what `encodeRecord` made of the record. */
export function sealMatchRecord(
  keyRing: Pick<KeyRing, 'seal'>,
  { source_id: id, version }: Pick<SourceRow, 'source_id' | 'version'>,
  text: string,
): Uint8Array {
  return keyRing.seal(encoder.encode(text), context(id, version));
}

export function createRecords(keyRing: KeyRing, matcher: Matcher): Records {
  // Two halves, the older of which goes when the newer is full: a single map would pass over ever more deleted places.
  let newer = new Map<ResourceId, CachedRecord>();
  let older = new Map<ResourceId, CachedRecord>();
  const remember = (id: ResourceId, cached: CachedRecord) => {
    if (newer.size >= RECORD_CACHE_MAX / 2) {
      older = newer;
      newer = new Map();
    }
    newer.set(id, cached);
  };
  const cached = (row: SealedRecord): CachedRecord => {
    const tag = tagOf(row.match_record);
    const known = newer.get(row.source_id) ?? older.get(row.source_id);
    if (known?.tag === tag) return known;
    const plain = keyRing.open(sealedAtRest(row.match_record), context(row.source_id, row.version));
    const record = recordOf(decoder.decode(plain));
    const fresh = { tag, record, prepared: matcher.prepare(record) };
    remember(row.source_id, fresh);
    return fresh;
  };
  const withFormer = (prepared: PreparedRecord, own: readonly bigint[]): readonly bigint[] => {
    const former = matcher.formerKeys(prepared);
    return former.length === 0 ? own : [...own, ...former.flatMap((key) => keyRing.blindAll(BLOCKING, key))];
  };
  return {
    open(row) {
      const { record, prepared } = cached(row);
      return {
        id: row.source_id,
        goldenId: row.golden_id,
        domainId: row.domain_id,
        keyToken: row.key_token,
        storedVersion: row.version,
        version: row.version,
        pinned: row.pinned,
        record,
        prepared,
        storedTokens: undefined,
        tokens: undefined,
        patient: undefined,
        lastUpdatedMs: 0,
        change: 'none',
      };
    },
    prepared: (row) => cached(row).prepared,
    seal: (source_id, version, record) => sealMatchRecord(keyRing, { source_id, version }, encodeRecord(record)),
    bothKeys(prepared) {
      const keys = matcher.keys(prepared);
      const own = keys.flatMap((key) => keyRing.blindAll(BLOCKING, key));
      // One index key in use, as always but during a rotation: both are the same tokens, made once.
      const current = own.length === keys.length ? own : keys.map((key) => keyRing.blind(BLOCKING, key));
      return { current, lookup: withFormer(prepared, own) };
    },
    hasFormer: matcher.hasFormer,
    blindKeys: (prepared) => matcher.keys(prepared).map((key) => keyRing.blind(BLOCKING, key)),
    lookupKeys: (prepared) =>
      withFormer(
        prepared,
        matcher.keys(prepared).flatMap((key) => keyRing.blindAll(BLOCKING, key)),
      ),
  };
}

/** Earlier versions wrote the record as it is; the seal vouches for either shape. */
function recordOf(text: string): MatchRecord {
  return text.startsWith('[') ? decodeRecord(text) : (JSON.parse(text) as MatchRecord);
}

const TAG_BYTES = 16;

/** Every seal has a nonce and so a tag of its own. As text, since a slice would keep the whole row in memory. */
function tagOf(sealed: Uint8Array): string {
  const { buffer, byteOffset, length } = sealed;
  const from = Math.max(0, length - TAG_BYTES);
  return Buffer.from(buffer, byteOffset + from, length - from).toString('latin1');
}

/** The blind token of a record's own identifier in its domain. */
export function keyTokenOf(keyRing: KeyRing, domainId: number, key: string): bigint {
  return keyRing.blind('registry.key', `${domainId}|${key}`);
}

export function keyTokensOf(keyRing: KeyRing, domainId: number, key: string): readonly bigint[] {
  return keyRing.blindAll('registry.key', `${domainId}|${key}`);
}
