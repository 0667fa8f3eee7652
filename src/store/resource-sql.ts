import type { ResourceId } from '../kernel/ids.ts';
import { type Statement, statement } from '../platform/db/sql.ts';

/** Statements on store.resource and store.resource_history. */
export interface ResourceRow {
  readonly type: string;
  readonly id: ResourceId;
  readonly version: number;
  readonly last_updated: Date;
  readonly sealed: Uint8Array | null;
}

const COLUMNS = 'type, id, version, last_updated, sealed';

export const readOne = statement<ResourceRow>(
  'store.read-one',
  `SELECT ${COLUMNS} FROM store.resource WHERE type = $1 AND id = $2`,
);

export const readMany = statement<ResourceRow>(
  'store.read-many',
  `SELECT ${COLUMNS} FROM store.resource WHERE type = $1 AND id = ANY ($2::uuid[])`,
);

export const readVersion = statement<ResourceRow>(
  'store.read-version',
  `SELECT ${COLUMNS} FROM store.resource WHERE type = $1 AND id = $2 AND version = $3
   UNION ALL
   SELECT ${COLUMNS} FROM store.resource_history WHERE type = $1 AND id = $2 AND version = $3`,
);

export const history = statement<ResourceRow>(
  'store.history',
  `SELECT ${COLUMNS} FROM store.resource WHERE type = $1 AND id = $2 AND version < $3
   UNION ALL
   (SELECT ${COLUMNS} FROM store.resource_history WHERE type = $1 AND id = $2 AND version < $3 ORDER BY version DESC LIMIT $4)
   ORDER BY version DESC LIMIT $4`,
);

export const eraseCurrent = statement('store.erase', 'DELETE FROM store.resource WHERE type = $1 AND id = $2');
export const eraseLater = statement(
  'store.erase-later',
  'DELETE FROM store.resource_history WHERE type = $1 AND id = $2 AND version >= $3',
);
export const eraseHistory = statement(
  'store.erase-history',
  'DELETE FROM store.resource_history WHERE type = $1 AND id = $2',
);

/** See migrations/000102-store.sql for why searches are functions, and for their parameters. */
export const searchAll = statement<ResourceRow>(
  'store.search-all',
  `SELECT ${COLUMNS} FROM store.search_all($1, $2::bigint[], $3, $4, $5, $6, $7, $8)`,
);

export const search = statement<ResourceRow>(
  'store.search',
  `SELECT ${COLUMNS} FROM store.search($1, $2::bigint[], $3::text[], $4, $5, $6, $7, $8, $9)`,
);

export interface TokenRow extends ResourceRow {
  /** Place of the token among those asked for, from 1. */
  readonly place: number;
}

/**
 * Several searches of one token each in one round trip. "IS TRUE" hides all but the token from the planner, so that no plan walks
 * another index and filters; see migrations/000102-store.sql.
 */
export const findByTokens = statement<TokenRow>(
  'store.find-by-tokens',
  `SELECT wanted.place::int AS place, found.* FROM unnest($2::bigint[]) WITH ORDINALITY AS wanted (token, place)
   CROSS JOIN LATERAL (
     SELECT ${COLUMNS} FROM store.resource
     WHERE tokens @> ARRAY[wanted.token] AND (sealed IS NOT NULL) IS TRUE AND (type = $1) IS TRUE LIMIT $3
   ) AS found`,
);

/** Puts the index entries of the last writes into their places, so that searches need not read them one by one. */
export const settleTokens = statement('store.settle-tokens', 'SELECT store.settle_tokens()');

export const count = statement<{ candidates: bigint }>(
  'store.count',
  'SELECT store.count_candidates($1, $2::bigint[], $3::text[], $4, $5) AS candidates',
);

/**
 * Rows per statement. Each size is a statement of its own, prepared once per connection, so there are few; what is left of one is
 * filled with nulls, which it skips.
 */
