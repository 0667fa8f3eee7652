import { newId } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import { statement } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { exceptionUnknown, ownException, policyRefused, userUnknown } from './errors.ts';
import { exceptionRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';
import { type SignInDeps, userEntity } from './sign-in.ts';
import { tellUser } from './tell-user.ts';
import type { ExceptionsAnswer } from './wire-policy.ts';

const INSERT = statement(
  'identity.exception-insert',
  `INSERT INTO identity.exceptions (id, user_id, sealed_why, approved_by, granted_at, ends_at, binding)
   VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);
const END = statement<{ user_id: UserId }>(
  'identity.exception-end',
  `UPDATE identity.exceptions SET ended_at = $2, binding = NULL WHERE id = $1 AND ended_at IS NULL AND ends_at > $2 RETURNING user_id`,
);
interface ListedRow {
  readonly id: string;
  readonly user_id: UserId;
  readonly sealed_profile: Uint8Array;
  readonly sealed_why: Uint8Array;
  readonly approved_by: UserId | null;
  readonly approver_profile: Uint8Array | null;
  readonly granted_at: Date;
  readonly ends_at: Date;
  readonly ended_at: Date | null;
}
const LIST = statement<ListedRow>(
  'identity.exceptions',
  `SELECT x.id, x.user_id, u.sealed_profile, x.sealed_why, x.approved_by, by.sealed_profile AS approver_profile,
     x.granted_at, x.ends_at, x.ended_at
   FROM (SELECT * FROM identity.exceptions
         ORDER BY (ended_at IS NULL AND ends_at > $1) DESC, granted_at DESC, id LIMIT $2 OFFSET $3) x
   JOIN identity.users u ON u.id = x.user_id LEFT JOIN identity.users by ON by.id = x.approved_by
   ORDER BY (x.ended_at IS NULL AND x.ends_at > $1) DESC, x.granted_at DESC, x.id`,
);
const COUNT = statement<{ readonly n: number }>(
  'identity.exceptions-count',
  'SELECT count(*)::int AS n FROM identity.exceptions',
);

interface ExceptionsDeps extends SignInDeps {
  readonly sealing: Sealing;
}

const DAY_MS = 86_400_000;
/** Long enough for a new telephone, too short to be forgotten. */
const LONGEST_DAYS = 90;

/** People who may do without a required second factor for a while: with a reason, somebody else's approval and an end. */
export type Exceptions = ReturnType<typeof createExceptions>;

export function createExceptions(deps: ExceptionsDeps) {
  const { database, sealing, users, audit, clock } = deps;
  return {
    /** The living ones first, then the newest: the report of who may do without, and who let them. */
    async list(
      actor: Actor,
      page: { readonly limit: number; readonly offset: number },
    ): Promise<{ readonly body: ExceptionsAnswer; readonly audited: AuditReceipt }> {
      const nowMs = clock.nowMs();
      const [rows, counts] = await Promise.all([
        database.rows(LIST, [new Date(nowMs), page.limit, page.offset]),
        database.rows(COUNT),
      ]);
      const audited = await audit.recordNow([{ actor, event: 'policy.read', action: 'R', outcome: 'success' }]);
      const exceptions = rows.map((row) => listed(sealing, row, nowMs));
      return { body: { exceptions, total: counts[0]?.n ?? 0 }, audited };
    },

    /** Throws `own-exception`, `user-unknown`, or `policy-refused` for an end that is past or more than 90 days off. */
    async grant(
      actor: Actor,
      given: { readonly userId: UserId; readonly reason: string; readonly endsMs: number },
    ): Promise<AuditReceipt> {
      const { userId, reason, endsMs } = given;
      const nowMs = clock.nowMs();
      const by = actor.principal.kind === 'user' ? actor.principal.userId : undefined;
      if (by === userId) throw ownException();
      if (endsMs <= nowMs || endsMs > nowMs + LONGEST_DAYS * DAY_MS) {
        throw policyRefused([{ path: ['endsAt'], message: `within the next ${LONGEST_DAYS} days` }]);
      }
      return await database.transaction(async (tx) => {
        const account = await users.findLocked(tx, userId);
        if (account === undefined) throw userUnknown();
        const id = newId();
        const why = sealing.seal('sealed_why', id, reason);
        const facts = { id, userId, approvedBy: by ?? null, grantedMs: nowMs, endsMs };
        const binding = sealing.rows.bind(exceptionRow(facts));
        await tx.run(INSERT, [id, userId, why, by ?? null, new Date(nowMs), new Date(endsMs), binding]);
        await tellUser(tx, deps, account.email, 'exception-granted');
        const detail = { what: 'secondFactor', from: 'required', to: 'optional', endsAt: instant(endsMs) };
        const entities = [userEntity(userId)];
        return await audit.record(tx, [
          { actor, event: 'policy.exception', action: 'C', outcome: 'success', entities, detail },
        ]);
      });
    },

    async end(actor: Actor, id: string): Promise<AuditReceipt> {
      return await database.transaction(async (tx) => {
        const [ended] = await tx.rows(END, [id, new Date(clock.nowMs())]);
        if (ended === undefined) throw exceptionUnknown();
        const entities = [userEntity(ended.user_id)];
        return await audit.record(tx, [
          { actor, event: 'policy.exception-end', action: 'U', outcome: 'success', entities },
        ]);
      });
    },
  };
}

function listed(sealing: Sealing, row: ListedRow, nowMs: number): ExceptionsAnswer['exceptions'][number] {
  const nameOf = (id: UserId, profile: Uint8Array): string => sealing.open('sealed_profile', id, profile).name;
  const { approved_by: by, approver_profile: approver } = row;
  return {
    id: row.id,
    userId: row.user_id,
    name: nameOf(row.user_id, row.sealed_profile),
    reason: sealing.open('sealed_why', row.id, row.sealed_why),
    ...(by === null || approver === null ? {} : { approvedBy: nameOf(by, approver) }),
    grantedAt: instant(row.granted_at.getTime()),
    endsAt: instant(row.ends_at.getTime()),
    state: row.ended_at !== null ? 'ended' : row.ends_at.getTime() > nowMs ? 'living' : 'over',
  };
}
