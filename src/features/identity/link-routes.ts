import type { z } from 'zod';
import { instant } from '../../kernel/time.ts';
import { event, publicBecause, type RouteDeclaration, type RouteLimits, route } from '../../platform/http/route.ts';
import { type AccountInput, confirmAccount, draftAccount, goOnWithoutFactor } from './enrolment.ts';
import type { EnrolmentDeps } from './enrolment-deps.ts';
import { requirementBehind } from './enrolment-level.ts';
import type { FirstLinkKind } from './link-store.ts';
import { lookAtLink } from './links.ts';
import { passwordLengthFor } from './policy-rules.ts';
import { answer, browserOf, NOTHING, SMALL_BODY_BYTES } from './route-parts.ts';
import * as wire from './wire.ts';

const LINKS: RouteLimits = { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 30 };
const LINK_IS_KEY = 'The one-time link of 256 random bits is what admits';

/** One-time links: look, choose a password, prove the code; the same for set-up and enrolment. */
export function linkRoutes(deps: EnrolmentDeps): RouteDeclaration[] {
  return [
    lookRoute('setup', deps),
    draftRoute('setup', wire.SetupAccountRequest, deps),
    confirmRoute('setup', deps),
    withoutRoute('setup', deps),
    lookRoute('enrol', deps),
    draftRoute('enrol', wire.EnrolAccountRequest, deps),
    confirmRoute('enrol', deps),
    withoutRoute('enrol', deps),
  ];
}

function lookRoute(kind: FirstLinkKind, deps: EnrolmentDeps): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: `/api/${kind}/link`,
    access: publicBecause(LINK_IS_KEY),
    audit: event('link.look'),
    input: { ...NOTHING, body: wire.LinkRequest },
    output: wire.LinkAnswer,
    limits: LINKS,
    async handle({ actor, body }) {
      const { organisation, account, link, audited } = await lookAtLink(deps, { actor, kind, token: body.token });
      const known = account === undefined ? {} : { email: account.email, name: account.name };
      const facts = { kind, valid: true as const, ...known, ...(organisation === undefined ? {} : { organisation }) };
      await deps.policy.refresh();
      const secondFactor = await requirementBehind(deps.database, deps, account);
      const passwordLengthMin = passwordLengthFor(secondFactor, deps.settings);
      return answer({ ...facts, expiresAt: instant(link.expiresMs), passwordLengthMin, secondFactor }, audited);
    },
  });
}

function draftRoute(kind: FirstLinkKind, body: z.ZodType<AccountInput>, deps: EnrolmentDeps): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: `/api/${kind}/account`,
    access: publicBecause(LINK_IS_KEY),
    audit: event(kind === 'setup' ? 'setup.account' : 'enrol.account'),
    input: { ...NOTHING, body },
    output: wire.AccountAnswer,
    limits: LINKS,
    async handle({ actor, body: input }) {
      const { uri, key, qrSvg, audited } = await draftAccount(deps, { actor, kind, input });
      return answer({ totp: { uri, key, qrSvg } }, audited);
    },
  });
}

function confirmRoute(kind: FirstLinkKind, deps: EnrolmentDeps): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: `/api/${kind}/confirm`,
    access: publicBecause(LINK_IS_KEY),
    audit: event(kind === 'setup' ? 'setup.confirm' : 'enrol.confirm'),
    input: { ...NOTHING, body: wire.ConfirmRequest },
    output: wire.ConfirmAnswer,
    limits: LINKS,
    async handle(request) {
      const { actor, body } = request;
      const done = await confirmAccount(deps, { actor, kind, ...body, browser: browserOf(request) });
      return answer({ recoveryCodes: [...done.recoveryCodes] }, done.audited, done.cookies);
    },
  });
}

function withoutRoute(kind: FirstLinkKind, deps: EnrolmentDeps): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: `/api/${kind}/without-factor`,
    access: publicBecause(LINK_IS_KEY),
    audit: event(kind === 'setup' ? 'setup.confirm' : 'enrol.confirm'),
    input: { ...NOTHING, body: wire.WithoutFactorRequest },
    output: 'none',
    limits: LINKS,
    async handle(request) {
      const { actor, body } = request;
      const done = await goOnWithoutFactor(deps, { actor, kind, token: body.token, browser: browserOf(request) });
      return { status: 204, ...done };
    },
  });
}
