import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Audit } from '../audit/index.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import { banUnknown } from './errors.ts';
import type { Sealing } from './sealing.ts';
import { userEntity } from './sign-in.ts';
import { CLOSED_RETRY_SECONDS, THROTTLE_LIMITS } from './throttle-rules.ts';
import type { UserStore } from './user-store.ts';

const LIVING = statement<{
  id: string;
  subject: bigint;
  sealed_network: Uint8Array;
  failures: number;
  since: Date;
  until: Date;
}>(
  'identity.bans',
  `SELECT id, subject, sealed_network, failures, since, until FROM identity.bans
   WHERE lifted_at IS NULL AND until > $1 ORDER BY until DESC, id LIMIT $2 OFFSET $3`,
);
const LIVING_COUNT = statement<{ readonly n: number }>(
  'identity.bans-count',
  'SELECT count(*)::int AS n FROM identity.bans WHERE lifted_at IS NULL AND until > $1',
);
const LIFT = statement<{ subject: bigint }>(
  'identity.ban-lift',
  `UPDATE identity.bans SET lifted_at = $2, lifted_by = $3 WHERE id = $1 AND lifted_at IS NULL AND until > $2 RETURNING subject`,
);
const FORGET_NETWORK = statement(
  'identity.ban-forget',
  `DELETE FROM identity.attempts WHERE subject = $1 AND kind = 'network'`,
);
/**
 * Accounts that exist and at which strangers, or anybody, must wait until after $1. $2, $3: failures that close an account for all, and
 * for strangers.
 */
const WAITING = `FROM identity.attempts a JOIN identity.users u ON u.email_token = a.subject
   WHERE a.kind <> 'network' AND a.kind <> 'device'
     AND (a.waits_until > $1 OR (a.kind = 'account' AND a.failures >= $2) OR (a.kind <> 'account' AND a.failures >= $3))`;
const ACCOUNTS = statement<{ id: UserId; sealed_profile: Uint8Array; failures: number; closed: boolean; until: Date }>(
  'identity.bans-accounts',
  `SELECT u.id, u.sealed_profile, max(a.failures)::int AS failures, max(a.waits_until) AS until,
          bool_or((a.kind = 'account' AND a.failures >= $2) OR (a.kind <> 'account' AND a.failures >= $3)) AS closed
   ${WAITING} GROUP BY u.id ORDER BY max(a.failures) DESC, u.id LIMIT $4 OFFSET $5`,
);
const ACCOUNTS_COUNT = statement<{ readonly n: number }>(
  'identity.bans-accounts-count',
  `SELECT count(DISTINCT u.id)::int AS n ${WAITING}`,
);

export interface Ban {
  readonly id: string;
  readonly network: string;
  readonly failures: number;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface WaitingAccount {
  readonly userId: UserId;
  readonly name: string;
  readonly failures: number;
  /** Waiting does not open it: a success in a known browser does, or a lift. */
  readonly closed: boolean;
  readonly untilMs: number;
}

export interface BansPage {
  readonly limit: number;
  readonly offset: number;
  readonly accountsOffset: number;
}

export interface BansFound {
  readonly networks: Ban[];
  readonly accounts: WaitingAccount[];
  readonly networksTotal: number;
  readonly accountsTotal: number;
}

interface BansDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly users: UserStore;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** Networks that must wait so long after wrong attempts that somebody should know: each with its end, and liftable. */
export type Bans = ReturnType<typeof createBans>;

export function createBans({ database, sealing, users, audit, clock }: BansDeps) {
  return {
    async list(sql: Sql, page: BansPage): Promise<BansFound> {
      const now = new Date(clock.nowMs());
      const closing = [THROTTLE_LIMITS.account.closesAt, THROTTLE_LIMITS['unknown-devices'].closesAt];
      const [networks, accounts, networksTotal, accountsTotal] = await Promise.all([
        sql.rows(LIVING, [now, page.limit, page.offset]),
        sql.rows(ACCOUNTS, [now, ...closing, page.limit, page.accountsOffset]),
        sql.rows(LIVING_COUNT, [now]),
        sql.rows(ACCOUNTS_COUNT, [now, ...closing]),
      ]);
      return {
        networksTotal: networksTotal[0]?.n ?? 0,
        accountsTotal: accountsTotal[0]?.n ?? 0,
        networks: networks.map((row) => ({
          ...{
            id: row.id,
            network: sealing.open('sealed_network', row.id, row.sealed_network),
            failures: row.failures,
          },
          ...{ sinceMs: row.since.getTime(), untilMs: row.until.getTime() },
        })),
        accounts: accounts.map((row) => ({
          ...{ userId: row.id, name: sealing.open('sealed_profile', row.id, row.sealed_profile).name },
          ...{ failures: row.failures, closed: row.closed },
          untilMs: row.closed ? now.getTime() + CLOSED_RETRY_SECONDS * 1000 : row.until.getTime(),
        })),
      };
    },

    /** Ends the ban and forgets its failures. Throws `ban-unknown`. */
    async lift(actor: Actor, id: string): Promise<AuditReceipt> {
      return await database.transaction(async (tx) => {
        const by = actor.principal.kind === 'user' ? actor.principal.userId : null;
        const [lifted] = await tx.rows(LIFT, [id, new Date(clock.nowMs()), by]);
        if (lifted === undefined) throw banUnknown();
        await tx.run(FORGET_NETWORK, [lifted.subject]);
        return await audit.record(tx, [
          { actor, event: 'ban.lift', action: 'U', outcome: 'success', detail: { what: 'network', ban: id } },
        ]);
      });
    },

    /** Forgets the wrong attempts at an account. Throws `ban-unknown`. */
    async liftAccount(
      actor: Actor,
      userId: UserId,
      clear: (tx: Transaction, email: string) => Promise<void>,
    ): Promise<AuditReceipt> {
      return await database.transaction(async (tx) => {
        const account = await users.find(tx, userId);
        if (account === undefined) throw banUnknown();
        await clear(tx, account.email);
        const entities = [userEntity(userId)];
        const detail = { what: 'account' };
        return await audit.record(tx, [
          { actor, event: 'ban.lift', action: 'U', outcome: 'success', entities, detail },
        ]);
      });
    },
  };
}
