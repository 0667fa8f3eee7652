import type { OrganisationId } from '../../kernel/ids.ts';
import { mayUse, type Principal } from '../../kernel/principal.ts';
import { type Problem, scopeMissing } from '../../kernel/problem.ts';
import type { Access } from '../../platform/http/route.ts';
import { notAllowed, notSignedIn } from './errors.ts';

/**
 * What a handler knows about the one thing it is about to touch. A feature that has loaded it asks `decideAccess` again with
 * it; what is left out does not restrict.
 */
export interface ResourceClaim {
  /** Organisations the thing belongs to or is shared with. */
  readonly organisationIds?: readonly OrganisationId[];
  /** Assigning authority (identifier system) whose owner alone may change it. */
  readonly domain?: string;
}

/**
 * The one place where access is decided: for pages, API, FHIR and command line alike. `undefined` means: go on.
 * 401 for a stranger, 403 for somebody known who may not.
 */
export function decideAccess(principal: Principal, access: Access, resource?: ResourceClaim): Problem | undefined {
  if (access.kind === 'public' || access.kind === 'open') return undefined;
  if (principal.kind === 'anonymous') return notSignedIn();
  if (access.kind === 'signed-in') return principal.kind === 'user' ? undefined : notAllowed();
  if (!principal.permissions.has(access.permission)) return notAllowed();
  if (access.scope !== undefined && access.scope !== 'by-entry' && !mayUse(principal, access.scope))
    return scopeMissing(access.scope);
  return resource === undefined || reaches(principal, resource) ? undefined : notAllowed();
}

function reaches(principal: Principal, resource: ResourceClaim): boolean {
  if (principal.kind !== 'user' && principal.kind !== 'node') return true;
  const { organisationIds, domain } = resource;
  if (organisationIds !== undefined && !organisationIds.includes(principal.organisationId)) return false;
  return domain === undefined || principal.kind !== 'node' || principal.domains.includes(domain);
}
