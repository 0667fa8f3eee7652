/** Which golden records changed, for those who tell others: noted by a trigger, only while somebody wants it. */
import type { ResourceId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';

export interface ChangeNote {
  readonly seq: bigint;
  readonly goldenId: ResourceId;
  readonly version: number;
}

export interface Changes {
  /** NOTIFY channel, rung at each commit with changes while they are wanted. */
  readonly channel: string;
  /** From the next write on changes are noted, or no more; those left unread are dropped. */
  want(tx: Transaction, wanted: boolean): Promise<void>;
  /** In the order they were written. One may appear after others that were written later: not every writer holds the registry's lock. */
  next(sql: Sql, limit: number): Promise<readonly ChangeNote[]>;
  /** These have been dealt with. */
  forget(tx: Transaction, notes: readonly ChangeNote[]): Promise<void>;
}

const begin = statement(
  'registry.want-changes',
  'INSERT INTO registry.change_wanted VALUES (true) ON CONFLICT DO NOTHING',
);
const end = statement('registry.unwant-changes', 'DELETE FROM registry.change_wanted');
const drop = statement('registry.drop-changes', 'DELETE FROM registry.change');
const list = statement<{ seq: bigint; golden_id: ResourceId; version: number }>(
  'registry.next-changes',
  'SELECT seq, golden_id, version FROM registry.change ORDER BY seq LIMIT $1',
);
const forget = statement('registry.forget-changes', 'DELETE FROM registry.change WHERE seq = ANY($1::bigint[])');

export function createChanges(): Changes {
  return {
    channel: 'careseal_changes',
    async want(tx, wanted) {
      await tx.run(wanted ? begin : end);
      if (!wanted) await tx.run(drop);
    },
    async next(sql, limit) {
      const rows = await sql.rows(list, [limit]);
      return rows.map((row) => ({ seq: row.seq, goldenId: row.golden_id, version: row.version }));
    },
    async forget(tx, notes) {
      await tx.run(forget, [notes.map(({ seq }) => seq)]);
    },
  };
}
