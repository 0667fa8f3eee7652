import { hashToken, newId, randomToken } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor, UserPrincipal } from '../../kernel/principal.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { type AuditReceipt, markRefusalAudited } from '../../platform/http/audited.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import type { AuditInput } from '../audit/index.ts';
import {
  factorMissing,
  type IdentityProblem,
  linkDead,
  notSignedIn,
  providerRefused,
  providerTaken,
  providerUnconfirmed,
  providerUnknown,
  providerUnlinked,
} from './errors.ts';
import type { LinkStore } from './link-store.ts';
import { createProviderClient, type Proved, type ProviderClient } from './provider-client.ts';
import {
  createProviderStore,
  type IdentityId,
  type Provider,
  type ProviderFacts,
  type ProviderId,
  type Visit,
} from './provider-store.ts';
import type { Sealing } from './sealing.ts';
import { lockOwnAccount } from './own-session.ts';
import type { SessionStore } from './session-store.ts';
import type { Browser } from './sessions.ts';
import { openSession, type SignInDeps, userEntity } from './sign-in.ts';
import { afterFirstProof } from './sign-in-password.ts';
import { tellUser } from './tell-user.ts';
import type { VisitReturn } from './wire-organisations.ts';

export const VISIT_COOKIE = 'provider';
const VISIT_SECONDS = 600;
/** Page to which providers send people back. */
const RETURN_PATH = '/sign-in/return';

export interface ProvidersDeps extends SignInDeps {
  readonly sealing: Sealing;
  readonly links: LinkStore;
  readonly sessionStore: SessionStore;
  readonly clock: Clock;
}

interface Setting {
  readonly actor: Actor;
  readonly providerId: ProviderId;
  readonly baseUrl: string;
}

export interface SetOut {
  readonly url: string;
  readonly cookies: readonly CookieChange[];
}

export interface CameBack {
  readonly next: 'signed-in' | 'second-factor' | 'linked';
  readonly cookies: readonly CookieChange[];
  readonly audited: AuditReceipt;
}

export type Providers = ReturnType<typeof createProviders>;

/** Sign-in from an identity provider: who it is, is told by issuer and subject; whether that is enough, by the policy here. */
export function createProviders(deps: ProvidersDeps) {
  const { database, sealing, links, clock } = deps;
  const store = createProviderStore(sealing);
  const oidc = createProviderClient({ clock });

  async function setOut(setting: Setting, whose: Pick<Visit, 'userId' | 'linkHash'>): Promise<SetOut> {
    const provider = await store.find(database, setting.providerId);
    if (provider === undefined) throw providerUnknown();
    const state = randomToken(256);
    const browser = randomToken(256);
    const facts = {
      nonce: randomToken(256),
      codeVerifier: randomToken(256),
      redirectUri: `${setting.baseUrl}${RETURN_PATH}`,
    };
    const url = await oidc.authorizationUrl(provider, facts, state);
    const hashes = { stateHash: hashToken(state), browserHash: hashToken(browser) };
    const expiresMs = clock.nowMs() + VISIT_SECONDS * 1_000;
    await store.beginVisit(database, { ...whose, ...hashes, id: newId(), providerId: provider.id, facts, expiresMs });
    return { url, cookies: [{ name: VISIT_COOKIE, value: browser, maxAgeSeconds: VISIT_SECONDS }] };
  }

  return {
    async choices() {
      return (await store.list(database)).map(({ id, name }) => ({ id, name }));
    },
    signIn: (setting: Setting) => setOut(setting, { userId: undefined, linkHash: undefined }),
    /** To link one's own account; the session asks for a fresh proof. */
    linkOwn: (setting: Setting) => setOut(setting, { userId: userOf(setting.actor).userId, linkHash: undefined }),
    /** To link an account by the one-time link that an administrator handed out; it opens nothing until its owner confirms it. */
    async linkBy(setting: Setting, token: string) {
      const linkHash = hashToken(token);
      const link = await links.find(database, 'identity', linkHash, clock.nowMs());
      if (link?.userId === undefined) throw linkDead('unknown, used or expired');
      return await setOut(setting, { userId: link.userId, linkHash });
    },

    /** The way back. Throws `provider-refused`, `provider-unlinked`, `provider-unconfirmed`, `provider-taken`, `factor-missing` or `network-refused`. */
    async comeBack(request: {
      readonly actor: Actor;
      readonly browser: Browser;
      readonly visitToken: string | undefined;
      readonly came: VisitReturn;
    }): Promise<CameBack> {
      const { actor, came, visitToken } = request;
      const stateHash = hashToken(came.state);
      const at = { stateHash, browserHash: hashToken(visitToken ?? ''), nowMs: clock.nowMs() };
      const visit = visitToken === undefined ? undefined : await store.takeVisit(database, at);
      if (visit === undefined) return await refuse(deps, actor, 'visit-unknown', providerRefused('visit-unknown'));
      const provider = await store.find(database, visit.providerId);
      if (provider === undefined) return await refuse(deps, actor, 'provider-retired', providerRefused('retired'));
      const proved = await prove(deps, actor, () =>
        oidc.prove(provider, visit.facts, { state: came.state, parameters: parametersOf(came) }),
      );
      const gone: CookieChange = { name: VISIT_COOKIE, value: null };
      const done =
        visit.userId === undefined
          ? await signInBy(deps, store, { ...request, provider, proved })
          : await linkBy(deps, store, { actor, visit: { ...visit, userId: visit.userId }, provider, proved });
      return { ...done, cookies: [...done.cookies, gone] };
    },

    ...administration(deps, store, oidc),
    ...ownIdentities(deps, store),
    deleteExpired: (nowMs: number) => store.deleteExpired(database, nowMs),
  };
}

