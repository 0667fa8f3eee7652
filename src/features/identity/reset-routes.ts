import {
  event,
  noneBecause,
  publicBecause,
  type RouteDeclaration,
  route,
  signedInBecause,
} from '../../platform/http/route.ts';
import type { FactorReset } from './factor-reset.ts';
import type { changeOwnPassword } from './own-password.ts';
import type { PasswordReset } from './password-reset.ts';
import { answer, browserOf, NOTHING, SMALL_BODY_BYTES } from './route-parts.ts';
import * as wire from './wire.ts';
import * as factors from './wire-factors.ts';

const LIMITS = { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 30 };
const PASSKEY = { bodyBytesMax: 65_536, perMinute: 30 };
const LINK = publicBecause('The one-time link of 256 random bits admits, together with a factor or the password');

export interface ResetRoutesDeps {
  readonly passwordReset: PasswordReset;
  readonly factorReset: FactorReset;
  readonly changePassword: (request: Parameters<typeof changeOwnPassword>[1]) => ReturnType<typeof changeOwnPassword>;
}

/** Lost and changed passwords, lost second factors. */
export function resetRoutes(deps: ResetRoutesDeps): RouteDeclaration[] {
  return [...forgottenRoutes(deps), ...factorResetRoutes(deps), changeRoute(deps)];
}

function changeRoute({ changePassword }: ResetRoutesDeps): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: '/api/password',
    access: signedInBecause('Everybody may change their own password, with the present one', { stepUp: true }),
    audit: event('password.change'),
    input: { ...NOTHING, body: factors.PasswordChangeRequest },
    output: 'none',
    limits: LIMITS,
    async handle(request) {
      const audited = await changePassword({ actor: request.actor, ...request.body, browser: browserOf(request) });
      return { status: 204, audited };
    },
  });
}

function forgottenRoutes({ passwordReset }: ResetRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/forgot-password',
      access: publicBecause('Whoever lost a password cannot sign in; the answer is the same for every address'),
      audit: event('password.forgotten'),
      input: { ...NOTHING, body: factors.ForgotPasswordRequest },
      output: factors.ForgotPasswordAnswer,
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 10 },
      async handle({ actor, body, baseUrl }) {
        const { mail, audited } = await passwordReset.forgot(actor, { ...body, baseUrl });
        return answer({ mail }, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/password-reset/link',
      access: LINK,
      audit: event('link.look'),
      input: { ...NOTHING, body: factors.ResetTokenRequest },
      output: factors.ResetLinkAnswer,
      limits: LIMITS,
      async handle({ actor, body }) {
        const found = await passwordReset.look(actor, body.token);
        return answer(found.body, found.audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/password-reset/options',
      access: LINK,
      audit: noneBecause('Random bytes to sign; the reset itself is recorded'),
      input: { ...NOTHING, body: factors.ResetTokenRequest },
      output: factors.PasskeyOptionsAnswer,
      limits: LIMITS,
      async handle({ body, baseUrl }) {
        const { options, cookie } = await passwordReset.passkeyQuestion(body.token, baseUrl);
        return answer({ options }, null, [cookie]);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/password-reset',
      access: LINK,
      audit: event('password.reset'),
      input: { ...NOTHING, body: factors.PasswordResetRequest },
      output: 'none',
      limits: PASSKEY,
      async handle(request) {
        const { actor, body, baseUrl } = request;
        const audited = await passwordReset.reset(actor, { ...body, browser: browserOf(request), baseUrl });
        return { status: 204, audited };
      },
    }),
  ];
}

function factorResetRoutes({ factorReset }: ResetRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/factor-reset/link',
      access: LINK,
      audit: event('link.look'),
      input: { ...NOTHING, body: factors.ResetTokenRequest },
      output: factors.FactorResetLinkAnswer,
      limits: LIMITS,
      async handle({ actor, body }) {
        const { email, expiresAt, audited } = await factorReset.look(actor, body.token);
        return answer({ email, expiresAt }, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/factor-reset/begin',
      access: LINK,
      audit: event('factor.begin'),
      input: { ...NOTHING, body: factors.FactorResetBeginRequest },
      output: wire.AccountAnswer,
      limits: LIMITS,
      async handle(request) {
        const begun = await factorReset.begin(request.actor, { ...request.body, browser: browserOf(request) });
        const { uri, key, qrSvg, audited } = begun;
        return answer({ totp: { uri, key, qrSvg } }, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/factor-reset/confirm',
      access: LINK,
      audit: event('sign-in.code'),
      input: { ...NOTHING, body: factors.FactorResetConfirmRequest },
      output: wire.ConfirmAnswer,
      limits: LIMITS,
      async handle(request) {
        const done = await factorReset.confirm(request.actor, { ...request.body, browser: browserOf(request) });
        return answer({ recoveryCodes: [...done.recoveryCodes] }, done.audited, done.cookies);
      },
    }),
  ];
}
