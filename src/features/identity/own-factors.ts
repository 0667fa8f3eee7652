import { newId, randomBytes } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import { parseId, type UserId } from '../../kernel/ids.ts';
import type { Actor, UserPrincipal } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import type { AuditEventName } from '../audit/index.ts';
import { CHALLENGE_COOKIE, type ChallengeOf, type ChallengeStore } from './challenge-store.ts';
import { challengeDead, codeRefused, factorUnknown, lastFactor, notSignedIn, tooManyFactors } from './errors.ts';
import type { FactorId } from './model.ts';
import type { OrganisationStore } from './organisation-store.ts';
import type { PasskeyQuestion } from './passkeys.ts';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import { lockOwnAccount } from './own-session.ts';
import type { SessionStore } from './session-store.ts';
import type { Browser } from './sessions.ts';
import { refuseGuess, type SignInDeps, userEntity } from './sign-in.ts';
import { tellUser } from './tell-user.ts';
import { TOTP_SECRET_BYTES, type TotpEnrolment, totpEnrolment, totpSecretText, totpStep } from './totp.ts';
import type { Account } from './user-store.ts';
import type { FactorAddedAnswer, FactorsAnswer, PasskeyRegistration } from './wire-factors.ts';

interface OwnFactorsDeps extends SignInDeps {
  readonly challenges: ChallengeStore;
  readonly organisations: OrganisationStore;
  readonly sessionStore: SessionStore;
}

export type OwnFactors = ReturnType<typeof createOwnFactors>;

/** Of each kind. */
const FACTORS_MAX = 10;

interface Made<T> {
  readonly body: T;
  readonly cookies?: readonly CookieChange[];
  readonly audited: AuditReceipt;
}

/** What somebody signs in with besides the password: adding, naming, removing. Every change is told to them. */
export function createOwnFactors(deps: OwnFactorsDeps) {
  return { ...listing(deps), ...ownAuthenticators(deps), ...ownPasskeys(deps), ...changes(deps) };
}

/** What every change works with. */
function createParts(deps: OwnFactorsDeps) {
  const { credentials, passkeyStore, audit } = deps;

  async function record(tx: Transaction, actor: Actor, event: AuditEventName, detail: Record<string, string> = {}) {
    const entities = [userEntity(browserUser(actor).userId)];
    return await audit.record(tx, [{ actor, event, action: 'U', outcome: 'success', entities, detail }]);
  }

  async function counts(sql: Sql, userId: UserId): Promise<{ authenticators: number; passkeys: number }> {
    const named = await credentials.named(sql, userId);
    return { authenticators: named.length, passkeys: (await passkeyStore.ofUser(sql, userId)).length };
  }

  const ownAccount = (tx: Transaction, actor: Actor): Promise<Account> => lockOwnAccount(tx, deps, browserUser(actor));

  /** Recovery codes go with the first factor: without them its loss would need an administrator. */
  async function firstCodes(tx: Transaction, userId: UserId): Promise<readonly string[] | undefined> {
    return (await credentials.codesLeft(tx, userId)) > 0 ? undefined : await makeCodes(tx, userId);
  }

  async function makeCodes(tx: Transaction, userId: UserId): Promise<readonly string[]> {
    const codes = newRecoveryCodes();
    const hashes = codes.map((code) => toHex(recoveryCodeHash(userId, code)));
    await credentials.replaceCodes(tx, userId, hashes);
    return codes;
  }

  async function added(
    tx: Transaction,
    actor: Actor,
    made: { readonly account: Account; readonly id: FactorId; readonly kind: string },
  ): Promise<Made<FactorAddedAnswer>> {
    const recoveryCodes = await firstCodes(tx, made.account.id);
    await tellUser(tx, deps, made.account.email, 'factor-added');
    const audited = await record(tx, actor, 'factor.add', { kind: made.kind, factor: made.id });
    const body = { id: made.id, ...(recoveryCodes === undefined ? {} : { recoveryCodes: [...recoveryCodes] }) };
    return { body, audited, cookies: [{ name: CHALLENGE_COOKIE, value: null }] };
  }

  return { record, counts, ownAccount, makeCodes, added };
}

