import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { RouteReply, RouteRequest } from '../../platform/http/route.ts';
import { CHALLENGE_COOKIE } from './challenge-store.ts';
import { DEVICE_COOKIE } from './devices.ts';
import { type Browser, PRE_SESSION_COOKIE, SESSION_COOKIE } from './sessions.ts';
import { TRUSTED_COOKIE } from './trusted-devices.ts';
import * as wire from './wire.ts';

/** Passwords, codes, tokens: nothing that a person types is larger. */
export const SMALL_BODY_BYTES = 8_192;

/** Inputs of a route without path or query parameters. */
export const NOTHING = { params: wire.NoParams, query: wire.NoQuery } as const;

/** What the browser of this request brings along. */
export function browserOf(request: RouteRequest<unknown, unknown, unknown>): Browser {
  return {
    sessionToken: request.cookie(SESSION_COOKIE),
    preSessionToken: request.cookie(PRE_SESSION_COOKIE),
    deviceToken: request.cookie(DEVICE_COOKIE),
    trustedToken: request.cookie(TRUSTED_COOKIE),
    challengeToken: request.cookie(CHALLENGE_COOKIE),
    userAgent: request.header('user-agent'),
    address: request.actor.origin.address,
  };
}

export function answer<T>(
  body: T,
  audited: AuditReceipt | null,
  cookies: NonNullable<RouteReply<T>['cookies']> = [],
): RouteReply<T> {
  return { status: 200, body, audited, cookies };
}
