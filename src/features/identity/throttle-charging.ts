import type { Sql, Transaction } from '../../platform/db/sql.ts';
import { addressGroup } from '../../platform/http/address.ts';
import { counterOf, keysOf, networkKeyOf } from './attempt-keys.ts';
import {
  type CounterKey,
  chargeCounters,
  chargeQuietly,
  lockCounters,
  type QuietBounds,
  type QuietCounter,
  readCounters,
  type StoredCounter,
  writeCounters,
} from './attempt-store.ts';
import { noteBan } from './ban-notes.ts';
import { tooManyAttempts } from './errors.ts';
import type { Attempt, ThrottleDeps } from './attempt.ts';
import { charge, chargeCompared, quietBounds } from './throttle-rules.ts';
import type { UnderWay } from './under-way.ts';

/** Then they are found out anew. */
const LOUD_MAX = 10_000;

/** How attempts get into the counters: quietly where nobody is near a wait, else one after the other. */
export type Charging = ReturnType<typeof createCharging>;

export function createCharging(deps: ThrottleDeps, underWay: UnderWay) {
  const { database, sealing, clock, settings, processes = 1 } = deps;
  const quiet = createQuiet(deps, { underWay, processes });
  const { chargedOf, chargeHeld } = createCounting(deps);

  const othersOf = (attempt: Attempt): number => {
    const network = networkKeyOf(sealing, attempt);
    if (network === undefined) return 0;
    return underWay.count(network.subject) - (attempt.slot?.counts() === true ? 1 : 0);
  };

  /** One failure more, whatever has become of the network meanwhile. */
  async function chargeNetwork(tx: Transaction, attempt: Attempt): Promise<void> {
    const key = networkKeyOf(sealing, attempt);
    if (key === undefined) return;
    const nowMs = clock.nowMs();
    const [held] = await lockCounters(tx, [key], nowMs);
    if (held === undefined) return;
    const charged = { ...held, ...chargeCompared(held, nowMs, settings.attemptsFree) };
    await writeCounters(tx, [charged]);
    await noteNetwork(tx, deps, attempt, [charged]);
  }

  async function chargeThere<T>(attempt: Attempt, look: (sql: Sql) => Promise<T>): Promise<T> {
    const keys = keysOf(sealing, attempt);
    const [done, seen] = await database.together(async (sql) => {
      const asked = keys.map((key) => quiet.of(key, attempt));
      if (quiet.mayBe(asked)) {
        const [charged, early] = await Promise.all([chargeQuietly(sql, asked, clock.nowMs()), look(sql)]);
        if (charged) return ['done', early] as const;
      }
      // Counted before the look: what ends between the two is counted twice, never not at all.
      const others = othersOf(attempt);
      const read = await readCounters(sql, keys);
      quiet.note(keys, read);
      // Counters only open with time or success, so most of a flood is turned away without a lock or a write.
      const counters = keys.map((key) => counterOf(read, key, clock.nowMs()));
      const charged = chargedOf(counters, others);
      // What may become a ban is charged and written down in one transaction.
      const alone = charged.some(({ kind, waitsUntilMs }) => kind === 'network' && waitsUntilMs > clock.nowMs());
      const [now, early] = await Promise.all([!alone && chargeCounters(sql, read, charged), look(sql)]);
      return [now ? 'done-with-network' : 'changed', early] as const;
    });
    if (done === 'done') return seen;
    if (done === 'changed') {
      await database.transaction(async (tx) => {
        const charged = await chargeHeld(tx, keys, othersOf(attempt));
        await noteNetwork(tx, deps, attempt, charged);
      });
    }
    // From here on the network's row counts it.
    attempt.slot?.end();
    return seen;
  }

  /** False: the failure leads to a wait, or others are at it; to be charged in a transaction. */
  async function chargeNetworkQuietly(attempt: Attempt): Promise<boolean> {
    const key = networkKeyOf(sealing, attempt);
    if (key === undefined) return true;
    const bounds = quietBounds(key.kind, clock.nowMs(), settings.attemptsFree);
    return await chargeQuietly(database, [{ key, ...bounds, looked: false }], clock.nowMs());
  }

  const { boundsOf, isQuiet } = quiet;
  return { chargedOf, chargeHeld, chargeNetwork, chargeNetworkQuietly, chargeThere, boundsOf, isQuiet };
}

