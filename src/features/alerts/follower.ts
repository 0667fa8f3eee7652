import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../kernel/time.ts';
import { type Audit, type SequencedEvent, summariseEvent } from '../audit/index.ts';
import type { AuditEventSummary } from '../audit/wire.ts';
import type { Alerts } from './alerts.ts';
import type { Finding, Raised } from './model.ts';
import { type CloserLooksDeps, createCloserLooks } from './closer-looks.ts';
import { createPlace, type PlaceDeps } from './place.ts';
import type { Rules } from './rules.ts';
import { createWatch } from './watch.ts';

export interface FollowerDeps extends CloserLooksDeps, Pick<PlaceDeps, 'placeBound'> {
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'feed' | 'search'>;
  readonly alerts: Pick<Alerts, 'raise'>;
  readonly rules: () => Promise<Rules>;
  readonly onFailure: (error: unknown) => void;
}

export interface Follower {
  /** Looks at everything new; answers how many events. */
  catchUp(): Promise<number>;
  start(): void;
  stop(): Promise<void>;
}

const PAGE = 1_000;
const POLL_MS = 2_000;
/** Events looked at again after a start, so that what was going on is known. */
const WARM_UP = 20_000;

/** Follows the log and raises alerts. Its place moves after the alerts are there: a crash between raises them once, not twice. */
export function createFollower(deps: FollowerDeps): Follower {
  const { audit } = deps;
  const kept = createPlace(deps);
  const stopping = new AbortController();
  let rules: Rules;
  let warm = false;
  const watch = createWatch(() => rules);
  const closer = createCloserLooks(deps);
  let working: Promise<void> | undefined;

  /** Where to begin; the first time at the end of the log, since nobody wants alerts about last year. */
  async function place(): Promise<number> {
    const { leaf, as } = await kept.read(() => audit.feed.size());
    if (as === 'first') warm = true;
    if (as === 'moved' && rules['log-damaged'].enabled) await deps.alerts.raise(moved(deps.clock.nowMs(), rules));
    return leaf;
  }

  async function page(): Promise<number> {
    rules = await deps.rules();
    const from = await place();
    if (!warm) await warmUp(watch, audit.feed, from);
    warm = true;
    const { events, next } = await audit.feed.after(from, PAGE, worthOpening);
    if (next === from) return 0;
    for (const event of events) await look(event);
    await kept.move(next);
    return next - from;
  }

  async function look(event: SequencedEvent): Promise<void> {
    const findings = watch.see(watched(event));
    const summary = summariseEvent(event);
    findings.push(...(await closer(event, summary, rules)));
    for (const finding of findings) await deps.alerts.raise(raisedBy(finding, { event, summary, rules }));
  }

  async function catchUp(): Promise<number> {
    let all = 0;
    for (;;) {
      const seen = await page();
      all += seen;
      if (seen === 0 || stopping.signal.aborted) return all;
    }
  }

  return {
    catchUp,
    start() {
      working ??= (async () => {
        while (!stopping.signal.aborted) {
          await catchUp().catch(deps.onFailure);
          await pause(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
        }
      })();
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** Shows the watch what happened before `until`, so that it knows what is going on; what it finds was told before. */
async function warmUp(watch: ReturnType<typeof createWatch>, feed: Audit['feed'], until: number): Promise<void> {
  let at = Math.max(0, until - WARM_UP);
  while (at < until) {
    const { events, next } = await feed.after(at, Math.min(PAGE, until - at), () => false);
    for (const event of events) watch.see(watched(event));
    if (next === at) break;
    at = next;
  }
}

const moved = (atMs: number, rules: Rules): Raised => ({
  rule: 'log-damaged',
  subject: 'place',
  what: 'Somebody has changed in the database how far the log was looked at; nothing was passed over',
  atMs,
  mail: rules['log-damaged'].mail,
});

/** What people do is looked at closely; of systems only what was refused. */
const worthOpening = (event: Omit<SequencedEvent, 'json'>): boolean =>
  event.actorKind === 'user' || event.outcome !== 0;

function watched({ recordedMs, event, outcome, actorKind, actor, client, address }: SequencedEvent) {
  return { recordedMs, event, outcome, kind: actorKind, actor, client, address };
}

interface Seen {
  readonly event: SequencedEvent;
  readonly summary: AuditEventSummary;
  readonly rules: Rules;
}

function raisedBy({ rule, subject, what, about }: Finding, { event, summary, rules }: Seen): Raised {
  const opened = event.json !== undefined;
  const [client] = summary.client ?? [];
  return {
    rule,
    subject,
    what,
    atMs: event.recordedMs,
    mail: rules[rule].mail,
    eventId: event.id,
    ...(about ?? {
      ...(opened && summary.actor.id !== '' ? { actor: summary.actor } : {}),
      ...(rule === 'own-name' && client !== undefined ? { client } : {}),
    }),
    ...(summary.address === undefined ? {} : { address: summary.address }),
  };
}
