import { statement } from '../../platform/db/index.ts';

/** SQL of this feature's tables. */
export interface UploadRow {
  readonly upload_id: string;
  readonly size_bytes: bigint;
  readonly format: 'csv' | 'ndjson';
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly load_id: string | null;
  readonly organisation_id: string | null;
  readonly detail: Buffer;
}

export interface LoadRow {
  readonly load_id: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly upload_id: string | null;
  readonly format: 'csv' | 'ndjson';
  readonly domain: string;
  readonly dry_run: boolean;
  readonly bytes_total: bigint;
  readonly bytes_done: bigint;
  readonly rows_done: bigint;
  readonly count_read: bigint;
  readonly count_created: bigint;
  readonly count_updated: bigint;
  readonly count_unchanged: bigint;
  readonly count_linked: bigint;
  readonly count_reviews: bigint;
  readonly count_rejected: bigint;
  readonly count_warnings: bigint;
  readonly work_ms: bigint;
  readonly error_code: string | null;
  readonly started_at: Date;
  readonly touched_at: Date;
  readonly finished_at: Date | null;
  readonly organisation_id: string | null;
  /** Of the registry, while it is read for a large load. */
  readonly registry_read: bigint | null;
  readonly registry_total: bigint | null;
  readonly detail: Buffer;
}

const UPLOAD = 'upload_id, size_bytes, format, created_at, expires_at, load_id, organisation_id, detail';
const LOAD =
  'load_id, state, upload_id, format, domain, dry_run, bytes_total, bytes_done, rows_done, count_read, count_created, count_updated, ' +
  'count_unchanged, count_linked, count_reviews, count_rejected, count_warnings, work_ms, error_code, started_at, touched_at, finished_at, organisation_id, registry_read, registry_total, detail';

