/** Rows of a round of new records laid out as PostgreSQL takes them, in the order of `insertNew` (round-store.ts). */
import {
  boolArray,
  byteaArray,
  float4Array,
  int4Array,
  int8Array,
  textArray,
  timestamptzArray,
  uuidArray,
} from '../../platform/db/index.ts';
import type { NewReview } from './round-store.ts';
import type { GoldenRow, LedgerRow, SourceRow } from './store.ts';

export interface RowsToPack {
  readonly sources: readonly SourceRow[];
  /** Blocking keys of each source, one behind the other. */
  readonly keys: BigInt64Array;
  /** Which source each of them is of. */
  readonly keySources: Uint16Array;
  readonly goldens: readonly GoldenRow[];
  readonly reviews: readonly NewReview[];
  readonly ledger: readonly LedgerRow[];
}

export function packNew(rows: RowsToPack): Uint8Array[] {
  return [
    ...sourceColumns(rows.sources),
    ...keyColumns(rows),
    ...goldenColumns(rows.goldens),
    ...reviewColumns(rows.reviews),
    ...ledgerColumns(rows.ledger),
  ];
}

const sourceColumns = (rows: readonly SourceRow[]): Uint8Array[] => [
  uuidArray(rows.map((row) => row.source_id)),
  uuidArray(rows.map((row) => row.golden_id)),
  int4Array(rows.map((row) => row.domain_id)),
  int8Array(rows.map((row) => row.key_token)),
  int4Array(rows.map((row) => row.version)),
  boolArray(rows.map((row) => row.pinned)),
  byteaArray(rows.map((row) => row.match_record)),
];

/** Room for the number of a key in the round. */
const PLACE_BITS = 16n;
const PLACE_MASK = (1n << PLACE_BITS) - 1n;

/**
 * Sorted, so that neighbouring entries fall on the same index pages. By the upper 48 bits, with the place in the lower ones: that
 * sorts in the array itself, and is near enough.
 */
function keyColumns({ sources, keys, keySources }: RowsToPack): Uint8Array[] {
  if (keys.length > Number(PLACE_MASK)) throw new RangeError('too many blocking keys for one round');
  const order = new BigInt64Array(keys.length);
  for (let place = 0; place < keys.length; place++) {
    order[place] = ((keys[place] as bigint) & ~PLACE_MASK) | BigInt(place);
  }
  order.sort();
  const places = Array.from(order, (entry) => Number(entry & PLACE_MASK));
  return [
    int8Array(places.map((place) => keys[place] as bigint)),
    uuidArray(places.map((place) => sources[keySources[place] as number]?.source_id ?? null)),
  ];
}

const goldenColumns = (rows: readonly GoldenRow[]): Uint8Array[] => [
  uuidArray(rows.map((row) => row.golden_id)),
  int4Array(rows.map((row) => row.version)),
  timestamptzArray(rows.map((row) => row.updated_at.getTime())),
  uuidArray(rows.map((row) => row.replaced_by)),
  boolArray(rows.map((row) => row.deleted)),
  textArray(rows.map((row) => `{${row.organisations.join(',')}}`)),
  textArray(rows.map((row) => `{${row.shared_with.join(',')}}`)),
  int8Array(rows.map((row) => row.binding)),
];

const reviewColumns = (rows: readonly NewReview[]): Uint8Array[] => [
  uuidArray(rows.map((row) => row.review_id)),
  uuidArray(rows.map((row) => row.a)),
  uuidArray(rows.map((row) => row.b)),
  textArray(rows.map((row) => row.cause)),
  float4Array(rows.map((row) => row.score)),
  textArray(rows.map((row) => row.grade)),
  textArray(rows.map((row) => row.model_version)),
  timestamptzArray(rows.map((row) => row.created_at.getTime())),
];

const ledgerColumns = (rows: readonly LedgerRow[]): Uint8Array[] => [
  uuidArray(rows.map((row) => row.golden_id)),
  uuidArray(rows.map((row) => row.entry_id)),
  textArray(rows.map((row) => row.kind)),
  timestamptzArray(rows.map((row) => row.at.getTime())),
  uuidArray(rows.map((row) => row.source_id)),
  uuidArray(rows.map((row) => row.other_source_id)),
  uuidArray(rows.map((row) => row.other_golden_id)),
  byteaArray(rows.map((row) => row.detail)),
];
