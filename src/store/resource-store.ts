import { type SealContext, sealedAtRest } from '../crypto/index.ts';
import type { ResourceId } from '../kernel/ids.ts';
import { Problem } from '../kernel/problem.ts';
import type { Sql, SqlValue, Statement, Transaction } from '../platform/db/sql.ts';
import { isUniqueViolation } from '../platform/db/index.ts';
import type { KeyRing } from './key-ring.ts';
import type { ResourceWrite, StoredResource, TokenQuery } from './model.ts';
import * as statements from './resource-sql.ts';
import type { ResourceRow, WriteSize } from './resource-sql.ts';

/** Sealed, versioned, blind-indexed FHIR resources. Everything handed out is opened and was authentic. */
export interface ResourceStore {
  /**
   * Writes versions, many per round trip; several versions of one resource in one call are written in their order.
   * Throws Problem('precondition-failed', 'version-conflict') when one is not the successor of the current version; the
   * transaction must then be rolled back.
   */
  write(tx: Transaction, writes: readonly ResourceWrite[]): Promise<void>;
  /** Seals what `writePrepared` will write, which is what `write` does at once: for whoever has time before the transaction. */
  prepare(writes: readonly ResourceWrite[]): PreparedWrites;
  /**
   * Begins all statements before it returns, unless a resource is written twice. First versions need no look at what became of
   * them: one that is there already fails the transaction.
   */
  writePrepared(tx: Transaction, prepared: PreparedWrites): Promise<void>;
  /** Current versions of those that exist, deleted ones included with null content. */
  read(sql: Sql, type: string, ids: readonly ResourceId[]): Promise<ReadonlyMap<ResourceId, StoredResource>>;
  /** One version, current or past. */
  readVersion(sql: Sql, type: string, id: ResourceId, version: number): Promise<StoredResource | undefined>;
  /** Newest first, the current version included; `beforeVersion` continues a page. */
  history(sql: Sql, type: string, id: ResourceId, page: HistoryPage): Promise<StoredResource[]>;
  /** Current, undeleted versions that carry the tokens, in the order asked for. The caller filters them exactly. */
  search(sql: Sql, query: TokenQuery): Promise<StoredResource[]>;
  /**
   * The same for many searches of one token each, in one round trip: the resources that carry each token, in no order, `limit` of
   * them at most. A token that nothing carries is missing.
   */
  findByTokens(
    sql: Sql,
    query: { readonly type: string; readonly tokens: readonly bigint[]; readonly limit: number },
  ): Promise<ReadonlyMap<bigint, readonly StoredResource[]>>;
  /** To be called when a burst of writing is over: searches are cheaper then. */
  settleTokens(sql: Sql): Promise<void>;
  /** How many there are without order and limit: candidates, not exact matches. */
  count(sql: Sql, query: CountQuery): Promise<number>;
  /**
   * Puts one version in the place of whatever the store has under its number or a later one, and as the current one: for repairs, where
   * what was written is known from elsewhere. Earlier versions stay.
   */
  putBack(tx: Transaction, write: ResourceWrite): Promise<void>;
  /** Deletes a resource with all its versions, as erasure asks for. Nothing is left but what dead rows keep until vacuum. */
  erase(tx: Transaction, type: string, id: ResourceId): Promise<void>;
}

/** Rows of parameters, sealed, in waves: one statement may touch a row only once. */
export type PreparedWrites = readonly {
  readonly first: readonly SqlValue[][];
  readonly later: readonly SqlValue[][];
}[];

export interface HistoryPage {
  readonly limit: number;
  readonly beforeVersion?: number;
}

export type CountQuery = Pick<TokenQuery, 'type' | 'allOf' | 'lastUpdated'>;

/** Above every version a 32-bit column can hold. */
const NEWEST = 2_147_483_647;

export function createResourceStore({ keyRing }: { readonly keyRing: KeyRing }): ResourceStore {
  const opened = (row: ResourceRow): StoredResource => openRow(keyRing, row);
  return {
    write: (tx, writes) => writeWaves(tx, prepareWaves(keyRing, writes)),
    prepare: (writes) => prepareWaves(keyRing, writes),
    writePrepared: writeWaves,
    async read(sql, type, ids) {
      if (ids.length === 0) return new Map();
      const rows =
        ids.length === 1
          ? await sql.rows(statements.readOne, [type, ids[0] ?? null])
          : await sql.rows(statements.readMany, [type, ids]);
      return new Map(rows.map((row) => [row.id, opened(row)]));
    },
    async readVersion(sql, type, id, version) {
      const [row] = await sql.rows(statements.readVersion, [type, id, version]);
      return row === undefined ? undefined : opened(row);
    },
    async history(sql, type, id, { limit, beforeVersion }) {
      const rows = await sql.rows(statements.history, [type, id, beforeVersion ?? NEWEST, limit]);
      return rows.map(opened);
    },
    async search(sql, query) {
      const rows = await searchRows(sql, query);
      return rows.map(opened);
    },
    async findByTokens(sql, { type, tokens, limit }) {
      const rows = await sql.rows(statements.findByTokens, [type, tokens, limit]);
      const groups = new Map<bigint, StoredResource[]>();
      for (const row of rows) {
        const token = tokens[row.place - 1];
        if (token === undefined) continue;
        const group = groups.get(token);
        if (group === undefined) groups.set(token, [opened(row)]);
        else group.push(opened(row));
      }
      return groups;
    },
    async settleTokens(sql) {
      await sql.rows(statements.settleTokens);
    },
    async count(sql, query) {
      const { all, any } = tokenGroups(query);
      const [row] = await sql.rows(statements.count, [query.type, all, any, ...timeBounds(query)]);
      return Number(row?.candidates ?? 0n);
    },
    async putBack(tx, { type, id, version, lastUpdatedMs, content, tokens }) {
      await tx.run(statements.eraseCurrent, [type, id]);
      await tx.run(statements.eraseLater, [type, id, version]);
      const sealed = content === null ? null : keyRing.seal(content, contentPlace(type, id, version));
      await tx.run(statements.insertRows[1], [type, id, version, new Date(lastUpdatedMs), sealed, tokens]);
    },
    async erase(tx, type, id) {
      await Promise.all([tx.run(statements.eraseCurrent, [type, id]), tx.run(statements.eraseHistory, [type, id])]);
    },
  };
}