type Store = ReturnType<typeof createProviderStore>;

/** Providers as the administration keeps them. */
function administration({ database, audit, clock }: ProvidersDeps, store: Store, oidc: ProviderClient) {
  return {
    async list(actor: Actor, baseUrl: string) {
      const providers = (await store.list(database)).map((one) => providerEntry(one, baseUrl));
      const audited = await audit.recordNow([{ actor, event: 'provider.list', action: 'R', outcome: 'success' }]);
      return { providers, audited };
    },
    async add(actor: Actor, wanted: ProviderFacts & { readonly issuer: string }, baseUrl: string) {
      const { issuer, ...facts } = wanted;
      // Asked for its description first: a mistyped address is told now and not to the first person who signs in.
      const id = newId<ProviderId>();
      const visit = { nonce: 'x', codeVerifier: randomToken(256), redirectUri: `${baseUrl}${RETURN_PATH}` };
      await oidc.authorizationUrl({ ...wanted, id, linked: 0 }, visit, 'x');
      return await database.transaction(async (tx) => {
        const known = await store.add(tx, id, issuer, { ...facts, nowMs: clock.nowMs() });
        if (known === undefined) throw providerTaken();
        const made = await store.find(tx, known);
        if (made === undefined) throw providerUnknown();
        const audited = await audit.record(tx, [providerEvent(actor, 'provider.add', known)]);
        return { provider: providerEntry(made, baseUrl), audited };
      });
    },
    /** Name, client and what proves a factor; what is not given (secret, authority) stays. Throws `provider-away`. */
    async change(
      actor: Actor,
      id: ProviderId,
      wanted: Omit<ProviderFacts, 'clientSecret'> & { readonly clientSecret?: string | undefined },
      baseUrl: string,
    ) {
      const before = await store.find(database, id);
      if (before === undefined) throw providerUnknown();
      const { clientSecret = before.clientSecret, authority = before.authority } = wanted;
      const { name, clientId, amr, acr } = wanted;
      const facts = { name, clientId, amr, acr, clientSecret, ...(authority === undefined ? {} : { authority }) };
      const visit = { nonce: 'x', codeVerifier: randomToken(256), redirectUri: `${baseUrl}${RETURN_PATH}` };
      await oidc.authorizationUrl({ ...before, ...facts }, visit, 'x');
      return await database.transaction(async (tx) => {
        await store.change(tx, before, facts);
        const made = await store.find(tx, id);
        if (made === undefined) throw providerUnknown();
        const proofs = (of: Pick<ProviderFacts, 'amr' | 'acr'>): string => [...of.amr, ...of.acr].join(' ') || 'none';
        const detail = { from: proofs(before), to: proofs(facts), secret: wanted.clientSecret ? 'new' : 'kept' };
        const audited = await audit.record(tx, [{ ...providerEvent(actor, 'provider.change', id), detail }]);
        return { provider: providerEntry(made, baseUrl), audited };
      });
    },
    /** Whether people could sign in by it now, asked of the provider itself. Throws `provider-away`. */
    async check(actor: Actor, id: ProviderId) {
      const provider = await store.find(database, id);
      if (provider === undefined) throw providerUnknown();
      const signInUrl = await oidc.check(provider);
      return { signInUrl, audited: await audit.recordNow([providerEvent(actor, 'provider.check', id)]) };
    },
    async retire(actor: Actor, id: ProviderId) {
      return await database.transaction(async (tx) => {
        if (!(await store.retire(tx, id, clock.nowMs()))) throw providerUnknown();
        return await audit.record(tx, [providerEvent(actor, 'provider.retire', id)]);
      });
    },
  };
}

