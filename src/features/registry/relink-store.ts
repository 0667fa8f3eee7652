/** SQL of re-linking: the walk over all records, and what was moved. */
import type { Branded, LinkEntryId, ResourceId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { SOURCE_COLUMNS, type SourceRow } from './store.ts';

/** One time that another model took over. */
export type ActivationId = Branded<'ActivationId'>;

export interface Move {
  readonly sourceId: ResourceId;
  readonly from: ResourceId;
  readonly to: ResourceId;
  readonly entryId: LinkEntryId;
}

export interface MoveRow {
  readonly move: bigint;
  readonly source_id: ResourceId;
  readonly from_golden: ResourceId;
  readonly to_golden: ResourceId;
  readonly entry_id: LinkEntryId;
}

const LEAST_TOKEN = -(2n ** 63n);
const NIL = '00000000-0000-0000-0000-000000000000';

const nextSources = statement<SourceRow>(
  'registry.relink-next',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE source_id > $1 ORDER BY source_id LIMIT $2`,
);
export interface KeyRow {
  readonly token: bigint;
  readonly source_id: ResourceId;
}
/** In the order of the primary key. */
const nextKeys = statement<KeyRow>(
  'registry.relink-next-keys',
  `SELECT token, source_id FROM registry.blocking_key WHERE (token, source_id) > ($1::bigint, $2::uuid)
   ORDER BY token, source_id LIMIT $3`,
);
const sourcesOf = statement<SourceRow>(
  'registry.relink-sources',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE source_id = ANY($1::uuid[])`,
);
const insertMoves = statement(
  'registry.relink-insert-moves',
  `INSERT INTO registry.relink_move (activation_id, source_id, from_golden, to_golden, entry_id)
   SELECT $1, m.source_id, m.from_golden, m.to_golden, m.entry_id
   FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[]) WITH ORDINALITY AS m(source_id, from_golden, to_golden, entry_id, at)
   ORDER BY m.at`,
);
const noteReviews = statement(
  'registry.relink-note-reviews',
  `INSERT INTO registry.relink_review (activation_id, review_id)
   SELECT $1, r.review_id FROM registry.review AS r JOIN unnest($2::uuid[], $3::uuid[]) AS pair(a, b) ON r.a = pair.a AND r.b = pair.b
   WHERE r.state = 'open' AND r.created_at = $4 ON CONFLICT DO NOTHING`,
);
const standingMoves = statement<MoveRow>(
  'registry.relink-standing-moves',
  `SELECT move, source_id, from_golden, to_golden, entry_id FROM registry.relink_move
   WHERE activation_id = $1 AND undone IS NULL ORDER BY move DESC LIMIT $2`,
);
const markMoves = statement(
  'registry.relink-mark-moves',
  `UPDATE registry.relink_move AS m SET undone = d.undone FROM unnest($2::bigint[], $3::text[]) AS d(move, undone)
   WHERE m.activation_id = $1 AND m.move = d.move`,
);
/** Nobody has looked at these: what a steward took, proposed or decided stays. */
const dropReviews = statement(
  'registry.relink-drop-reviews',
  `DELETE FROM registry.review AS r USING registry.relink_review AS n
   WHERE n.activation_id = $1 AND r.review_id = n.review_id AND r.state = 'open' AND r.assignee IS NULL AND r.proposed_by IS NULL`,
);
const countMoves = statement<{ readonly n: number }>(
  'registry.relink-count-moves',
  'SELECT count(*)::int AS n FROM registry.relink_move WHERE activation_id = $1 AND undone IS NULL',
);

export const relinkStore = {
  next: (sql: Sql, after: ResourceId | undefined, limit: number) => sql.rows(nextSources, [after ?? NIL, limit]),
  nextKeys: (sql: Sql, after: KeyRow | undefined, limit: number) =>
    sql.rows(nextKeys, [after?.token ?? LEAST_TOKEN, after?.source_id ?? NIL, limit]),
  sources: (sql: Sql, ids: readonly ResourceId[]) => sql.rows(sourcesOf, [ids]),
  async insertMoves(tx: Transaction, id: ActivationId, moves: readonly Move[]): Promise<void> {
    if (moves.length === 0) return;
    await tx.run(insertMoves, [
      id,
      moves.map((one) => one.sourceId),
      moves.map((one) => one.from),
      moves.map((one) => one.to),
      moves.map((one) => one.entryId),
    ]);
  },
  /** Answers how many were opened; those that waited already are not counted. */
  async noteReviews(
    tx: Transaction,
    id: ActivationId,
    opened: { readonly pairs: readonly (readonly [ResourceId, ResourceId])[]; readonly at: Date },
  ): Promise<number> {
    if (opened.pairs.length === 0) return 0;
    const { pairs, at } = opened;
    return await tx.run(noteReviews, [id, pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1]), at]);
  },
  /** Newest first. */
  standing: (sql: Sql, id: ActivationId, limit: number) => sql.rows(standingMoves, [id, limit]),
  async mark(
    tx: Transaction,
    id: ActivationId,
    moves: readonly { readonly move: bigint; readonly undone: 'taken-back' | 'kept' }[],
  ): Promise<void> {
    if (moves.length > 0) await tx.run(markMoves, [id, moves.map((one) => one.move), moves.map((one) => one.undone)]);
  },
  dropReviews: (tx: Transaction, id: ActivationId) => tx.run(dropReviews, [id]),
  async count(sql: Sql, id: ActivationId): Promise<number> {
    return (await sql.rows(countMoves, [id]))[0]?.n ?? 0;
  },
} as const;
