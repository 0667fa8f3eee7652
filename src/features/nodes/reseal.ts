import { type SealContext, sealedAtRest } from '../../crypto/index.ts';
import { statement } from '../../platform/db/index.ts';
import type { KeyRing, ResealParticipant } from '../../store/index.ts';
import { sealContext } from './authorities.ts';
import { reasonContext } from './node-reader.ts';
import type { AuthorityRow } from './store.ts';

interface SealedRow {
  readonly id: string;
  readonly type: string;
  readonly sealed: Buffer;
}

interface SealedTable {
  readonly count: ReturnType<typeof statement<{ readonly count: bigint }>>;
  readonly next: ReturnType<typeof statement<SealedRow>>;
  readonly write: ReturnType<typeof statement<never>>;
  readonly context: (row: SealedRow) => SealContext;
}

const AUTHORITIES: SealedTable = {
  count: statement('nodes.reseal-count-authorities', 'SELECT count(*) AS count FROM nodes.authority'),
  next: statement(
    'nodes.reseal-next-authorities',
    `SELECT id, kind AS type, sealed_key AS sealed FROM nodes.authority WHERE id > $1 ORDER BY id LIMIT $2 FOR UPDATE`,
  ),
  write: statement('nodes.reseal-write-authority', 'UPDATE nodes.authority SET sealed_key = $2 WHERE id = $1'),
  // The table's CHECK allows the two kinds only.
  context: (row) => sealContext(row.type as AuthorityRow['kind'], row.id),
};

const REASONS: SealedTable = {
  count: statement('nodes.reseal-count-reasons', 'SELECT count(sealed_reason) AS count FROM nodes.node'),
  next: statement(
    'nodes.reseal-next-reasons',
    `SELECT id, 'reason' AS type, sealed_reason AS sealed FROM nodes.node
     WHERE sealed_reason IS NOT NULL AND id > $1 ORDER BY id LIMIT $2 FOR UPDATE`,
  ),
  write: statement('nodes.reseal-write-reason', 'UPDATE nodes.node SET sealed_reason = $2 WHERE id = $1'),
  context: (row) => reasonContext(row.id),
};

const FIRST = '00000000-0000-0000-0000-000000000000';

/** The feature's sealed columns, for the rotation of data keys. Nothing here is found by blind tokens. */
export function resealParticipants(keyRing: KeyRing): readonly ResealParticipant[] {
  return [participant('nodes.authority', AUTHORITIES, keyRing), participant('nodes.node', REASONS, keyRing)];
}

function participant(name: string, table: SealedTable, keyRing: KeyRing): ResealParticipant {
  return {
    name,
    kinds: ['data'],
    async count(sql) {
      const [row] = await sql.rows(table.count);
      return Number(row?.count ?? 0);
    },
    async resealBatch(tx, { cursor, limit }) {
      const rows = await tx.rows(table.next, [cursor ?? FIRST, limit]);
      for (const row of rows) {
        const context = table.context(row);
        const opened = keyRing.open(sealedAtRest(row.sealed), context);
        await tx.run(table.write, [row.id, keyRing.seal(opened, context)]);
      }
      return { cursor: rows.length < limit ? undefined : rows.at(-1)?.id, visited: rows.length };
    },
  };
}