/** What an attempt makes of its counters. */
function createCounting({ clock, settings }: ThrottleDeps) {
  /** What one more attempt makes of the counters; `others` of the network are under way besides, and count as if they failed. */
  function chargedOf(counters: readonly StoredCounter[], others = 0): StoredCounter[] {
    const extra = (kind: StoredCounter['kind']): number => (kind === 'network' ? others : 0);
    const asked = counters.map((one) => ({ ...one, failures: one.failures + extra(one.kind) }));
    const decided = charge(asked, clock.nowMs(), settings.attemptsFree);
    if (decided.kind === 'refused') throw tooManyAttempts(decided.retryAfterSeconds);
    return counters.map((one, at) => {
      const made = decided.charged[at];
      if (made === undefined) throw new Error('charge() answers one counter for each it was given');
      return { ...one, ...made, failures: Math.max(1, made.failures - extra(one.kind)) };
    });
  }

  /** With the counters held: for who comes at the same moment as another. */
  async function chargeHeld(tx: Transaction, keys: readonly CounterKey[], others = 0): Promise<StoredCounter[]> {
    const charged = chargedOf(await lockCounters(tx, keys, clock.nowMs()), others);
    await writeCounters(tx, charged);
    return charged;
  }

  return { chargedOf, chargeHeld };
}

/** Whether a counter is so far from any wait that it can be charged, or looked at, without being held. */
function createQuiet(
  { clock, settings }: ThrottleDeps,
  { underWay, processes }: { readonly underWay: UnderWay; readonly processes: number },
) {
  /** Subjects that were near a wait lately: looked at before anything else, so that a flood costs one look and tells nothing. */
  const loud = new Set<bigint>();

  function boundsOf(key: CounterKey): QuietBounds {
    const bounds = quietBounds(key.kind, clock.nowMs(), settings.attemptsFree);
    if (key.kind !== 'network') return bounds;
    // As many may be under way in each of the other processes.
    return { ...bounds, free: bounds.free - underWay.count(key.subject) * processes };
  }

  return {
    boundsOf,
    isQuiet: ({ failures, waitsUntilMs, lastMs }: StoredCounter, { free, rememberedFromMs }: QuietBounds): boolean =>
      failures + 1 < free && waitsUntilMs <= clock.nowMs() && lastMs > rememberedFromMs,
    of: (key: CounterKey, attempt: Attempt): QuietCounter => ({
      ...{ key, ...boundsOf(key), looked: key.kind === 'network' && attempt.slot?.counts() === true },
    }),
    mayBe: (asked: readonly QuietCounter[]): boolean =>
      asked.every(({ key, free }) => free > 1 && !loud.has(key.subject)),
    note(keys: readonly CounterKey[], read: readonly StoredCounter[]): void {
      if (loud.size > LOUD_MAX) loud.clear();
      const nowMs = clock.nowMs();
      for (const key of keys) loud.delete(key.subject);
      for (const key of keys) {
        const { failures, waitsUntilMs } = counterOf(read, key, nowMs);
        if (failures + 1 >= boundsOf(key).free || waitsUntilMs > nowMs) loud.add(key.subject);
      }
    },
  };
}

async function noteNetwork(
  tx: Transaction,
  deps: ThrottleDeps,
  attempt: Attempt,
  charged: readonly StoredCounter[],
): Promise<void> {
  const network = charged.find(({ kind }) => kind === 'network');
  // Most are nowhere near a ban, and cost no question.
  if (network === undefined || attempt.address === undefined || network.waitsUntilMs <= deps.clock.nowMs()) return;
  const { failures, waitsUntilMs } = network;
  const ban = { subject: network.key.subject, network: addressGroup(attempt.address), failures, waitsUntilMs };
  if (await noteBan(tx, deps, ban)) await deps.onBan(tx, failures);
}
