import { type SealContext, sealedAtRest } from '../../crypto/index.ts';
import { statement } from '../../platform/db/index.ts';
import type { KeyRing, ResealParticipant } from '../../store/index.ts';
import { sealContext } from './authorities.ts';
import { bindingContext } from './binding.ts';
import { contactContext, reasonContext } from './node-reader.ts';
import type { AuthorityRow } from './rows.ts';

interface SealedRow {
  /** Text of the key, in its order. */
  readonly id: string;
  readonly type: string;
  readonly sealed: Buffer;
}

interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** SQL of the row's key as text: in the same order as the key itself. */
  readonly key: string;
  readonly kind?: string;
  readonly context: (row: SealedRow) => SealContext;
}

const bindingOf = (table: string, key: string): SealedColumn => ({
  table,
  column: 'binding',
  key,
  context: (row) => bindingContext(table, row.id),
});

/** The feature's sealed columns. Nothing here is found by blind tokens. */
const COLUMNS: readonly SealedColumn[] = [
  // The table's CHECK allows the two kinds only.
  {
    table: 'authority',
    column: 'sealed_key',
    key: 'id::text',
    kind: 'kind',
    context: (row) => sealContext(row.type as AuthorityRow['kind'], row.id),
  },
  { table: 'node', column: 'sealed_reason', key: 'id::text', context: (row) => reasonContext(row.id) },
  { table: 'node', column: 'sealed_contact', key: 'id::text', context: (row) => contactContext(row.id) },
  bindingOf('node', 'id::text'),
  bindingOf('certificate', `encode(sha256, 'hex')`),
  bindingOf('enrolment', `encode(token_hash, 'hex')`),
  bindingOf('foreign_authority', 'id::text'),
  bindingOf('name_rule', 'id::text'),
  bindingOf('domain', 'id::text'),
];

/** The feature's part in the rotation of data keys. */
export function resealParticipants(keyRing: KeyRing): readonly ResealParticipant[] {
  return COLUMNS.map((column) => participant(column, keyRing));
}

function participant({ table, column, key, kind, context }: SealedColumn, keyRing: KeyRing): ResealParticipant {
  const name = `nodes.${table}.${column}`;
  const count = statement<{ readonly count: bigint }>(
    `${name}.reseal-count`,
    `SELECT count(${column}) AS count FROM nodes.${table}`,
  );
  const next = statement<SealedRow>(
    `${name}.reseal-next`,
    `SELECT ${key} AS id, ${kind ?? `''`} AS type, ${column} AS sealed FROM nodes.${table}
     WHERE ${column} IS NOT NULL AND ${key} > $1 ORDER BY ${key} LIMIT $2 FOR UPDATE`,
  );
  const write = statement<never>(`${name}.reseal-write`, `UPDATE nodes.${table} SET ${column} = $2 WHERE ${key} = $1`);
  return {
    name,
    kinds: ['data'],
    async count(sql) {
      const [row] = await sql.rows(count);
      return Number(row?.count ?? 0);
    },
    async resealBatch(tx, { cursor, limit }) {
      const rows = await tx.rows(next, [cursor ?? '', limit]);
      for (const row of rows) await tx.run(write, [row.id, reseal(row, context(row), keyRing)]);
      return { cursor: rows.length < limit ? undefined : rows.at(-1)?.id, visited: rows.length };
    },
  };
}

/** A binding that somebody forged does not open; it is left as it is, and goes on to be refused. */
function reseal(row: SealedRow, context: SealContext, keyRing: KeyRing): Uint8Array {
  if (context.type !== 'binding') return keyRing.seal(keyRing.open(sealedAtRest(row.sealed), context), context);
  try {
    return keyRing.seal(keyRing.open(sealedAtRest(row.sealed), context), context);
  } catch {
    return row.sealed;
  }
}
