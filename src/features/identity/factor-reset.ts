import { hashToken, randomBytes } from '../../crypto/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { knownDevice } from './devices.ts';
import { giveFactors } from './enrolment.ts';
import { accountFirst, codeRefused, linkDead, signInRefused } from './errors.ts';
import type { LinkStore } from './link-store.ts';
import type { LinkDraft } from './model.ts';
import type { OrganisationStore } from './organisation-store.ts';
import type { Browser } from './sessions.ts';
import { type Opened, openSession, refuseGuess, type SignInDeps, userEntity } from './sign-in.ts';
import { tellUser } from './tell-user.ts';
import type { Attempt } from './attempt.ts';
import { TOTP_SECRET_BYTES, type TotpEnrolment, totpEnrolment, totpSecretText, totpStep } from './totp.ts';
import type { Account } from './user-store.ts';

interface FactorResetDeps extends SignInDeps {
  readonly links: LinkStore;
  readonly organisations: OrganisationStore;
}

/**
 * A lost second factor: an administrator has removed it and hands over a link; with the link and the password, which stays as
 * it was, the person enrols another one. The link is never mailed: a mailbox and a password together must open nothing.
 */
export type FactorReset = ReturnType<typeof createFactorReset>;

export function createFactorReset(deps: FactorResetDeps) {
  return { ...beginning(deps), ...confirming(deps) };
}

async function owner(
  { database, users, links, clock }: FactorResetDeps,
  token: string,
): Promise<{ readonly account: Account; readonly expiresMs: number }> {
  const link = await links.find(database, 'factor', hashToken(token), clock.nowMs());
  const account = link?.userId === undefined ? undefined : await users.find(database, link.userId);
  if (link === undefined || account?.state !== 'active') throw linkDead('unknown, used or expired');
  return { account, expiresMs: link.expiresMs };
}

function beginning(deps: FactorResetDeps) {
  const { database, links, organisations, throttle, passwords, audit, clock } = deps;
  return {
    async look(actor: Actor, token: string) {
      const { account, expiresMs } = await owner(deps, token);
      const entities = [userEntity(account.id)];
      const audited = await audit.recordNow([{ actor, event: 'link.look', action: 'R', outcome: 'success', entities }]);
      return { email: account.email, expiresAt: instant(expiresMs), audited };
    },

    /** The password, then a new secret. Throws `link-dead`, `sign-in-refused` or `too-many-attempts`. */
    async begin(
      actor: Actor,
      request: { readonly token: string; readonly password: string; readonly browser: Browser },
    ): Promise<TotpEnrolment & { readonly audited: AuditReceipt }> {
      const { token, password, browser } = request;
      const { account } = await owner(deps, token);
      const device = await knownDevice(database, account.id, { token: browser.deviceToken, nowMs: clock.nowMs() });
      const attempt: Attempt = {
        stage: 'password',
        email: account.email,
        knownDevice: device,
        address: browser.address,
      };
      await throttle.charge(attempt);
      if (account.passwordHash === undefined || !(await passwords.verify(account.passwordHash, password))) {
        const at = { event: 'sign-in.password', reason: 'password-wrong', account } as const;
        return await refuseGuess(audit, actor, at, signInRefused('password-wrong'));
      }
      const organisation = (await organisations.find(database, account.organisationId))?.name ?? '';
      const totpSecret = totpSecretText(randomBytes(TOTP_SECRET_BYTES));
      const { name, email, passwordHash } = account;
      const draft: LinkDraft = { organisation, name, email, passwordHash, totpSecret };
      const audited = await database.transaction(async (tx) => {
        await throttle.settle(tx, attempt);
        if (!(await links.setDraft(tx, hashToken(token), draft, clock.nowMs()))) throw linkDead('died meanwhile');
        const entities = [userEntity(account.id)];
        return await audit.record(tx, [{ actor, event: 'factor.begin', action: 'U', outcome: 'success', entities }]);
      });
      return { ...(await totpEnrolment(totpSecret, organisation, email)), audited };
    },
  };
}

function confirming(deps: FactorResetDeps) {
  const { database, users, links, clock } = deps;
  return {
    /** The first right code: the factor counts, the link is used up, the person is signed in. */
    async confirm(
      actor: Actor,
      request: { readonly token: string; readonly code: string; readonly browser: Browser },
    ): Promise<Opened & { readonly recoveryCodes: readonly string[] }> {
      const { token, code, browser } = request;
      return await database.transaction(async (tx) => {
        const tokenHash = hashToken(token);
        const userId = (await links.find(tx, 'factor', tokenHash, clock.nowMs()))?.userId;
        const account = userId && (await users.findLocked(tx, userId));
        const link = await links.findLocked(tx, 'factor', tokenHash, clock.nowMs());
        if (!account || account.state !== 'active' || link === undefined) throw linkDead('unknown, used or expired');
        if (link.draft === undefined) throw accountFirst();
        // Changed meanwhile: whoever began knew a password that is no longer right.
        if (link.draft.passwordHash !== account.passwordHash) throw linkDead('password changed meanwhile');
        const step = totpStep(link.draft.totpSecret, code, clock.nowMs());
        if (step === undefined) throw codeRefused('code-wrong');
        await links.deleteOfUser(tx, account.id);
        const recoveryCodes = await giveFactors(tx, deps, account.id, {
          secret: link.draft.totpSecret,
          lastStep: step,
        });
        await tellUser(tx, deps, account.email, 'factor-added');
        const how = { event: 'sign-in.code', method: 'enrolment' } as const;
        return { ...(await openSession(tx, deps, { actor, account, browser, ...how })), recoveryCodes };
      });
    },
  };
}
