import type { NodeId } from '../../kernel/ids.ts';
import { statement } from '../../platform/db/index.ts';

/** SQL for the calls of nodes. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

export const INSERT_CALLS = statement(
  'nodes.insert-calls',
  `INSERT INTO nodes.call (at, node_id, method, route, status, code, duration_ms, bytes_in, bytes_out, request_id)
   SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::real[],
     $8::integer[], $9::integer[], $10::text[])`,
);

/** Workers count the same minute; buckets are added up place by place. */
export const UPSERT_MINUTES = statement(
  'nodes.upsert-minutes',
  `INSERT INTO nodes.call_minute AS had (minute, node_id, route, status_class, calls, total_ms, max_ms, buckets)
   SELECT minute, node_id, route, status_class, calls, total_ms, max_ms, buckets::integer[]
   FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::smallint[], $5::integer[], $6::float8[], $7::real[], $8::text[])
     AS new (minute, node_id, route, status_class, calls, total_ms, max_ms, buckets)
   ON CONFLICT (minute, node_id, route, status_class) DO UPDATE SET
     calls = had.calls + excluded.calls, total_ms = had.total_ms + excluded.total_ms,
     max_ms = greatest(had.max_ms, excluded.max_ms),
     buckets = (SELECT array_agg(a + b ORDER BY i) FROM unnest(had.buckets, excluded.buckets) WITH ORDINALITY AS pair (a, b, i))`,
);

export const CLEAR_CALLS = statement('nodes.clear-calls', 'DELETE FROM nodes.call WHERE at < $1');
export const CLEAR_MINUTES = statement('nodes.clear-minutes', 'DELETE FROM nodes.call_minute WHERE minute < $1');

export interface CallRow {
  readonly id: bigint;
  readonly at: Date;
  readonly node_id: NodeId | null;
  readonly node_name: string | null;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly code: string | null;
  readonly duration_ms: number;
  readonly bytes_in: number | null;
  readonly bytes_out: number | null;
  readonly request_id: string;
}

/**
 * Of every organisation's nodes, and of nobody we know: who may ask, may see all.
 * $1 node, $2 from, $3 to, $4 lowest and $5 highest status, $6 request id, $7 before this id, $8 how many.
 */
export const LIST_CALLS = statement<CallRow>(
  'nodes.list-calls',
  `SELECT c.id, c.at, c.node_id, n.name AS node_name, c.method, c.route, c.status, c.code, c.duration_ms, c.bytes_in, c.bytes_out,
     c.request_id
   FROM nodes.call c LEFT JOIN nodes.node n ON n.id = c.node_id
   WHERE ($1::uuid IS NULL OR c.node_id = $1) AND ($2::timestamptz IS NULL OR c.at >= $2)
     AND ($3::timestamptz IS NULL OR c.at < $3) AND c.status BETWEEN $4 AND $5
     AND ($6::text IS NULL OR c.request_id = $6) AND ($7::bigint IS NULL OR c.id < $7)
   ORDER BY c.id DESC LIMIT $8`,
);

export interface FailureRow {
  readonly node_id: NodeId | null;
  readonly node_name: string | null;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly code: string | null;
  readonly calls: number;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly last_request: string;
}

/** $1 node, $2 from, $3 to. */
export const GROUP_FAILURES = statement<FailureRow>(
  'nodes.group-failures',
  `SELECT c.node_id, n.name AS node_name, c.method, c.route, c.status, c.code, count(*)::int AS calls,
     min(c.at) AS first_at, max(c.at) AS last_at, (array_agg(c.request_id ORDER BY c.id DESC))[1] AS last_request
   FROM nodes.call c LEFT JOIN nodes.node n ON n.id = c.node_id
   WHERE c.status >= 400 AND ($1::uuid IS NULL OR c.node_id = $1) AND c.at >= $2 AND c.at < $3
   GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY calls DESC, last_at DESC LIMIT 100`,
);

export interface FigureRow {
  readonly slot: Date;
  readonly calls: number;
  readonly failed: number;
  readonly total_ms: number;
  readonly max_ms: number;
  readonly buckets: number[];
}

/** $1 node, $2 from, $3 to, $4 seconds per slot. */
export const READ_FIGURES = statement<FigureRow>(
  'nodes.read-figures',
  `WITH minutes AS (
     SELECT to_timestamp(floor(extract(epoch FROM c.minute) / $4) * $4) AS slot, c.* FROM nodes.call_minute c
     WHERE ($1::uuid IS NULL OR c.node_id = $1)
       AND c.minute >= $2 AND c.minute < $3
   ), added AS (
     SELECT slot, i, sum(b)::int AS b FROM minutes, unnest(buckets) WITH ORDINALITY AS bucket (b, i) GROUP BY slot, i
   )
   SELECT m.slot, sum(m.calls)::int AS calls, coalesce(sum(m.calls) FILTER (WHERE m.status_class >= 4), 0)::int AS failed,
     sum(m.total_ms)::float8 AS total_ms, max(m.max_ms)::float8 AS max_ms,
     (SELECT array_agg(a.b ORDER BY a.i) FROM added a WHERE a.slot = m.slot) AS buckets
   FROM minutes m GROUP BY m.slot ORDER BY m.slot`,
);
