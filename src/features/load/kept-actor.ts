import type { Permission } from '../../kernel/access.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';

/** Who started a load, kept (sealed) with it: the records it writes are theirs also when another process goes on with it. */
export type KeptActor = {
  readonly principal: unknown;
  readonly permissions: readonly Permission[];
  readonly requestId: string;
};

export function keepActor({ principal, origin }: Actor): KeptActor {
  return {
    // A person's reach is left out: a load files into domains of the organisation it was started in, and into no other.
    principal: { ...principal, permissions: [], reach: undefined },
    permissions: [...principal.permissions],
    requestId: origin.requestId,
  };
}

export function restoreActor(kept: KeptActor): Actor {
  return {
    // Written by keepActor and opened from its seal: what comes back is the principal that went in.
    principal: { ...(kept.principal as Principal), permissions: new Set(kept.permissions) },
    origin: { door: 'background', requestId: kept.requestId },
  };
}

/** A name for pages: the user, or the operator's account. */
export function actorName({ principal }: Actor): string {
  if (principal.kind === 'user') return principal.displayName;
  if (principal.kind === 'node') return principal.name;
  return principal.kind === 'operator' ? principal.osUser : principal.kind;
}
