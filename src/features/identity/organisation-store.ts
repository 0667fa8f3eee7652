import type { Permission } from '../../kernel/access.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { Organisation } from './model.ts';
import { knownPermissions } from './rights.ts';
import type { Sealing } from './sealing.ts';

interface OrganisationRow {
  readonly id: OrganisationId;
  readonly sealed_name: Uint8Array;
  readonly central: boolean;
  readonly ceiling: readonly string[] | null;
  readonly retired_at: Date | null;
}

const COLUMNS = 'id, sealed_name, central, ceiling, retired_at';

const INSERT = statement(
  'identity.organisation-insert',
  // The first one is the central administration. Callers hold the administrators' lock, so there is one first.
  `INSERT INTO identity.organisations (id, sealed_name, created_at, central)
   VALUES ($1, $2, $3, NOT EXISTS (SELECT FROM identity.organisations))`,
);
const RENAME = statement(
  'identity.organisation-rename',
  'UPDATE identity.organisations SET sealed_name = $2 WHERE id = $1',
);
const FIRST = statement<OrganisationRow>(
  'identity.organisation-first',
  `SELECT ${COLUMNS} FROM identity.organisations ORDER BY created_at, id LIMIT 1`,
);
const FIND = statement<OrganisationRow>(
  'identity.organisation',
  `SELECT ${COLUMNS} FROM identity.organisations WHERE id = $1`,
);
const LIST = statement<OrganisationRow & { readonly users: number }>(
  'identity.organisations',
  `SELECT ${COLUMNS}, (SELECT count(*)::int FROM identity.memberships m WHERE m.organisation_id = o.id) AS users
   FROM identity.organisations o WHERE $1::uuid[] IS NULL OR o.id = ANY ($1)`,
);
const NAMES = statement<OrganisationRow>(
  'identity.organisation-names',
  `SELECT ${COLUMNS} FROM identity.organisations WHERE id = ANY ($1::uuid[])`,
);
const SET_CEILING = statement(
  'identity.organisation-ceiling',
  'UPDATE identity.organisations SET ceiling = $2 WHERE id = $1 AND NOT central',
);
const SET_RETIRED = statement(
  'identity.organisation-retire',
  'UPDATE identity.organisations SET retired_at = $2 WHERE id = $1 AND NOT central',
);
/** Rights of everybody may have changed: an empty payload makes every process forget all sessions it remembers. */
const NOTIFY_ALL = statement('identity.notify-all', `SELECT pg_notify('careseal_identity', '')`);

/** SQL for organisations. */
export type OrganisationStore = ReturnType<typeof createOrganisationStore>;

export function createOrganisationStore(sealing: Sealing) {
  const open = (row: OrganisationRow): Organisation => ({
    id: row.id,
    name: sealing.open('sealed_name', row.id, row.sealed_name),
    central: row.central,
    ceiling: row.ceiling === null ? undefined : knownPermissions(row.ceiling),
    retiredMs: row.retired_at?.getTime(),
  });
  const opened = (row: OrganisationRow | undefined): Organisation | undefined => row && open(row);
  return {
    async insert(tx: Transaction, made: Pick<Organisation, 'id' | 'name'>, nowMs: number): Promise<void> {
      await tx.run(INSERT, [made.id, sealing.seal('sealed_name', made.id, made.name), new Date(nowMs)]);
    },
    async rename(tx: Transaction, named: Pick<Organisation, 'id' | 'name'>): Promise<void> {
      await tx.run(RENAME, [named.id, sealing.seal('sealed_name', named.id, named.name)]);
    },
    /** The oldest one; undefined before set-up, without a name where the command line was used before it. */
    async first(sql: Sql): Promise<Organisation | undefined> {
      return opened((await sql.rows(FIRST))[0]);
    },
    async find(sql: Sql, id: OrganisationId): Promise<Organisation | undefined> {
      return opened((await sql.rows(FIND, [id]))[0]);
    },
    /** These ones, or all, with how many people belong to each. */
    async list(sql: Sql, ids: readonly OrganisationId[] | undefined): Promise<(Organisation & { users: number })[]> {
      return (await sql.rows(LIST, [ids ?? null])).map((row) => ({ ...open(row), users: row.users }));
    },
    async names(sql: Sql, ids: readonly OrganisationId[]): Promise<ReadonlyMap<OrganisationId, string>> {
      if (ids.length === 0) return new Map();
      return new Map((await sql.rows(NAMES, [ids])).map((row) => [row.id, open(row).name]));
    },
    async setCeiling(
      tx: Transaction,
      id: OrganisationId,
      ceiling: readonly Permission[] | undefined,
    ): Promise<boolean> {
      return (await tx.run(SET_CEILING, [id, ceiling ?? null])) === 1;
    },
    async setRetired(tx: Transaction, id: OrganisationId, retiredMs: number | undefined): Promise<boolean> {
      return (await tx.run(SET_RETIRED, [id, retiredMs === undefined ? null : new Date(retiredMs)])) === 1;
    },
    /** At commit, every process looks everybody's rights up anew. */
    async notifyAll(tx: Transaction): Promise<void> {
      await tx.run(NOTIFY_ALL);
    },
  };
}
