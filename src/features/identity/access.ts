import type { Permission } from '../../kernel/access.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import { mayUse, type Principal } from '../../kernel/principal.ts';
import { type Problem, scopeMissing, tokenMissing } from '../../kernel/problem.ts';
import { reachOf, touches } from '../../kernel/reach.ts';
import type { Access } from '../../platform/http/route.ts';
import { notAllowed, noticePending, notSignedIn, stepUpNeeded } from './errors.ts';
import type { IdentitySettings } from './model.ts';
import { isProofFresh } from './policy-rules.ts';

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
  // A token does what its permissions name; a person's own account is for the person.
  if (access.kind === 'signed-in')
    return principal.kind === 'user' && principal.tokenId === undefined ? undefined : notAllowed();
  if (principal.kind === 'node' && principal.lacksToken) return tokenMissing();
  // Tokens are for the interface that systems use; pages and administration are for people.
  if (principal.kind === 'user' && principal.tokenId !== undefined && access.scope === undefined) return notAllowed();
  if (!principal.permissions.has(access.permission)) return notAllowed();
  // Their own account stays theirs (above): what must be read is read and acknowledged there.
  if (principal.kind === 'user' && principal.mustRead) return noticePending();
  if (access.everywhere && reachOf(principal, access.permission) !== 'all') return notAllowed();
  if (access.scope !== undefined && access.scope !== 'by-entry' && !mayUse(principal, access.scope))
    return scopeMissing(access.scope);
  return resource === undefined || reaches(principal, access.permission, resource) ? undefined : notAllowed();
}

function reaches(principal: Principal, permission: Permission, resource: ResourceClaim): boolean {
  const { organisationIds, domain } = resource;
  if (organisationIds !== undefined && !touches(reachOf(principal, permission), organisationIds)) return false;
  return domain === undefined || principal.kind !== 'node' || principal.domains.includes(domain);
}

/** What a dangerous act asks besides: that the user has proved who they are a short while ago. Asked after `decideAccess`. */
export function stepUpRefusal(
  principal: Principal,
  access: Access,
  now: { readonly nowMs: number; readonly settings: IdentitySettings },
): Problem | undefined {
  const asked = 'stepUp' in access && access.stepUp;
  if (!asked || principal.kind !== 'user') return undefined;
  return isProofFresh(principal.authenticatedAtMs, now.nowMs, now.settings) ? undefined : stepUpNeeded();
}
