import { type SealContext, sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import { type Sql, statement, type Transaction } from '../db/index.ts';
import { MailMessage, type MailSeal, type MailStatus, type OutgoingMail } from './model.ts';

/** Told to the process that sends; the payload is empty. */
export const CHANNEL = 'careseal_mail';

export interface WaitingMail extends MailMessage {
  readonly id: string;
  readonly kind: string;
  readonly attempts: number;
  readonly expiresMs: number;
}

interface SpoolRow {
  readonly id: string;
  readonly kind: string;
  readonly sealed_message: Uint8Array;
  readonly attempts: number;
  readonly expires_at: Date;
}

const INSERT = statement(
  'mail.insert',
  `WITH made AS (INSERT INTO mail.spool (id, kind, sealed_message, created_at, next_at, expires_at)
     VALUES ($1, $2, $3, $4, $4, $5) RETURNING 1)
   SELECT pg_notify('${CHANNEL}', '') FROM made`,
);
/** Put off by the length of one try before it is tried: a process that dies meanwhile leaves it to be tried again. */
const CLAIM = statement<SpoolRow>(
  'mail.claim',
  `UPDATE mail.spool SET attempts = attempts + 1, next_at = $2
   WHERE id = (SELECT id FROM mail.spool WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at LIMIT 1
     FOR UPDATE SKIP LOCKED)
   RETURNING id, kind, sealed_message, attempts, expires_at`,
);
const DELIVERED = statement('mail.delivered', 'DELETE FROM mail.spool WHERE id = $1');
const POSTPONE = statement('mail.postpone', 'UPDATE mail.spool SET next_at = $2, last_failure = $3 WHERE id = $1');
const GIVE_UP = statement(
  'mail.give-up',
  `UPDATE mail.spool SET state = 'given-up', sealed_message = NULL, last_failure = $2 WHERE id = $1`,
);
const FORGET = statement('mail.forget', `DELETE FROM mail.spool WHERE state = 'given-up' AND created_at <= $1`);
const STATUS = statement<{ waiting: number; oldest: Date | null; given_up: number; last_failure: string | null }>(
  'mail.status',
  `SELECT count(*) FILTER (WHERE state = 'waiting')::int AS waiting,
          min(created_at) FILTER (WHERE state = 'waiting') AS oldest,
          count(*) FILTER (WHERE state = 'given-up')::int AS given_up,
          (SELECT last_failure FROM mail.spool WHERE last_failure IS NOT NULL ORDER BY created_at DESC LIMIT 1) AS last_failure
   FROM mail.spool`,
);
const PAGE = statement<{ readonly id: string; readonly sealed_message: Uint8Array }>(
  'mail.reseal-page',
  `SELECT id, sealed_message FROM mail.spool WHERE id > $1 AND state = 'waiting' ORDER BY id LIMIT $2 FOR UPDATE`,
);
const RESEAL = statement('mail.reseal', 'UPDATE mail.spool SET sealed_message = $2 WHERE id = $1');
const COUNT = statement<{ n: number }>(
  'mail.reseal-count',
  `SELECT count(*)::int AS n FROM mail.spool WHERE state = 'waiting'`,
);

const context = (id: string): SealContext => ({ table: 'mail.spool', type: 'sealed_message', id, version: 0 });
const NIL = '00000000-0000-0000-0000-000000000000';

/** SQL of the spool. */
export function createSpool(seals: MailSeal) {
  const sealMessage = (id: string, { to, subject, text }: MailMessage) =>
    seals.seal(utf8Encode(JSON.stringify({ to, subject, text })), context(id));
  return {
    async insert(
      tx: Transaction,
      id: string,
      mail: OutgoingMail & { nowMs: number; expiresMs: number },
    ): Promise<void> {
      const sealed = sealMessage(id, MailMessage.parse({ to: mail.to, subject: mail.subject, text: mail.text }));
      await tx.rows(INSERT, [id, mail.kind, sealed, new Date(mail.nowMs), new Date(mail.expiresMs)]);
    },
    async claim(sql: Sql, nowMs: number, untilMs: number): Promise<WaitingMail | undefined> {
      const [row] = await sql.rows(CLAIM, [new Date(nowMs), new Date(untilMs)]);
      if (row === undefined) return undefined;
      const text = utf8Decode(seals.open(sealedAtRest(row.sealed_message), context(row.id)));
      const { id, kind, attempts } = row;
      return { ...MailMessage.parse(JSON.parse(text)), id, kind, attempts, expiresMs: row.expires_at.getTime() };
    },
    async delivered(sql: Sql, id: string): Promise<void> {
      await sql.run(DELIVERED, [id]);
    },
    async postpone(sql: Sql, id: string, next: { readonly atMs: number; readonly failure: string }): Promise<void> {
      await sql.run(POSTPONE, [id, new Date(next.atMs), next.failure]);
    },
    async giveUp(sql: Sql, id: string, failure: string): Promise<void> {
      await sql.run(GIVE_UP, [id, failure]);
    },
    async forget(sql: Sql, beforeMs: number): Promise<void> {
      await sql.run(FORGET, [new Date(beforeMs)]);
    },
    async status(sql: Sql): Promise<Omit<MailStatus, 'configured'>> {
      const [row] = await sql.rows(STATUS);
      return {
        waiting: row?.waiting ?? 0,
        oldestMs: row?.oldest?.getTime(),
        givenUp: row?.given_up ?? 0,
        lastFailure: row?.last_failure ?? undefined,
      };
    },
    /** The spool's part in key rotations (the shape of store/'s ResealParticipant). */
    reseal: {
      name: 'mail.spool',
      kinds: ['data'] as const,
      count: async (sql: Sql): Promise<number> => (await sql.rows(COUNT))[0]?.n ?? 0,
      async resealBatch(tx: Transaction, batch: { readonly cursor: string | undefined; readonly limit: number }) {
        const rows = await tx.rows(PAGE, [batch.cursor ?? NIL, batch.limit]);
        for (const { id, sealed_message } of rows) {
          const plain = seals.open(sealedAtRest(sealed_message), context(id));
          await tx.run(RESEAL, [id, seals.seal(plain, context(id))]);
        }
        const last = rows.at(-1);
        const cursor = last === undefined || rows.length < batch.limit ? undefined : last.id;
        return { cursor, visited: rows.length };
      },
    },
  };
}
