import type { FastifyRequest } from 'fastify';
import type { AnonymousPrincipal, RequestOrigin } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import { plainAddress } from './address.ts';
import type { DoorCode } from './errors.ts';
import type { Limiter } from './limiter.ts';
import type { DoorOptions } from './options.ts';
import { checkBrowserOrigin, checkHost, type HostNames } from './origin-checks.ts';
import { type PeerCertificate, peerCertificate } from './peer.ts';
import { assertPlainRequest } from './plain-request.ts';
import { callerOf } from './refusals.ts';
import type { Admitted } from './request.ts';
import type { RouteDeclaration } from './route.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request proved so far. On the request itself and nowhere else: OpenCR kept it in a module variable. */
    careseal: RequestState | null;
    /** Code of the Problem that ended this request. */
    refusedAs: string | null;
  }
}

export interface RequestState extends Admitted {
  readonly stage: 'authentication' | 'request';
  readonly route: RouteDeclaration | undefined;
  readonly peer: PeerCertificate | undefined;
}

export const ANONYMOUS: AnonymousPrincipal = Object.freeze({ kind: 'anonymous', permissions: new Set<never>() });

/** What a declared route needs beyond the door: its own limiter. */
export interface GuardedRoute {
  readonly declaration: RouteDeclaration;
  readonly limiter: Limiter;
}

/** Turns a raw request into an admitted one, or throws the Problem that refuses it. Runs before any body is read. */
export type Admit = (request: FastifyRequest, guarded: GuardedRoute | undefined) => Promise<void>;

/**
 * The order is the security argument: one meaning → right host → not another site's doing → who → not too often → may they. A request
 * for an unknown address or method goes through the first three as well, so that the nodes' door says nothing to strangers.
 */
export function createAdmission(options: DoorOptions, names: () => HostNames): Admit {
  const { name, authenticate, decideAccess, clock } = options;
  return async function admit(request, guarded) {
    const origin: RequestOrigin = {
      door: name,
      address: plainAddress(request.raw.socket.remoteAddress),
      requestId: request.id,
    };
    const route = guarded?.declaration;
    const peer = name === 'nodes' ? peerCertificate(request.raw.socket) : undefined;
    request.careseal = { actor: { principal: ANONYMOUS, origin }, baseUrl: '', stage: 'authentication', route, peer };
    assertPlainRequest(request.raw);
    const baseUrl = checkHost(request.headers, names());
    // The declared path where there is one: the address may be spelt in another way (`/%61pi/…`).
    if (name === 'users') checkBrowserOrigin(request.method, route?.path ?? request.url, request.headers, baseUrl);
    const { cookie: cookieHeader, authorization } = request.headers;
    const isOpen = route?.access.kind === 'open';
    const principal = isOpen ? ANONYMOUS : await authenticate({ cookieHeader, authorization, peer, origin });
    request.careseal = { actor: { principal, origin }, baseUrl, stage: 'request', route, peer };
    if (guarded === undefined) return;
    const waitSeconds = guarded.limiter(callerOf(request.careseal.actor), clock.nowMs());
    if (waitSeconds > 0) throw tooMany(waitSeconds);
    const refused = decideAccess(principal, guarded.declaration.access);
    if (refused !== undefined) throw refused;
    if (guarded.declaration.input.body === 'none') assertNoBody(request);
  };
}

function tooMany(waitSeconds: number): Problem<DoorCode> {
  const text = `Too many requests. Try again in ${waitSeconds} s.`;
  return new Problem('too-many-requests', 'too-many-requests', text, { retryAfterSeconds: waitSeconds });
}

function assertNoBody(request: FastifyRequest): void {
  const { headers } = request;
  const length = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) return;
  throw new Problem<DoorCode>('invalid', 'body-not-expected', 'This address takes no request body.');
}
