import type { z } from 'zod';
import { instant } from '../../kernel/time.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import {
  event,
  noneBecause,
  publicBecause,
  type RouteDeclaration,
  type RouteLimits,
  type RouteReply,
  type RouteRequest,
  route,
  signedInBecause,
} from '../../platform/http/route.ts';
import type { Enrolment } from './enrolment.ts';
import type { LinkKind } from './link-store.ts';
import type { IdentitySettings } from './model.ts';
import type { PasswordChoice } from './password-choice.ts';
import type { OwnAccount } from './own-account.ts';
import { type Browser, DEVICE_COOKIE, PRE_SESSION_COOKIE, SESSION_COOKIE } from './sessions.ts';
import type { SignIn } from './sign-in.ts';
import * as wire from './wire.ts';

export interface RoutesDeps {
  readonly signIn: SignIn;
  readonly enrolment: Enrolment;
  readonly ownAccount: OwnAccount;
  readonly choice: PasswordChoice;
  readonly settings: IdentitySettings;
}

const SMALL_BODY = 8_192;
/** Typing a password asks after each pause. */
const CHECKS: RouteLimits = { bodyBytesMax: SMALL_BODY, perMinute: 120 };
/** Guesses cost an Argon2id each; the account's and the network's counters are stricter than this. */
const GUESSES: RouteLimits = { bodyBytesMax: SMALL_BODY, perMinute: 60 };
const LINKS: RouteLimits = { bodyBytesMax: SMALL_BODY, perMinute: 30 };

const BEFORE_SIGN_IN = 'Whoever signs in has no session yet; throttled per account, browser and network';
const LINK_IS_KEY = 'The one-time link of 256 random bits is what admits';

const nothing = { params: wire.NoParams, query: wire.NoQuery };

/** What the browser of this request brings along. */
function browserOf(request: RouteRequest<unknown, unknown, unknown>): Browser {
  return {
    sessionToken: request.cookie(SESSION_COOKIE),
    preSessionToken: request.cookie(PRE_SESSION_COOKIE),
    deviceToken: request.cookie(DEVICE_COOKIE),
    userAgent: request.header('user-agent'),
    address: request.actor.origin.address,
  };
}

function answer<T>(body: T, audited: AuditReceipt | null, cookies: RouteReply<T>['cookies'] = []): RouteReply<T> {
  return { status: 200, body, audited, cookies };
}

export function signInRoutes({ signIn, ownAccount, choice }: RoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/session',
      access: publicBecause('The page asks whether anybody is signed in; a stranger learns that nobody is'),
      audit: noneBecause('Tells people about themselves only, many times a minute'),
      input: { ...nothing, body: 'none' },
      output: wire.SessionAnswer,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      handle: async (request) => answer(await ownAccount.session(request.actor.principal, browserOf(request)), null),
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/password-check',
      access: publicBecause('People choose a password before they have an account; nothing is stored or compared'),
      audit: noneBecause('Nothing is read, changed or tried'),
      input: { ...nothing, body: wire.PasswordCheckRequest },
      output: wire.PasswordCheckAnswer,
      limits: CHECKS,
      async handle({ body }) {
        const reasons = await choice.reasons(body.password, body.words ?? []);
        return answer({ ok: reasons.length === 0, reasons: [...reasons] }, null);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-in/password',
      access: publicBecause(BEFORE_SIGN_IN),
      audit: event('sign-in.password'),
      input: { ...nothing, body: wire.SignInPasswordRequest },
      output: wire.SignInPasswordAnswer,
      limits: GUESSES,
      async handle(request) {
        const { cookies, audited } = await signIn.withPassword(request.actor, request.body, browserOf(request));
        return answer({ next: 'second-factor' as const }, audited, cookies);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-in/code',
      access: publicBecause(BEFORE_SIGN_IN),
      audit: event('sign-in.code'),
      input: { ...nothing, body: wire.SignInCodeRequest },
      output: wire.SignInCodeAnswer,
      limits: GUESSES,
      async handle(request) {
        const done = await signIn.withSecondFactor(request.actor, request.body, browserOf(request));
        const left = done.recoveryCodesLeft;
        const body = { state: 'signed-in' as const, ...(left === undefined ? {} : { recoveryCodesLeft: left }) };
        return answer(body, done.audited, done.cookies);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-out',
      access: signedInBecause('Everybody may end their own session'),
      audit: event('sign-out'),
      input: { ...nothing, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor }) {
        const audited = await ownAccount.signOut(actor);
        return { status: 204, audited, cookies: [{ name: SESSION_COOKIE, value: null }] };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/sessions',
      access: signedInBecause('Everybody may see where they are signed in'),
      audit: event('session.list'),
      input: { ...nothing, body: 'none' },
      output: wire.SessionsAnswer,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor }) {
        const { sessions, audited } = await ownAccount.sessions(actor);
        return answer({ sessions }, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/sessions/:id',
      access: signedInBecause('Everybody may end their own sessions, nobody else’s'),
      audit: event('session.end'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      handle: async ({ actor, params }) => ({ status: 204, audited: await ownAccount.endSession(actor, params.id) }),
    }),
  ];
}

export function linkRoutes({ enrolment, settings }: RoutesDeps): RouteDeclaration[] {
  return [
    lookRoute('setup', enrolment, settings),
    draftRoute('setup', wire.SetupAccountRequest, enrolment),
    confirmRoute('setup', enrolment),
    lookRoute('enrol', enrolment, settings),
    draftRoute('enrol', wire.EnrolAccountRequest, enrolment),
    confirmRoute('enrol', enrolment),
  ];
}

function lookRoute(kind: LinkKind, enrolment: Enrolment, settings: IdentitySettings): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: `/api/${kind}/link`,
    access: publicBecause(LINK_IS_KEY),
    audit: event('link.look'),
    input: { ...nothing, body: wire.LinkRequest },
    output: wire.LinkAnswer,
    limits: LINKS,
    async handle({ actor, body }) {
      const { organisation, account, expiresMs, audited } = await enrolment.look(actor, kind, body.token);
      const known = account === undefined ? {} : { email: account.email, name: account.name };
      const facts = { kind, valid: true as const, ...known, ...(organisation === undefined ? {} : { organisation }) };
      return answer(
        { ...facts, expiresAt: instant(expiresMs), passwordLengthMin: settings.passwordLengthMin },
        audited,
      );
    },
  });
}

function draftRoute(kind: LinkKind, body: z.ZodType<DraftInput>, enrolment: Enrolment): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: `/api/${kind}/account`,
    access: publicBecause(LINK_IS_KEY),
    audit: event(kind === 'setup' ? 'setup.account' : 'enrol.account'),
    input: { ...nothing, body },
    output: wire.AccountAnswer,
    limits: LINKS,
    async handle(request) {
      const { uri, key, qrSvg, audited } = await enrolment.draft(request.actor, kind, request.body);
      return answer({ totp: { uri, key, qrSvg } }, audited);
    },
  });
}

type DraftInput = Parameters<Enrolment['draft']>[2];

function confirmRoute(kind: LinkKind, enrolment: Enrolment): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: `/api/${kind}/confirm`,
    access: publicBecause(LINK_IS_KEY),
    audit: event(kind === 'setup' ? 'setup.confirm' : 'enrol.confirm'),
    input: { ...nothing, body: wire.ConfirmRequest },
    output: wire.ConfirmAnswer,
    limits: LINKS,
    async handle(request) {
      const done = await enrolment.confirm(request.actor, kind, request.body, browserOf(request));
      return answer({ recoveryCodes: [...done.recoveryCodes] }, done.audited, done.cookies);
    },
  });
}
