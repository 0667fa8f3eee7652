import {
  event,
  noneBecause,
  publicBecause,
  type RouteDeclaration,
  type RouteLimits,
  route,
} from '../../platform/http/route.ts';
import type { PasswordChoice } from './password-choice.ts';
import { answer, browserOf, NOTHING, SMALL_BODY_BYTES } from './route-parts.ts';
import type { SignInDeps } from './sign-in.ts';
import { signInWithCode } from './sign-in-code.ts';
import { signInWithPassword } from './sign-in-password.ts';
import * as wire from './wire.ts';

/** A whole clinic may sign in from one address at eight; wrong guesses are bounded far below this by throttle-rules.ts. */
const GUESSES: RouteLimits = { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 600 };
const BEFORE_SIGN_IN = 'Whoever signs in has no session yet; throttled per account, browser and network';

/** Password, then code. */
export function signInRoutes(signIn: SignInDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-in/password',
      access: publicBecause(BEFORE_SIGN_IN),
      audit: event('sign-in.password'),
      input: { ...NOTHING, body: wire.SignInPasswordRequest },
      output: wire.SignInPasswordAnswer,
      limits: GUESSES,
      async handle(request) {
        const { actor, body } = request;
        const given = await signInWithPassword(signIn, { actor, ...body, browser: browserOf(request) });
        return answer({ next: 'second-factor' as const }, given.audited, given.cookies);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-in/code',
      access: publicBecause(BEFORE_SIGN_IN),
      audit: event('sign-in.code'),
      input: { ...NOTHING, body: wire.SignInCodeRequest },
      output: wire.SignInCodeAnswer,
      limits: GUESSES,
      async handle(request) {
        const { actor, body: factor } = request;
        const done = await signInWithCode(signIn, { actor, factor, browser: browserOf(request) });
        const left = done.recoveryCodesLeft;
        const body = { state: 'signed-in' as const, ...(left === undefined ? {} : { recoveryCodesLeft: left }) };
        return answer(body, done.audited, done.cookies);
      },
    }),
  ];
}

export function passwordCheckRoute(choice: PasswordChoice): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: '/api/password-check',
    access: publicBecause('People choose a password before they have an account; nothing is stored or compared'),
    audit: noneBecause('Nothing is read, changed or tried'),
    input: { ...NOTHING, body: wire.PasswordCheckRequest },
    output: wire.PasswordCheckAnswer,
    limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 120 },
    async handle({ body }) {
      const reasons = await choice.reasons(body.password, body.words ?? []);
      return answer({ ok: reasons.length === 0, reasons: [...reasons] }, null);
    },
  });
}
