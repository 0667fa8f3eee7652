import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { OrganisationStore } from './organisation-store.ts';

/** Who belongs where, for reports of what was done. */
export interface Directory {
  organisations(sql: Sql): Promise<readonly { readonly id: OrganisationId; readonly name: string }[]>;
  /** Everybody with a membership, whatever their state. */
  membersOf(sql: Sql, organisations: readonly OrganisationId[]): Promise<readonly UserId[]>;
}

const MEMBERS = statement<{ id: UserId }>(
  'identity.members',
  'SELECT DISTINCT user_id AS id FROM identity.memberships WHERE organisation_id = ANY ($1::uuid[])',
);

export function createDirectory({ organisations }: { readonly organisations: OrganisationStore }): Directory {
  return {
    async organisations(sql) {
      const all = await organisations.list(sql, undefined);
      return all.map(({ id, name }) => ({ id, name })).toSorted((a, b) => a.name.localeCompare(b.name));
    },
    async membersOf(sql, ids) {
      return (await sql.rows(MEMBERS, [ids])).map(({ id }) => id);
    },
  };
}
