import { newId } from '../../crypto/index.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Sql, Transaction } from '../db/index.ts';
import type { Logger } from '../log/index.ts';
import type { MailSeal, MailStatus, OutgoingMail } from './model.ts';
import { CHANNEL, createSpool, type WaitingMail } from './spool.ts';
import { failureOf, type Transport } from './transport.ts';

export interface MailDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly seals: MailSeal;
  /** undefined: no mail server is set up. */
  readonly transport: Transport | undefined;
  /** How often to look for mail that nobody announced; default 15 s. */
  readonly pollMs?: number;
}

export type Mail = ReturnType<typeof createMail>;

const DAY_MS = 86_400_000;
/** Longer than every timeout of one try together. */
const ONE_TRY_MS = 180_000;
const FIRST_WAIT_MS = 15_000;
const LONGEST_WAIT_MS = 1_800_000;
const FORGET_AFTER_MS = 7 * DAY_MS;

export function createMail({ database, clock, log, seals, transport, pollMs = 15_000 }: MailDeps) {
  const spool = createSpool(seals);
  let running: { stop(): Promise<void> } | undefined;

  async function deliver(by: Transport, mail: WaitingMail): Promise<void> {
    if (mail.expiresMs <= clock.nowMs()) return await spool.giveUp(database, mail.id, 'expired');
    try {
      await by.send(mail);
    } catch (error) {
      const { code, final } = failureOf(error);
      log.warn('A message could not be handed to the mail server', { mailKind: mail.kind, failure: code, final });
      if (final) return await spool.giveUp(database, mail.id, code);
      const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (mail.attempts - 1));
      return await spool.postpone(database, mail.id, { atMs: clock.nowMs() + waitMs, failure: code });
    }
    await spool.delivered(database, mail.id);
  }

  /** Hands over everything that is due. */
  async function deliverDue(signal?: AbortSignal): Promise<void> {
    if (transport === undefined) return;
    while (signal?.aborted !== true) {
      const nowMs = clock.nowMs();
      const mail = await spool.claim(database, nowMs, nowMs + ONE_TRY_MS);
      if (mail === undefined) break;
      await deliver(transport, mail);
    }
    await spool.forget(database, clock.nowMs() - FORGET_AFTER_MS);
  }

  return {
    /** Whether a mail server is set up. When not, `enqueue` answers false and nothing is kept. */
    configured: transport !== undefined,
    /**
     * Puts a message into the spool, within the transaction of the act it tells of. False when no mail server is set up:
     * the caller then says so, and offers the link to hand over in person.
     */
    async enqueue(tx: Transaction, mail: OutgoingMail): Promise<boolean> {
      if (transport === undefined) return false;
      const nowMs = clock.nowMs();
      await spool.insert(tx, newId(), { ...mail, nowMs, expiresMs: mail.expiresMs ?? nowMs + 3 * DAY_MS });
      return true;
    },
    async status(sql: Sql = database): Promise<MailStatus> {
      return { configured: transport !== undefined, ...(await spool.status(sql)) };
    },
    deliverDue,
    /** Begins to send; once per home (main/background.ts). */
    async start(): Promise<void> {
      if (transport !== undefined) running = await startLoop({ database, log, pollMs, work: deliverDue });
    },
    /** Ends after the message under way. What waits stays in the spool. */
    async stop(): Promise<void> {
      await running?.stop();
      running = undefined;
    },
    resealParticipant: spool.reseal,
  };
}

interface Loop {
  readonly database: Database;
  readonly log: Logger;
  readonly pollMs: number;
  readonly work: (signal: AbortSignal) => Promise<void>;
}

async function startLoop({ database, log, pollMs, work }: Loop): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  let wake = (): void => undefined;
  let rung = false;
  const unlisten = await database.listen(CHANNEL, () => {
    rung = true;
    wake();
  });
  const wait = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, pollMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      rung = false;
      try {
        await work(stopping.signal);
      } catch (error) {
        log.warn('Mail waits for the database', { error });
      }
      if (!rung && !stopping.signal.aborted) await wait();
    }
  })();
  return {
    async stop() {
      stopping.abort();
      wake();
      await loop;
      await unlisten();
    },
  };
}
