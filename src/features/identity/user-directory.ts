import { type Permission, ROLES } from '../../kernel/access.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Reach } from '../../kernel/principal.ts';
import { type Database, statement } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import { ROLE_PERMISSIONS } from './rights.ts';
import { roleStore } from './role-store.ts';
import { createSealing, namesFit } from './sealing.ts';

/** Names of people, for features that show who works on something or hand it over. */
export interface UserDirectory {
  names(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, string>>;
  /**
   * Active people of whom a role in one of the organisations within reach gives this permission; by name, 50 at most. Ceilings
   * are asked when they act.
   */
  holdersOf(permission: Permission, reach: Reach, which?: WhichHolders): Promise<Holders>;
}

export interface WhichHolders {
  /** Words, of which each begins a word of the name. */
  readonly text?: string;
  /** This person alone. */
  readonly id?: UserId;
}

export interface Holders {
  readonly people: readonly { readonly id: UserId; readonly name: string }[];
  /** There are others who fit; more of the name finds them. */
  readonly more: boolean;
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
       AND ($2::uuid[] IS NULL OR m.organisation_id = ANY ($2)))
     AND ($3::bigint[] IS NULL OR u.name_tokens @> $3) AND ($4::uuid IS NULL OR u.id = $4)
   ORDER BY u.id DESC LIMIT $5`,
);
/** Names are sealed, so they are put in order here: of so many, the newest. */
const ORDERED_MAX = 1_000;
const HOLDERS_MAX = 50;

export function createUserDirectory(deps: { readonly database: Database; readonly keyRing: KeyRing }): UserDirectory {
  const { database } = deps;
  const sealing = createSealing(deps.keyRing);
  const nameOf = (row: ProfileRow): string => sealing.open('sealed_profile', row.id, row.sealed_profile).name;
  return {
    async names(ids) {
      return new Map((await database.rows(PROFILES, [ids])).map((row) => [row.id, nameOf(row)]));
    },
    async holdersOf(permission, reach, { text = '', id } = {}) {
      const own = await roleStore.list(database, sealing);
      const roles = [
        ...ROLES.filter((role) => ROLE_PERMISSIONS[role].includes(permission)),
        ...own.filter((role) => role.permissions.includes(permission)).map((role) => role.id),
      ];
      const tokens = sealing.searchTokens(text);
      const rows = await database.rows(HOLDERS, [
        ...[roles, reach === 'all' ? null : reach],
        ...[tokens.length === 0 ? null : tokens, id ?? null, ORDERED_MAX + 1],
      ]);
      // Tokens stand for the address as well: who sees colleagues' names alone must not find out addresses by asking.
      const people = rows
        .map((row) => ({ id: row.id, name: nameOf(row) }))
        .filter(({ name }) => namesFit(name, text))
        .toSorted((x, y) => x.name.localeCompare(y.name));
      return { people: people.slice(0, HOLDERS_MAX), more: rows.length > ORDERED_MAX || people.length > HOLDERS_MAX };
    },
  };
}
