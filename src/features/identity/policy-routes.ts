import { type OrganisationId, parseId, type UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import { isNetwork } from '../../platform/http/address.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { event, permission, type RouteDeclaration, type RouteLimits, route } from '../../platform/http/route.ts';
import type { Bans } from './bans.ts';
import type { IdentityParts } from './compose.ts';
import { exceptionUnknown, policyRefused, userUnknown } from './errors.ts';
import type { Exceptions } from './exceptions.ts';
import type { AllowedNetworks } from './policy-store.ts';
import { policySettings, policyWarnings } from './policy-words.ts';
import { answer, NOTHING, SMALL_BODY_BYTES } from './route-parts.ts';
import * as wire from './wire.ts';
import * as policies from './wire-policy.ts';

const READ: RouteLimits = { bodyBytesMax: 0, perMinute: 60 };
const CHANGE: RouteLimits = { bodyBytesMax: 65_536, perMinute: 60 };
const MANAGE = permission('settings.manage', { stepUp: true });

export interface PolicyRoutesDeps {
  readonly parts: IdentityParts;
  readonly exceptions: Exceptions;
  readonly bans: Bans;
  readonly mailStatus: () => Promise<policies.PolicyAnswer['mail']>;
}

/** The policy of signing in, its exceptions, allowed networks, and who is held up at present. */
export function policyRoutes(deps: PolicyRoutesDeps): RouteDeclaration[] {
  return [...settingRoutes(deps), ...ruleRoutes(deps), ...exceptionRoutes(deps), ...banRoutes(deps)];
}

function settingRoutes(deps: PolicyRoutesDeps): RouteDeclaration[] {
  const { parts } = deps;
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/policy',
      access: permission('settings.manage'),
      audit: event('policy.read'),
      input: { ...NOTHING, body: 'none' },
      output: policies.PolicyAnswer,
      limits: READ,
      async handle({ actor }) {
        const body = await policyAnswer(deps, actor.origin.address);
        const audited = await parts.audit.recordNow([{ actor, event: 'policy.read', action: 'R', outcome: 'success' }]);
        return answer(body, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/policy',
      access: MANAGE,
      audit: event('policy.change'),
      input: { ...NOTHING, body: policies.PolicyChangeRequest },
      output: 'none',
      limits: CHANGE,
      async handle({ actor, body }) {
        const audited = await parts.policy.set(actor, body.settings);
        // Where trust was switched off or shortened, what exceeds it is found no more; sessions follow at their next check.
        parts.sessions.dropAll();
        return { status: 204, audited };
      },
    }),
  ];
}

function ruleRoutes({ parts }: PolicyRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/policy/requirement',
      access: MANAGE,
      audit: event('policy.requirement'),
      input: { ...NOTHING, body: policies.RequirementRequest },
      output: 'none',
      limits: CHANGE,
      async handle({ actor, body }) {
        const { scope, scopeId, secondFactor } = body;
        const audited = await parts.policy.setRequirement(actor, { scope, scopeId }, secondFactor ?? undefined);
        return { status: 204, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/policy/networks',
      access: MANAGE,
      audit: event('policy.networks'),
      input: { ...NOTHING, body: policies.NetworksRequest },
      output: 'none',
      limits: CHANGE,
      async handle({ actor, body }) {
        return { status: 204, audited: await setNetworks(parts, actor, body) };
      },
    }),
  ];
}

/** Networks of a door or a role, for page and command line. Throws `policy-refused` or `network-would-lock-out`. */
export async function setNetworks(
  { policy, sessions }: Pick<IdentityParts, 'policy' | 'sessions'>,
  actor: Actor,
  wanted: AllowedNetworks,
): Promise<AuditReceipt> {
  const wrong = wanted.networks.filter((text) => !isNetwork(text));
  if (wrong.length > 0) {
    throw policyRefused(wrong.map((text) => ({ path: ['networks'], message: `${text} is no network (192.0.2.0/24)` })));
  }
  const audited = await policy.setNetworks(actor, wanted);
  sessions.dropAll();
  return audited;
}

