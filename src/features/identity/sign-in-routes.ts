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
import { askSecondPasskey, signInWithFactor } from './sign-in-code.ts';
import { askPasskeyAlone, signInWithPasskey } from './sign-in-passkey.ts';
import { signInWithPassword } from './sign-in-password.ts';
import * as wire from './wire.ts';
import * as factors from './wire-factors.ts';

/** A whole clinic may sign in from one address at eight; wrong guesses are bounded far below this by throttle-rules.ts. */
const GUESSES: RouteLimits = { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 600 };
/** A passkey's answer holds a certificate of its maker at most. */
const PASSKEY: RouteLimits = { bodyBytesMax: 65_536, perMinute: 300 };
const BEFORE_SIGN_IN = 'Whoever signs in has no session yet; throttled per account, browser and network';

/** Password, then code or passkey; or a passkey alone. */
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
        return answer(given.answer, given.audited, given.cookies);
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
        const { actor, baseUrl } = request;
        const { trust, ...proof } = request.body;
        const done = await signInWithFactor(signIn, { actor, proof, browser: browserOf(request), baseUrl, trust });
        const left = done.recoveryCodesLeft;
        const body = { state: 'signed-in' as const, ...(left === undefined ? {} : { recoveryCodesLeft: left }) };
        return answer(body, done.audited, done.cookies);
      },
    }),
    ...passkeyRoutes(signIn),
  ];
}

function passkeyRoutes(signIn: SignInDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-in/passkey/options',
      access: publicBecause(BEFORE_SIGN_IN),
      audit: noneBecause('Random bytes to sign; names nobody, and the attempt itself is recorded'),
      input: { ...NOTHING, body: factors.PasskeySignInOptionsRequest },
      output: factors.PasskeyOptionsAnswer,
      limits: GUESSES,
      async handle(request) {
        const { baseUrl } = request;
        const { options, cookie } = request.body.alone
          ? await askPasskeyAlone(signIn, baseUrl)
          : await askSecondPasskey(signIn, { browser: browserOf(request), baseUrl });
        return answer({ options }, null, [cookie]);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-in/passkey',
      access: publicBecause(BEFORE_SIGN_IN),
      audit: event('sign-in.passkey'),
      input: { ...NOTHING, body: factors.PasskeySignInRequest },
      output: factors.PasskeySignInAnswer,
      limits: PASSKEY,
      async handle(request) {
        const { actor, baseUrl } = request;
        const { credential, alone, trust } = request.body;
        const browser = browserOf(request);
        const done = alone
          ? await signInWithPasskey(signIn, { actor, credential, browser, baseUrl })
          : await signInWithFactor(signIn, { actor, proof: { credential }, browser, baseUrl, trust });
        return answer({ state: 'signed-in' as const }, done.audited, done.cookies);
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
