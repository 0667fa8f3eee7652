import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '../../crypto/index.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { Audit } from '../audit/index.ts';
import { eventNames } from '../audit/index.ts';
import { type Carrier, type CarrierDeps, type Outgoing, openCarrier } from './carrier.ts';
import { failureOf, TargetChanged } from './failures.ts';
import { createPages } from './read-ahead.ts';
import type { TargetBinder } from './target-binding.ts';
import * as store from './target-store.ts';
import type { TargetFailure, TargetFilter } from './wire.ts';

export interface ForwarderDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'feed' | 'recordNow'>;
  readonly carrier: CarrierDeps;
  readonly binder: TargetBinder;
  /** Done before the first look at the targets; tried again until it is done. */
  readonly prepare?: () => Promise<void>;
  /** Told when a target begins to fail and when it takes events again. */
  readonly onChange: (target: { readonly id: string }, failure: TargetFailure | undefined) => void;
  readonly pace?: Partial<Pace>;
}

/** Times in ms, of this process's steady clock: the wall clock may be set while a connection is open. */
interface Pace {
  /** How often to look for new events and changed targets. */
  readonly pollMs: number;
  /** Longest life of a connection; its end is what confirms the events sent over it. */
  readonly connectionMs: number;
  /** A connection without new events is ended after this. */
  readonly lingerMs: number;
  readonly retryMs: number;
  readonly retryMsMax: number;
}

const PACE: Pace = { pollMs: 1_000, connectionMs: 60_000, lingerMs: 20_000, retryMs: 1_000, retryMsMax: 300_000 };
/** Events read and printed at a time: a few milliseconds in which nothing else happens in this process. */
const PAGE = 1_024;
/** Pages that are read while one travels. */
const PAGES_AHEAD = 3;
/** Events over one connection: what is sent again when its end is not confirmed. */
const PER_CONNECTION = 50_000;
const HOLD_MS = 60_000;

export interface Forwarder {
  start(): void;
  /** Ends open connections in order and keeps what they confirm. */
  stop(): Promise<void>;
}

