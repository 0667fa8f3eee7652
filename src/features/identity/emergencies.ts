import { newId } from '../../crypto/index.ts';
import type { Branded, OrganisationId, SessionId, UserId } from '../../kernel/ids.ts';
import type { Actor, Principal, UserPrincipal } from '../../kernel/principal.ts';
import { covers, reachOf } from '../../kernel/reach.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import { type Database, statement, type Transaction } from '../../platform/db/sql.ts';
import type { Audit, AuditInput } from '../audit/index.ts';
import { emergencyNeedless, emergencyOften, emergencyUnknown, notSignedIn, ownRights } from './errors.ts';
import type { OrganisationStore } from './organisation-store.ts';
import { emergencyRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';
import type { Sessions } from './sessions.ts';
import { userEntity } from './sign-in.ts';
import type { UserStore } from './user-store.ts';
import type { EmergencyEntry } from './wire-organisations.ts';

export type EmergencyId = Branded<'EmergencyId'>;

export interface EmergenciesDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly users: UserStore;
  readonly organisations: OrganisationStore;
  readonly sessions: Sessions;
  readonly audit: Audit;
  readonly clock: Clock;
}

interface EmergencyRow {
  readonly id: EmergencyId;
  readonly user_id: UserId;
  readonly organisation_id: OrganisationId;
  readonly sealed_reason: Uint8Array;
  readonly started_at: Date;
  readonly ends_at: Date;
  readonly reviewed_at: Date | null;
  readonly reviewed_by: UserId | null;
  readonly verdict: 'justified' | 'not-justified' | null;
  readonly sealed_note: Uint8Array | null;
}

const COLUMNS =
  'id, user_id, organisation_id, sealed_reason, started_at, ends_at, reviewed_at, reviewed_by, verdict, sealed_note';
