import type { OrganisationId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { Organisation } from './model.ts';
import type { Sealing } from './sealing.ts';

interface OrganisationRow {
  readonly id: OrganisationId;
  readonly sealed_name: Uint8Array;
}

const INSERT = statement(
  'identity.organisation-insert',
  'INSERT INTO identity.organisations (id, sealed_name, created_at) VALUES ($1, $2, $3)',
);
const RENAME = statement(
  'identity.organisation-rename',
  'UPDATE identity.organisations SET sealed_name = $2 WHERE id = $1',
);
const FIRST = statement<OrganisationRow>(
  'identity.organisation-first',
  'SELECT id, sealed_name FROM identity.organisations ORDER BY created_at, id LIMIT 1',
);
const FIND = statement<OrganisationRow>(
  'identity.organisation',
  'SELECT id, sealed_name FROM identity.organisations WHERE id = $1',
);

/** SQL for organisations. */
export type OrganisationStore = ReturnType<typeof createOrganisationStore>;

export function createOrganisationStore(sealing: Sealing) {
  const opened = (row: OrganisationRow | undefined): Organisation | undefined =>
    row && { id: row.id, name: sealing.open('sealed_name', row.id, row.sealed_name) };
  return {
    async insert(tx: Transaction, made: Organisation, nowMs: number): Promise<void> {
      await tx.run(INSERT, [made.id, sealing.seal('sealed_name', made.id, made.name), new Date(nowMs)]);
    },
    async rename(tx: Transaction, named: Organisation): Promise<void> {
      await tx.run(RENAME, [named.id, sealing.seal('sealed_name', named.id, named.name)]);
    },
    /** The oldest one; undefined before set-up, without a name where the command line was used before it. */
    async first(sql: Sql): Promise<Organisation | undefined> {
      return opened((await sql.rows(FIRST))[0]);
    },
    async find(sql: Sql, id: OrganisationId): Promise<Organisation | undefined> {
      return opened((await sql.rows(FIND, [id]))[0]);
    },
  };
}