function exceptionRoutes({ exceptions }: PolicyRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/policy/exceptions',
      access: permission('settings.manage'),
      audit: event('policy.read'),
      input: { params: NOTHING.params, query: policies.ExceptionsQuery, body: 'none' },
      output: policies.ExceptionsAnswer,
      limits: READ,
      async handle({ actor, query }) {
        const { body, audited } = await exceptions.list(actor, query);
        return answer(body, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/policy/exceptions',
      access: MANAGE,
      audit: event('policy.exception'),
      input: { ...NOTHING, body: policies.ExceptionRequest },
      output: 'none',
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 60 },
      async handle({ actor, body }) {
        const userId = parseId<UserId>(body.userId);
        if (userId === undefined) throw userUnknown();
        const given = { userId, reason: body.reason, endsMs: Date.parse(body.endsAt) };
        return { status: 204, audited: await exceptions.grant(actor, given) };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/policy/exceptions/:id',
      access: permission('settings.manage'),
      audit: event('policy.exception-end'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
      output: 'none',
      limits: READ,
      async handle({ actor, params }) {
        const id = parseId(params.id);
        if (id === undefined) throw exceptionUnknown();
        return { status: 204, audited: await exceptions.end(actor, id) };
      },
    }),
  ];
}

function banRoutes({ parts, bans }: PolicyRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/bans',
      access: permission('settings.manage'),
      audit: event('ban.list'),
      input: { params: NOTHING.params, query: policies.BansQuery, body: 'none' },
      output: policies.BansAnswer,
      limits: READ,
      async handle({ actor, query }) {
        const { networks, accounts, ...totals } = await bans.list(parts.database, query);
        const audited = await parts.audit.recordNow([{ actor, event: 'ban.list', action: 'R', outcome: 'success' }]);
        const body: policies.BansAnswer = {
          ...totals,
          networks: networks.map(({ id, network, failures, sinceMs, untilMs }) => ({
            ...{ id, network, failures, since: instant(sinceMs), until: instant(untilMs) },
          })),
          accounts: accounts.map(({ untilMs, ...account }) => ({ ...account, until: instant(untilMs) })),
        };
        return answer(body, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/bans/networks/:id',
      access: MANAGE,
      audit: event('ban.lift'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
      output: 'none',
      limits: READ,
      handle: async ({ actor, params }) => ({ status: 204, audited: await bans.lift(actor, params.id) }),
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/bans/accounts/:id',
      access: MANAGE,
      audit: event('ban.lift'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
      output: 'none',
      limits: READ,
      async handle({ actor, params }) {
        const userId = parseId<UserId>(params.id);
        if (userId === undefined) throw userUnknown();
        return { status: 204, audited: await bans.liftAccount(actor, userId, parts.throttle.clear) };
      },
    }),
  ];
}

async function policyAnswer(deps: PolicyRoutesDeps, ownAddress: string | undefined): Promise<policies.PolicyAnswer> {
  const { parts, mailStatus } = deps;
  const { policy, users, organisations, database } = parts;
  const requirements = policy.requirements();
  const people = requirements.flatMap(({ scope, scopeId }) =>
    scope === 'user' ? (parseId<UserId>(scopeId) ?? []) : [],
  );
  const places = requirements.filter(({ scope }) => scope === 'organisation');
  // Written by setRequirement from ids of organisations; an unknown one has no name.
  const [placeNames, userNames] = await Promise.all([
    organisations.names(
      database,
      places.map(({ scopeId }) => scopeId as OrganisationId),
    ),
    users.names(database, people),
  ]);
  const names = new Map<string, string>([...placeNames, ...userNames]);
  return {
    settings: policySettings(policy.settings),
    warnings: policyWarnings(policy.settings, policy.isChanged()),
    requirements: requirements.map((rule) => {
      const name = rule.scope === 'role' ? undefined : names.get(rule.scopeId);
      return { ...rule, ...(name === undefined ? {} : { name }) };
    }),
    networks: policy.networks().map(({ networks, ...rule }) => ({ ...rule, networks: [...networks] })),
    ...(ownAddress === undefined ? {} : { ownAddress }),
    mail: await mailStatus(),
  };
}