const INSERT = statement(
  'identity.emergency-insert',
  `INSERT INTO identity.emergencies (id, user_id, session_id, organisation_id, sealed_reason, started_at, ends_at, binding)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
);
/** Of this user: those of the last day, and whether one of this session goes on. */
const RECENT = statement<{ readonly recent: number; readonly open: boolean }>(
  'identity.emergency-recent',
  `SELECT count(*)::int AS recent, coalesce(bool_or(session_id = $2 AND ends_at > $4), false) AS open
   FROM identity.emergencies WHERE user_id = $1 AND started_at > $3`,
);
const END = statement<{ readonly id: EmergencyId }>(
  'identity.emergency-end',
  `UPDATE identity.emergencies SET ends_at = $3 WHERE user_id = $1 AND session_id = $2 AND ends_at > $3 RETURNING id`,
);
/** $1 organisations or null, $2 whether reviewed. */
const LISTED = '($1::uuid[] IS NULL OR organisation_id = ANY ($1)) AND (reviewed_at IS NOT NULL) = $2';
const LIST = statement<EmergencyRow>(
  'identity.emergencies',
  `SELECT ${COLUMNS} FROM identity.emergencies WHERE ${LISTED} ORDER BY started_at DESC, id LIMIT $3 OFFSET $4`,
);
const COUNT = statement<{ readonly n: number }>(
  'identity.emergencies-count',
  `SELECT count(*)::int AS n FROM identity.emergencies WHERE ${LISTED}`,
);
const FIND_LOCKED = statement<EmergencyRow>(
  'identity.emergency-locked',
  `SELECT ${COLUMNS} FROM identity.emergencies WHERE id = $1 FOR UPDATE`,
);
const REVIEW = statement(
  'identity.emergency-review',
  `UPDATE identity.emergencies SET reviewed_at = $2, reviewed_by = $3, verdict = $4, sealed_note = $5
   WHERE id = $1 AND reviewed_at IS NULL`,
);

/** More than anybody needs in a day; beyond it somebody looks before it goes on. */
const PER_DAY_MAX = 10;
const DAY_MS = 86_400_000;

export type Emergencies = ReturnType<typeof createEmergencies>;

/**
 * Breaking the glass: a person who may look clients up reaches every client for a short time, with a reason, and somebody else
 * looks at it afterwards. It widens what may be read and nothing else; it ends with its time or with the session.
 */
export function createEmergencies(deps: EmergenciesDeps) {
  const { database, sealing, audit, clock } = deps;
  return {
    start: (actor: Actor, asked: Asked) => start(deps, actor, asked),

    async end(actor: Actor) {
      const user = userOf(actor);
      return await database.transaction(async (tx) => {
        const [ended] = await tx.rows(END, [user.userId, user.sessionId, new Date(clock.nowMs())]);
        if (ended === undefined) throw emergencyUnknown();
        await forget(tx, deps, user.userId);
        return await audit.record(tx, [event(actor, 'emergency.end', ended.id)]);
      });
    },

    async list(actor: Actor, query: { state: 'waiting' | 'reviewed'; limit: number; offset: number }) {
      const within = organisationsOf(actor.principal);
      const filter = [within, query.state === 'reviewed'];
      const [rows, counts] = await Promise.all([
        database.rows(LIST, [...filter, query.limit, query.offset]),
        database.rows(COUNT, filter),
      ]);
      const emergencies = await entriesOf(deps, actor, rows);
      const audited = await audit.recordNow([{ actor, event: 'emergency.list', action: 'R', outcome: 'success' }]);
      return { emergencies, total: counts[0]?.n ?? 0, audited };
    },

    /** Somebody else's judgement, once. Throws `emergency-unknown` or `own-rights`. */
    async review(actor: Actor, id: EmergencyId, judged: { verdict: 'justified' | 'not-justified'; note: string }) {
      const reviewer = userOf(actor);
      return await database.transaction(async (tx) => {
        const [row] = await tx.rows(FIND_LOCKED, [id]);
        if (row === undefined || row.reviewed_at !== null) throw emergencyUnknown();
        if (!covers(reachOf(reviewer, 'user.manage'), [row.organisation_id])) throw emergencyUnknown();
        if (row.user_id === reviewer.userId) throw ownRights();
        const nowMs = clock.nowMs();
        // What is judged is over: whoever reviews it early ends it.
        await tx.run(CUT, [id, new Date(nowMs)]);
        const note = sealing.seal('sealed_note', id, judged.note);
        await tx.run(REVIEW, [id, new Date(nowMs), reviewer.userId, judged.verdict, note]);
        await forget(tx, deps, row.user_id);
        return await audit.record(tx, [
          {
            ...event(actor, 'emergency.review', id),
            entities: [userEntity(row.user_id)],
            reason: judged.note,
            detail: { emergency: id, verdict: judged.verdict },
          },
        ]);
      });
    },

    /** How many wait for this principal's review. */
    async waiting(principal: Principal): Promise<number> {
      return (await database.rows(COUNT, [organisationsOf(principal), false]))[0]?.n ?? 0;
    },
  };
}

interface Asked {
  readonly reason: string;
  readonly minutes: number;
}

async function start(deps: EmergenciesDeps, actor: Actor, asked: Asked) {
  const { database, sealing, users, audit, clock } = deps;
  const user = userOf(actor);
  if (reachOf(user, 'client.read') === 'all') throw emergencyNeedless();
  const nowMs = clock.nowMs();
  const endsMs = nowMs + asked.minutes * 60_000;
  const id = newId<EmergencyId>();
  return await database.transaction(async (tx) => {
    // One after the other for each person, or many at once would pass the bound together.
    await users.findLocked(tx, user.userId);
    const day = new Date(nowMs - DAY_MS);
    const [known] = await tx.rows(RECENT, [user.userId, user.sessionId, day, new Date(nowMs)]);
    if (known?.open) throw emergencyNeedless();
    if ((known?.recent ?? 0) >= PER_DAY_MAX) throw emergencyOften();
    const reason = sealing.seal('sealed_reason', id, asked.reason);
    const times = [new Date(nowMs), new Date(endsMs)];
    const facts = { id, userId: user.userId, sessionId: user.sessionId, startedMs: nowMs, endsMs };
    const binding = sealing.rows.bind(emergencyRow(facts));
    await tx.run(INSERT, [id, user.userId, user.sessionId, user.organisationId, reason, ...times, binding]);
    await forget(tx, deps, user.userId);
    const audited = await audit.record(tx, [
      { ...event(actor, 'emergency.start', id), reason: asked.reason, detail: { minutes: String(asked.minutes) } },
    ]);
    return { id, endsAt: instant(endsMs), audited };
  });
}

const CUT = statement(
  'identity.emergency-cut',
  'UPDATE identity.emergencies SET ends_at = least(ends_at, $2) WHERE id = $1',
);

function organisationsOf(principal: Principal): readonly OrganisationId[] | null {
  const reach = reachOf(principal, 'user.manage');
  return reach === 'all' ? null : reach;
}

/** Everywhere, what is remembered of the person's rights is looked up anew. */
async function forget(tx: Transaction, { users, sessions }: EmergenciesDeps, userId: UserId): Promise<void> {
  await users.notify(tx, userId);
  tx.afterCommit(() => sessions.dropUser(userId));
}

function userOf({ principal }: Actor): UserPrincipal & { readonly sessionId: SessionId } {
  if (principal.kind !== 'user' || principal.tokenId !== undefined) throw notSignedIn();
  return principal;
}

function event(actor: Actor, name: AuditInput['event'], id: EmergencyId): AuditInput {
  const entities = [{ reference: `Emergency/${id}`, role: 'security-resource' as const }];
  return { actor, event: name, action: 'E', outcome: 'success', entities, detail: { emergency: id } };
}

async function entriesOf(
  deps: EmergenciesDeps,
  actor: Actor,
  rows: readonly EmergencyRow[],
): Promise<EmergencyEntry[]> {
  const { database, users, organisations, sealing, clock } = deps;
  const people = new Map<UserId, string>();
  for (const id of new Set(
    rows.flatMap((row) => [row.user_id, ...(row.reviewed_by === null ? [] : [row.reviewed_by])]),
  )) {
    people.set(id, (await users.find(database, id))?.name ?? '');
  }
  const names = await organisations.names(database, [...new Set(rows.map((row) => row.organisation_id))]);
  const { principal } = actor;
  return rows.map((row) => ({
    id: row.id,
    user: { id: row.user_id, name: people.get(row.user_id) ?? '' },
    organisation: { id: row.organisation_id, name: names.get(row.organisation_id) ?? '' },
    reason: sealing.open('sealed_reason', row.id, row.sealed_reason),
    startedAt: instant(row.started_at.getTime()),
    endsAt: instant(row.ends_at.getTime()),
    open: row.ends_at.getTime() > clock.nowMs(),
    self: principal.kind === 'user' && principal.userId === row.user_id,
    ...(row.reviewed_at === null || row.verdict === null || row.reviewed_by === null
      ? {}
      : {
          review: {
            at: instant(row.reviewed_at.getTime()),
            by: people.get(row.reviewed_by) ?? '',
            verdict: row.verdict,
            note: row.sealed_note === null ? '' : sealing.open('sealed_note', row.id, row.sealed_note),
          },
        }),
  }));
}
