import type { Actor, UserPrincipal } from '../../kernel/principal.ts';
import { knownDevice } from './devices.ts';
import { codeRefused, notSignedIn, passkeyRefused, signInRefused } from './errors.ts';
import { prepareProof, takeProof } from './factor-proof.ts';
import type { PasskeyQuestion } from './passkeys.ts';
import type { Browser } from './sessions.ts';
import { type Opened, refuseGuess, type SignInDeps, userEntity } from './sign-in.ts';
import { signInStore } from './sign-in-store.ts';
import type { Attempt } from './attempt.ts';
import type { Account } from './user-store.ts';
import type { StepUpRequest, StepUpWaysAnswer } from './wire-factors.ts';

/** A new proof within a session, before something dangerous. The session goes on under a fresh token. */
export type StepUp = ReturnType<typeof createStepUp>;

export function createStepUp(deps: SignInDeps) {
  return { ...asking(deps), ...proving(deps) };
}

async function accountOf({ users, database }: SignInDeps, user: UserPrincipal): Promise<Account> {
  const account = await users.find(database, user.userId);
  if (account?.state !== 'active') throw notSignedIn();
  return account;
}

async function waysOf(deps: SignInDeps, account: Account): Promise<StepUpWaysAnswer['ways']> {
  const { database } = deps;
  const authenticators = await deps.credentials.factors(database, account.id);
  const passkeys = await deps.passkeyStore.ofUser(database, account.id);
  const ways: StepUpWaysAnswer['ways'] = [];
  if (authenticators.length > 0) ways.push('authenticator');
  if (passkeys.length > 0) ways.push('passkey');
  return ways.length > 0 ? ways : ['password'];
}

function asking(deps: SignInDeps) {
  const { database, settings } = deps;
  return {
    async ways({ principal }: Actor): Promise<StepUpWaysAnswer> {
      const account = await accountOf(deps, browserUser(principal));
      return { ways: await waysOf(deps, account), minutes: settings.stepUpMinutes };
    },

    async passkeyQuestion({ principal }: Actor, baseUrl: string): Promise<PasskeyQuestion> {
      const { userId, sessionId } = browserUser(principal);
      return await deps.passkeys.assertion(database, { purpose: 'step-up', owner: sessionId }, { userId, baseUrl });
    },
  };
}

function proving(deps: SignInDeps) {
  const { database, users, sessions, throttle, audit, clock } = deps;
  return {
    /** Throws `code-refused`, `passkey-refused`, `sign-in-refused` (wrong password) or `too-many-attempts`. */
    async prove(
      actor: Actor,
      request: { readonly given: StepUpRequest; readonly browser: Browser; readonly baseUrl: string },
    ): Promise<Opened> {
      const { given, browser, baseUrl } = request;
      const user = browserUser(actor.principal);
      const account = await accountOf(deps, user);
      const device = await knownDevice(database, account.id, { token: browser.deviceToken, nowMs: clock.nowMs() });
      const stage = 'password' in given ? 'password' : 'factor';
      const attempt: Attempt = { stage, email: account.email, knownDevice: device, address: browser.address };
      await throttle.charge(attempt);
      const owner = { purpose: 'step-up', owner: user.sessionId, token: browser.challengeToken } as const;
      const proof = 'password' in given ? undefined : await prepareProof(deps, given, owner);
      const passwordFailure = 'password' in given ? await passwordFailureOf(deps, account, given.password) : undefined;
      const outcome = await database.transaction(async (tx): Promise<Opened | string> => {
        if ((await users.findLocked(tx, account.id))?.state !== 'active') throw notSignedIn();
        const failure = proof ? await takeProof(tx, deps, account.id, { proof, baseUrl }) : passwordFailure;
        if (failure !== undefined) return failure;
        await throttle.settle(tx, attempt);
        const cookie = await sessions.renew(tx, { userId: account.id, id: user.sessionId });
        if (cookie === undefined) throw notSignedIn();
        tx.afterCommit(() => sessions.dropUser(account.id));
        const entities = [userEntity(account.id)];
        const detail = { method: proof?.kind ?? 'password' };
        const audited = await audit.record(tx, [
          { actor, event: 'step-up', action: 'E', outcome: 'success', entities, detail },
        ]);
        return { cookies: [cookie], audited };
      });
      if (typeof outcome !== 'string') return outcome;
      // Whoever sits at an open session and guesses loses it (five in a row): only a full sign-in goes on.
      const tried = await signInStore.failStepUp(database, user.sessionId);
      if (tried >= STEP_UP_TRIES_MAX) await endSession(deps, user);
      const problem =
        stage === 'password'
          ? signInRefused(outcome)
          : proof?.kind === 'passkey'
            ? passkeyRefused(outcome)
            : codeRefused(outcome);
      return await refuseGuess(audit, actor, { event: 'step-up', reason: outcome, account }, problem);
    },
  };
}

async function passwordFailureOf(deps: SignInDeps, account: Account, password: string): Promise<string | undefined> {
  // Who has a factor proves that one: a password typed in public must not be enough.
  if (!(await waysOf(deps, account)).includes('password')) return 'password-not-enough';
  return (await deps.passwords.verify(account.passwordHash, password)) ? undefined : 'password-wrong';
}

async function endSession(deps: SignInDeps, { userId, sessionId }: UserPrincipal): Promise<void> {
  const { database, sessions, users } = deps;
  await database.transaction(async (tx) => {
    await sessions.end(tx, userId, sessionId);
    await users.notify(tx, userId);
  });
  sessions.dropUser(userId);
}

const STEP_UP_TRIES_MAX = 5;

/** A personal access token is no browser: it proves nothing anew. */
function browserUser(principal: Actor['principal']): UserPrincipal {
  if (principal.kind !== 'user' || principal.tokenId !== undefined) throw notSignedIn();
  return principal;
}
