import { newId } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { exceptionUnknown, ownException, policyRefused, userUnknown } from './errors.ts';
import { exceptionRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';
import { type SignInDeps, userEntity } from './sign-in.ts';
import { tellUser } from './tell-user.ts';

const INSERT = statement(
  'identity.exception-insert',
  `INSERT INTO identity.exceptions (id, user_id, sealed_why, approved_by, granted_at, ends_at, binding)
   VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);
const END = statement<{ user_id: UserId }>(
  'identity.exception-end',
  `UPDATE identity.exceptions SET ended_at = $2, binding = NULL WHERE id = $1 AND ended_at IS NULL AND ends_at > $2 RETURNING user_id`,
);
const LIST = statement<{
  id: string;
  user_id: UserId;
  sealed_why: Uint8Array;
  approved_by: UserId | null;
  granted_at: Date;
  ends_at: Date;
  ended_at: Date | null;
}>(
  'identity.exceptions',
  `SELECT id, user_id, sealed_why, approved_by, granted_at, ends_at, ended_at FROM identity.exceptions
   ORDER BY (ended_at IS NULL AND ends_at > $1) DESC, granted_at DESC LIMIT 500`,
);

export interface PolicyException {
  readonly id: string;
  readonly userId: UserId;
  readonly reason: string;
  readonly approvedBy: UserId | undefined;
  readonly grantedMs: number;
  readonly endsMs: number;
  readonly state: 'living' | 'over' | 'ended';
}

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
    /** The living ones first: the report of who may do without, and who let them. */
    async list(sql: Sql): Promise<PolicyException[]> {
      const nowMs = clock.nowMs();
      return (await sql.rows(LIST, [new Date(nowMs)])).map((row) => ({
        id: row.id,
        userId: row.user_id,
        reason: sealing.open('sealed_why', row.id, row.sealed_why),
        approvedBy: row.approved_by ?? undefined,
        grantedMs: row.granted_at.getTime(),
        endsMs: row.ends_at.getTime(),
        state: row.ended_at !== null ? 'ended' : row.ends_at.getTime() > nowMs ? 'living' : 'over',
      }));
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
