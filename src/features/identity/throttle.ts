import type { Database, Sql, Transaction } from '../../platform/db/sql.ts';
import { addressGroup } from '../../platform/http/address.ts';
import type { Clock } from '../../kernel/time.ts';
import {
  type CounterKey,
  clearCounters,
  chargeCounters,
  chargeQuietly,
  deleteIdleCounters,
  heldCounters,
  heldOwing,
  lockCounters,
  readCounters,
  settleCounters,
  type StoredCounter,
  writeCounters,
} from './attempt-store.ts';
import { noteBan } from './ban-notes.ts';
import { tooManyAttempts } from './errors.ts';
import type { IdentitySettings } from './model.ts';
import type { Sealing } from './sealing.ts';
import { CLOSED_RETRY_SECONDS, charge, quietBounds, settle, settlement } from './throttle-rules.ts';
import { createWrongAttempts, type Tried, type WrongAttempts } from './wrong-attempts.ts';

/** One guess: at which secret, of whom, and through which browser and network. */
export interface Attempt {
  readonly stage: 'password' | 'factor';
  /** Lower case, whether it has an account or not. */
  readonly email: string;
  /** Set when this browser has signed in to this account before. */
  readonly knownDevice: Uint8Array | undefined;
  readonly address: string | undefined;
}

export interface Throttle {
  /** Charges the attempt before anything is compared. Throws `too-many-attempts` and charges nothing when it is not its time. */
  charge(attempt: Attempt): Promise<void>;
  /**
   * The same; `look` travels to the database together with the charge. Where somebody has had to wait lately it does not travel before
   * it is the attempt's time.
   */
  chargeAndLook<T>(attempt: Attempt, look: (sql: Sql) => Promise<T>): Promise<T>;
  /** Gives the attempt back after it was right, in the transaction of what it led to. */
  settle(tx: Transaction, attempt: Attempt): Promise<void>;
  /**
   * For what is compared in no time: instead of charging first and giving back, the counters are held until the outcome is
   * written with whatever it leads to. Throws `too-many-attempts`.
   */
  hold(tx: Transaction, attempt: Attempt): Promise<HeldAttempt>;
  /**
   * The same for whoever owes a code, begun before they are known. The answer is asked once they are; `emailToken` is the one that their
   * account's row holds.
   */
  holdOwing(tx: Transaction, owing: Owing): Promise<(attempt: Attempt, emailToken: bigint) => Promise<HeldAttempt>>;
  /** Forgets all failures of an account. */
  clear(tx: Transaction, email: string): Promise<void>;
  housekeep(): Promise<void>;
}

export interface Owing {
  readonly preHash: Uint8Array;
  /** Of the browser's cookie, whether the account knows it or not. */
  readonly device: Uint8Array | undefined;
  readonly address: string | undefined;
}

/** One of the two, before the transaction ends. */
export interface HeldAttempt {
  right(): Promise<void>;
  wrong(): Promise<void>;
}

/** Then they are found out anew. */
const LOUD_MAX = 10_000;
const NO_DEVICE = new Uint8Array(0);

interface ThrottleDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly settings: Pick<IdentitySettings, 'attemptsFree'>;
  /** Told of a network that must wait for long, in the transaction that decided it. */
  readonly onBan: (tx: Transaction, failures: number) => Promise<void>;
}

