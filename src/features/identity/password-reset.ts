import { hashToken, randomToken } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { ChallengeOf } from './challenge-store.ts';
import { knownDevice } from './devices.ts';
import { codeRefused, linkDead, passkeyRefused } from './errors.ts';
import { type GivenProof, prepareProof, takeProof } from './factor-proof.ts';
import type { Link, LinkStore } from './link-store.ts';
import type { OrganisationStore } from './organisation-store.ts';
import type { PasskeyQuestion } from './passkeys.ts';
import type { PasswordChoice } from './password-choice.ts';
import { passwordLengthFor } from './policy-rules.ts';
import type { Browser } from './sessions.ts';
import { refuseGuess, type SignInDeps, userEntity } from './sign-in.ts';
import { mailLink, tellUser } from './tell-user.ts';
import type { Attempt } from './attempt.ts';
import type { Account } from './user-store.ts';
import { EmailAddress } from './wire.ts';
import type { ResetLinkAnswer } from './wire-factors.ts';

interface PasswordResetDeps extends SignInDeps {
  readonly links: LinkStore;
  readonly choice: PasswordChoice;
  readonly organisations: OrganisationStore;
  /** Told when a link could not be mailed; the answer to the asker is the same. */
  readonly onFailure: (error: unknown) => void;
}

/** One mail in five minutes: a stranger who asks again and again fills nobody's mailbox. */
const AGAIN_AFTER_MS = 300_000;

/**
 * A lost password: a link by e-mail, and then an enrolled factor; the link alone opens nothing. Who has no factor is helped
 * by an administrator.
 */
export type PasswordReset = ReturnType<typeof createPasswordReset>;

export function createPasswordReset(deps: PasswordResetDeps) {
  return { ...asking(deps), ...looking(deps), ...resetting(deps) };
}

/** Does nothing, noticeably or in time, for an address without an account. */
async function sendLink(deps: PasswordResetDeps, email: string, baseUrl: string): Promise<void> {
  const { database, users, links, clock, settings, mail } = deps;
  const account = await users.findByEmail(database, email);
  if (account?.state !== 'active' || !mail.configured) return;
  const nowMs = clock.nowMs();
  const lifeMs = settings.resetLinkMinutes * 60_000;
  await database.transaction(async (tx) => {
    if ((await users.findLocked(tx, account.id))?.state !== 'active') return;
    const newest = await links.newestEnd(tx, 'password', account.id);
    if (newest !== undefined && newest - lifeMs > nowMs - AGAIN_AFTER_MS) return;
    const token = randomToken(256);
    const expiresMs = nowMs + lifeMs;
    await links.insert(tx, hashToken(token), { kind: 'password', userId: account.id, expiresMs });
    await mailLink(tx, deps, { to: account.email, url: `${baseUrl}/password#${token}`, expiresMs, why: 'password' });
  });
}

async function owner(
  { database, users, links, clock }: PasswordResetDeps,
  token: string,
): Promise<{ readonly link: Link; readonly account: Account }> {
  const link = await links.find(database, 'password', hashToken(token), clock.nowMs());
  const account = link?.userId === undefined ? undefined : await users.find(database, link.userId);
  if (link === undefined || account?.state !== 'active') throw linkDead('unknown, used or expired');
  return { link, account };
}

function asking(deps: PasswordResetDeps) {
  const { audit, mail } = deps;
  return {
    /** Always the same answer, at once; whatever is sent is sent afterwards. */
    async forgot(
      actor: Actor,
      request: { readonly email: string; readonly baseUrl: string },
    ): Promise<{ readonly mail: boolean; readonly audited: AuditReceipt }> {
      const audited = await audit.recordNow([{ actor, event: 'password.forgotten', action: 'E', outcome: 'success' }]);
      const email = EmailAddress.safeParse(request.email).data;
      if (email !== undefined) void sendLink(deps, email, request.baseUrl).catch(deps.onFailure);
      return { mail: mail.configured, audited };
    },
  };
}

