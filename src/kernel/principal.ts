import type { NodeScope, Permission } from './access.ts';
import type { NodeId, OrganisationId, SessionId, UserId } from './ids.ts';

/** Everything, or what belongs to these organisations or is shared with them. */
export type Reach = 'all' | readonly OrganisationId[];

/** Who acts. Made by a door (or by the command line) per request and passed along as a value, never kept in a module. */
export type Principal = UserPrincipal | NodePrincipal | OperatorPrincipal | SystemPrincipal | AnonymousPrincipal;

export interface UserPrincipal {
  readonly kind: 'user';
  readonly userId: UserId;
  readonly displayName: string;
  /** The organisation this session acts in. What the person files belongs to it. */
  readonly organisationId: OrganisationId;
  /** Held in that organisation: names of built-in roles, ids of others. */
  readonly roles: readonly string[];
  /** What may be done while acting in that organisation, those of central roles included. */
  readonly permissions: ReadonlySet<Permission>;
  /** How far each permission goes, over all of the person's organisations. Ask `reachOf` (reach.ts). */
  readonly reach?: ReadonlyMap<Permission, Reach>;
  /** Set while glass is broken: the emergency's id and its end. */
  readonly emergency?: { readonly id: string; readonly endsMs: number };
  /** Set when a personal access token asks instead of a browser. */
  readonly tokenId?: string;
  /** Set while there is a notice that this person must read before they go on. */
  readonly mustRead?: true;
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
  /** Interactions it may use: those of the node, narrowed by the token of this request if it sent one. */
  readonly scopes: ReadonlySet<NodeScope>;
  /** The node needs a token for everything and this request came without: it may fetch one, and renew its certificate. */
  readonly lacksToken?: true;
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

/** Whether a node has this interaction. Everybody else is bounded by permissions alone. */
export function mayUse(principal: Principal, scope: NodeScope): boolean {
  return principal.kind !== 'node' || principal.scopes.has(scope);
}
