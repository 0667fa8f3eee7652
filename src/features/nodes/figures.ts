import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/index.ts';

/** $1 now, $2 to $4 in 30, 14 and 7 days. */
const FIGURES = statement<{
  nodes: number;
  within_30: number;
  within_14: number;
  within_7: number;
  expired: number;
  first: Date | null;
}>(
  'nodes.figures',
  `SELECT count(*)::int AS nodes,
          count(*) FILTER (WHERE newest > $1 AND newest <= $2)::int AS within_30,
          count(*) FILTER (WHERE newest > $1 AND newest <= $3)::int AS within_14,
          count(*) FILTER (WHERE newest > $1 AND newest <= $4)::int AS within_7,
          count(*) FILTER (WHERE newest <= $1)::int AS expired,
          min(newest) FILTER (WHERE newest > $1) AS first
   FROM (SELECT n.id, max(least(c.not_after, c.ends_at)) FILTER (WHERE c.revoked_at IS NULL) AS newest
         FROM nodes.node n LEFT JOIN nodes.certificate c ON c.node_id = n.id
         WHERE n.revoked_at IS NULL GROUP BY n.id) AS active`,
);

const DAY_MS = 86_400_000;

export interface NodeFigures {
  /** Nodes that are not revoked. */
  readonly nodes: number;
  /** Of these, how many have no certificate valid beyond so many days. */
  readonly endingWithin: Readonly<Record<30 | 14 | 7, number>>;
  readonly expired: number;
  /** When the next certificate ends. */
  readonly firstExpiry?: Date;
}

export async function readNodeFigures(sql: Sql, nowMs: number): Promise<NodeFigures> {
  const inDays = (days: number) => new Date(nowMs + days * DAY_MS);
  const [row] = await sql.rows(FIGURES, [new Date(nowMs), inDays(30), inDays(14), inDays(7)]);
  return {
    nodes: row?.nodes ?? 0,
    endingWithin: { 30: row?.within_30 ?? 0, 14: row?.within_14 ?? 0, 7: row?.within_7 ?? 0 },
    expired: row?.expired ?? 0,
    ...(row?.first ? { firstExpiry: row.first } : {}),
  };
}

/** $1 now. */
const LISTS_OVER = statement<{ required: number; others: number }>(
  'nodes.lists-over',
  `SELECT count(*) FILTER (WHERE crl_required)::int AS required, count(*) FILTER (WHERE NOT crl_required)::int AS others
   FROM nodes.foreign_authority WHERE removed_at IS NULL AND crl_next_update <= $1`,
);

export interface ListFigures {
  /** Foreign authorities whose list of revoked certificates ran out, and which refuse everybody for it. */
  readonly required: number;
  /** Those that go on without. */
  readonly others: number;
}

export async function readListFigures(sql: Sql, nowMs: number): Promise<ListFigures> {
  const [row] = await sql.rows(LISTS_OVER, [new Date(nowMs)]);
  return { required: row?.required ?? 0, others: row?.others ?? 0 };
}

const NODES_OF = statement<{ id: NodeId }>(
  'nodes.of-organisations',
  'SELECT id FROM nodes.node WHERE organisation_id = ANY ($1::uuid[])',
);

/** Every node of these organisations, revoked ones too, for reports of what they did. */
export async function readNodesOf(sql: Sql, organisations: readonly OrganisationId[]): Promise<readonly NodeId[]> {
  return (await sql.rows(NODES_OF, [organisations])).map(({ id }) => id);
}
