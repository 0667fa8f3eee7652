import { hashToken, newId, randomBytes, randomToken } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import type { Audit } from '../audit/index.ts';
import type { CredentialStore } from './credential-store.ts';
import { accountFirst, codeRefused, linkDead, setUpDone } from './errors.ts';
import type { Link, LinkKind, LinkStore } from './link-store.ts';
import type { FactorId, IdentitySettings, LinkDraft, Organisation } from './model.ts';
import type { PasswordChoice } from './password-choice.ts';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import type { Browser, Sessions } from './sessions.ts';
import type { Throttle } from './throttle.ts';
import { TOTP_SECRET_BYTES, type TotpEnrolment, totpEnrolment, totpSecretText, totpStep } from './totp.ts';
import type { Account, UserStore } from './user-store.ts';

export interface EnrolmentDeps {
  readonly database: Database;
  readonly users: UserStore;
  readonly credentials: CredentialStore;
  readonly links: LinkStore;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly choice: PasswordChoice;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
}

export interface IssuedLink {
  /** `https://host:port/setup#<token>`; the token is nowhere else, and is stored as a hash only. */
  readonly url: string;
  readonly expiresMs: number;
}

export interface LinkFacts {
  readonly kind: LinkKind;
  readonly organisation: string | undefined;
  readonly account: Account | undefined;
  readonly expiresMs: number;
}

export interface Enrolled {
  /** Shown once, never again. */
  readonly recoveryCodes: readonly string[];
  readonly cookies: readonly CookieChange[];
  readonly audited: AuditReceipt;
}

export type Enrolment = ReturnType<typeof createEnrolment>;

/**
 * One-time links and what they open: the first administrator's set-up and everybody's enrolment. A person chooses the
 * password and proves the second factor before anything of the account exists or changes; until then it is a sealed draft.
 */
