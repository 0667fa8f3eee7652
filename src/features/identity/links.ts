import { hashToken, randomToken } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { hasAdministrator, lockAdministrators } from './administrators.ts';
import type { EnrolmentDeps } from './enrolment-deps.ts';
import { linkDead } from './errors.ts';
import type { Link, LinkKind } from './link-store.ts';
import { userEntity } from './sign-in.ts';
import type { Account } from './user-store.ts';

export interface IssuedLink {
  /** `https://host:port/setup#<token>`; the token is nowhere else, and is stored as a hash only. */
  readonly url: string;
  readonly expiresMs: number;
}

/** A new link: for this user's enrolment, or (`userId` undefined) for set-up. Ends the one before it. */
export async function issueLink(
  tx: Transaction,
  { links, clock, settings }: Pick<EnrolmentDeps, 'links' | 'clock' | 'settings'>,
  what: {
    readonly userId: UserId | undefined;
    readonly baseUrl: string;
    readonly kind?: 'enrol' | 'factor' | 'identity';
  },
): Promise<IssuedLink> {
  const { userId, baseUrl } = what;
  const kind: LinkKind = userId === undefined ? 'setup' : (what.kind ?? 'enrol');
  if (userId === undefined) await links.deleteSetup(tx);
  else await links.deleteOfUser(tx, userId);
  const token = randomToken(256);
  const lifeMs = kind === 'setup' ? settings.setupLinkMinutes * 60_000 : settings.enrolmentLinkHours * 3_600_000;
  const expiresMs = clock.nowMs() + lifeMs;
  await links.insert(tx, hashToken(token), { kind, userId, expiresMs });
  return { url: `${baseUrl}/${kind}#${token}`, expiresMs };
}

/** A new set-up link; undefined when there is an administrator. */
export async function issueSetupLink(
  deps: EnrolmentDeps,
  actor: Actor,
  baseUrl: string,
): Promise<IssuedLink | undefined> {
  return await deps.database.transaction(async (tx) => {
    await lockAdministrators(tx);
    if (await hasAdministrator(tx)) return undefined;
    const link = await issueLink(tx, deps, { userId: undefined, baseUrl });
    await deps.audit.record(tx, [{ actor, event: 'setup.link', action: 'C', outcome: 'success' }]);
    return link;
  });
}

export interface LinkOwner {
  readonly link: Link;
  /** Whom an enrolment link invites; undefined for set-up. */
  readonly account: Account | undefined;
  readonly organisation: string | undefined;
}

/** The living link of this token and whom it is for. Throws `link-dead`, for every reason alike. */
export async function findLink(deps: EnrolmentDeps, kind: LinkKind, token: string): Promise<LinkOwner> {
  const { database, links, users, organisations, clock } = deps;
  const link = await links.find(database, kind, hashToken(token), clock.nowMs());
  if (link === undefined) throw linkDead('unknown, used or expired');
  if (link.userId === undefined) return { link, account: undefined, organisation: undefined };
  const account = await users.find(database, link.userId);
  if (account?.state !== 'invited') throw linkDead('account not invited');
  const organisation = await organisations.find(database, account.organisationId);
  return { link, account, organisation: organisation?.name };
}

/** What the page shows first: that the link lives, and whom it is for. */
export async function lookAtLink(
  deps: EnrolmentDeps,
  request: { readonly actor: Actor; readonly kind: LinkKind; readonly token: string },
): Promise<LinkOwner & { readonly audited: AuditReceipt }> {
  const { actor, kind, token } = request;
  const found = await findLink(deps, kind, token);
  const entities = found.account === undefined ? {} : { entities: [userEntity(found.account.id)] };
  const audited = await deps.audit.recordNow([
    { actor, event: 'link.look', action: 'R', outcome: 'success', ...entities },
  ]);
  return { ...found, audited };
}
