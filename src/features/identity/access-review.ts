import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { covers, reachOf, touches } from '../../kernel/reach.ts';
import { instant } from '../../kernel/time.ts';
import { type Database, statement } from '../../platform/db/sql.ts';
import type { Audit } from '../audit/index.ts';
import type { Clock } from '../../kernel/time.ts';
import { PERMISSIONS } from '../../kernel/access.ts';
import { organisationUnknown, ownRights, userUnknown } from './errors.ts';
import type { OrganisationStore } from './organisation-store.ts';
import { explainRight, type Reason } from './rights.ts';
import { roleStore } from './role-store.ts';
import type { Sealing } from './sealing.ts';
import { userEntity } from './sign-in.ts';
import type { UserStore } from './user-store.ts';
import type { AccessReviewEntry, ReasonEntry, RightsAnswer } from './wire-organisations.ts';

export interface AccessReviewDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly users: UserStore;
  readonly organisations: OrganisationStore;
  readonly audit: Audit;
  readonly clock: Clock;
}

interface ReviewRow {
  readonly user_id: UserId;
  readonly organisation_id: OrganisationId;
  readonly roles: readonly string[];
  readonly state: string;
  readonly sealed_profile: Uint8Array;
  readonly joined_at: Date;
  readonly reviewed_at: Date | null;
  readonly last_sign_in_at: Date | null;
}

/** $1 organisations or null, $2 looked at before. */
const WAITING = `FROM identity.memberships m JOIN identity.users u ON u.id = m.user_id
   WHERE u.state IN ('invited', 'active') AND ($1::uuid[] IS NULL OR m.organisation_id = ANY ($1))
     AND coalesce(m.reviewed_at, m.joined_at) <= $2`;
const PAGE = statement<ReviewRow>(
  'identity.access-review',
  `SELECT m.user_id, m.organisation_id, m.roles, u.state, u.sealed_profile, m.joined_at, m.reviewed_at, u.last_sign_in_at
   ${WAITING} ORDER BY coalesce(m.reviewed_at, m.joined_at), m.user_id LIMIT $3 OFFSET $4`,
);
const COUNT = statement<{ readonly n: number }>('identity.access-review-count', `SELECT count(*)::int AS n ${WAITING}`);
const CONFIRM = statement(
  'identity.access-confirm',
  `UPDATE identity.memberships SET reviewed_at = $3, reviewed_by = $4 WHERE user_id = $1 AND organisation_id = $2`,
);
const DAY_MS = 86_400_000;

export type AccessReview = ReturnType<typeof createAccessReview>;

