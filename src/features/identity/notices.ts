import { newId } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { Clock } from '../../kernel/time.ts';
import { type Database, type Sql, statement } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Audit } from '../audit/index.ts';
import { noticeUnknown } from './errors.ts';
import { browserUser } from './own-factors.ts';
import type { Sealing } from './sealing.ts';
import type { Sessions } from './sessions.ts';
import type { UserStore } from './user-store.ts';
import type { NoticeRequest, NoticesAnswer, PendingNoticesAnswer } from './wire-policy.ts';

const INSERT = statement(
  'identity.notice-insert',
  `INSERT INTO identity.notices (id, sealed_notice, roles, created_by, created_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6)`,
);
const LIST = statement<{
  id: string;
  sealed_notice: Uint8Array;
  roles: readonly string[];
  created_at: Date;
  ends_at: Date | null;
  withdrawn_at: Date | null;
  acknowledged: number;
}>(
  'identity.notices',
  `SELECT n.id, n.sealed_notice, n.roles, n.created_at, n.ends_at, n.withdrawn_at,
     (SELECT count(*)::int FROM identity.acknowledgements a WHERE a.notice_id = n.id) AS acknowledged
   FROM identity.notices n ORDER BY n.created_at DESC, n.id LIMIT $1 OFFSET $2`,
);
const COUNT = statement<{ readonly n: number }>(
  'identity.notices-count',
  'SELECT count(*)::int AS n FROM identity.notices',
);
const PENDING = statement<{ id: string; sealed_notice: Uint8Array; created_at: Date }>(
  'identity.notices-pending',
  `SELECT n.id, n.sealed_notice, n.created_at FROM identity.notices n
   WHERE n.withdrawn_at IS NULL AND (n.ends_at IS NULL OR n.ends_at > $2)
     AND (cardinality(n.roles) = 0 OR EXISTS (SELECT FROM identity.memberships m WHERE m.user_id = $1 AND m.roles && n.roles))
     AND NOT EXISTS (SELECT FROM identity.acknowledgements a WHERE a.notice_id = n.id AND a.user_id = $1)
   ORDER BY n.created_at LIMIT 20`,
);
const WITHDRAW = statement(
  'identity.notice-withdraw',
  'UPDATE identity.notices SET withdrawn_at = $2 WHERE id = $1 AND withdrawn_at IS NULL',
);
const ACKNOWLEDGE = statement(
  'identity.notice-acknowledge',
  `INSERT INTO identity.acknowledgements (notice_id, user_id, at)
   SELECT id, $2, $3 FROM identity.notices WHERE id = $1 AND withdrawn_at IS NULL ON CONFLICT DO NOTHING`,
);

interface NoticesDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly users: UserStore;
  readonly sessions: Sessions;
}

/** What people must have read before they go on: rules of use, a changed practice. Who has acknowledged is kept for ever. */
export type Notices = ReturnType<typeof createNotices>;

export function createNotices({ database, sealing, audit, clock, users, sessions }: NoticesDeps) {
  const open = (row: { id: string; sealed_notice: Uint8Array }) =>
    sealing.open('sealed_notice', row.id, row.sealed_notice);
  return {
    /** Living notices for this person that they have not acknowledged, the oldest first. */
    async pending(sql: Sql, userId: UserId): Promise<PendingNoticesAnswer['notices']> {
      const rows = await sql.rows(PENDING, [userId, new Date(clock.nowMs())]);
      return rows.map((row) => ({ id: row.id, ...open(row), createdAt: instant(row.created_at.getTime()) }));
    },

    async list(
      actor: Actor,
      page: { readonly limit: number; readonly offset: number },
    ): Promise<{ readonly body: NoticesAnswer; readonly audited: AuditReceipt }> {
      const [rows, counts] = await Promise.all([database.rows(LIST, [page.limit, page.offset]), database.rows(COUNT)]);
      const notices = rows.map((row) => ({
        ...{ id: row.id, ...open(row), roles: [...row.roles], acknowledged: row.acknowledged },
        createdAt: instant(row.created_at.getTime()),
        ...(row.ends_at === null ? {} : { endsAt: instant(row.ends_at.getTime()) }),
        withdrawn: row.withdrawn_at !== null,
      }));
      const audited = await audit.recordNow([{ actor, event: 'notice.list', action: 'R', outcome: 'success' }]);
      return { body: { notices, total: counts[0]?.n ?? 0 }, audited };
    },

    async publish(actor: Actor, notice: NoticeRequest): Promise<AuditReceipt> {
      const { title, text, roles, endsAt } = notice;
      const id = newId();
      const by = actor.principal.kind === 'user' ? actor.principal.userId : null;
      const ends = endsAt === undefined ? null : new Date(endsAt);
      return await database.transaction(async (tx) => {
        const sealed = sealing.seal('sealed_notice', id, { title, text });
        await tx.run(INSERT, [id, sealed, roles, by, new Date(clock.nowMs()), ends]);
        const detail = { notice: id, roles: roles.join(' ') };
        return await audit.record(tx, [{ actor, event: 'notice.add', action: 'C', outcome: 'success', detail }]);
      });
    },

    async withdraw(actor: Actor, text: string): Promise<AuditReceipt> {
      const id = parseId(text);
      if (id === undefined) throw noticeUnknown();
      return await database.transaction(async (tx) => {
        if ((await tx.run(WITHDRAW, [id, new Date(clock.nowMs())])) === 0) throw noticeUnknown();
        const detail = { notice: id };
        return await audit.record(tx, [{ actor, event: 'notice.withdraw', action: 'U', outcome: 'success', detail }]);
      });
    },

    /** Throws `notice-unknown` for one that was withdrawn, or acknowledged already. */
    async acknowledge(actor: Actor, text: string): Promise<AuditReceipt> {
      const id = parseId(text);
      if (id === undefined) throw noticeUnknown();
      const { userId } = browserUser(actor);
      return await database.transaction(async (tx) => {
        if ((await tx.run(ACKNOWLEDGE, [id, userId, new Date(clock.nowMs())])) === 0) throw noticeUnknown();
        await users.notify(tx, userId);
        tx.afterCommit(() => sessions.dropUser(userId));
        const detail = { notice: id };
        return await audit.record(tx, [
          { actor, event: 'notice.acknowledge', action: 'E', outcome: 'success', detail },
        ]);
      });
    },
  };
}
