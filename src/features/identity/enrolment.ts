import { hashToken, newId, randomBytes } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import { hasAdministrator, lockAdministrators } from './administrators.ts';
import type { EnrolmentDeps } from './enrolment-deps.ts';
import { requirementBehind } from './enrolment-level.ts';
import { accountFirst, codeRefused, factorRequired, linkDead, setUpDone } from './errors.ts';
import type { LinkKind } from './link-store.ts';
import { findLink } from './links.ts';
import type { FactorId, LinkDraft } from './model.ts';
import { passwordLengthFor } from './policy-rules.ts';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import type { Browser } from './sessions.ts';
import { userEntity } from './sign-in.ts';
import { TOTP_SECRET_BYTES, type TotpEnrolment, totpEnrolment, totpSecretText, totpStep } from './totp.ts';
import type { Account } from './user-store.ts';

/** What is typed at the account step; set-up has all of it, enrolment at most the name. */
export interface AccountInput {
  readonly token: string;
  readonly password: string;
  readonly organisation?: string;
  readonly name?: string | undefined;
  readonly email?: string;
}

/**
 * First step behind a link: the password and the secret of the second factor, kept as a sealed draft. Nothing of the account
 * exists or changes yet. May be repeated; each time there is a new secret. Throws `link-dead` or `password-refused`.
 */
export async function draftAccount(
  deps: EnrolmentDeps,
  request: { readonly actor: Actor; readonly kind: LinkKind; readonly input: AccountInput },
): Promise<TotpEnrolment & { readonly audited: AuditReceipt }> {
  const { actor, kind, input } = request;
  const { account, organisation } = await findLink(deps, kind, input.token);
  const who = {
    name: input.name ?? account?.name ?? '',
    email: account?.email ?? input.email ?? '',
    organisation: organisation ?? input.organisation ?? '',
  };
  await deps.policy.refresh();
  const level = await requirementBehind(deps.database, deps, account);
  const lengthMin = passwordLengthFor(level, deps.settings);
  const passwordHash = await deps.choice.accept(input.password, Object.values(who), lengthMin);
  const totpSecret = totpSecretText(randomBytes(TOTP_SECRET_BYTES));
  const draft: LinkDraft = { ...who, passwordHash, totpSecret, alone: level !== 'required' };
  const event = kind === 'setup' ? 'setup.account' : 'enrol.account';
  const entities = account === undefined ? {} : { entities: [userEntity(account.id)] };
  const audited = await deps.database.transaction(async (tx) => {
    const kept = await deps.links.setDraft(tx, hashToken(input.token), draft, deps.clock.nowMs());
    if (!kept) throw linkDead('died meanwhile');
    return await deps.audit.record(tx, [{ actor, event, action: 'U', outcome: 'success', ...entities }]);
  });
  return { ...(await totpEnrolment(totpSecret, who.organisation, who.email)), audited };
}

export interface SignedIn {
  readonly cookies: readonly CookieChange[];
  readonly audited: AuditReceipt;
}

export interface Enrolled extends SignedIn {
  /** Shown once, never again. */
  readonly recoveryCodes: readonly string[];
}

interface LinkUse {
  readonly actor: Actor;
  readonly kind: LinkKind;
  readonly token: string;
  readonly browser: Browser;
}

interface ConfirmRequest extends LinkUse {
  readonly code: string;
}

/**
 * Second step: a right code. Uses the link up, makes or activates the account, and signs in, in one transaction.
 * Throws `link-dead`, `account-first`, `code-refused` or `set-up-done`; the link lives on after a wrong code.
 */
export async function confirmAccount(deps: EnrolmentDeps, request: ConfirmRequest): Promise<Enrolled> {
  return await deps.database.transaction(async (tx) => {
    const taken = await takeLink(tx, deps, request);
    const { totpSecret } = taken.draft;
    const step = totpStep(totpSecret, request.code, deps.clock.nowMs());
    if (step === undefined) throw codeRefused('code-wrong');
    const account = await makeAccount(tx, deps, taken);
    const recoveryCodes = await giveFactors(tx, deps, account.id, { secret: totpSecret, lastStep: step });
    return { recoveryCodes, ...(await firstSignIn(tx, deps, { ...request, account })) };
  });
}

/**
 * Second step where the policy lets this person go on with the password alone: as `confirmAccount`, without a factor. The policy
 * is asked now, whatever it said when the link was looked at. Throws `link-dead`, `account-first` (also where the password was
 * chosen to stand beside a factor, and may be too short alone), `factor-required` or `set-up-done`.
 */
export async function goOnWithoutFactor(deps: EnrolmentDeps, request: LinkUse): Promise<SignedIn> {
  await deps.policy.refresh();
  return await deps.database.transaction(async (tx) => {
    const taken = await takeLink(tx, deps, request);
    const policy = await requirementBehind(tx, deps, taken.invited);
    if (policy === 'required') throw factorRequired();
    if (taken.draft.alone !== true) throw accountFirst();
    const account = await makeAccount(tx, deps, taken);
    // Whatever opened it before is gone, as with a new factor.
    await deps.credentials.deleteAll(tx, account.id);
    return await firstSignIn(tx, deps, { ...request, account, detail: { secondFactor: 'none', policy } });
  });
}