export function createThrottle(deps: ThrottleDeps): Throttle {
  const { database, sealing, clock } = deps;
  const seenHere = createWrongAttempts(clock);
  const { chargedOf, chargeHeld, chargeAndLook } = charging(deps, seenHere);

  /** `read`: counters of the attempt as they are, locked. */
  function holding(tx: Transaction, attempt: Attempt, read: readonly StoredCounter[]): HeldAttempt {
    const tried = triedBy(sealing, attempt);
    if (seenHere.isFull(tried)) throw tooManyAttempts(CLOSED_RETRY_SECONDS);
    const nowMs = clock.nowMs();
    const keys = settledKeysOf(sealing, attempt);
    const held = read.filter((one) => keys.some((key) => isOf(one, key)));
    chargedOf(keysOf(sealing, attempt).map((key) => counterOf(held, key, nowMs)));
    return {
      async right() {
        const channel = channelOf(attempt);
        const settled = held.map((one) => ({ ...one, ...settle(one, channel, nowMs, { charged: false }) }));
        const changed = settled.filter(({ failures }, at) => failures !== held[at]?.failures);
        seenHere.forget(tried);
        if (changed.length > 0) await writeCounters(tx, changed);
      },
      async wrong() {
        seenHere.charge(tried);
        await chargeHeld(tx, attempt);
      },
    };
  }

  const hold = async (tx: Transaction, attempt: Attempt): Promise<HeldAttempt> =>
    holding(tx, attempt, await heldCounters(tx, settledKeysOf(sealing, attempt)));

  return {
    charge: (attempt) => chargeAndLook(attempt, async () => undefined),
    chargeAndLook,
    async settle(tx, attempt) {
      seenHere.forget(triedBy(sealing, attempt));
      const keys = settledKeysOf(sealing, attempt);
      const counters = keys.map((key) => ({ key, settlement: settlement(key.kind, channelOf(attempt)) }));
      await settleCounters(tx, counters, clock.nowMs());
    },
    hold,
    async holdOwing(tx, { preHash, device, address }) {
      // A browser the account knows does not wait for its network; whether it does is not known yet.
      const network =
        device !== undefined || address === undefined ? undefined : sealing.networkToken(addressGroup(address));
      const held = await heldOwing(tx, { preHash, device, network });
      return async (attempt, emailToken) => {
        const complete =
          emailToken === sealing.emailToken(attempt.email) &&
          (attempt.knownDevice !== undefined) === (device !== undefined);
        return complete ? holding(tx, attempt, held) : await hold(tx, attempt);
      };
    },
    async clear(tx, email) {
      const subject = sealing.emailToken(email);
      for (const stage of ['password', 'factor'] as const) {
        for (const channel of ['device', 'unknown-devices'] as const) seenHere.forget({ subject, stage, channel });
      }
      await clearCounters(tx, subject);
    },
    housekeep: () => deleteIdleCounters(database, clock.nowMs()),
  };
}