/** With which identities one's own account is linked. */
function ownIdentities(deps: ProvidersDeps, store: Store) {
  const { database, audit } = deps;
  return {
    async ownIdentities(actor: Actor) {
      const { userId } = userOf(actor);
      const names = new Map((await store.list(database)).map((one) => [one.id, one.name]));
      const identities = (await store.identitiesOf(database, userId)).map((one) => ({
        id: one.id,
        provider: { id: one.providerId, name: names.get(one.providerId) ?? 'no longer in use' },
        linkedAt: instant(one.linkedMs),
        waits: one.pending,
        ...(one.lastUsedMs === undefined ? {} : { lastUsedAt: instant(one.lastUsedMs) }),
      }));
      const audited = await audit.recordNow([{ actor, event: 'provider.list', action: 'R', outcome: 'success' }]);
      return { identities, audited };
    },
    /** What an administrator's link has begun: the person, with a fresh proof of their own, makes it a way in. */
    async confirmOwn(actor: Actor, id: IdentityId) {
      const { userId, sessionId } = userOf(actor);
      return await database.transaction(async (tx) => {
        await lockOwnAccount(tx, deps, { userId, sessionId });
        const providerId = await store.confirm(tx, userId, id);
        if (providerId === undefined) throw providerUnknown();
        return await audit.record(tx, [
          { ...providerEvent(actor, 'provider.confirm', providerId), entities: [userEntity(userId)] },
        ]);
      });
    },
    async unlinkOwn(actor: Actor, id: IdentityId) {
      const { userId } = userOf(actor);
      return await database.transaction(async (tx) => {
        if (!(await store.unlink(tx, userId, id))) throw providerUnknown();
        return await audit.record(tx, [
          { ...providerEvent(actor, 'provider.unlink', id), entities: [userEntity(userId)] },
        ]);
      });
    },
  };
}

type Done = Omit<CameBack, 'cookies'> & { readonly cookies: readonly CookieChange[] };

async function signInBy(
  deps: ProvidersDeps,
  store: Store,
  request: { readonly actor: Actor; readonly browser: Browser; readonly provider: Provider; readonly proved: Proved },
): Promise<Done> {
  const { actor, browser, provider, proved } = request;
  const identity = await store.identityBySubject(deps.database, provider, proved.subject);
  const outcome = await deps.database.transaction(async (tx): Promise<Done | keyof typeof UNOPENED> => {
    const account = identity && (await deps.users.findLocked(tx, identity.userId));
    // Linked meanwhile with nobody, disabled, retired: one answer.
    if (identity === undefined || account?.state !== 'active') return 'identity-unlinked';
    // Whoever held an administrator's link may have been somebody else than the account's owner.
    if (identity.pending) return 'identity-unconfirmed';
    await store.used(tx, identity.id, deps.clock.nowMs());
    if (provesSecondFactor(provider, proved)) {
      const how = { method: 'provider', event: 'sign-in.provider', detail: { provider: provider.id } } as const;
      return { next: 'signed-in', ...(await openSession(tx, deps, { actor, account, browser, ...how })) };
    }
    const given = await afterFirstProof(tx, deps, account, { actor, browser, first: 'provider' });
    if (given === 'factor-missing') return given;
    return { next: given.answer.next, cookies: given.cookies, audited: given.audited };
  });
  if (typeof outcome !== 'string') return outcome;
  const whose = outcome === 'identity-unlinked' ? undefined : identity?.userId;
  return await refuse(deps, actor, outcome, UNOPENED[outcome](), whose);
}

const UNOPENED = {
  'identity-unlinked': providerUnlinked,
  'identity-unconfirmed': providerUnconfirmed,
  'factor-missing': factorMissing,
} as const;

/** The provider says that a second factor was used, in words that an administrator has named. */
export function provesSecondFactor(
  provider: Pick<ProviderFacts, 'amr' | 'acr'>,
  { amr, acr }: Pick<Proved, 'amr' | 'acr'>,
): boolean {
  return amr.some((one) => provider.amr.includes(one)) || (acr !== undefined && provider.acr.includes(acr));
}

