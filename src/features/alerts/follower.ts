import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import { addressGroup } from '../../platform/http/address.ts';
import type { KeyRing } from '../../store/index.ts';
import { type Audit, type SequencedEvent, summariseEvent } from '../audit/index.ts';
import type { AuditEventSummary } from '../audit/wire.ts';
import type { Alerts } from './alerts.ts';
import type { Raised } from './model.ts';
import { closeness, type PersonName, type Rules } from './rules.ts';
import * as store from './store.ts';
import { createWatch, type Finding } from './watch.ts';

export interface FollowerDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'feed'>;
  readonly alerts: Pick<Alerts, 'raise'>;
  readonly rules: () => Promise<Rules>;
  /** Names of a client; undefined where there is none. */
  readonly namesOf: (clientId: string) => Promise<PersonName | undefined>;
  /** Display names of everybody who works here. */
  readonly people: () => Promise<readonly string[]>;
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
const KNOWN_NETWORK_MS = 90 * 86_400_000;
const PEOPLE_FRESH_MS = 600_000;
const LOOKS: ReadonlySet<string> = new Set(['client.read', 'client.vread', 'client.history']);
const SIGN_INS: ReadonlySet<string> = new Set(['sign-in.code', 'sign-in.recovery-code', 'sign-in.passkey']);

/** Follows the log and raises alerts. Its place moves after the alerts are there: a crash between raises them once, not twice. */
export function createFollower(deps: FollowerDeps): Follower {
  const { database, audit } = deps;
  const stopping = new AbortController();
  let rules: Rules;
  let warm = false;
  const watch = createWatch(() => rules);
  const people = remembered(deps.people, PEOPLE_FRESH_MS);
  let working: Promise<void> | undefined;

  /** Where to begin; the first time at the end of the log, since nobody wants alerts about last year. */
  async function place(): Promise<number> {
    const { nextLeaf } = await store.readState(database);
    if (nextLeaf !== null) return Number(nextLeaf);
    const size = await audit.feed.size();
    await store.advance(database, null, size);
    warm = true;
    return size;
  }

  async function warmUp(until: number): Promise<void> {
    let at = Math.max(0, until - WARM_UP);
    while (at < until) {
      const { events, next } = await audit.feed.after(at, Math.min(PAGE, until - at), () => false);
      for (const event of events) watch.see(watched(event));
      if (next === at) break;
      at = next;
    }
    warm = true;
  }

  async function page(): Promise<number> {
    rules = await deps.rules();
    const from = await place();
    if (!warm) await warmUp(from);
    const { events, next } = await audit.feed.after(from, PAGE, worthOpening);
    if (next === from) return 0;
    for (const event of events) await look(event);
    await store.advance(database, from, next);
    return next - from;
  }

  async function look(event: SequencedEvent): Promise<void> {
    const findings = watch.see(watched(event));
    const summary = summariseEvent(event);
    findings.push(...(await closeNames(event, summary)), ...(await newNetwork(event, summary)));
    for (const finding of findings) await deps.alerts.raise(raisedBy(finding, event, summary));
  }

  function raisedBy({ rule, subject, what }: Finding, event: SequencedEvent, summary: AuditEventSummary): Raised {
    const opened = event.json !== undefined;
    const [client] = summary.client ?? [];
    return {
      rule,
      subject,
      what,
      atMs: event.recordedMs,
      mail: rules[rule].mail,
      eventId: event.id,
      ...(opened && summary.actor.id !== '' ? { actor: summary.actor } : {}),
      ...(rule === 'own-name' && client !== undefined ? { client } : {}),
      ...(summary.address === undefined ? {} : { address: summary.address }),
    };
  }

  async function closeNames(event: SequencedEvent, summary: AuditEventSummary): Promise<Finding[]> {
    if (!rules['own-name'].enabled || event.actorKind !== 'user' || event.outcome !== 0 || !LOOKS.has(event.event))
      return [];
    const [client] = summary.client ?? [];
    const names = client === undefined ? undefined : await deps.namesOf(client);
    if (names === undefined) return [];
    const others = (await people()).filter((name) => name !== summary.actor.name);
    const close = closeness(summary.actor.name, names, others);
    if (close === undefined) return [];
    const what =
      close === 'own-surname' ? 'The client bears the reader’s own surname' : 'The client bears a colleague’s name';
    return [{ rule: 'own-name', subject: `${event.actor} ${client}`, what }];
  }

  async function newNetwork(event: SequencedEvent, summary: AuditEventSummary): Promise<Finding[]> {
    if (
      !SIGN_INS.has(event.event) ||
      event.outcome !== 0 ||
      event.actorKind !== 'user' ||
      summary.address === undefined
    )
      return [];
    const group = networkOf(summary.address);
    const { known, fresh } = await store.seeNetwork(database, {
      actor: event.actor,
      network: deps.keyRing.blind('audit.alert-network', group),
      atMs: event.recordedMs,
      sinceMs: event.recordedMs - KNOWN_NETWORK_MS,
    });
    // The very first sign-in is from a new network by nature.
    if (!rules['new-network'].enabled || fresh || known === 0) return [];
    return [
      {
        rule: 'new-network',
        subject: `${event.actor} ${group}`,
        what: 'Sign-in from a network not used in the last 90 days',
      },
    ];
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

/** What people do is looked at closely; of systems only what was refused. */
const worthOpening = (event: Omit<SequencedEvent, 'json'>): boolean =>
  event.actorKind === 'user' || event.outcome !== 0;

/** A home or mobile line changes its last numbers now and then: /24 for IPv4, as counting has it for IPv6. */
function networkOf(address: string): string {
  return address.includes(':') ? addressGroup(address) : address.split('.').slice(0, 3).join('.');
}

function watched({ recordedMs, event, outcome, actorKind, actor, client, address }: SequencedEvent) {
  return { recordedMs, event, outcome, kind: actorKind, actor, client, address };
}

function remembered<T>(make: () => Promise<T>, forMs: number): () => Promise<T> {
  let known: { readonly value: Promise<T>; readonly atMs: number } | undefined;
  return () => {
    if (known === undefined || performance.now() - known.atMs > forMs) {
      const value = make();
      known = { value, atMs: performance.now() };
      value.catch(() => {
        known = undefined;
      });
    }
    return known.value;
  };
}
