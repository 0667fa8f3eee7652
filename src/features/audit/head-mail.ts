import { type Clock, instant } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { Mail } from '../../platform/mail/index.ts';
import { readHead } from './tree-store.ts';

/**
 * The signed head, by mail, once a day: for people who keep it where this server cannot reach it. It names nobody, and with it they can
 * hold the log to what it was (`careseal audit verify --since`, careseal-verify).
 */
export interface HeadMail {
  /** Sends today's, unless that was done or there is nothing new. Answers whether it went into the spool. */
  sendDue(): Promise<boolean>;
  start(): void;
  stop(): Promise<void>;
}

export interface HeadMailDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly mail: Pick<Mail, 'enqueue'>;
  readonly recipients: readonly string[];
  readonly onFailure: (error: unknown) => void;
}

const LOOK_EVERY_MS = 15 * 60_000;
const CLAIM = statement(
  'audit.claim-head-mail',
  'INSERT INTO audit.mailed_head (day, size) VALUES ($1::date, $2) ON CONFLICT (day) DO NOTHING',
);

export function createHeadMail(deps: HeadMailDeps): HeadMail {
  const { database, clock, mail, recipients } = deps;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();

  async function sendDue(): Promise<boolean> {
    const head = await readHead(database);
    if (head === undefined || recipients.length === 0) return false;
    const day = instant(clock.nowMs()).slice(0, 10);
    return await database.transaction(async (tx) => {
      // The day is claimed with the message: both or neither, and by one process only.
      if ((await tx.run(CLAIM, [day, head.size])) === 0) return false;
      const text = [
        `Head of the audit log on ${day}, ${head.size} events.`,
        'Keep this message: who later changes the log before this point is found by',
        '  careseal audit verify --since FILE    (or careseal-verify.mjs --since FILE)',
        'where FILE holds the lines between the rulers.',
        '----------',
        `${head.note.trimEnd()}`,
        '----------',
        '',
      ].join('\n');
      const subject = `Audit log ${day}: ${head.size} events`;
      const sent = await Promise.all(
        recipients.map((to) => mail.enqueue(tx, { kind: 'audit.head', to, subject, text })),
      );
      if (sent.includes(true)) return true;
      throw new NoMailServer();
    });
  }

  function schedule(inMs: number): void {
    timer = setTimeout(() => {
      running = sendDue()
        .catch((error: unknown) => {
          if (!(error instanceof NoMailServer)) deps.onFailure(error);
        })
        .then(() => schedule(LOOK_EVERY_MS));
    }, inMs);
    timer.unref();
  }

  return {
    sendDue,
    start() {
      if (recipients.length > 0) schedule(60_000);
    },
    async stop() {
      clearTimeout(timer);
      await running;
      clearTimeout(timer);
    },
  };
}

/** Rolls the claim back: once a mail server is set up, the day's head still goes out. */
class NoMailServer extends Error {}
