import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/index.ts';
import type { OutgoingMail } from '../../platform/mail/index.ts';
import type { Alerts } from './alerts.ts';
import { changedSentence } from './changed-past.ts';
import { RULES, type Rules } from './rules.ts';
import * as store from './store.ts';

export interface ChecksDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly alerts: Pick<Alerts, 'raise'>;
  readonly rules: () => Promise<Rules>;
  readonly recipients: () => Promise<readonly string[]>;
  readonly enqueue: (tx: Transaction, mail: OutgoingMail) => Promise<boolean>;
  /** Whether the log fits its signed head and takes events. */
  readonly logIsWhole: () => Promise<boolean>;
  /** Unix ms of the newest confirmation by a witness; undefined where no witness is set up. */
  readonly witnessedMs: () => Promise<number | undefined>;
  /** Targets of forwarding that fail, with since when. */
  readonly stoppedTargets: () => Promise<
    readonly { readonly id: string; readonly name: string; readonly sinceMs: number }[]
  >;
  /** Rules, and ids of targets of forwarding, that are not as an administrator left them. */
  readonly changedRules: () => Promise<readonly string[]>;
  readonly changedTargets: () => Promise<readonly string[]>;
  readonly recipientsChanged: () => Promise<boolean>;
  /** Opens alerts again that nobody closed; answers which. */
  readonly reopenChanged: () => Promise<readonly string[]>;
  /** Where people read alerts. */
  readonly pageUrl: string;
  readonly onFailure: (error: unknown) => void;
}

export interface Checks {
  /** Everything that no event tells, once; then mails what is due. */
  run(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** Rules about what stands as it is, without any event. */
type Standing = 'log-damaged' | 'witness-silent' | 'forwarding-stopped' | 'changed-past';

const EVERY_MS = 30_000;
const MINUTE_MS = 60_000;
/** Mails are that far apart at least; what happens between stands in the next one. */
const MAIL_QUIET_MS = 15 * MINUTE_MS;

/** What stands still makes no event: the log, its witnesses, its forwarding are looked at every half minute. */
export function createChecks(deps: ChecksDeps): Checks {
  const { database, clock, alerts } = deps;
  const stopping = new AbortController();
  let working: Promise<void> | undefined;

  async function look(rules: Rules): Promise<void> {
    const nowMs = clock.nowMs();
    const raise = (rule: Standing, subject: string, what: string) =>
      alerts.raise({ rule, subject, what, atMs: nowMs, mail: rules[rule].mail });
    if (rules['log-damaged'].enabled && !(await deps.logIsWhole())) {
      await raise(
        'log-damaged',
        'status',
        'The log does not fit its signed head, or events wait for longer than a minute',
      );
    }
    const witness = rules['witness-silent'];
    const witnessedMs = witness.enabled ? await deps.witnessedMs() : undefined;
    if (witnessedMs !== undefined && nowMs - witnessedMs > witness.minutes * MINUTE_MS) {
      await raise('witness-silent', 'witness', `No witness has confirmed the log for ${witness.minutes} minutes`);
    }
    const forwarding = rules['forwarding-stopped'];
    for (const { id, name, sinceMs } of forwarding.enabled ? await deps.stoppedTargets() : []) {
      if (nowMs - sinceMs <= forwarding.minutes * MINUTE_MS) continue;
      await raise('forwarding-stopped', id, `“${name}” has taken no event for ${forwarding.minutes} minutes`);
    }
    const reopened = await deps.reopenChanged();
    if (!rules['changed-past'].enabled) return;
    for (const id of reopened) await raise('changed-past', `alert ${id}`, changedSentence('alert'));
    if (await deps.recipientsChanged()) await raise('changed-past', 'recipients', changedSentence('recipients'));
    for (const name of await deps.changedRules()) await raise('changed-past', `rule ${name}`, changedSentence('rule'));
    for (const id of await deps.changedTargets())
      await raise('changed-past', `target ${id}`, changedSentence('target'));
  }

  async function mail(): Promise<void> {
    const waiting = await store.unmailed(database);
    if (waiting.length === 0) return;
    const recipients = await deps.recipients();
    await database.transaction(async (tx) => {
      const nowMs = clock.nowMs();
      if (!(await store.takeMailTurn(tx, nowMs, MAIL_QUIET_MS))) return;
      await store.markMailed(tx, nowMs);
      for (const to of recipients) await deps.enqueue(tx, { kind: 'alert', to, ...letter(waiting, deps.pageUrl) });
    });
  }

  async function run(): Promise<void> {
    await look(await deps.rules());
    await mail();
  }

  return {
    run,
    start() {
      working ??= (async () => {
        while (!stopping.signal.aborted) {
          await run().catch(deps.onFailure);
          await pause(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
        }
      })();
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** Says what kinds of alerts there are, and names nobody: mail is read on locked telephones and kept by others. */
function letter(
  waiting: readonly { readonly rule: keyof typeof RULES; readonly alerts: bigint }[],
  pageUrl: string,
): Pick<OutgoingMail, 'subject' | 'text'> {
  const all = waiting.reduce((sum, { alerts }) => sum + Number(alerts), 0);
  const lines = waiting.map(({ rule, alerts }) => `- ${RULES[rule].title}: ${alerts}`);
  const subject = all === 1 ? 'Careseal: a new alert' : `Careseal: ${all} new alerts`;
  return {
    subject,
    text: `${subject}\n\n${lines.join('\n')}\n\nWho and what stands here, after signing in:\n${pageUrl}\n\nFurther alerts are mailed together, every 15 minutes at most.\n`,
  };
}