export const WRITE_SIZES = [1, 2, 4, 8, 16, 32, 64] as const;
export type WriteSize = (typeof WRITE_SIZES)[number];
export const WRITE_SIZE_MAX = 64;
export const WRITE_COLUMNS = 6;

function rowsOfParameters(size: WriteSize): string {
  const rows: string[] = [];
  for (let row = 0; row < size; row++) {
    const p = (column: number): string => `$${row * WRITE_COLUMNS + column}`;
    rows.push(
      `(${p(1)}::text, ${p(2)}::uuid, ${p(3)}::integer, ${p(4)}::timestamptz, ${p(5)}::bytea, ${p(6)}::bigint[])`,
    );
  }
  return rows.join(', ');
}

function bySize(make: (size: WriteSize) => Statement<never>): Readonly<Record<WriteSize, Statement<never>>> {
  return { 1: make(1), 2: make(2), 4: make(4), 8: make(8), 16: make(16), 32: make(32), 64: make(64) };
}

/** First versions. A row that exists already is a unique violation. */
export const insertRows = bySize((size) =>
  statement(
    `store.insert-${size}`,
    `INSERT INTO store.resource (${COLUMNS}, tokens)
     SELECT * FROM (VALUES ${rowsOfParameters(size)}) AS input (${COLUMNS}, tokens) WHERE id IS NOT NULL`,
  ),
);

/** Later versions. A row whose current version is not the one before is left alone, and missing from the count. */
export const updateRows = bySize((size) =>
  statement(
    `store.update-${size}`,
    `WITH input (${COLUMNS}, tokens) AS (VALUES ${rowsOfParameters(size)}),
     moved AS (
       INSERT INTO store.resource_history (${COLUMNS})
       SELECT r.type, r.id, r.version, r.last_updated, r.sealed
       FROM input i JOIN store.resource r ON r.type = i.type AND r.id = i.id AND r.version = i.version - 1
       -- Another writer of the same version got here first: the update below will then find nothing either.
       ON CONFLICT DO NOTHING
     )
     UPDATE store.resource r
     SET version = i.version, last_updated = i.last_updated, sealed = i.sealed, tokens = i.tokens
     FROM input i
     WHERE r.type = i.type AND r.id = i.id AND r.version = i.version - 1`,
  ),
);

/**
 * The same for any number of rows, from columns: type, id, version, last_updated, sealed; all tokens one behind the other, and where
 * each row's begin and end in them, from 1.
 */
const PACKED = `SELECT i.type, i.id, i.version, i.last_updated, i.sealed, ($6::bigint[])[i.first_token:i.last_token]
   FROM unnest($1::text[], $2::uuid[], $3::int[], $4::timestamptz[], $5::bytea[], $7::int[], $8::int[])
     AS i (${COLUMNS}, first_token, last_token)`;

export const insertPacked = statement(
  'store.insert-packed',
  `INSERT INTO store.resource (${COLUMNS}, tokens) ${PACKED}`,
);

/** From each row to the one it replaces, one look-up each: planned while there were few, a join would read them all for ever. */
export const updatePacked = statement(
  'store.update-packed',
  `WITH input (${COLUMNS}, tokens) AS MATERIALIZED (${PACKED}),
   former AS MATERIALIZED (
     SELECT f.* FROM input i CROSS JOIN LATERAL (
       SELECT r.type, r.id, r.version, r.last_updated, r.sealed FROM store.resource r
       WHERE r.type = i.type AND r.id = i.id AND r.version = i.version - 1 OFFSET 0
     ) AS f
   ),
   moved AS (INSERT INTO store.resource_history (${COLUMNS}) SELECT * FROM former ON CONFLICT DO NOTHING)
   UPDATE store.resource r
   SET version = i.version, last_updated = i.last_updated, sealed = i.sealed, tokens = i.tokens
   FROM input i
   WHERE r.type = i.type AND r.id = i.id AND r.version = i.version - 1`,
);