export const insertUpload = statement(
  'load.insert-upload',
  `INSERT INTO load.upload (upload_id, size_bytes, format, created_at, expires_at, detail, organisation_id)
   VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);
export const readUpload = statement<UploadRow>(
  'load.read-upload',
  `SELECT ${UPLOAD} FROM load.upload WHERE upload_id = $1`,
);
export const lockUpload = statement<UploadRow>(
  'load.lock-upload',
  `SELECT ${UPLOAD} FROM load.upload WHERE upload_id = $1 FOR UPDATE`,
);
/** With whether a load of it waits or runs. */
export const waitingUploads = statement<UploadRow & { readonly busy: boolean }>(
  'load.waiting-uploads',
  `SELECT ${UPLOAD}, EXISTS (SELECT FROM load.load l WHERE l.load_id = upload.load_id AND l.state IN ('waiting', 'running')) AS busy
   FROM load.upload WHERE expires_at >= $1 ORDER BY created_at DESC, upload_id DESC LIMIT 1000`,
);
export const isLoading = statement<{ readonly one: number }>(
  'load.is-loading',
  `SELECT 1 AS one FROM load.load WHERE load_id = $1 AND state IN ('waiting', 'running')`,
);
/** $1 organisation; null: nobody's. */
export const waitingBytesOf = statement<{ readonly bytes: bigint }>(
  'load.waiting-bytes-of',
  'SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes FROM load.upload WHERE organisation_id IS NOT DISTINCT FROM $1',
);
export const claimUpload = statement('load.claim-upload', 'UPDATE load.upload SET load_id = $2 WHERE upload_id = $1');
export const deleteUpload = statement('load.delete-upload', 'DELETE FROM load.upload WHERE upload_id = $1');
export const expiredUploads = statement<{ upload_id: string }>(
  'load.expired-uploads',
  `SELECT u.upload_id FROM load.upload u WHERE u.expires_at < $1 AND NOT EXISTS
     (SELECT FROM load.load l WHERE l.load_id = u.load_id AND l.state IN ('waiting', 'running')) LIMIT 100`,
);
/** Pieces of uploads that never became whole; ids are time-ordered, so an old one is a smaller one. */
export const deleteOrphans = statement(
  'load.delete-orphans',
  `DELETE FROM load.upload_piece p WHERE p.upload_id < $1 AND NOT EXISTS (SELECT FROM load.upload u WHERE u.upload_id = p.upload_id)`,
);

export const insertLoad = statement(
  'load.insert',
  `INSERT INTO load.load (load_id, state, upload_id, format, domain, dry_run, bytes_total, started_at, touched_at, detail)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)`,
);
export const readLoad = statement<LoadRow>('load.read', `SELECT ${LOAD} FROM load.load WHERE load_id = $1`);
export const listLoads = statement<LoadRow>(
  'load.list',
  `SELECT ${LOAD} FROM load.load WHERE $2::uuid[] IS NULL OR organisation_id = ANY ($2)
   ORDER BY started_at DESC, load_id DESC LIMIT $1`,
);
/** $2: the organisation in which it was started. */
export const ownLoad = statement('load.own', 'UPDATE load.load SET organisation_id = $2 WHERE load_id = $1');
export const beginLoad = statement<LoadRow>(
  'load.begin',
  `UPDATE load.load SET state = 'running', touched_at = $2 WHERE load_id = $1 AND state IN ('waiting', 'running') RETURNING ${LOAD}`,
);
/** Forgets what a dry run found so far: it keeps nothing, so it begins anew. */
export const resetCounts = statement(
  'load.reset',
  `UPDATE load.load SET rows_done = 0, bytes_done = 0, count_read = 0, count_created = 0, count_updated = 0, count_unchanged = 0,
     count_linked = 0, count_reviews = 0, count_rejected = 0, count_warnings = 0 WHERE load_id = $1`,
);
/** Refuses (no row) when somebody else has gone on, or the load was cancelled: the batch's transaction must then not commit. */
export const advanceLoad = statement<{ load_id: string }>(
  'load.advance',
  `UPDATE load.load SET rows_done = $3, bytes_done = $4, touched_at = $5, work_ms = work_ms + $6,
     count_read = count_read + $7, count_created = count_created + $8, count_updated = count_updated + $9,
     count_unchanged = count_unchanged + $10, count_linked = count_linked + $11, count_reviews = count_reviews + $12,
     count_rejected = count_rejected + $13, count_warnings = count_warnings + $14, registry_read = NULL, registry_total = NULL
   WHERE load_id = $1 AND rows_done = $2 AND state = 'running' RETURNING load_id`,
);
/** $2 records of the registry are read, of about $3. */
export const noteReading = statement(
  'load.note-reading',
  `UPDATE load.load SET registry_read = $2, registry_total = $3, touched_at = $4 WHERE load_id = $1 AND state = 'running'`,
);
export const finishLoad = statement<{ load_id: string }>(
  'load.finish',
  `UPDATE load.load SET state = $2, error_code = $3, finished_at = $4, touched_at = $4 WHERE load_id = $1 AND state IN ('waiting', 'running')
   RETURNING load_id`,
);
export const insertNotice = statement(
  'load.insert-notice',
  `INSERT INTO load.notice (load_id, kind, seq, rows, content) VALUES ($1, $2, $3, $4, $5)`,
);
export const deleteNotices = statement('load.delete-notices', 'DELETE FROM load.notice WHERE load_id = $1');
export const readNotices = statement<{ seq: bigint; content: Buffer }>(
  'load.read-notices',
  `SELECT seq, content FROM load.notice WHERE load_id = $1 AND kind = $2 AND seq > $3 ORDER BY seq LIMIT 20`,
);
export const figures = statement<{ state: LoadRow['state']; count: bigint }>(
  'load.figures',
  'SELECT state, count(*) AS count FROM load.load WHERE started_at > $1 GROUP BY state',
);

export interface MappingRow {
  readonly name: string;
  /** All zeros: everybody's. */
  readonly organisation_id: string;
  readonly updated_at: Date;
  readonly detail: Buffer;
}
/** $1 own organisation. Its own mapping of a name goes before everybody's. */
export const listMappings = statement<MappingRow>(
  'load.list-mappings',
  `SELECT name, organisation_id, updated_at, detail FROM (
     SELECT DISTINCT ON (name) name, organisation_id, updated_at, detail FROM load.mapping
     WHERE organisation_id IN ($1, '00000000-0000-0000-0000-000000000000') ORDER BY name, organisation_id DESC) m
   ORDER BY lower(name), name LIMIT 500`,
);
export const saveMapping = statement(
  'load.save-mapping',
  `INSERT INTO load.mapping (organisation_id, name, updated_at, detail) VALUES ($1, $2, $3, $4)
   ON CONFLICT (organisation_id, name) DO UPDATE SET updated_at = excluded.updated_at, detail = excluded.detail`,
);
export const deleteMapping = statement<{ name: string }>(
  'load.delete-mapping',
  'DELETE FROM load.mapping WHERE organisation_id = $1 AND name = $2 RETURNING name',
);
