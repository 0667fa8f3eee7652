import type { OrganisationId, SessionId } from '../../kernel/ids.ts';
import type { AnonymousPrincipal, UserPrincipal } from '../../kernel/principal.ts';
import type { User } from './model.ts';
import { effectiveRights } from './rights.ts';

export const ANONYMOUS: AnonymousPrincipal = Object.freeze({ kind: 'anonymous', permissions: new Set<never>() });

/** The user as a request carries them: what their roles allow at this moment, acting in `acting` or their first organisation. */
export function makePrincipal(
  user: Pick<User, 'id' | 'name' | 'organisationId' | 'memberships'>,
  session: {
    readonly id: SessionId;
    readonly authenticatedAtMs: number;
    readonly acting?: OrganisationId | null;
    readonly emergency?: NonNullable<UserPrincipal['emergency']> | undefined;
    readonly mustRead?: boolean;
  },
): UserPrincipal {
  const { organisationId, roles, permissions, reach } = effectiveRights(user.memberships, session.acting);
  const { emergency } = session;
  const broken = emergency !== undefined && permissions.has('client.break-glass') && permissions.has('client.read');
  return {
    kind: 'user',
    userId: user.id,
    displayName: user.name,
    organisationId: organisationId ?? user.organisationId,
    roles,
    permissions,
    reach: broken ? new Map([...reach, ['client.read', 'all' as const]]) : reach,
    ...(broken ? { emergency } : {}),
    ...(session.mustRead === true ? { mustRead: true as const } : {}),
    sessionId: session.id,
    authenticatedAtMs: session.authenticatedAtMs,
  };
}
