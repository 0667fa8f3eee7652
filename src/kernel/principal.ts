import type { Permission, Role } from './access.ts';
import type { NodeId, OrganisationId, SessionId, UserId } from './ids.ts';

/** Who acts. Made by a door (or by the command line) per request and passed along as a value, never kept in a module. */
export type Principal = UserPrincipal | NodePrincipal | OperatorPrincipal | SystemPrincipal | AnonymousPrincipal;

export interface UserPrincipal {
  readonly kind: 'user';
  readonly userId: UserId;
  readonly displayName: string;
  readonly organisationId: OrganisationId;
  readonly roles: readonly Role[];
  readonly permissions: ReadonlySet<Permission>;
  readonly sessionId: SessionId;
  /** Unix ms of the last full authentication (password and second factor). */
  readonly authenticatedAtMs: number;
}

export interface NodePrincipal {
  readonly kind: 'node';
  readonly nodeId: NodeId;
  readonly name: string;
  readonly organisationId: OrganisationId;
  /** Identifier systems this node owns (assigning authorities). */
  readonly domains: readonly string[];
  readonly permissions: ReadonlySet<Permission>;
  /** SHA-256 of the DER certificate, lower-case hex. */
  readonly certificateSha256: string;
}

/** Somebody at the server's own command line. */
export interface OperatorPrincipal {
  readonly kind: 'operator';
  readonly osUser: string;
  readonly permissions: ReadonlySet<Permission>;
}

/** Careseal itself: background jobs. */
export interface SystemPrincipal {
  readonly kind: 'system';
  readonly permissions: ReadonlySet<Permission>;
}

export interface AnonymousPrincipal {
  readonly kind: 'anonymous';
  readonly permissions: ReadonlySet<Permission>;
}

/** Where a request came from, for audit and throttling. */
export interface RequestOrigin {
  readonly door: 'users' | 'nodes' | 'operations' | 'command-line' | 'background';
  /** IP address as text, without port; `undefined` for command line and background. */
  readonly address?: string;
  readonly requestId: string;
}

export interface Actor {
  readonly principal: Principal;
  readonly origin: RequestOrigin;
}
