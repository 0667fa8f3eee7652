import { type Permission, ROLES } from '../../kernel/access.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Reach } from '../../kernel/principal.ts';
import { type Database, statement } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import { ROLE_PERMISSIONS } from './rights.ts';
import { roleStore } from './role-store.ts';
import { createSealing } from './sealing.ts';

/** Names of people, for features that show who works on something or hand it over. */
export interface UserDirectory {
  names(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, string>>;
  /**
   * Active people of whom a role in one of the organisations within reach gives this permission; by name. Ceilings are asked
   * when they act.
   */
  holdersOf(permission: Permission, reach: Reach): Promise<readonly { readonly id: UserId; readonly name: string }[]>;
}

interface ProfileRow {
  readonly id: UserId;
  readonly sealed_profile: Uint8Array;
}

const PROFILES = statement<ProfileRow>(
  'identity.profiles',
  'SELECT id, sealed_profile FROM identity.users WHERE id = ANY ($1::uuid[])',
);
const HOLDERS = statement<ProfileRow>(
  'identity.holders',
  `SELECT u.id, u.sealed_profile FROM identity.users u WHERE u.state = 'active'
     AND EXISTS (SELECT FROM identity.memberships m WHERE m.user_id = u.id AND m.roles && $1::text[]
       AND ($2::uuid[] IS NULL OR m.organisation_id = ANY ($2))) LIMIT 1000`,
);

export function createUserDirectory(deps: { readonly database: Database; readonly keyRing: KeyRing }): UserDirectory {
  const { database } = deps;
  const sealing = createSealing(deps.keyRing);
  const nameOf = (row: ProfileRow): string => sealing.open('sealed_profile', row.id, row.sealed_profile).name;
  return {
    async names(ids) {
      return new Map((await database.rows(PROFILES, [ids])).map((row) => [row.id, nameOf(row)]));
    },
    async holdersOf(permission, reach) {
      const own = await roleStore.list(database, sealing);
      const roles = [
        ...ROLES.filter((role) => ROLE_PERMISSIONS[role].includes(permission)),
        ...own.filter((role) => role.permissions.includes(permission)).map(({ id }) => id),
      ];
      const rows = await database.rows(HOLDERS, [roles, reach === 'all' ? null : reach]);
      return rows.map((row) => ({ id: row.id, name: nameOf(row) })).toSorted((x, y) => x.name.localeCompare(y.name));
    },
  };
}
