import type { PasswordHasher } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import { type AuditReceipt, markRefusalAudited } from '../../platform/http/audited.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import type { Audit, AuditEntity } from '../audit/index.ts';
import { CHALLENGE_COOKIE } from './challenge-store.ts';
import type { CredentialBook } from './credential-book.ts';
import type { CredentialStore } from './credential-store.ts';
import { type IdentityProblem, networkRefused } from './errors.ts';
import type { IdentitySettings } from './model.ts';
import type { PasskeyStore } from './passkey-store.ts';
import type { Passkeys } from './passkeys.ts';
import type { Policy } from './policy.ts';
import { makePrincipal } from './principal.ts';
import type { Sealing } from './sealing.ts';
import type { Browser, HowSignedIn, Sessions } from './sessions.ts';
import { type Teller, type Told, tellUser } from './tell-user.ts';
import type { Throttle } from './throttle.ts';
import type { TrustedDevices } from './trusted-devices.ts';
import type { Account, UserStore } from './user-store.ts';

/** What the ways of signing in work with. */
export interface SignInDeps extends Teller {
  readonly database: Database;
  readonly users: UserStore;
  readonly book: CredentialBook;
  readonly credentials: CredentialStore;
  readonly passkeyStore: PasskeyStore;
  readonly passkeys: Passkeys;
  readonly trusted: TrustedDevices;
  readonly policy: Policy;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly passwords: PasswordHasher;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
  readonly sealing: Sealing;
}

export type SignInEvent =
  | 'sign-in.password'
  | 'sign-in.code'
  | 'sign-in.recovery-code'
  | 'sign-in.passkey'
  | 'sign-in.trusted-device'
  | 'sign-in.password-only'
  | 'sign-in.provider'
  | 'step-up'
  | 'password.change'
  | 'password.reset'
  | 'factor.begin';

export interface FailedGuess {
  readonly event: SignInEvent;
  readonly reason: string;
  /** Whom the guess was aimed at, when there is such an account. */
  readonly account: { readonly id: UserId } | undefined;
}

/** Writes down a wrong guess with the account it was aimed at, so that the door need not, and throws the refusal. */
export async function refuseGuess(
  audit: Audit,
  actor: Actor,
  at: FailedGuess,
  problem: IdentityProblem,
): Promise<never> {
  const { event, reason, account } = at;
  const entities = account === undefined ? {} : { entities: [userEntity(account.id)] };
  const receipt = await audit.recordNow([{ actor, event, action: 'E', outcome: 'minor-failure', reason, ...entities }]);
  throw markRefusalAudited(problem, receipt);
}

/** The account an audit event is about. */
export const userEntity = (id: UserId): AuditEntity => ({ reference: `User/${id}`, role: 'user' });

export interface Opened {
  readonly cookies: readonly CookieChange[];
  readonly audited: AuditReceipt;
}

export interface Opening extends HowSignedIn {
  readonly actor: Actor;
  readonly account: Account;
  readonly browser: Browser;
  readonly event: SignInEvent;
  /** Whether the browser is to be a trusted device from now on; only after a real second factor. */
  readonly trust?: boolean | undefined;
  readonly detail?: Readonly<Record<string, string>>;
  /** Cookies of the way that led here. */
  readonly cookies?: readonly CookieChange[];
  readonly told?: Told | undefined;
}

/** The one place where a session begins after a sign-in: network, session, trusted device, notice and audit together. */
export async function openSession(tx: Transaction, deps: SignInDeps, opening: Opening): Promise<Opened> {
  const { users, sessions, trusted, audit, clock } = deps;
  const { actor, account, browser, event, method, detail } = opening;
  if (!mayOpenHere(deps, account, browser)) throw networkRefused();
  const session = sessions.prepare(account, opening);
  const trusts = opening.trust === true && deps.settings.trustedDevices;
  // Sent together: each journey to the database costs more than what it does there.
  const [started, trust, audited] = await Promise.all([
    sessions.start(tx, { account, browser, session }),
    trusts ? trusted.trust(tx, account.id, browser) : undefined,
    audit.record(tx, [
      {
        ...{ actor: { ...actor, principal: session.principal }, event, action: 'E', outcome: 'success' },
        entities: [userEntity(account.id)],
        detail: { method, ...(trusts ? { trusted: 'yes' } : {}), ...detail },
      },
    ]),
    users.signedIn(tx, account.id, clock.nowMs()),
    opening.told === undefined ? undefined : tellUser(tx, deps, account.email, opening.told),
  ]);
  const cookies = [...started.cookies, { name: CHALLENGE_COOKIE, value: null }, ...(opening.cookies ?? [])];
  return { cookies: trust === undefined ? cookies : [...cookies, trust], audited };
}

/** Whether the person's roles may be held where this browser is. */
export const mayOpenHere = ({ policy }: SignInDeps, account: Account, browser: Browser): boolean =>
  policy.isNetworkAllowed('users', browser.address, makePrincipal(account, NO_SESSION));

/** Only to ask which roles the account would hold. */
const NO_SESSION = { id: '' as never, authenticatedAtMs: 0 };
