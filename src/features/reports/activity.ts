import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { type SealedAtRest, sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import { type Audit, eventNames, eventShape, type SequencedEvent } from '../audit/index.ts';
import { AuditActor } from '../audit/wire.ts';
import * as store from './activity-store.ts';
import { tooLong, unknownEvent } from './errors.ts';
import type { ActivityQuery, ActivityReply, ActorsReply } from './wire.ts';

export interface ActivityDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'feed'>;
  readonly onFailure: (error: unknown) => void;
}

export interface Activity {
  /** `within`: ids of the only actors that count; undefined: everybody. */
  read(query: ActivityQuery, within: readonly string[] | undefined): Promise<ActivityReply>;
  actors(within: readonly string[] | undefined): Promise<ActorsReply>;
  /** Counts what is new in the log; answers how many events. */
  catchUp(): Promise<number>;
  start(): void;
  stop(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS_MAX = 400;
const PAGE = 2_000;
const POLL_MS = 2_000;
const ACTORS_SHOWN = 15;
const ACTORS_LISTED = 2_000;
/** A changed name shows after this at the latest. */
const NAME_AGAIN_MS = DAY_MS;
/** As audit blinds its actors: the filter has to find the same tokens. */
const ACTOR_TOKEN = 'audit.actor';

/** Activity by hour, kind and actor, counted as the log grows: a picture of a year costs as much as one of a day. */
export function createActivity(deps: ActivityDeps): Activity {
  const { database, audit } = deps;
  const namedAtMs = new Map<bigint, number>();
  const stopping = new AbortController();
  let working: Promise<void> | undefined;

  async function page(): Promise<number> {
    const from = await store.nextLeaf(database);
    const nowMs = deps.clock.nowMs();
    const unnamed = new Set<bigint>();
    const { events, next } = await audit.feed.after(from, PAGE, ({ actor }) => {
      if (unnamed.has(actor) || nowMs - (namedAtMs.get(actor) ?? 0) < NAME_AGAIN_MS) return false;
      unnamed.add(actor);
      return true;
    });
    if (next === from) return 0;
    const counted = await database.transaction(async (tx) => {
      if (!(await store.advance(tx, from, next))) return false;
      await store.addCounts(tx, countsOf(events));
      for (const event of events) {
        const actor = event.json === undefined ? undefined : actorOf(event);
        if (actor === undefined) continue;
        await store.nameActor(tx, event.actor, sealActor(deps.keyRing, event.actor, actor), event.recordedMs);
      }
      return true;
    });
    if (counted) for (const token of unnamed) namedAtMs.set(token, nowMs);
    return counted ? next - from : 0;
  }

  async function catchUp(): Promise<number> {
    let all = 0;
    for (;;) {
      const counted = await page();
      all += counted;
      if (counted === 0 || stopping.signal.aborted) return all;
    }
  }

  return {
    read: (query, within) => read(deps, query, within),
    actors: (within) => actors(deps, within),
    catchUp,
    start() {
      working ??= (async () => {
        while (!stopping.signal.aborted) {
          // Tried again in two seconds; nothing but the pictures waits for it.
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

function countsOf(events: readonly SequencedEvent[]): store.HourCount[] {
  const counts = new Map<string, store.HourCount>();
  for (const { recordedMs, event, actor, outcome, actorKind } of events) {
    const hourMs = Math.floor(recordedMs / HOUR_MS) * HOUR_MS;
    const key = `${hourMs} ${event} ${actor} ${outcome}`;
    const known = counts.get(key);
    counts.set(key, { hourMs, event, actor, outcome, actorKind, count: (known?.count ?? 0) + 1 });
  }
  // Always the same order, so that two processes cannot lock each other's rows crosswise.
  return [...counts.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
}

const Requestor = z.object({
  agent: z.array(
    z.looseObject({
      requestor: z.boolean(),
      name: z.string().optional(),
      who: z.looseObject({
        display: z.string().optional(),
        identifier: z.looseObject({ value: z.string() }).optional(),
      }),
    }),
  ),
});

function actorOf({ json, actorKind }: SequencedEvent): AuditActor | undefined {
  const agent = Requestor.parse(JSON.parse(json ?? '')).agent.find(({ requestor }) => requestor);
  const id = agent?.who.identifier?.value;
  return id === undefined ? undefined : { kind: actorKind, id, name: agent?.name ?? agent?.who.display ?? id };
}
type AuditActor = z.output<typeof AuditActor>;

/** Audit keys are never destroyed, so these rows need no part in a rotation. */
const place = (token: bigint) => ({ table: 'audit.known-actor', type: 'actor', id: String(token), version: 1 });
const sealActor = (keyRing: KeyRing, token: bigint, actor: AuditActor): SealedAtRest =>
  keyRing.seal(utf8Encode(JSON.stringify(actor)), place(token));
const openActor = (keyRing: KeyRing, { token, sealed }: store.ActorRow): AuditActor =>
  AuditActor.parse(JSON.parse(utf8Decode(keyRing.open(sealedAtRest(sealed), place(token)))));

async function actors(
  { database, keyRing }: ActivityDeps,
  within: readonly string[] | undefined,
): Promise<ActorsReply> {
  const rows = await store.listActors(database, ACTORS_LISTED + 1);
  const byId = new Map<string, AuditActor>();
  for (const row of rows) {
    const actor = openActor(keyRing, row);
    // One actor has several tokens after a rotation of index keys; the newest name comes first.
    if (!byId.has(actor.id)) byId.set(actor.id, actor);
  }
  const shown = [...byId.values()].filter(({ id }) => within === undefined || within.includes(id));
  return { actors: shown.slice(0, ACTORS_LISTED), more: rows.length > ACTORS_LISTED };
}

const OUTCOMES = { 'minor-failure': [4], 'serious-failure': [8], failure: [4, 8], success: [0] } as const;

async function read(
  deps: ActivityDeps,
  query: ActivityQuery,
  within: readonly string[] | undefined,
): Promise<ActivityReply> {
  const { database, keyRing } = deps;
  const fromMs = Date.parse(query.from);
  const beforeMs = Date.parse(query.to);
  if (beforeMs - fromMs > DAYS_MAX * DAY_MS) throw tooLong(DAYS_MAX);
  const events = query.event === undefined ? null : eventNames(query.event);
  if (events?.length === 0) throw unknownEvent();
  const { actor } = query;
  const allowed = actor === undefined ? within : within?.includes(actor) === false ? [] : [actor];
  const filter: store.CountFilter = {
    fromMs,
    beforeMs,
    events,
    actors: allowed === undefined ? null : allowed.flatMap((id) => keyRing.blindAll(ACTOR_TOKEN, id)),
    kind: query.kind ?? null,
    outcomes: query.outcome === undefined ? null : OUTCOMES[query.outcome],
  };
  const [hours, kinds, busiest, size, counted] = await Promise.all([
    store.byHour(database, filter),
    store.byEvent(database, filter),
    store.byActor(database, filter, ACTORS_SHOWN),
    deps.audit.feed.size(),
    store.nextLeaf(database),
  ]);
  const named = await store.namedActors(
    database,
    busiest.map(({ actor }) => actor),
  );
  const names = new Map(named.map((row) => [row.token, openActor(keyRing, row)]));
  const sums = (one: { events: bigint; failures: bigint }) => ({
    events: Number(one.events),
    failures: Number(one.failures),
  });
  return {
    events: hours.reduce((sum, one) => sum + Number(one.events), 0),
    failures: hours.reduce((sum, one) => sum + Number(one.failures), 0),
    hours: hours.map((one) => ({ at: instant(one.hour.getTime()), ...sums(one) })),
    kinds: kinds.map((one) => ({ event: one.event, title: eventShape(one.event)?.title ?? one.event, ...sums(one) })),
    actors: busiest.map((one) => ({
      actor: names.get(one.actor) ?? { kind: 'anonymous', id: '', name: 'Unknown' },
      ...sums(one),
    })),
    // How many wait is about everybody.
    behind: within === undefined ? Math.max(0, size - counted) : 0,
  };
}
