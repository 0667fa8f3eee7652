import type { Permission } from '../../kernel/access.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { Organisation } from './model.ts';
import { knownPermissions } from './rights.ts';
import { organisationRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';

interface OrganisationRow {
  readonly id: OrganisationId;
  readonly sealed_name: Uint8Array;
  readonly central: boolean;
  readonly ceiling: readonly string[] | null;
  readonly retired_at: Date | null;
  readonly binding: Uint8Array | null;
}

const COLUMNS = 'id, sealed_name, central, ceiling, retired_at, binding';

const INSERT = statement(
  'identity.organisation-insert',
  // The first one there is, is the central administration. Callers hold the administrators' lock, so there is one first.
  `INSERT INTO identity.organisations (id, sealed_name, created_at, central, binding) VALUES ($1, $2, $3, $4, $5)`,
);
const ANY = statement<{ readonly present: boolean }>(
  'identity.organisation-any',
  'SELECT EXISTS (SELECT FROM identity.organisations) AS present',
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
  'UPDATE identity.organisations SET ceiling = $2, binding = $3 WHERE id = $1 AND NOT central',
);
const SET_RETIRED = statement(
  'identity.organisation-retire',
  'UPDATE identity.organisations SET retired_at = $2, binding = $3 WHERE id = $1 AND NOT central',
);
const UNCENTRE = statement(
  'identity.organisation-uncentre',
  'UPDATE identity.organisations SET central = false WHERE central AND id <> $1',
);
const CENTRE = statement(
  'identity.organisation-centre',
  'UPDATE identity.organisations SET central = true, ceiling = NULL, retired_at = NULL, binding = $2 WHERE id = $1',
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
    changed: !sealing.rows.fits(organisationRow({ ...row, retired: row.retired_at !== null }), row.binding),
  });
  const bind = ({ id, central, ceiling, retiredMs }: Pick<Organisation, 'id' | 'central' | 'ceiling' | 'retiredMs'>) =>
    sealing.rows.bind(organisationRow({ id, central, ceiling: ceiling ?? null, retired: retiredMs !== undefined }));
  const opened = (row: OrganisationRow | undefined): Organisation | undefined => row && open(row);
  return {
    async insert(tx: Transaction, made: Pick<Organisation, 'id' | 'name'>, nowMs: number): Promise<void> {
      const { id, name } = made;
      const central = !(await tx.rows(ANY))[0]?.present;
      const binding = bind({ id, central, ceiling: undefined, retiredMs: undefined });
      await tx.run(INSERT, [id, sealing.seal('sealed_name', id, name), new Date(nowMs), central, binding]);
    },
    async rename(tx: Transaction, named: Pick<Organisation, 'id' | 'name'>): Promise<void> {
      await tx.run(RENAME, [named.id, sealing.seal('sealed_name', named.id, named.name)]);
    },
    /** The oldest one; undefined before set-up, without a name where the command line was used before it. */
    async first(sql: Sql): Promise<Organisation | undefined> {
      return opened((await sql.rows(FIRST))[0]);
    },
    /** The central one where its row is ours, else the oldest there is (ids grow with time). For the operator's way out. */
    async centralOrOldest(sql: Sql): Promise<Organisation | undefined> {
      const all = (await sql.rows(LIST, [null])).map(open);
      const oldest = all.toSorted((a, b) => (a.id < b.id ? -1 : 1))[0];
      return all.find((one) => one.central && !one.changed) ?? oldest;
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
    /** `was` has been looked at; what somebody else may have made of its row is overwritten. Never the central one. */
    async setCeiling(tx: Transaction, was: Organisation, ceiling: readonly Permission[] | undefined): Promise<boolean> {
      const binding = bind({ ...was, central: false, ceiling });
      return (await tx.run(SET_CEILING, [was.id, ceiling ?? null, binding])) === 1;
    },
    async setRetired(tx: Transaction, was: Organisation, retiredMs: number | undefined): Promise<boolean> {
      const binding = bind({ ...was, central: false, retiredMs });
      return (await tx.run(SET_RETIRED, [was.id, retiredMs === undefined ? null : new Date(retiredMs), binding])) === 1;
    },
    /** The central organisation as it must be, whatever somebody else has made of it: the operator's way out. */
    async restoreCentral(tx: Transaction, id: OrganisationId): Promise<void> {
      await tx.run(UNCENTRE, [id]);
      await tx.run(CENTRE, [id, bind({ id, central: true, ceiling: undefined, retiredMs: undefined })]);
    },
    /** At commit, every process looks everybody's rights up anew. */
    async notifyAll(tx: Transaction): Promise<void> {
      await tx.run(NOTIFY_ALL);
    },
  };
}
