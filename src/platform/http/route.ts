import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { NodeScope, Permission } from '../../kernel/access.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from './audited.ts';

export type Door = 'users' | 'nodes' | 'operations';

/** Who may call. There is no default: a route without an access does not compile and the server refuses to start. */
export type Access =
  | {
      readonly kind: 'permission';
      readonly permission: Permission;
      /**
       * What a node needs besides; every route of the nodes' door that asks a permission names one. `by-entry`: the handler
       * asks for each part of the message with `mayUse`.
       */
      readonly scope?: NodeScope | 'by-entry';
      /** Asked of users: the permission over every organisation, since what is answered belongs to no single one. */
      readonly everywhere?: true;
      /** Asked of users: a full proof that is recent (policy `stepUpMinutes`), since the act is dangerous. */
      readonly stepUp?: true;
    }
  /** Any signed-in user, whatever their role: their own session, their own profile. */
  | { readonly kind: 'signed-in'; readonly because: string; readonly stepUp?: true }
  /** On the nodes' door: whoever authenticated with a certificate, with any scope. On the users' door: everybody. */
  | { readonly kind: 'public'; readonly because: string }
  /** Everybody on both doors, without any certificate: enrolment, and what must be read before one can connect. */
  | { readonly kind: 'open'; readonly because: string };

export const permission = (
  name: Permission,
  more: { readonly scope?: NodeScope | 'by-entry'; readonly stepUp?: true; readonly everywhere?: true } = {},
): Access => ({
  kind: 'permission',
  permission: name,
  ...more,
});
export const openBecause = (because: string): Access => ({ kind: 'open', because });
export const signedInBecause = (because: string, more: { readonly stepUp?: true } = {}): Access => ({
  kind: 'signed-in',
  because,
  ...more,
});
export const publicBecause = (because: string): Access => ({ kind: 'public', because });

/** What is written to the audit log when the route succeeds. Refusals of any route are recorded by the door. */
export type AuditDeclaration =
  | {
      readonly kind: 'event';
      readonly event: string;
      /** Of another family, where the act may end as that: somebody who signs in links an identity. */
      readonly or?: readonly string[];
    }
  | { readonly kind: 'none'; readonly because: string };

export const event = (name: string, more: { readonly or?: readonly string[] } = {}): AuditDeclaration => ({
  kind: 'event',
  event: name,
  ...more,
});
export const noneBecause = (because: string): AuditDeclaration => ({ kind: 'none', because });

export interface RouteLimits {
  /** Largest request body in bytes; 0 where the route takes none. */
  readonly bodyBytesMax: number;
  /** Requests per minute and caller (user, node or network address). */
  readonly perMinute: number;
}

/** How the body arrives: parsed JSON checked by a zod schema, raw bytes, an unread stream, or none. */
export type BodyInput = z.ZodType | 'bytes' | 'stream' | 'none';

export interface RouteInput<P extends z.ZodType, Q extends z.ZodType, B extends BodyInput> {
  readonly params: P;
  /** `'raw'` hands the undecoded query string on (FHIR search needs order and repeats). */
  readonly query: Q | 'raw';
  readonly body: B;
}

export interface RouteRequest<P, Q, B> {
  readonly actor: Actor;
  readonly method: string;
  /** Path and query as received, without host. */
  readonly url: string;
  /** `https://host:port`, from the configured host names, never from an untrusted Host header. */
  readonly baseUrl: string;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  /** Aborted when the client goes away or the server shuts down. */
  readonly signal: AbortSignal;
}

export interface CookieChange {
  /** Sent as `__Host-<name>`; Secure, HttpOnly, SameSite=Strict, Path=/ always. */
  readonly name: string;
  readonly value: string | null; // null clears
  readonly maxAgeSeconds?: number;
}

export interface RouteReply<Body> {
  readonly status: number;
  readonly body?: Body | Uint8Array | Readable;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly CookieChange[];
  /** Required when the route declares an event; `null` when it declares none. */
  readonly audited: AuditReceipt | null;
}

type BodyOf<B extends BodyInput> = B extends z.ZodType
  ? z.output<B>
  : B extends 'bytes'
    ? Uint8Array
    : B extends 'stream'
      ? Readable
      : undefined;

export interface RouteDeclaration<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends BodyInput = BodyInput,
  O extends z.ZodType = z.ZodType,
> {
  readonly doors: readonly Door[];
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Fastify path syntax: `/api/clients/:id`. */
  readonly path: string;
  readonly access: Access;
  readonly audit: AuditDeclaration;
  readonly input: RouteInput<P, Q, B>;
  /** Shape of a successful JSON answer, or how it is made otherwise. */
  readonly output: O | 'fhir' | 'bytes' | 'none';
  readonly limits: RouteLimits;
  handle(request: RouteRequest<z.output<P>, z.output<Q>, BodyOf<B>>): Promise<RouteReply<z.input<O>>>;
}

/** Identity function that infers the types of one declaration and erases them for the list. */
export function route<P extends z.ZodType, Q extends z.ZodType, B extends BodyInput, O extends z.ZodType>(
  declaration: RouteDeclaration<P, Q, B, O>,
): RouteDeclaration {
  // The list of routes is heterogeneous; the door parses each input with the route's own schemas before it calls handle.
  return declaration;
}