export function createEnrolment(deps: EnrolmentDeps) {
  const { database, users, credentials, links, sessions, throttle, choice, audit, clock, settings } = deps;

  async function issue(tx: Transaction, userId: UserId | undefined, baseUrl: string): Promise<IssuedLink> {
    const kind: LinkKind = userId === undefined ? 'setup' : 'enrol';
    // One link at a time: a new one ends those before it.
    if (userId === undefined) await links.deleteSetup(tx);
    else await links.deleteOfUser(tx, userId);
    const token = randomToken(256);
    const lifeMs = kind === 'setup' ? settings.setupLinkMinutes * 60_000 : settings.enrolmentLinkHours * 3_600_000;
    const expiresMs = clock.nowMs() + lifeMs;
    await links.insert(tx, hashToken(token), { kind, userId, expiresMs });
    return { url: `${baseUrl}/${kind}#${token}`, expiresMs };
  }

  /** The link of this token, with the account it is for. Throws `link-dead` for every reason alike. */
  async function facts(kind: LinkKind, token: string): Promise<{ link: Link; account: Account | undefined }> {
    const link = await links.find(database, kind, hashToken(token), clock.nowMs());
    if (link === undefined) throw linkDead('unknown, used or expired');
    if (link.userId === undefined) return { link, account: undefined };
    const account = await users.find(database, link.userId);
    if (account?.state !== 'invited') throw linkDead('account not invited');
    return { link, account };
  }

  return {
    issue,

    /** Ends the user's link, if there is one. */
    withdraw: (tx: Transaction, userId: UserId): Promise<void> => links.deleteOfUser(tx, userId),

    /** A new set-up link; undefined when there is an administrator. Ends the link before it. */
    async issueSetup(actor: Actor, baseUrl: string): Promise<IssuedLink | undefined> {
      return await database.transaction(async (tx) => {
        await users.lockAdministrators(tx);
        if (await users.hasAdministrator(tx)) return undefined;
        const link = await issue(tx, undefined, baseUrl);
        await audit.record(tx, [{ actor, event: 'setup.link', action: 'C', outcome: 'success' }]);
        return link;
      });
    },

    /** Whether the link is alive, and whom it is for. */
    async look(actor: Actor, kind: LinkKind, token: string): Promise<LinkFacts & { audited: AuditReceipt }> {
      const { link, account } = await facts(kind, token);
      const organisation = account && (await users.organisation(database, account.organisationId));
      const audited = await audit.recordNow([
        {
          actor,
          event: 'link.look',
          action: 'R',
          outcome: 'success',
          ...(account ? { entities: [userEntity(account.id)] } : {}),
        },
      ]);
      return { kind, organisation: organisation?.name, account, expiresMs: link.expiresMs, audited };
    },

    /** First step: password and the secret of the second factor. May be repeated; each time there is a new secret. */
    async draft(
      actor: Actor,
      kind: LinkKind,
      input: { token: string; password: string; organisation?: string; name?: string | undefined; email?: string },
    ): Promise<TotpEnrolment & { audited: AuditReceipt }> {
      const { account } = await facts(kind, input.token);
      const organisation = account ? await users.organisation(database, account.organisationId) : undefined;
      const who = {
        name: input.name ?? account?.name ?? '',
        email: account?.email ?? input.email ?? '',
        organisation: organisation?.name ?? input.organisation ?? '',
      };
      const passwordHash = await choice.accept(input.password, Object.values(who));
      const totpSecret = totpSecretText(randomBytes(TOTP_SECRET_BYTES));
      const draft: LinkDraft = { ...who, passwordHash, totpSecret };
      const audited = await database.transaction(async (tx) => {
        if (!(await links.setDraft(tx, hashToken(input.token), draft, clock.nowMs()))) throw linkDead('died meanwhile');
        return await audit.record(tx, [
          {
            actor,
            event: kind === 'setup' ? 'setup.account' : 'enrol.account',
            action: 'U',
            outcome: 'success',
            ...(account ? { entities: [userEntity(account.id)] } : {}),
          },
        ]);
      });
      return { ...(await totpEnrolment(totpSecret, who.organisation, who.email)), audited };
    },

    /** Second step: a right code. Uses the link up, makes or activates the account and signs in. */
    async confirm(
      actor: Actor,
      kind: LinkKind,
      input: { token: string; code: string },
      browser: Browser,
    ): Promise<Enrolled> {
      const tokenHash = hashToken(input.token);
      return await database.transaction(async (tx) => {
        // Before any row is locked, as everywhere: two set-ups, or a set-up and `careseal setup`, go one after the other.
        if (kind === 'setup') await users.lockAdministrators(tx);
        // The account before the link, as in every act upon a user, so that a reset at this moment waits its turn.
        const owner = (await links.find(tx, kind, tokenHash, clock.nowMs()))?.userId;
        const invited = owner && (await users.findLocked(tx, owner));
        const link = await links.findLocked(tx, kind, tokenHash, clock.nowMs());
        if (link === undefined) throw linkDead('unknown, used or expired');
        if (link.draft === undefined) throw accountFirst();
        const nowMs = clock.nowMs();
        const step = totpStep(link.draft.totpSecret, input.code, nowMs);
        if (step === undefined) throw codeRefused('code-wrong');
        const account =
          kind === 'setup' ? await foundAccount(tx, link.draft) : await enrolAccount(tx, invited, link.draft);
        await links.delete(tx, tokenHash);
        const recoveryCodes = await giveFactors(tx, account.id, { secret: link.draft.totpSecret, lastStep: step });
        await throttle.clear(tx, account.email);
        await users.signedIn(tx, account.id, nowMs);
        const { principal, cookies } = await sessions.start(tx, account, browser);
        const audited = await audit.record(tx, [
          {
            actor: { ...actor, principal },
            event: kind === 'setup' ? 'setup.confirm' : 'enrol.confirm',
            action: 'C',
            outcome: 'success',
            entities: [userEntity(account.id)],
          },
        ]);
        return { recoveryCodes, cookies, audited };
      });
    },
  };

  /** The organisation and its first administrator. */
  async function foundAccount(tx: Transaction, draft: LinkDraft): Promise<Account> {
    if (await users.hasAdministrator(tx)) throw setUpDone();
    const organisation: Organisation = { id: newId<OrganisationId>(), name: draft.organisation ?? '' };
    await users.insertOrganisation(tx, organisation, clock.nowMs());
    const { name, email, passwordHash } = draft;
    const id = newId<UserId>();
    const organisationId = organisation.id;
    await users.insert(tx, {
      ...{ id, name, email, passwordHash, organisationId },
      state: 'active',
      roles: ['administrator'],
      nowMs: clock.nowMs(),
    });
    return await mustFind(tx, id);
  }

  /** The invited account, with what its owner has just chosen. Whatever opened it before is gone. */
  async function enrolAccount(tx: Transaction, account: Account | undefined, draft: LinkDraft): Promise<Account> {
    if (account?.state !== 'invited') throw linkDead('account not invited');
    const { name, passwordHash } = draft;
    await users.activate(tx, account.id, { name, email: account.email, passwordHash });
    return await mustFind(tx, account.id);
  }

  async function mustFind(tx: Transaction, id: UserId): Promise<Account> {
    const account = await users.find(tx, id);
    if (account === undefined) throw new Error('The account just written is not there');
    return account;
  }

  async function giveFactors(
    tx: Transaction,
    userId: UserId,
    totp: { secret: string; lastStep: number },
  ): Promise<string[]> {
    await credentials.deleteAll(tx, userId);
    // The confirming code's step counts as used: it cannot sign in a second time.
    await credentials.insertFactor(tx, userId, { id: newId<FactorId>(), ...totp, nowMs: clock.nowMs() });
    const codes = newRecoveryCodes();
    const hashes = codes.map((code) => toHex(recoveryCodeHash(userId, code)));
    await credentials.insertCodes(tx, userId, hashes);
    return codes;
  }
}

const userEntity = (id: UserId) => ({ reference: `User/${id}`, role: 'user' as const });
