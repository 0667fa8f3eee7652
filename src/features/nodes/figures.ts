import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/index.ts';

const FIGURES = statement<{ nodes: number; expiring: number; expired: number; first: Date | null }>(
  'nodes.figures',
  `SELECT count(*)::int AS nodes,
          count(*) FILTER (WHERE newest > $1 AND newest <= $2)::int AS expiring,
          count(*) FILTER (WHERE newest <= $1)::int AS expired,
          min(newest) FILTER (WHERE newest > $1) AS first
   FROM (SELECT n.id, max(c.not_after) FILTER (WHERE c.revoked_at IS NULL) AS newest
         FROM nodes.node n LEFT JOIN nodes.certificate c ON c.node_id = n.id
         WHERE n.revoked_at IS NULL GROUP BY n.id) AS active`,
);

/** Days before the end of a certificate from which people are told. */
const EXPIRY_WARNING_DAYS = 30;

export interface NodeFigures {
  /** Nodes that are not revoked. */
  readonly nodes: number;
  /** Of these, how many have no certificate valid beyond the warning time. */
  readonly expiring: number;
  readonly expired: number;
  /** When the next certificate ends. */
  readonly firstExpiry?: Date;
}

export async function readNodeFigures(sql: Sql, nowMs: number): Promise<NodeFigures> {
  const [row] = await sql.rows(FIGURES, [new Date(nowMs), new Date(nowMs + EXPIRY_WARNING_DAYS * 86_400_000)]);
  return {
    nodes: row?.nodes ?? 0,
    expiring: row?.expiring ?? 0,
    expired: row?.expired ?? 0,
    ...(row?.first ? { firstExpiry: row.first } : {}),
  };
}

const NODES_OF = statement<{ id: NodeId }>(
  'nodes.of-organisations',
  'SELECT id FROM nodes.node WHERE organisation_id = ANY ($1::uuid[])',
);

/** Every node of these organisations, revoked ones too, for reports of what they did. */
export async function readNodesOf(sql: Sql, organisations: readonly OrganisationId[]): Promise<readonly NodeId[]> {
  return (await sql.rows(NODES_OF, [organisations])).map(({ id }) => id);
}