function listing({ database, users, credentials, passkeyStore, trusted, policy }: OwnFactorsDeps) {
  return {
    /** Of this person, for themselves or (audited by the caller) for an administrator. */
    async list(userId: UserId): Promise<FactorsAnswer> {
      const account = await users.find(database, userId);
      const person = { id: userId, memberships: account?.memberships ?? [] };
      const [authenticators, keys, recoveryCodesLeft, devices, secondFactor] = await Promise.all([
        credentials.named(database, userId),
        passkeyStore.ofUser(database, userId),
        credentials.codesLeft(database, userId),
        trusted.ofUser(database, userId),
        policy.requirementFor(database, person),
      ]);
      return {
        authenticators: authenticators.map(({ id, name, createdMs, lastUsedMs }) => ({
          ...{ id, name, createdAt: instant(createdMs) },
          ...(lastUsedMs === undefined ? {} : { lastUsedAt: instant(lastUsedMs) }),
        })),
        passkeys: keys.map(({ id, label, createdMs, lastUsedMs, backedUp }) => ({
          ...{ id, name: label, createdAt: instant(createdMs), backedUp },
          ...(lastUsedMs === undefined ? {} : { lastUsedAt: instant(lastUsedMs) }),
        })),
        recoveryCodesLeft,
        trustedDevices: devices.map(({ id, address, userAgent, factorMs, lastUsedMs, expiresMs }) => ({
          id,
          ...(address === undefined ? {} : { address }),
          ...(userAgent === undefined ? {} : { userAgent }),
          ...{ factorAt: instant(factorMs), lastUsedAt: instant(lastUsedMs), expiresAt: instant(expiresMs) },
        })),
        secondFactor,
      };
    },
  };
}

function ownAuthenticators(deps: OwnFactorsDeps) {
  const { database, credentials, challenges, users, audit, clock } = deps;
  const { record, counts, ownAccount, added } = createParts(deps);
  return {
    /** A new secret, kept until its first code is right. Throws `too-many-factors`. */
    async beginAuthenticator(actor: Actor): Promise<Made<TotpEnrolment>> {
      const { userId, organisationId } = browserUser(actor);
      if ((await counts(database, userId)).authenticators >= FACTORS_MAX) throw tooManyFactors();
      const account = await users.find(database, userId);
      const organisation = await deps.organisations.find(database, organisationId);
      const totpSecret = totpSecretText(randomBytes(TOTP_SECRET_BYTES));
      return await database.transaction(async (tx) => {
        const cookie = await challenges.make(
          tx,
          ownChallenge(actor, 'add-authenticator'),
          { totpSecret },
          clock.nowMs(),
        );
        const audited = await record(tx, actor, 'factor.begin', { kind: 'authenticator' });
        const body = await totpEnrolment(totpSecret, organisation?.name ?? '', account?.email ?? '');
        return { body, cookies: [cookie], audited };
      });
    },

    /** Counts from now on, once its code was right. Throws `challenge-dead` or `code-refused`. */
    async confirmAuthenticator(
      actor: Actor,
      given: { readonly name: string; readonly code: string; readonly browser: Browser },
    ): Promise<Made<FactorAddedAnswer>> {
      const of = ownChallenge(actor, 'add-authenticator');
      const { name, code, browser } = given;
      const waited = await challenges.look(database, of, browser.challengeToken, clock.nowMs());
      if (waited?.totpSecret === undefined) throw challengeDead();
      const secret = waited.totpSecret;
      const lastStep = totpStep(secret, code, clock.nowMs());
      if (lastStep === undefined) {
        const at = { event: 'factor.begin', reason: 'code-wrong', account: { id: browserUser(actor).userId } } as const;
        return await refuseGuess(audit, actor, at, codeRefused('code-wrong'));
      }
      return await database.transaction(async (tx) => {
        const account = await ownAccount(tx, actor);
        if ((await counts(tx, account.id)).authenticators >= FACTORS_MAX) throw tooManyFactors();
        if ((await challenges.take(tx, of, browser.challengeToken, clock.nowMs())) === undefined) throw challengeDead();
        const id = newId<FactorId>();
        await credentials.insertFactor(tx, account.id, { id, secret, lastStep, name, nowMs: clock.nowMs() });
        return await added(tx, actor, { account, id, kind: 'authenticator' });
      });
    },
  };
}

