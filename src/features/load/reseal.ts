import { type SealContext, sealedAtRest } from '../../crypto/index.ts';
import { type Statement, statement } from '../../platform/db/index.ts';
import type { KeyRing, ResealParticipant } from '../../store/index.ts';
import { pieceContext } from './spool.ts';
import { loadContext, mappingContext, noticeContext, uploadContext } from './sealing.ts';

/** This feature's sealed columns, for the rotation of data keys. Nothing here is found by blind tokens. */
interface SealedRow {
  readonly id: string;
  /** The rest of a composite key: number of the piece, or kind and number of the notice. */
  readonly part: string;
  readonly sealed: Buffer;
}

interface SealedTable {
  readonly name: string;
  readonly count: Statement<{ readonly count: bigint }>;
  /** $1 id and $2 part to go on after, $3 limit. */
  readonly next: Statement<SealedRow>;
  /** $1 id, $2 part, $3 sealed. */
  readonly write: Statement<never>;
  readonly context: (row: SealedRow) => SealContext;
}

const NIL = '00000000-0000-0000-0000-000000000000';

/** A table whose key is one uuid column and whose sealed column is `detail`. */
function byId(table: 'upload' | 'load', context: (id: string) => SealContext): SealedTable {
  const id = `${table}_id`;
  return {
    name: `load.${table}`,
    count: statement(`load.reseal-count-${table}`, `SELECT count(*) AS count FROM load.${table}`),
    next: statement(
      `load.reseal-next-${table}`,
      `SELECT ${id} AS id, '' AS part, detail AS sealed FROM load.${table} WHERE ${id} > $1 AND $2::text IS NOT NULL
       ORDER BY ${id} LIMIT $3 FOR UPDATE`,
    ),
    write: statement(
      `load.reseal-write-${table}`,
      `UPDATE load.${table} SET detail = $3 WHERE ${id} = $1 AND $2::text IS NOT NULL`,
    ),
    context: (row) => context(row.id),
  };
}

const MAPPINGS: SealedTable = {
  name: 'load.mapping',
  count: statement('load.reseal-count-mapping', 'SELECT count(*) AS count FROM load.mapping'),
  next: statement(
    'load.reseal-next-mapping',
    `SELECT organisation_id AS id, name AS part, detail AS sealed FROM load.mapping WHERE (organisation_id, name) > ($1, $2)
     ORDER BY organisation_id, name LIMIT $3 FOR UPDATE`,
  ),
  write: statement(
    'load.reseal-write-mapping',
    'UPDATE load.mapping SET detail = $3 WHERE organisation_id = $1 AND name = $2',
  ),
  context: (row) => mappingContext(row.id, row.part),
};

const PIECES: SealedTable = {
  name: 'load.upload_piece',
  count: statement('load.reseal-count-piece', 'SELECT count(*) AS count FROM load.upload_piece'),
  next: statement(
    'load.reseal-next-piece',
    `SELECT upload_id AS id, seq::text AS part, content AS sealed FROM load.upload_piece
     WHERE (upload_id, seq) > ($1, coalesce(nullif($2, ''), '-1')::integer) ORDER BY upload_id, seq LIMIT $3 FOR UPDATE`,
  ),
  write: statement(
    'load.reseal-write-piece',
    'UPDATE load.upload_piece SET content = $3 WHERE upload_id = $1 AND seq = $2::integer',
  ),
  context: (row) => pieceContext(row.id, Number(row.part)),
};

const NOTICES: SealedTable = {
  name: 'load.notice',
  count: statement('load.reseal-count-notice', 'SELECT count(*) AS count FROM load.notice'),
  next: statement(
    'load.reseal-next-notice',
    `SELECT load_id AS id, kind || ' ' || seq AS part, content AS sealed FROM load.notice
     WHERE (load_id, kind, seq) > ($1, split_part($2, ' ', 1), coalesce(nullif(split_part($2, ' ', 2), ''), '-1')::bigint)
     ORDER BY load_id, kind, seq LIMIT $3 FOR UPDATE`,
  ),
  write: statement(
    'load.reseal-write-notice',
    `UPDATE load.notice SET content = $3 WHERE load_id = $1 AND kind = split_part($2, ' ', 1) AND seq = split_part($2, ' ', 2)::bigint`,
  ),
  context: (row) => {
    const [kind = '', seq = ''] = row.part.split(' ');
    return noticeContext(row.id, kind, Number(seq));
  },
};

export function resealParticipants(keyRing: KeyRing): readonly ResealParticipant[] {
  const tables = [byId('upload', uploadContext), byId('load', loadContext), MAPPINGS, PIECES, NOTICES];
  return tables.map((table) => participant(table, keyRing));
}

/** Pieces are large: a batch of them must stay a few megabytes. */
const ROWS_MAX = 16;

function participant(table: SealedTable, keyRing: KeyRing): ResealParticipant {
  return {
    name: table.name,
    kinds: ['data'],
    async count(sql) {
      const [row] = await sql.rows(table.count);
      return Number(row?.count ?? 0);
    },
    async resealBatch(tx, { cursor, limit }) {
      const most = Math.min(limit, ROWS_MAX);
      const [id = NIL, part = ''] = cursor === undefined ? [] : split(cursor);
      const rows = await tx.rows(table.next, [id, part, most]);
      for (const row of rows) {
        const context = table.context(row);
        await tx.run(table.write, [
          row.id,
          row.part,
          keyRing.seal(keyRing.open(sealedAtRest(row.sealed), context), context),
        ]);
      }
      const last = rows.at(-1);
      return {
        cursor: rows.length < most || last === undefined ? undefined : `${last.id}/${last.part}`,
        visited: rows.length,
      };
    },
  };
}

/** Ids have no slash; what follows the first one is the part, whatever it holds. */
function split(cursor: string): [id: string, part: string] {
  const at = cursor.indexOf('/');
  return [cursor.slice(0, at), cursor.slice(at + 1)];
}