/** The first session of a new account, with what is written down of it. */
async function firstSignIn(
  tx: Transaction,
  deps: EnrolmentDeps,
  { account, actor, kind, browser, detail }: LinkUse & { readonly account: Account; readonly detail?: EventDetail },
): Promise<SignedIn> {
  await deps.throttle.clear(tx, account.email);
  await deps.users.signedIn(tx, account.id, deps.clock.nowMs());
  const session = deps.sessions.prepare(account, { method: 'enrolment' });
  const { principal, cookies } = await deps.sessions.start(tx, { account, browser, session });
  const event = kind === 'setup' ? 'setup.confirm' : 'enrol.confirm';
  const entities = [userEntity(account.id)];
  const audited = await deps.audit.record(tx, [
    { actor: { ...actor, principal }, event, action: 'C', outcome: 'success', entities, ...(detail && { detail }) },
  ]);
  return { cookies, audited };
}
type EventDetail = Readonly<Record<string, string>>;

interface TakenLink {
  readonly kind: LinkKind;
  readonly draft: LinkDraft;
  readonly invited: Account | undefined;
}

/** Uses the link up, unless the caller throws afterwards. Everything it stands for is locked then. */
async function takeLink(tx: Transaction, deps: EnrolmentDeps, { kind, token }: LinkUse): Promise<TakenLink> {
  const { links, users, clock } = deps;
  const tokenHash = hashToken(token);
  // Before any row is locked, as everywhere: two set-ups, or a set-up and `careseal setup`, go one after the other.
  if (kind === 'setup') await lockAdministrators(tx);
  // The account before the link, as in every act upon a user, so that a reset at this moment waits its turn.
  const owner = (await links.find(tx, kind, tokenHash, clock.nowMs()))?.userId;
  const invited = owner === undefined ? undefined : await users.findLocked(tx, owner);
  const link = await links.findLocked(tx, kind, tokenHash, clock.nowMs());
  if (link === undefined) throw linkDead('unknown, used or expired');
  if (link.draft === undefined) throw accountFirst();
  await links.delete(tx, tokenHash);
  return { kind, draft: link.draft, invited };
}

async function makeAccount(tx: Transaction, deps: EnrolmentDeps, taken: TakenLink): Promise<Account> {
  return taken.kind === 'setup' ? await foundAccount(tx, deps, taken.draft) : await activate(tx, deps, taken);
}

/** The organisation and its first administrator. */
async function foundAccount(tx: Transaction, deps: EnrolmentDeps, draft: LinkDraft): Promise<Account> {
  if (await hasAdministrator(tx)) throw setUpDone();
  const nowMs = deps.clock.nowMs();
  const organisationName = draft.organisation ?? '';
  // The command line may have loaded clients or added nodes before anybody was here: theirs is this organisation.
  const before = await deps.organisations.first(tx);
  const organisationId = before?.id ?? newId<OrganisationId>();
  if (before) await deps.organisations.rename(tx, { id: organisationId, name: organisationName });
  else await deps.organisations.insert(tx, { id: organisationId, name: organisationName }, nowMs);
  const { name, email, passwordHash } = draft;
  const id = newId<UserId>();
  const account = { id, name, email, passwordHash, organisationId };
  await deps.users.insert(tx, { ...account, state: 'active', roles: ['administrator'], nowMs });
  return await mustFind(tx, deps, id);
}

/** The invited account, with what its owner has just chosen. Whatever opened it before is gone. */
async function activate(
  tx: Transaction,
  deps: EnrolmentDeps,
  { invited, draft }: { readonly invited: Account | undefined; readonly draft: LinkDraft },
): Promise<Account> {
  if (invited?.state !== 'invited') throw linkDead('account not invited');
  const { name, passwordHash } = draft;
  await deps.users.activate(tx, invited.id, { name, email: invited.email, passwordHash });
  return await mustFind(tx, deps, invited.id);
}

async function mustFind(tx: Transaction, { users }: EnrolmentDeps, id: UserId): Promise<Account> {
  const account = await users.find(tx, id);
  if (account === undefined) throw new Error('The account just written is not there');
  return account;
}

/** A first authenticator and ten recovery codes, instead of whatever was there. */
export async function giveFactors(
  tx: Transaction,
  { credentials, clock }: Pick<EnrolmentDeps, 'credentials' | 'clock'>,
  userId: UserId,
  totp: { readonly secret: string; readonly lastStep: number },
): Promise<string[]> {
  await credentials.deleteAll(tx, userId);
  // The confirming code's step counts as used: it cannot sign in a second time.
  await credentials.insertFactor(tx, userId, { id: newId<FactorId>(), ...totp, nowMs: clock.nowMs() });
  const codes = newRecoveryCodes();
  await credentials.insertCodes(
    tx,
    userId,
    codes.map((code) => toHex(recoveryCodeHash(userId, code))),
  );
  return codes;
}
