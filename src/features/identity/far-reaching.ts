import type { Permission } from '../../kernel/access.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { IdentityParts } from './compose.ts';
import type { Directory } from './directory.ts';
import { effectiveRights } from './rights.ts';

/** Somebody whose right reaches every organisation. */
export interface FarReaching {
  readonly id: UserId;
  readonly name: string;
  readonly email: string;
}

/** Active people who may do this everywhere, by name. They all belong to the central organisation, so only its people are looked at. */
export async function farReaching(
  { database, users }: Pick<IdentityParts, 'database' | 'users'>,
  who: { readonly directory: Directory; readonly central: OrganisationId | undefined; readonly permission: Permission },
): Promise<FarReaching[]> {
  const { directory, central, permission } = who;
  const found: FarReaching[] = [];
  for (const id of central === undefined ? [] : await directory.membersOf(database, [central])) {
    const account = await users.find(database, id);
    if (account?.state !== 'active' || effectiveRights(account.memberships).reach.get(permission) !== 'all') continue;
    found.push({ id, name: account.name, email: account.email });
  }
  return found.toSorted((a, b) => a.name.localeCompare(b.name));
}