function ownPasskeys(deps: OwnFactorsDeps) {
  const { database, passkeys, users } = deps;
  const { counts, ownAccount, added } = createParts(deps);
  return {
    /** Throws `too-many-factors` or `passkeys-unavailable`. */
    async passkeyQuestion(actor: Actor, baseUrl: string): Promise<PasskeyQuestion> {
      const { userId } = browserUser(actor);
      if ((await counts(database, userId)).passkeys >= FACTORS_MAX) throw tooManyFactors();
      const account = await users.find(database, userId);
      if (account === undefined) throw notSignedIn();
      const { email, name } = account;
      return await passkeys.registration(database, ownChallenge(actor, 'add-passkey'), {
        userId,
        email,
        name,
        baseUrl,
      });
    },

    /** Throws `challenge-dead`, `passkey-refused` or `too-many-factors`. */
    async addPasskey(
      actor: Actor,
      given: { name: string; credential: PasskeyRegistration; browser: Browser; baseUrl: string },
    ): Promise<Made<FactorAddedAnswer>> {
      const { name: label, credential, browser, baseUrl } = given;
      const of = ownChallenge(actor, 'add-passkey');
      const challenge = await passkeys.takeChallenge(database, of, browser.challengeToken);
      if (challenge === undefined) throw challengeDead();
      return await database.transaction(async (tx) => {
        const account = await ownAccount(tx, actor);
        if ((await counts(tx, account.id)).passkeys >= FACTORS_MAX) throw tooManyFactors();
        const id = await passkeys.register(tx, { userId: account.id, label, credential, challenge, baseUrl });
        return await added(tx, actor, { account, id, kind: 'passkey' });
      });
    },
  };
}

function changes(deps: OwnFactorsDeps) {
  const { database, credentials, passkeyStore, trusted, policy } = deps;
  const { record, counts, ownAccount, makeCodes } = createParts(deps);
  return {
    async rename(actor: Actor, factor: { readonly id: string; readonly name: string }): Promise<AuditReceipt> {
      const { userId } = browserUser(actor);
      const id = factorId(factor.id);
      return await database.transaction(async (tx) => {
        const passkey = (await passkeyStore.ofUser(tx, userId)).find((one) => one.id === id);
        if (passkey) await passkeyStore.rename(tx, passkey, factor.name);
        else if (!(await credentials.rename(tx, userId, { id, name: factor.name }))) throw factorUnknown();
        return await record(tx, actor, 'factor.rename', { factor: id });
      });
    },

    /** Throws `factor-unknown`, or `last-factor` where one is required. Trusted devices end with it. */
    async remove(actor: Actor, id: string): Promise<AuditReceipt> {
      return await database.transaction(async (tx) => {
        const account = await ownAccount(tx, actor);
        const wanted = factorId(id);
        const removed =
          (await credentials.remove(tx, account.id, wanted)) || (await passkeyStore.remove(tx, account.id, wanted));
        if (!removed) throw factorUnknown();
        const left = await counts(tx, account.id);
        const required = (await policy.requirementFor(tx, account)) === 'required';
        if (required && left.authenticators + left.passkeys === 0) throw lastFactor();
        // They stand for a factor that is no more.
        await trusted.removeAll(tx, account.id);
        await tellUser(tx, deps, account.email, 'factor-removed');
        return await record(tx, actor, 'factor.remove', { factor: wanted });
      });
    },

    async renewRecoveryCodes(actor: Actor): Promise<Made<{ recoveryCodes: string[] }>> {
      return await database.transaction(async (tx) => {
        const account = await ownAccount(tx, actor);
        const recoveryCodes = [...(await makeCodes(tx, account.id))];
        await tellUser(tx, deps, account.email, 'recovery-codes-made');
        return { body: { recoveryCodes }, audited: await record(tx, actor, 'recovery-codes.make') };
      });
    },

    async removeTrusted(actor: Actor, id: string): Promise<AuditReceipt> {
      const { userId } = browserUser(actor);
      return await database.transaction(async (tx) => {
        if (!(await trusted.remove(tx, userId, factorId(id)))) throw factorUnknown();
        return await record(tx, actor, 'trusted-device.remove');
      });
    },
  };
}

function factorId(text: string): FactorId {
  const id = parseId<FactorId>(text);
  if (id === undefined) throw factorUnknown();
  return id;
}

/** Factors are changed in a browser; a script that acts for somebody has no business there. */
export function browserUser({ principal }: Actor): UserPrincipal {
  if (principal.kind !== 'user' || principal.tokenId !== undefined) throw notSignedIn();
  return principal;
}

function ownChallenge(actor: Actor, purpose: 'add-authenticator' | 'add-passkey'): ChallengeOf {
  return { purpose, owner: browserUser(actor).sessionId };
}
