/** What studies of models read: records by chance, and pairs that people decided. Plaintext stays in memory. */
import type { ResourceId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { MatchRecord } from '../matching/index.ts';
import type { RoundDeps } from './round-loading.ts';
import { readSources, SOURCE_COLUMNS, type SourceRow } from './store.ts';

const NIL = '00000000-0000-0000-0000-000000000000';
/** Shares are drawn by a hash of the id: the same for the same seed, whatever the order. */
const PARTS = 1 << 20;

const drawn = statement<SourceRow>(
  'registry.study-drawn',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source
   WHERE source_id > $1 AND (hashtextextended(source_id::text, $2) & ${PARTS - 1}) < $3 ORDER BY source_id LIMIT $4`,
);

export interface Draw {
  readonly seed: number;
  /** 0..1 of all records. */
  readonly share: number;
}

export function drawnRows(
  sql: Sql,
  draw: Draw,
  page: { readonly after: ResourceId | undefined; readonly limit: number },
): Promise<SourceRow[]> {
  return sql.rows(drawn, [page.after ?? NIL, draw.seed, Math.ceil(draw.share * PARTS), page.limit]);
}

/** Records drawn by chance, page by page. */
export async function* drawRecords(
  deps: RoundDeps,
  draw: Draw,
  pageSize: number,
): AsyncGenerator<readonly MatchRecord[]> {
  for (let after: ResourceId | undefined; ; ) {
    const rows = await drawnRows(deps.database, draw, { after, limit: pageSize });
    if (rows.length === 0) return;
    yield rows.map((row) => deps.records.open(row).record);
    after = rows.at(-1)?.source_id;
  }
}

/**
 * What people said of two records: a review decided by hand, a link judged again without its score, two set apart. The latest word
 * counts where there are several.
 */
const decided = statement<{ readonly a: ResourceId; readonly b: ResourceId; readonly same: boolean }>(
  'registry.study-decided',
  `SELECT DISTINCT ON (a, b) a, b, same FROM (
     SELECT a, b, decision = 'link' AS same, decided_at AS at FROM registry.review
       WHERE state = 'decided' AND entry_id IS NOT NULL AND decision IS NOT NULL
     UNION ALL
     SELECT least(a, b), greatest(a, b), verdict = 'right', judged_at FROM registry.link_check WHERE verdict IN ('right', 'wrong')
     UNION ALL
     SELECT a, b, false, '-infinity'::timestamptz FROM registry.never_link
   ) AS said
   WHERE EXISTS (SELECT FROM registry.source WHERE source_id = a) AND EXISTS (SELECT FROM registry.source WHERE source_id = b)
   ORDER BY a, b, at DESC LIMIT $1`,
);

const LABELS_MAX = 20_000;

export interface LabelledPair {
  readonly a: MatchRecord;
  readonly b: MatchRecord;
  readonly same: boolean;
}

export async function countLabels(sql: Sql): Promise<{ readonly same: number; readonly different: number }> {
  const rows = await sql.rows(decided, [LABELS_MAX]);
  const same = rows.filter((row) => row.same).length;
  return { same, different: rows.length - same };
}

export async function labelledPairs(deps: RoundDeps): Promise<LabelledPair[]> {
  const pairs = await deps.database.rows(decided, [LABELS_MAX]);
  const records = new Map<ResourceId, MatchRecord>();
  const ids = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  for (let at = 0; at < ids.length; at += 500) {
    for (const row of await readSources(deps.database, ids.slice(at, at + 500))) {
      records.set(row.source_id, deps.records.open(row).record);
    }
  }
  return pairs.flatMap(({ a, b, same }) => {
    const [left, right] = [records.get(a), records.get(b)];
    return left && right ? [{ a: left, b: right, same }] : [];
  });
}