function charging(deps: ThrottleDeps, seenHere: WrongAttempts) {
  const { database, sealing, clock, settings } = deps;
  /** Subjects that were near a wait lately: looked at before anything else, so that a flood costs one look and tells nothing. */
  const loud = new Set<bigint>();

  const quietOf = (key: CounterKey) => ({ key, ...quietBounds(key.kind, clock.nowMs(), settings.attemptsFree) });

  function noteLoudness(keys: readonly CounterKey[], read: readonly StoredCounter[]): void {
    if (loud.size > LOUD_MAX) loud.clear();
    const nowMs = clock.nowMs();
    for (const key of keys) loud.delete(key.subject);
    for (const key of keys) {
      const { failures, waitsUntilMs } = counterOf(read, key, nowMs);
      if (failures + 1 >= quietOf(key).free || waitsUntilMs > nowMs) loud.add(key.subject);
    }
  }

  /** What one more attempt makes of the counters. */
  function chargedOf(counters: readonly StoredCounter[]): StoredCounter[] {
    const decided = charge(counters, clock.nowMs(), settings.attemptsFree);
    if (decided.kind === 'refused') throw tooManyAttempts(decided.retryAfterSeconds);
    return decided.charged.map((one, at) => ({ ...required(counters[at]), ...one }));
  }

  /** With the counters held: for who comes at the same moment as another, or was wrong. */
  async function chargeHeld(tx: Transaction, attempt: Attempt): Promise<void> {
    const charged = chargedOf(await lockCounters(tx, keysOf(sealing, attempt), clock.nowMs()));
    await writeCounters(tx, charged);
    await noteNetwork(tx, deps, attempt, charged);
  }

  async function chargeAndLook<T>(attempt: Attempt, look: (sql: Sql) => Promise<T>): Promise<T> {
    const tried = triedBy(sealing, attempt);
    if (!seenHere.charge(tried)) throw tooManyAttempts(CLOSED_RETRY_SECONDS);
    try {
      return await chargeThere(attempt, look);
    } catch (error) {
      seenHere.giveBack(tried);
      throw error;
    }
  }

  async function chargeThere<T>(attempt: Attempt, look: (sql: Sql) => Promise<T>): Promise<T> {
    const keys = keysOf(sealing, attempt);
    const [done, seen] = await database.together(async (sql) => {
      const quiet = keys.map(quietOf);
      if (!keys.some(({ subject }) => loud.has(subject)) && quiet.every(({ free }) => free > 1)) {
        const [charged, early] = await Promise.all([chargeQuietly(sql, quiet, clock.nowMs()), look(sql)]);
        if (charged) return [true, early] as const;
      }
      const read = await readCounters(sql, keys);
      noteLoudness(keys, read);
      // Counters only open with time or success, so most of a flood is turned away without a lock or a write.
      const charged = chargedOf(keys.map((key) => counterOf(read, key, clock.nowMs())));
      // What may become a ban is charged and written down in one transaction.
      const alone = charged.some(({ kind, waitsUntilMs }) => kind === 'network' && waitsUntilMs > clock.nowMs());
      return await Promise.all([!alone && chargeCounters(sql, read, charged), look(sql)]);
    });
    if (!done) await database.transaction((tx) => chargeHeld(tx, attempt));
    return seen;
  }

  return { chargedOf, chargeHeld, chargeAndLook };
}

function keysOf(sealing: Sealing, { stage, email, knownDevice, address }: Attempt): CounterKey[] {
  const subject = sealing.emailToken(email);
  const account: CounterKey = { subject, stage, kind: 'account', deviceHash: NO_DEVICE };
  // A browser known to the account answers for itself alone: neither strangers nor its network can hold it up.
  if (knownDevice !== undefined) return [account, { subject, stage, kind: 'device', deviceHash: knownDevice }];
  const strangers: CounterKey = { subject, stage, kind: 'unknown-devices', deviceHash: NO_DEVICE };
  if (address === undefined) return [account, strangers];
  const network = sealing.networkToken(addressGroup(address));
  return [account, strangers, { subject: network, stage: 'any', kind: 'network', deviceHash: NO_DEVICE }];
}

const triedBy = (sealing: Sealing, attempt: Attempt): Tried => ({
  ...{ subject: sealing.emailToken(attempt.email), stage: attempt.stage, channel: channelOf(attempt) },
});

const channelOf = (attempt: Attempt) => (attempt.knownDevice === undefined ? 'unknown-devices' : 'device');

/** What a success gives back: strangers' counter, too, where the browser is a known one. */
function settledKeysOf(sealing: Sealing, attempt: Attempt): CounterKey[] {
  const strangers = keysOf(sealing, { ...attempt, knownDevice: undefined, address: undefined }).slice(1);
  return channelOf(attempt) === 'device' ? [...keysOf(sealing, attempt), ...strangers] : keysOf(sealing, attempt);
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

function counterOf(read: readonly StoredCounter[], key: CounterKey, nowMs: number): StoredCounter {
  return read.find((one) => isOf(one, key)) ?? newCounter(key, nowMs);
}

const isOf = ({ key }: StoredCounter, other: CounterKey): boolean =>
  key.subject === other.subject && key.stage === other.stage && key.kind === other.kind;

const newCounter = (key: CounterKey, nowMs: number): StoredCounter => ({
  ...{ key, kind: key.kind, failures: 0 },
  ...{ waitsUntilMs: nowMs, lastMs: nowMs },
});

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('charge() answers one counter for each it was given');
  return value;
}