function looking(deps: PasswordResetDeps) {
  const { database, policy, audit, settings } = deps;
  return {
    async look(
      actor: Actor,
      token: string,
    ): Promise<{ readonly body: ResetLinkAnswer; readonly audited: AuditReceipt }> {
      const { link, account } = await owner(deps, token);
      const authenticators = await deps.credentials.named(database, account.id);
      const passkeys = await deps.passkeyStore.ofUser(database, account.id);
      const codes = await deps.credentials.codesLeft(database, account.id);
      const level = await policy.requirementFor(database, account);
      const entities = [userEntity(account.id)];
      const audited = await audit.recordNow([{ actor, event: 'link.look', action: 'R', outcome: 'success', entities }]);
      const ways: ResetLinkAnswer['ways'] = [
        ...(authenticators.length > 0 ? (['authenticator'] as const) : []),
        ...(passkeys.length > 0 ? (['passkey'] as const) : []),
        ...(codes > 0 ? (['recovery-code'] as const) : []),
      ];
      const facts = { email: account.email, passwordLengthMin: passwordLengthFor(level, settings), ways };
      return { body: { expiresAt: instant(link.expiresMs), ...facts }, audited };
    },

    async passkeyQuestion(token: string, baseUrl: string): Promise<PasskeyQuestion> {
      const { account } = await owner(deps, token);
      return await deps.passkeys.assertion(database, ownedBy(token), { userId: account.id, baseUrl });
    },
  };
}

function resetting(deps: PasswordResetDeps) {
  const { database, users, links, throttle, sessions, trusted, policy, audit, clock, settings } = deps;
  return {
    /**
     * The new password, with a factor that is enrolled. Ends every session, trusted device and link; the person signs in
     * afterwards. Throws `link-dead`, `password-refused`, `code-refused`, `passkey-refused` or `too-many-attempts`.
     */
    async reset(
      actor: Actor,
      request: { token: string; password: string; proof: GivenProof; browser: Browser; baseUrl: string },
    ): Promise<AuditReceipt> {
      const { token, password, browser, baseUrl } = request;
      const { account } = await owner(deps, token);
      const lengthMin = passwordLengthFor(await policy.requirementFor(database, account), settings);
      const organisation = (await deps.organisations.find(database, account.organisationId))?.name ?? '';
      const hash = await deps.choice.accept(password, [account.name, account.email, organisation], lengthMin);
      const device = await knownDevice(database, account.id, { token: browser.deviceToken, nowMs: clock.nowMs() });
      const attempt: Attempt = { stage: 'factor', email: account.email, knownDevice: device, address: browser.address };
      await throttle.charge(attempt);
      const proof = await prepareProof(deps, request.proof, { ...ownedBy(token), token: browser.challengeToken });
      const outcome = await database.transaction(async (tx): Promise<AuditReceipt | string> => {
        const current = await users.findLocked(tx, account.id);
        const link = await links.findLocked(tx, 'password', hashToken(token), clock.nowMs());
        if (current?.state !== 'active' || link === undefined) throw linkDead('died meanwhile');
        const failure = await takeProof(tx, deps, current.id, { proof, baseUrl });
        if (failure !== undefined) return failure;
        await links.deleteOfUser(tx, current.id);
        await users.setPassword(tx, current.id, hash);
        await sessions.endEverything(tx, current.id);
        await trusted.removeAll(tx, current.id);
        await throttle.clear(tx, current.email);
        await users.notify(tx, current.id);
        tx.afterCommit(() => sessions.dropUser(current.id));
        await tellUser(tx, deps, current.email, 'password-reset');
        const entities = [userEntity(current.id)];
        const detail = { method: proof.kind };
        return await audit.record(tx, [
          { actor, event: 'password.reset', action: 'U', outcome: 'success', entities, detail },
        ]);
      });
      if (typeof outcome !== 'string') return outcome;
      const problem = proof.kind === 'passkey' ? passkeyRefused(outcome) : codeRefused(outcome);
      return await refuseGuess(audit, actor, { event: 'password.reset', reason: outcome, account }, problem);
    },
  };
}

const ownedBy = (token: string): ChallengeOf => ({ purpose: 'password-reset', owner: toHex(hashToken(token)) });
