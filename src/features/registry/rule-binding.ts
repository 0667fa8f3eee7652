/**
 * Words of the registry's rules, bound to a key outside the database: whoever writes to the database alone can change one, but
 * makes no binding that fits it.
 */
import { type SealedAtRest, sealedAtRest } from '../../crypto/index.ts';
import { equalBytes, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import { statement } from '../../platform/db/sql.ts';
import type { KeyRing, ResealParticipant } from '../../store/index.ts';

/** What is bound: a setting by its name, who proposed a link by the review, who began an acceptance of many by its id. */
export type BoundWord = 'setting' | 'review' | 'bulk';

const place = (kind: BoundWord, id: string) => ({ table: `registry.${kind}`, type: 'word', id, version: 1 });

export function bindWord(keyRing: KeyRing, kind: BoundWord, id: string, word: string): SealedAtRest {
  return keyRing.seal(utf8Encode(word), place(kind, id));
}

/** Whether the word is the one we wrote. Throws `key-unknown` while a new key is on its way. */
export function wordFits(
  keyRing: KeyRing,
  { kind, id, word }: { readonly kind: BoundWord; readonly id: string; readonly word: string },
  binding: Uint8Array | null,
): boolean {
  if (binding === null) return false;
  try {
    return equalBytes(keyRing.open(sealedAtRest(binding), place(kind, id)), utf8Encode(word));
  } catch (error) {
    if (isProblem(error) && error.code === 'seal-broken') return false;
    throw error;
  }
}

const TABLES = [
  { kind: 'setting', key: 'name', column: 'binding' },
  { kind: 'review', key: 'review_id', column: 'proposed_binding' },
  { kind: 'bulk', key: 'bulk_id', column: 'creator_binding' },
] as const;

/** The part of these bindings in a key rotation. */
export function boundWordParticipants(keyRing: KeyRing): ResealParticipant[] {
  return TABLES.map(({ kind, key, column }): ResealParticipant => {
    const page = statement<{ readonly key: string; readonly binding: Uint8Array }>(
      `registry.rebind-${kind}`,
      `SELECT ${key}::text AS key, ${column} AS binding FROM registry.${kind}
       WHERE ${column} IS NOT NULL AND ${key}::text COLLATE "C" > $1 ORDER BY ${key}::text COLLATE "C" LIMIT $2 FOR UPDATE`,
    );
    const write = statement(
      `registry.rebind-${kind}-write`,
      `UPDATE registry.${kind} SET ${column} = $2 WHERE ${key}::text = $1`,
    );
    const count = statement<{ readonly n: number }>(
      `registry.rebind-${kind}-count`,
      `SELECT count(*)::int AS n FROM registry.${kind} WHERE ${column} IS NOT NULL`,
    );
    return {
      name: `registry.bindings.${kind}`,
      kinds: ['data'],
      count: async (sql) => (await sql.rows(count))[0]?.n ?? 0,
      async resealBatch(tx, { cursor, limit }) {
        const rows = await tx.rows(page, [cursor ?? '', limit]);
        for (const row of rows) {
          const sealed = resealed(keyRing, place(kind, row.key), row.binding);
          if (sealed !== undefined) await tx.run(write, [row.key, sealed]);
        }
        return { cursor: rows.length < limit ? undefined : rows.at(-1)?.key, visited: rows.length };
      },
    };
  });
}

/** One that somebody else has put there stays as it is: it fits nothing, before and after. */
function resealed(keyRing: KeyRing, at: ReturnType<typeof place>, binding: Uint8Array): SealedAtRest | undefined {
  try {
    return keyRing.seal(keyRing.open(sealedAtRest(binding), at), at);
  } catch (error) {
    if (isProblem(error) && error.code === 'seal-broken') return undefined;
    throw error;
  }
}
