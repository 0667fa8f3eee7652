import type { Permission } from '../../kernel/access.ts';
import type { Branded } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { knownPermissions } from './rights.ts';
import { roleRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';

export type RoleId = Branded<'RoleId'>;

/** A role of the programme's own making; the built-in ones are in rights.ts. */
export interface OwnRole {
  readonly id: RoleId;
  readonly name: string;
  readonly about: string;
  readonly permissions: readonly Permission[];
  /** Memberships that hold it. */
  readonly held: number;
  /** Somebody else wrote to its row: it grants nothing until it is saved anew. */
  readonly changed: boolean;
}

interface RoleRow {
  readonly id: RoleId;
  readonly sealed_role: Uint8Array;
  readonly permissions: readonly string[];
  readonly binding: Uint8Array | null;
  readonly held: number;
}

const LIST = statement<RoleRow>(
  'identity.own-roles',
  `SELECT r.id, r.sealed_role, r.permissions, r.binding,
     (SELECT count(*)::int FROM identity.memberships m WHERE r.id::text = ANY (m.roles)) AS held
   FROM identity.roles r WHERE r.retired_at IS NULL`,
);
const PERMISSIONS_OF = statement<Pick<RoleRow, 'id' | 'permissions' | 'binding'>>(
  'identity.own-role-permissions',
  'SELECT id, permissions, binding FROM identity.roles WHERE id = ANY ($1::uuid[]) AND retired_at IS NULL',
);
const INSERT = statement(
  'identity.own-role-insert',
  'INSERT INTO identity.roles (id, sealed_role, permissions, created_at, binding) VALUES ($1, $2, $3, $4, $5)',
);
const UPDATE = statement(
  'identity.own-role-update',
  'UPDATE identity.roles SET sealed_role = $2, permissions = $3, binding = $4 WHERE id = $1 AND retired_at IS NULL',
);
const RETIRE = statement(
  'identity.own-role-retire',
  'UPDATE identity.roles SET retired_at = $2, binding = NULL WHERE id = $1 AND retired_at IS NULL',
);
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const isOurs = (sealing: Sealing, row: Pick<RoleRow, 'id' | 'permissions' | 'binding'>): boolean =>
  sealing.rows.fits(roleRow(row.id, row.permissions), row.binding);
const bindingOf = (sealing: Sealing, role: Pick<OwnRole, 'id' | 'permissions'>) =>
  sealing.rows.bind(roleRow(role.id, role.permissions));

/** SQL for roles of one's own making. */
export const roleStore = {
  async list(sql: Sql, sealing: Sealing): Promise<OwnRole[]> {
    const rows = await sql.rows(LIST);
    const roles = rows.map((row) => ({
      id: row.id,
      ...sealing.open('sealed_role', row.id, row.sealed_role),
      permissions: knownPermissions(row.permissions),
      held: row.held,
      changed: !isOurs(sealing, row),
    }));
    return roles.toSorted((a, b) => a.name.localeCompare(b.name));
  },
  /** What these roles give; retired and unknown ones are missing, and those that somebody else has changed. */
  async permissionsOf(
    sql: Sql,
    sealing: Sealing,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, readonly Permission[]>> {
    const known = ids.filter((id) => UUID.test(id));
    if (known.length === 0) return new Map();
    const rows = await sql.rows(PERMISSIONS_OF, [known]);
    return new Map(
      rows.filter((row) => isOurs(sealing, row)).map((row) => [row.id, knownPermissions(row.permissions)]),
    );
  },
  async insert(
    tx: Transaction,
    sealing: Sealing,
    role: Omit<OwnRole, 'held' | 'changed'>,
    nowMs: number,
  ): Promise<void> {
    const sealed = sealing.seal('sealed_role', role.id, { name: role.name, about: role.about });
    await tx.run(INSERT, [role.id, sealed, role.permissions, new Date(nowMs), bindingOf(sealing, role)]);
  },
  async update(tx: Transaction, sealing: Sealing, role: Omit<OwnRole, 'held' | 'changed'>): Promise<boolean> {
    const sealed = sealing.seal('sealed_role', role.id, { name: role.name, about: role.about });
    return (await tx.run(UPDATE, [role.id, sealed, role.permissions, bindingOf(sealing, role)])) === 1;
  },
  async retire(tx: Transaction, id: RoleId, nowMs: number): Promise<boolean> {
    return (await tx.run(RETIRE, [id, new Date(nowMs)])) === 1;
  },
};
