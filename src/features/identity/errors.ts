import { Problem, type ProblemOptions } from '../../kernel/problem.ts';
import type { IdentityProblemCode, PasswordReason } from './wire.ts';

/** Identity's refusals. Whatever could tell an attacker whether an account exists has one wording for all its causes. */
export type IdentityProblem = Problem<IdentityProblemCode>;

const make = (
  kind: Problem['kind'],
  code: IdentityProblemCode,
  detail: string,
  options: ProblemOptions = {},
): IdentityProblem => new Problem(kind, code, detail, options);

export const notSignedIn = (): IdentityProblem =>
  make('unauthenticated', 'not-signed-in', 'Sign in first; your session may have ended.');

export const notAllowed = (): IdentityProblem =>
  make('forbidden', 'not-allowed', 'Your role does not allow this. An administrator can change roles.');

export const signInRefused = (privateDetail: string): IdentityProblem =>
  make('unauthenticated', 'sign-in-refused', 'The e-mail address or the password is not right.', { privateDetail });

export const codeRefused = (privateDetail: string): IdentityProblem =>
  make(
    'unauthenticated',
    'code-refused',
    'This code is not right. Codes work once; wait for the next one and try again.',
    {
      privateDetail,
    },
  );

export const signInExpired = (): IdentityProblem =>
  make('unauthenticated', 'sign-in-expired', 'This sign-in took too long or had too many wrong codes. Start again.');

export const tooManyAttempts = (retryAfterSeconds: number): IdentityProblem =>
  make(
    'too-many-requests',
    'too-many-attempts',
    'Too many wrong attempts. Wait, use a browser you have signed in with before, or ask an administrator for a reset.',
    { retryAfterSeconds },
  );

export const linkDead = (privateDetail: string): IdentityProblem =>
  make('gone', 'link-dead', 'This link does not work: it was used, has expired or never existed. Ask for a new one.', {
    privateDetail,
  });

export const accountFirst = (): IdentityProblem =>
  make('conflict', 'account-first', 'Choose a password first; nothing was changed.');

export const passwordRefused = (reasons: readonly PasswordReason[]): IdentityProblem =>
  make('unprocessable', 'password-refused', 'Choose another password.', {
    issues: reasons.map((reason) => ({ detail: reason.text, expression: ['password'], fhirCode: reason.code })),
  });

export const emailTaken = (): IdentityProblem =>
  make('conflict', 'email-taken', 'Somebody with this e-mail address has an account already; nothing was changed.');

export const userUnknown = (): IdentityProblem => make('not-found', 'user-unknown', 'There is no such user.');

export const sessionUnknown = (): IdentityProblem =>
  make('not-found', 'session-unknown', 'There is no such session of yours; it may have ended.');

export const setUpFirst = (): IdentityProblem =>
  make('conflict', 'set-up-first', 'Set up the organisation first: open the link that `careseal setup` prints.');

export const setUpDone = (): IdentityProblem =>
  make('conflict', 'set-up-done', 'There is an administrator already. `careseal user reset` helps who cannot sign in.');

export const lastAdministrator = (): IdentityProblem =>
  make('conflict', 'last-administrator', 'This is the last administrator. Add another one first; nothing was changed.');

export const ownRights = (): IdentityProblem =>
  make('forbidden', 'own-rights', 'Nobody changes their own access in this way. Ask another administrator.');

export const rightsExceed = (): IdentityProblem =>
  make('forbidden', 'rights-exceed', 'You cannot give rights, or change somebody with rights, that you do not have.');

export const wrongState = (): IdentityProblem =>
  make('conflict', 'wrong-state', 'This is not possible in the account’s present state; nothing was changed.');