async function linkBy(
  deps: ProvidersDeps,
  store: Store,
  request: {
    readonly actor: Actor;
    readonly visit: Visit & { readonly userId: UserId };
    readonly provider: Provider;
    readonly proved: Proved;
  },
): Promise<Done> {
  const { actor, visit, provider, proved } = request;
  const { userId, linkHash } = visit;
  const outcome = await deps.database.transaction(async (tx): Promise<AuditReceipt | 'taken' | 'link-dead'> => {
    const account = await deps.users.findLocked(tx, userId);
    if (account?.state !== 'active' || !(await mayLink(tx, deps, { actor, userId, linkHash }))) return 'link-dead';
    const pending = linkHash !== undefined;
    const own = (await store.identitiesOf(tx, userId)).find((one) => one.providerId === provider.id);
    // What the person links themselves takes the place of what still waits for them; never the other way round.
    if (own?.pending === true && !pending) await store.unlink(tx, userId, own.id);
    else if (own !== undefined) return 'taken';
    if ((await store.identityBySubject(tx, provider, proved.subject)) !== undefined) return 'taken';
    const nowMs = deps.clock.nowMs();
    await store.link(tx, provider, { id: newId<IdentityId>(), userId, subject: proved.subject, nowMs, pending });
    await tellUser(tx, deps, account.email, pending ? 'identity-waits' : 'identity-linked');
    const detail = { provider: provider.id, ...(pending ? { waits: 'yes' } : {}) };
    return await deps.audit.record(tx, [
      { ...providerEvent(actor, 'provider.link', provider.id), detail, entities: [userEntity(userId)] },
    ]);
  });
  if (outcome === 'taken') return await refuse(deps, actor, outcome, providerTaken(), userId);
  if (outcome === 'link-dead') return await refuse(deps, actor, outcome, linkDead(outcome), userId);
  return { next: 'linked', cookies: [], audited: outcome };
}

/** The session that set out is still this person's, or the one-time link is used up now. */
async function mayLink(
  tx: Transaction,
  { links, clock, sessionStore }: ProvidersDeps,
  what: { readonly actor: Actor; readonly userId: UserId; readonly linkHash: Uint8Array | undefined },
): Promise<boolean> {
  const { actor, userId, linkHash } = what;
  const { principal } = actor;
  if (linkHash === undefined) {
    if (principal.kind !== 'user' || principal.userId !== userId) return false;
    return await sessionStore.lives(tx, userId, principal.sessionId);
  }
  const link = await links.findLocked(tx, 'identity', linkHash, clock.nowMs());
  if (link?.userId !== userId) return false;
  await links.delete(tx, linkHash);
  return true;
}

async function prove(deps: ProvidersDeps, actor: Actor, work: () => Promise<Proved>): Promise<Proved> {
  try {
    return await work();
  } catch (error) {
    const problem = error as IdentityProblem;
    if (problem.code !== 'provider-refused') throw error;
    return await refuse(deps, actor, 'provider-refused', problem);
  }
}

async function refuse(
  { audit }: ProvidersDeps,
  actor: Actor,
  reason: string,
  problem: IdentityProblem,
  userId?: UserId,
): Promise<never> {
  const entities = userId === undefined ? {} : { entities: [userEntity(userId)] };
  const receipt = await audit.recordNow([
    { actor, event: 'sign-in.provider', action: 'E', outcome: 'minor-failure', reason, ...entities },
  ]);
  throw markRefusalAudited(problem, receipt);
}

function parametersOf({ code, state, iss, error }: VisitReturn): URLSearchParams {
  const pairs = { code, state, iss, error };
  return new URLSearchParams(
    Object.entries(pairs).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function userOf({ principal }: Actor): UserPrincipal {
  if (principal.kind !== 'user' || principal.tokenId !== undefined) throw notSignedIn();
  return principal;
}

function providerEntry(one: Provider, baseUrl: string) {
  const { id, name, issuer, clientId, amr, acr, linked } = one;
  const ownAuthority = one.authority !== undefined;
  const shown = { id, name, issuer, clientId, amr: [...amr], acr: [...acr], ownAuthority, linked };
  return { ...shown, redirectUri: `${baseUrl}${RETURN_PATH}` };
}

function providerEvent(actor: Actor, event: AuditInput['event'], id: string): AuditInput {
  const entities = [{ reference: `Provider/${id}`, role: 'security-resource' as const }];
  return { actor, event, action: 'U', outcome: 'success', entities, detail: { provider: id } };
}
