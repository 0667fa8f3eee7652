import type { Permission } from './access.ts';
import type { OrganisationId } from './ids.ts';
import type { Principal, Reach } from './principal.ts';

/**
 * How far a principal's permission goes. The one question behind every list, read, count and change of things that belong to
 * organisations. Nodes reach every client, since looking for people across organisations is what the registry is there for; a
 * person without a stated reach gets their own organisation and no more.
 */
export function reachOf(principal: Principal, permission: Permission): Reach {
  if (!principal.permissions.has(permission)) return [];
  if (principal.kind !== 'user') return 'all';
  return principal.reach?.get(permission) ?? [principal.organisationId];
}

/** Whether the reach covers at least one of these organisations. */
export function touches(reach: Reach, organisationIds: readonly OrganisationId[]): boolean {
  return reach === 'all' || organisationIds.some((id) => reach.includes(id));
}

/** Whether the reach covers all of these organisations. */
export function covers(reach: Reach, organisationIds: readonly OrganisationId[]): boolean {
  return reach === 'all' || organisationIds.every((id) => reach.includes(id));
}
