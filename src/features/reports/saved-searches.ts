import { z } from 'zod';
import { newId, sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { Clock } from '../../kernel/time.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import { savedNotFound, savedTooMany } from './errors.ts';
import { SavedSearch } from './wire.ts';

/** Filters that somebody keeps under a name. Everybody sees their own only. */
export interface SavedSearches {
  list(sql: Sql, userId: string): Promise<SavedSearch[]>;
  save(tx: Transaction, userId: string, search: Omit<SavedSearch, 'id'>): Promise<string>;
  remove(tx: Transaction, userId: string, id: string): Promise<void>;
}

interface Row {
  readonly id: string;
  readonly sealed: Buffer;
}
const LIST = statement<Row>(
  'reports.saved-list',
  'SELECT id, sealed FROM reports.saved_search WHERE user_id = $1 ORDER BY created_at',
);
const INSERT = statement(
  'reports.saved-insert',
  'INSERT INTO reports.saved_search (id, user_id, sealed, created_at) VALUES ($1, $2, $3, $4)',
);
const DELETE = statement('reports.saved-delete', 'DELETE FROM reports.saved_search WHERE id = $1 AND user_id = $2');

const SAVED_MAX = 50;
/** Under audit's keys, which are never destroyed: no part in a rotation is needed. */
const place = (id: string) => ({ table: 'audit.saved-search', type: 'search', id, version: 1 });
/** Whose it is stands under the seal as well: the column alone could be given to somebody else. Absent in those of earlier versions. */
const Content = SavedSearch.omit({ id: true }).extend({ owner: z.string().optional() });

export function createSavedSearches(deps: { keyRing: KeyRing; clock: Clock }): SavedSearches {
  const { keyRing, clock } = deps;
  async function list(sql: Sql, userId: string): Promise<SavedSearch[]> {
    const rows = await sql.rows(LIST, [userId]);
    return rows.flatMap(({ id, sealed }) => {
      const content = Content.parse(JSON.parse(utf8Decode(keyRing.open(sealedAtRest(sealed), place(id)))));
      const { owner = userId, ...search } = content;
      return owner === userId ? [{ id, ...search }] : [];
    });
  }
  return {
    list,
    async save(tx, userId, search) {
      const mine = await list(tx, userId);
      if (mine.length >= SAVED_MAX) throw savedTooMany(SAVED_MAX);
      const id = newId();
      const sealed = keyRing.seal(utf8Encode(JSON.stringify({ ...search, owner: userId })), place(id));
      await tx.run(INSERT, [id, userId, sealed, new Date(clock.nowMs())]);
      return id;
    },
    async remove(tx, userId, id) {
      if ((await tx.run(DELETE, [id, userId])) === 0) throw savedNotFound();
    },
  };
}