/** Sends the log to its targets, each at its own speed: one that is down or slow holds up no other. */
export function createForwarder(deps: ForwarderDeps): Forwarder {
  const stopping = new AbortController();
  const pace = { ...PACE, ...deps.pace };
  const running = new Map<string, Promise<void>>();
  let working: Promise<void> | undefined;
  let prepared = false;

  async function prepare(): Promise<boolean> {
    await deps.prepare?.();
    return true;
  }

  async function supervise(): Promise<void> {
    while (!stopping.signal.aborted) {
      prepared ||= await prepare().catch(() => false);
      // With the database away there is nothing to send either; the next look finds both.
      const targets = prepared ? await store.listTargets(deps.database).catch(() => []) : [];
      for (const { id, paused } of targets) {
        if (paused || running.has(id)) continue;
        running.set(
          id,
          serveTarget({ ...deps, pace, signal: stopping.signal }, id).finally(() => running.delete(id)),
        );
      }
      await pause(pace.pollMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    await Promise.all(running.values());
  }

  return {
    start() {
      working ??= supervise();
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

interface Serving extends Omit<ForwarderDeps, 'pace'> {
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

/** Sends to one target until it is paused, removed or everything stops. Failures are tried again, ever less often. */
async function serveTarget(deps: Serving, id: string): Promise<void> {
  const { database, clock, pace, signal } = deps;
  const holder = newId();
  let failures = 0;
  let unconfirmedAt: number | undefined;
  try {
    while (!signal.aborted) {
      if (!(await store.holdTarget(database, id, holder, HOLD_MS))) return;
      const target = await store.findTarget(database, id);
      if (target === undefined || target.paused) return;
      try {
        const place = deps.binder.placeOf(target);
        if (place === undefined || !deps.binder.fits(target)) throw new TargetChanged();
        const run = await sendOnce(deps, { target, holder, place });
        if (run.end === 'unconfirmed' && unconfirmedAt !== place) {
          // Perhaps nothing arrived. It is sent once more; a receiver that never closes is believed the second time.
          unconfirmedAt = place;
          continue;
        }
        unconfirmedAt = undefined;
        if (!(await moveOn(deps, { target, place }, run))) return;
        if (target.failure !== null && run.sent > 0) deps.onChange(target, undefined);
        failures = 0;
        if (run.sent === 0) await wait(pace.pollMs, signal);
      } catch (error) {
        const failure = failureOf(error);
        if (target.failure === null) deps.onChange(target, failure);
        await store.failTarget(database, id, failure, clock.nowMs());
        await wait(Math.min(pace.retryMsMax, pace.retryMs * 2 ** Math.min(failures++, 16)), signal);
      }
    }
  } catch {
    // The database is away. The hold ends by itself, and the supervisor begins again.
  } finally {
    await store.releaseTarget(database, id, holder).catch(() => undefined);
  }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
}

interface Run {
  readonly to: number;
  readonly sent: number;
  readonly end: 'confirmed' | 'unconfirmed';
}

/** A target, who sends to it, and the leaf to go on with. */
interface Sending {
  readonly target: store.Target;
  readonly holder: string;
  readonly place: number;
}

/** One connection's life: from the first event it is needed for to its confirmed end. */
async function sendOnce(deps: Serving, { target, holder, place }: Sending): Promise<Run> {
  const { audit, database, pace, signal } = deps;
  const wanted = wantedBy(target.filter);
  const begun = performance.now();
  let carrier: Carrier | undefined;
  let at = place;
  let sent = 0;
  let lastSentMs = begun;
  let heldMs = begun;
  const pages = createPages({
    read: (from, limit) => audit.feed.packed(from, limit, wanted),
    ...{ from: place, limit: PAGE, ahead: PAGES_AHEAD },
  });
  try {
    while (!signal.aborted && sent < PER_CONNECTION && performance.now() - begun < pace.connectionMs) {
      const { events, next } = await pages.next();
      if (next === at) {
        // Nobody waits for a connection that is not there, nor keeps an idle one.
        if (carrier === undefined || performance.now() - lastSentMs > pace.lingerMs) break;
        await wait(pace.pollMs, signal);
        continue;
      }
      if (events.length > 0) {
        carrier ??= await openCarrier(target, deps.carrier);
        const left = await carrier.send(events);
        for (const event of left) await recordSkipped(deps, target, event);
        sent += events.length - left.length;
        lastSentMs = performance.now();
      }
      at = next;
      if (performance.now() - heldMs > HOLD_MS / 4) {
        heldMs = performance.now();
        // Paused, removed or taken over: what was sent is confirmed, then it ends.
        if (!(await store.holdTarget(database, target.id, holder, HOLD_MS))) break;
      }
    }
    return { to: at, sent, end: (await carrier?.finish()) ?? 'confirmed' };
  } catch (error) {
    carrier?.destroy();
    throw error;
  }
}

/** Failures are what is left when `outcome` is not 0 (success). */
function wantedBy({ events, outcome }: TargetFilter): (event: { event: string; outcome: number }) => boolean {
  const names = events.length === 0 ? undefined : new Set<string>(events.flatMap(eventNames));
  return (event) => (names === undefined || names.has(event.event)) && (outcome === 'all' || event.outcome !== 0);
}

async function moveOn(deps: Serving, { target, place }: Omit<Sending, 'holder'>, { to, sent }: Run): Promise<boolean> {
  if (to === place) return true;
  const { id, nextLeaf: from } = target;
  const step = { from, to: deps.binder.seal(id, to), delivered: sent, nowMs: deps.clock.nowMs() };
  return await store.advanceTarget(deps.database, id, step);
}

/** An event that this way cannot carry is not lost silently: the log says so, and the page counts it. */
async function recordSkipped(deps: Serving, target: store.Target, event: Outgoing): Promise<void> {
  await deps.audit.recordNow([
    {
      actor: {
        principal: { kind: 'system', permissions: new Set() },
        origin: { door: 'background', requestId: newId() },
      },
      event: 'forwarding.skip',
      action: 'E',
      outcome: 'minor-failure',
      reason: target.protocol === 'udp' ? 'datagram-too-long' : 'receiver-refuses',
      entities: [
        { reference: `AuditEvent/${event.id}`, role: 'security-resource' },
        { reference: `Target/${target.id}`, role: 'security-resource' },
      ],
    },
  ]);
  await store.countSkipped(deps.database, target.id);
}
