import type { NodeId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/index.ts';

const MAY_RECEIVE = statement<{ may: boolean }>(
  'nodes.may-receive',
  'SELECT revoked_at IS NULL AND suspended_at IS NULL AS may FROM nodes.node WHERE id = $1',
);

/** Whether a node may be told anything by itself now: known, neither revoked nor suspended. */
export async function mayReceive(sql: Sql, id: NodeId): Promise<boolean> {
  return (await sql.rows(MAY_RECEIVE, [id]))[0]?.may === true;
}
