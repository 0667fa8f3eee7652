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

export const accountChanged = (): IdentityProblem =>
  make(
    'forbidden',
    'account-changed',
    'Somebody has changed this account in the database, past Careseal, so it opens nothing. An administrator can reset it; for the last one there is `careseal user recover`.',
  );

export const noticePending = (): IdentityProblem =>
  make(
    'forbidden',
    'notice-pending',
    'There is a notice that you must read first. Open Careseal in a browser, read it and say so; then this works again.',
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

export const factorRequired = (): IdentityProblem =>
  make(
    'forbidden',
    'factor-required',
    'A second factor is required of you; nothing was changed. Connect one, or ask an administrator about the policy.',
  );

export const passwordRefused = (reasons: readonly PasswordReason[]): IdentityProblem =>
  make('unprocessable', 'password-refused', 'Choose another password.', {
    issues: reasons.map((reason) => ({ detail: reason.text, expression: ['password'], fhirCode: reason.code })),
  });

export const emailTaken = (): IdentityProblem =>
  make('conflict', 'email-taken', 'Somebody with this e-mail address has an account already; nothing was changed.');

export const userUnknown = (): IdentityProblem => make('not-found', 'user-unknown', 'There is no such user.');

/** Also for organisations that exist and that the caller does not administer: they are not told apart. */
export const organisationUnknown = (): IdentityProblem =>
  make('not-found', 'organisation-unknown', 'There is no such organisation among those you administer.');

export const organisationCentral = (): IdentityProblem =>
  make(
    'conflict',
    'organisation-central',
    'The central organisation has no ceiling and is never retired: nobody could undo it. Nothing was changed.',
  );

export const roleUnknown = (): IdentityProblem =>
  make('not-found', 'role-unknown', 'There is no such role; it may have been retired. Nothing was changed.');

export const otherOrganisations = (): IdentityProblem =>
  make(
    'forbidden',
    'other-organisations',
    'This person also belongs to an organisation that you do not administer. Change the membership in yours, or ask the central administration.',
  );

export const lastMembership = (): IdentityProblem =>
  make(
    'conflict',
    'last-membership',
    'This is the person’s only organisation. Disable the account instead; nothing was changed.',
  );

export const memberAlready = (): IdentityProblem =>
  make(
    'conflict',
    'member-already',
    'This person belongs to the organisation already. Change the roles there instead.',
  );

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

export const policyRefused = (
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): IdentityProblem =>
  make('unprocessable', 'policy-refused', 'A setting is outside its safe range; nothing was changed.', {
    issues: issues.map(({ path, message }) => ({
      detail: `${path.join('.')}: ${message}`,
      expression: [path.join('.')],
    })),
  });

export const networkWouldLockOut = (): IdentityProblem =>
  make(
    'conflict',
    'network-would-lock-out',
    'This would shut out yourself, at the address you are at now. Add your own network first; nothing was changed.',
  );

export const networkRefused = (): IdentityProblem =>
  make('forbidden', 'network-refused', 'Sign-in is not allowed from this network. An administrator keeps the list.');

export const stepUpNeeded = (): IdentityProblem =>
  make(
    'forbidden',
    'step-up-needed',
    'This needs a recent proof that it is you. Give your second factor again; nothing was changed.',
  );

export const passkeyRefused = (privateDetail: string): IdentityProblem =>
  make('unauthenticated', 'passkey-refused', 'This passkey was not accepted. Try again, or use another way.', {
    privateDetail,
  });

export const challengeDead = (): IdentityProblem =>
  make(
    'conflict',
    'challenge-dead',
    'This took too long, or was begun in another window. Start again; nothing was changed.',
  );

export const factorUnknown = (): IdentityProblem =>
  make('not-found', 'factor-unknown', 'There is no such factor of yours; it may have been removed.');

export const lastFactor = (): IdentityProblem =>
  make('conflict', 'last-factor', 'This is your last second factor. Add another one first; nothing was changed.');

export const tooManyFactors = (): IdentityProblem =>
  make(
    'conflict',
    'too-many-factors',
    'Ten of a kind are the most. Remove one you no longer use; nothing was changed.',
  );

export const factorMissing = (): IdentityProblem =>
  make(
    'forbidden',
    'factor-missing',
    'Your account has no second factor, and one is required. Ask an administrator for a link to set one up.',
  );

export const exceptionUnknown = (): IdentityProblem =>
  make('not-found', 'exception-unknown', 'There is no such exception; it may have ended.');

export const ownException = (): IdentityProblem =>
  make('forbidden', 'own-exception', 'Nobody approves an exception for themselves. Ask another administrator.');

export const noticeUnknown = (): IdentityProblem =>
  make('not-found', 'notice-unknown', 'There is no such notice; it may have been withdrawn.');

export const banUnknown = (): IdentityProblem =>
  make('not-found', 'ban-unknown', 'There is no such ban; it may have ended by itself.');

export const importRefused = (issues: readonly { readonly detail: string }[]): IdentityProblem =>
  make('unprocessable', 'import-refused', 'The file cannot be used; nobody was invited.', { issues });

export const passkeysUnavailable = (): IdentityProblem =>
  make('conflict', 'passkeys-unavailable', 'Passkeys need a host name; this server is reached by a bare address.');

export const emergencyNeedless = (): IdentityProblem =>
  make(
    'conflict',
    'emergency-needless',
    'You reach every client already, or glass is broken already. Nothing was changed.',
  );

export const emergencyOften = (): IdentityProblem =>
  make(
    'too-many-requests',
    'emergency-often',
    'You have broken the glass many times since yesterday. Ask an administrator to look at these first, or to share the client with your organisation.',
    { retryAfterSeconds: 3_600 },
  );

export const emergencyUnknown = (): IdentityProblem =>
  make(
    'not-found',
    'emergency-unknown',
    'There is no such emergency access among those you review, or it has been reviewed.',
  );

export const tokenUnknown = (): IdentityProblem =>
  make('not-found', 'token-unknown', 'There is no such token of yours; it may have ended.');

export const tokensMany = (): IdentityProblem =>
  make('conflict', 'tokens-many', 'You have twenty tokens. End one that no script needs any more; nothing was made.');

export const providerUnknown = (): IdentityProblem =>
  make('not-found', 'provider-unknown', 'There is no such identity provider, or it is not in use any more.');

export const providerRefused = (privateDetail: string): IdentityProblem =>
  make(
    'unauthenticated',
    'provider-refused',
    'The identity provider did not confirm this sign-in, or it took too long. Start again.',
    { privateDetail },
  );

export const providerUnlinked = (): IdentityProblem =>
  make(
    'forbidden',
    'provider-unlinked',
    'No account here is linked with this identity. Sign in the other way and link it on your account’s page, or ask an administrator for a link.',
  );

export const providerUnconfirmed = (): IdentityProblem =>
  make(
    'forbidden',
    'provider-unconfirmed',
    'This identity was linked through an administrator’s link and opens nothing yet. Sign in the other way and confirm it on your profile; after that it works.',
  );

export const providerTaken = (): IdentityProblem =>
  make(
    'conflict',
    'provider-taken',
    'This is linked already: with another account, or your account with another identity there. Nothing was changed.',
  );

const AWAY = {
  unreachable: 'The identity provider cannot be reached: the name is not known, or nobody answers there.',
  certificate: 'The identity provider’s certificate is of no authority that is trusted here.',
  late: 'The identity provider did not answer in time.',
  'no-provider': 'At this address there is no OpenID Connect provider that describes itself, or it is out of service.',
  'other-issuer': 'The provider at this address names itself otherwise: the issuer must be exactly as it says.',
} as const;
/** Why a provider cannot be used now. */
export type ProviderFault = keyof typeof AWAY;

export const providerAway = (fault: ProviderFault, privateDetail: string): IdentityProblem =>
  make('unavailable', 'provider-away', AWAY[fault], { privateDetail, retryAfterSeconds: 30 });
