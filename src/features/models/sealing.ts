import { sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import { type Statement, statement } from '../../platform/db/sql.ts';
import type { KeyRing, ResealParticipant, SealContext } from '../../store/index.ts';

/** Where this feature's sealed columns belong: bound into the seal, so that rows cannot be exchanged. */
type Column = 'model.document' | 'model.detail' | 'study.request' | 'study.report' | 'shadow_example.detail';
const context = (column: Column, id: string): SealContext => ({
  table: `models.${column}`,
  type: 'json',
  id,
  version: 0,
});

export function sealJson(keyRing: KeyRing, column: Column, id: string, value: unknown): Uint8Array {
  return keyRing.seal(utf8Encode(JSON.stringify(value)), context(column, id));
}

/** Opens what `sealJson` wrote. The seal vouches for the content, so its shape is taken as it was written. */
export function openJson<T>(keyRing: KeyRing, column: Column, id: string, sealed: Uint8Array): T {
  return JSON.parse(utf8Decode(keyRing.open(sealedAtRest(sealed), context(column, id)))) as T;
}

interface SealedRow {
  readonly id: string;
  readonly sealed: Buffer;
}
const NIL = '00000000-0000-0000-0000-000000000000';

function participant(keyRing: KeyRing, column: Column, key: string): ResealParticipant {
  const [table, name] = column.split('.') as [string, string];
  const next: Statement<SealedRow> = statement(
    `models.reseal-next-${column}`,
    `SELECT ${key} AS id, ${name} AS sealed FROM models.${table} WHERE ${key} > $1 AND ${name} IS NOT NULL
     ORDER BY ${key} LIMIT $2 FOR UPDATE`,
  );
  const write = statement(`models.reseal-write-${column}`, `UPDATE models.${table} SET ${name} = $2 WHERE ${key} = $1`);
  const counted: Statement<{ readonly n: number }> = statement(
    `models.reseal-count-${column}`,
    `SELECT count(*)::int AS n FROM models.${table}`,
  );
  return {
    name: `models.${column}`,
    kinds: ['data'],
    count: async (sql) => (await sql.rows(counted))[0]?.n ?? 0,
    async resealBatch(tx, { cursor, limit }) {
      // Reports are large: few at a time.
      const most = Math.min(limit, 20);
      const rows = await tx.rows(next, [cursor ?? NIL, most]);
      for (const row of rows) {
        const plain = keyRing.open(sealedAtRest(row.sealed), context(column, row.id));
        await tx.run(write, [row.id, keyRing.seal(plain, context(column, row.id))]);
      }
      return { cursor: rows.length < most ? undefined : rows.at(-1)?.id, visited: rows.length };
    },
  };
}

/** This feature's sealed columns, for the rotation of data keys. */
export function resealParticipants(keyRing: KeyRing): readonly ResealParticipant[] {
  return [
    participant(keyRing, 'model.document', 'model_id'),
    participant(keyRing, 'model.detail', 'model_id'),
    participant(keyRing, 'study.request', 'study_id'),
    participant(keyRing, 'study.report', 'study_id'),
    participant(keyRing, 'shadow_example.detail', 'example_id'),
  ];
}