function prepareWaves(keyRing: KeyRing, writes: readonly ResourceWrite[]): PreparedWrites {
  return inWaves(writes).map((wave) => ({
    first: sealRows(
      keyRing,
      wave.filter((write) => write.version === 1),
    ),
    later: sealRows(
      keyRing,
      wave.filter((write) => write.version !== 1),
    ),
  }));
}

async function writeWaves(tx: Transaction, waves: PreparedWrites): Promise<void> {
  for (const { first, later } of waves) {
    await Promise.all([writeRows(tx, statements.insertRows, first), writeRows(tx, statements.updateRows, later)]);
  }
}

async function searchRows(sql: Sql, query: TokenQuery): Promise<ResourceRow[]> {
  const { type, order, after, limit } = query;
  const { all, any } = tokenGroups(query);
  const page = [order, after === undefined ? null : new Date(after.lastUpdatedMs), after?.id ?? null, limit];
  return all.length > 0 && any.length === 0
    ? await sql.rows(statements.searchAll, [type, all, ...timeBounds(query), ...page])
    : await sql.rows(statements.search, [type, all, any, ...timeBounds(query), ...page]);
}

/** The tokens that must all be there, and the groups of which one must be, as array literals. */
function tokenGroups({ allOf }: CountQuery): { readonly all: readonly bigint[]; readonly any: readonly string[] } {
  const groups = Map.groupBy(allOf, (anyOf) => anyOf.length === 1);
  return {
    all: (groups.get(true) ?? []).flat(),
    any: (groups.get(false) ?? []).map((anyOf) => `{${anyOf.join(',')}}`),
  };
}

function timeBounds({ lastUpdated }: CountQuery): readonly (Date | null)[] {
  const bound = (ms: number | undefined): Date | null => (ms === undefined ? null : new Date(ms));
  return [bound(lastUpdated?.fromMs), bound(lastUpdated?.beforeMs)];
}

/** The nth write of each resource goes into the nth wave: one statement may touch a row only once. */
function inWaves(writes: readonly ResourceWrite[]): ResourceWrite[][] {
  const seen = new Map<string, number>();
  const waves: ResourceWrite[][] = [];
  for (const write of writes) {
    const key = `${write.type}/${write.id}`;
    const turn = seen.get(key) ?? 0;
    seen.set(key, turn + 1);
    (waves[turn] ??= []).push(write);
  }
  return waves;
}

/** Rows of parameters, sorted by id so that concurrent writers lock rows in the same order. */
function sealRows(keyRing: KeyRing, writes: readonly ResourceWrite[]): SqlValue[][] {
  const byId = writes.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return byId.map(({ type, id, version, lastUpdatedMs, content, tokens }) => {
    const sealed = content === null ? null : keyRing.seal(content, contentPlace(type, id, version));
    return [type, id, version, new Date(lastUpdatedMs), sealed, tokens];
  });
}

async function writeRows(
  tx: Transaction,
  sizes: Readonly<Record<WriteSize, Statement<never>>>,
  rows: readonly SqlValue[][],
): Promise<void> {
  const written: Promise<number>[] = [];
  for (let at = 0; at < rows.length; at += statements.WRITE_SIZE_MAX) {
    const values = rows.slice(at, at + statements.WRITE_SIZE_MAX).flat();
    const size =
      statements.WRITE_SIZES.find((fits) => fits * statements.WRITE_COLUMNS >= values.length) ??
      statements.WRITE_SIZE_MAX;
    while (values.length < size * statements.WRITE_COLUMNS) values.push(null);
    written.push(tx.run(sizes[size], values));
  }
  let total = 0;
  try {
    for (const part of await Promise.all(written)) total += part;
  } catch (error) {
    throw isUniqueViolation(error) ? versionConflict() : error;
  }
  if (total !== rows.length) throw versionConflict();
}

export function versionConflict(): Problem {
  return new Problem('precondition-failed', 'version-conflict', 'The record was changed by someone else meanwhile.');
}

/** Where a version's content belongs: the same before and after it moves into the history. */
export function contentPlace(type: string, id: ResourceId, version: number): SealContext {
  return { table: 'store.resource', type, id, version };
}

export function openRow(keyRing: KeyRing, row: ResourceRow): StoredResource {
  const { type, id, version, sealed } = row;
  return {
    type,
    id,
    version,
    lastUpdatedMs: row.last_updated.getTime(),
    content: sealed === null ? null : keyRing.open(sealedAtRest(sealed), contentPlace(type, id, version)),
  };
}
