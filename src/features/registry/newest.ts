/** What a record says under its seal, whatever became of the rows around it: what is broken is left out instead of ending the read. */
import type { ResourceId } from '../../kernel/ids.ts';
import { isProblem } from '../../kernel/problem.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { ResourceStore } from '../../store/index.ts';
import type { StoredResource } from '../../store/model.ts';

interface Holding {
  readonly resources: Pick<ResourceStore, 'read' | 'readVersion'>;
}

/** What the store has of a record now. */
export type Held = StoredResource | 'broken' | undefined;

/** Of each id what the store has now; `broken` where its seal does not open. */
export async function readHeld(
  { resources }: Holding,
  sql: Sql,
  ids: readonly ResourceId[],
): Promise<ReadonlyMap<ResourceId, Held>> {
  try {
    return await resources.read(sql, 'Patient', ids);
  } catch (error) {
    if (!isBroken(error)) throw error;
  }
  const held = new Map<ResourceId, Held>();
  for (const id of ids) held.set(id, await orBroken(async () => (await resources.read(sql, 'Patient', [id])).get(id)));
  return held;
}

const VERSIONS_MAX = 1_000;
const versions = statement<{ version: number }>(
  'registry.versions-held',
  `SELECT version FROM store.resource WHERE type = 'Patient' AND id = $1
   UNION SELECT version FROM store.resource_history WHERE type = 'Patient' AND id = $1 ORDER BY version DESC LIMIT $2`,
);

export interface Newest extends StoredResource {
  readonly content: Uint8Array;
  /** A later version says that it was deleted. Such a version carries no seal, and proves nothing. */
  readonly deletedSince: boolean;
}

/** The newest version of a record whose seal opens. */
export async function newestSealed({ resources }: Holding, sql: Sql, id: ResourceId): Promise<Newest | undefined> {
  let deletedSince = false;
  for (const { version } of await sql.rows(versions, [id, VERSIONS_MAX])) {
    const held = await orBroken(() => resources.readVersion(sql, 'Patient', id, version));
    if (held === undefined || held === 'broken') continue;
    if (held.content !== null) return { ...held, content: held.content, deletedSince };
    deletedSince = true;
  }
  return undefined;
}

/** A seal may name a key that never was, too. */
export const isBroken = (error: unknown): boolean =>
  isProblem(error) && (error.code === 'seal-broken' || error.code === 'key-unknown');

async function orBroken(read: () => Promise<StoredResource | undefined>): Promise<Held> {
  try {
    return await read();
  } catch (error) {
    if (isBroken(error)) return 'broken';
    throw error;
  }
}