export interface ReviewQuery {
  readonly days: number;
  readonly organisationId?: OrganisationId | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** Why somebody can or cannot do a thing, and the list of rights that somebody should look at again. */
export function createAccessReview(deps: AccessReviewDeps) {
  const { database, audit, clock } = deps;
  return {
    explain: (actor: Actor, userId: UserId, organisationId: OrganisationId | undefined) =>
      explain(deps, actor, { userId, organisationId }),

    async list(actor: Actor, query: ReviewQuery) {
      const reach = reachOf(actor.principal, 'user.manage');
      if (query.organisationId !== undefined && !covers(reach, [query.organisationId])) throw organisationUnknown();
      const within = query.organisationId === undefined ? (reach === 'all' ? null : reach) : [query.organisationId];
      const before = new Date(clock.nowMs() - query.days * DAY_MS);
      const [rows, counts] = await Promise.all([
        database.rows(PAGE, [within, before, query.limit, query.offset]),
        database.rows(COUNT, [within, before]),
      ]);
      const entries = await entriesOf(deps, actor, rows);
      const audited = await audit.recordNow([{ actor, event: 'access-review.list', action: 'R', outcome: 'success' }]);
      return { entries, total: counts[0]?.n ?? 0, audited };
    },

    /** These rights are still right. Nobody says so of their own. */
    async confirm(actor: Actor, userId: UserId, organisationId: OrganisationId) {
      const { principal } = actor;
      if (!covers(reachOf(principal, 'user.manage'), [organisationId])) throw organisationUnknown();
      if (principal.kind === 'user' && principal.userId === userId) throw ownRights();
      return await database.transaction(async (tx) => {
        const by = principal.kind === 'user' ? principal.userId : null;
        const done = await tx.run(CONFIRM, [userId, organisationId, new Date(clock.nowMs()), by]);
        if (done !== 1) throw userUnknown();
        const detail = { organisation: organisationId };
        const event = 'access-review.confirm';
        const entities = [userEntity(userId)];
        return await audit.record(tx, [{ actor, event, action: 'U', outcome: 'success', entities, detail }]);
      });
    },
  };
}

async function entriesOf(
  deps: AccessReviewDeps,
  actor: Actor,
  rows: readonly ReviewRow[],
): Promise<AccessReviewEntry[]> {
  const { database, sealing, organisations } = deps;
  const ids = [...new Set(rows.map((row) => row.organisation_id))];
  const [names, own] = await Promise.all([organisations.names(database, ids), roleStore.list(database, sealing)]);
  const roleNames = new Map<string, string>(own.map((role) => [role.id, role.name]));
  return rows.map((row) => {
    const { name, email } = sealing.open('sealed_profile', row.user_id, row.sealed_profile);
    return {
      user: { id: row.user_id, name, email, state: row.state },
      organisation: { id: row.organisation_id, name: names.get(row.organisation_id) ?? '' },
      roles: row.roles.map((id) => roleEntry(id, roleNames)),
      joinedAt: instant(row.joined_at.getTime()),
      ...(row.reviewed_at === null ? {} : { reviewedAt: instant(row.reviewed_at.getTime()) }),
      ...(row.last_sign_in_at === null ? {} : { lastSignInAt: instant(row.last_sign_in_at.getTime()) }),
      self: actor.principal.kind === 'user' && actor.principal.userId === row.user_id,
    };
  });
}

function roleEntry(id: string, names: ReadonlyMap<string, string>): { id: string; name?: string } {
  const name = names.get(id);
  return { id, ...(name === undefined ? {} : { name }) };
}

async function explain(
  deps: AccessReviewDeps,
  actor: Actor,
  what: { readonly userId: UserId; readonly organisationId: OrganisationId | undefined },
) {
  const { database, users, sealing, organisations, audit } = deps;
  const reach = reachOf(actor.principal, 'user.read');
  const user = await users.find(database, what.userId);
  const places = user?.memberships.map((one) => one.organisationId) ?? [];
  if (user === undefined || !touches(reach, places)) throw userUnknown();
  const organisationId = what.organisationId ?? places.find((id) => covers(reach, [id])) ?? user.organisationId;
  if (!covers(reach, [organisationId])) throw organisationUnknown();
  const asked = new Set([...places, organisationId]);
  const names = await organisations.names(
    database,
    [...asked].filter((id) => covers(reach, [id])),
  );
  if (!names.has(organisationId)) throw organisationUnknown();
  const roleNames = new Map<string, string>(
    (await roleStore.list(database, sealing)).map((role) => [role.id, role.name]),
  );
  const rights = PERMISSIONS.map((permission) => {
    const { allowed, reasons } = explainRight(user, permission, organisationId);
    return { permission, allowed, reasons: reasons.map((reason) => reasonEntry(reason, names, roleNames)) };
  });
  const entities = [userEntity(user.id)];
  const audited = await audit.recordNow([{ actor, event: 'user.rights', action: 'R', outcome: 'success', entities }]);
  const answer: RightsAnswer = {
    user: { id: user.id, name: user.name, state: user.state },
    organisation: { id: organisationId, name: names.get(organisationId) ?? '' },
    organisations: [...names].map(([id, name]) => ({ id, name })),
    rights,
  };
  return { answer, audited };
}

/** What happens in an organisation that the asker does not administer is told without its name and the role there. */
function reasonEntry(
  reason: Reason,
  names: ReadonlyMap<OrganisationId, string>,
  roleNames: ReadonlyMap<string, string>,
): ReasonEntry {
  if (reason.kind === 'account') return { kind: 'account', state: reason.state };
  if (reason.kind === 'not-member') return { kind: 'not-member' };
  const name = names.get(reason.organisationId);
  const organisation = name === undefined ? {} : { organisation: { id: reason.organisationId, name } };
  if (reason.kind === 'no-role') return { kind: 'no-role', ...organisation };
  const role = name === undefined ? {} : { role: roleEntry(reason.role, roleNames) };
  if (reason.kind === 'granted') return { kind: 'granted', ...organisation, ...role, central: reason.central };
  return { kind: 'blocked', ...organisation, ...role, by: reason.by };
}
