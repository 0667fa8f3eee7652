import type { PasswordHasher } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import { markRefusalAudited } from '../../platform/http/audited.ts';
import type { Audit, AuditEntity } from '../audit/index.ts';
import type { CredentialStore } from './credential-store.ts';
import type { IdentityProblem } from './errors.ts';
import type { IdentitySettings } from './model.ts';
import type { Sessions } from './sessions.ts';
import type { Throttle } from './throttle.ts';
import type { Account, UserStore } from './user-store.ts';

/** What both steps of a sign-in work with (sign-in-password.ts, sign-in-code.ts). */
export interface SignInDeps {
  readonly database: Database;
  readonly users: UserStore;
  readonly credentials: CredentialStore;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly passwords: PasswordHasher;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
}

export interface FailedGuess {
  readonly event: 'sign-in.password' | 'sign-in.code' | 'sign-in.recovery-code';
  readonly reason: string;
  /** Whom the guess was aimed at, when there is such an account. */
  readonly account: Account | undefined;
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
