import type { SessionId } from '../../kernel/ids.ts';
import type { AnonymousPrincipal, UserPrincipal } from '../../kernel/principal.ts';
import type { User } from './model.ts';
import { permissionsOf } from './rules.ts';

export const ANONYMOUS: AnonymousPrincipal = Object.freeze({ kind: 'anonymous', permissions: new Set<never>() });

/** The user as a request carries them: what their roles allow at this moment. */
export function makePrincipal(
  user: Pick<User, 'id' | 'name' | 'organisationId' | 'roles'>,
  sessionId: SessionId,
  authenticatedAtMs: number,
): UserPrincipal {
  return {
    kind: 'user',
    userId: user.id,
    displayName: user.name,
    organisationId: user.organisationId,
    roles: user.roles,
    permissions: permissionsOf(user.roles),
    sessionId,
    authenticatedAtMs,
  };
}
