import { addressGroup } from '../../platform/http/address.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import {
  accountKeysOf,
  channelOf,
  counterOf,
  isOf,
  keysOf,
  networkKey,
  networkKeyOf,
  settledKeysOf,
  triedBy,
} from './attempt-keys.ts';
import {
  clearCounters,
  deleteIdleCounters,
  heldCounters,
  heldOwing,
  type QuietBounds,
  readCounters,
  settleCounters,
  type StoredCounter,
  writeCounters,
} from './attempt-store.ts';
import type { Attempt, ThrottleDeps } from './attempt.ts';
import { tooManyAttempts } from './errors.ts';
import { type Charging, createCharging } from './throttle-charging.ts';
import { CLOSED_RETRY_SECONDS, settle, settlement } from './throttle-rules.ts';
import { createUnderWay, type Slot } from './under-way.ts';
import { createWrongAttempts, type WrongAttempts } from './wrong-attempts.ts';

export interface Throttle {
  /**
   * For the whole of an act that compares something: it counts for its network in this process until `work` has ended, and in the
   * database once it was wrong (decisions/wrong-attempts.md).
   */
  underWay<T>(address: string | undefined, work: (slot: Slot | undefined) => Promise<T>): Promise<T>;
  /** Charges the attempt before anything is compared. Throws `too-many-attempts` and charges nothing when it is not its time. */
  charge(attempt: Attempt): Promise<void>;
  /**
   * The same; `look` travels to the database together with the charge. Where somebody has had to wait lately it does not travel before
   * it is the attempt's time.
   */
  chargeAndLook<T>(attempt: Attempt, look: (sql: Sql) => Promise<T>): Promise<T>;
  /** Gives the attempt back after it was right, in the transaction of what it led to. */
  settle(tx: Transaction, attempt: Attempt): Promise<void>;
  /** A charged attempt with a slot was wrong: its network has one failure more. */
  wrong(attempt: Attempt): Promise<void>;
  /**
   * For what is compared in no time, by whoever owes a code: instead of charging first and giving back, the account's counters are held
   * until the outcome is written with whatever it leads to. Begun before they are known; the answer is asked once they are; `emailToken`
   * is the one that their account's row holds. Throws `too-many-attempts`.
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

export function createThrottle(deps: ThrottleDeps): Throttle {
  const { database, sealing, clock } = deps;
  const seenHere = createWrongAttempts(clock);
  const underWay = createUnderWay();
  const charging = createCharging(deps, underWay);
  const { chargeNetwork } = charging;

  async function chargeAndLook<T>(attempt: Attempt, look: (sql: Sql) => Promise<T>): Promise<T> {
    const tried = triedBy(sealing, attempt);
    if (!seenHere.charge(tried)) throw tooManyAttempts(CLOSED_RETRY_SECONDS);
    try {
      return await charging.chargeThere(attempt, look);
    } catch (error) {
      seenHere.giveBack(tried);
      throw error;
    }
  }

  return {
    async underWay(address, work) {
      const slot = address === undefined ? undefined : underWay.begin(sealing.networkToken(addressGroup(address)));
      try {
        return await work(slot);
      } finally {
        slot?.end();
      }
    },
    charge: (attempt) => chargeAndLook(attempt, async () => undefined),
    chargeAndLook,
    async settle(tx, attempt) {
      seenHere.forget(triedBy(sealing, attempt));
      const keys = settledKeysOf(sealing, attempt);
      const counters = keys.map((key) => ({ key, settlement: settlement(key.kind, channelOf(attempt)) }));
      await settleCounters(tx, counters, clock.nowMs());
    },
    async wrong(attempt) {
      if (attempt.slot?.counts() !== true || (await charging.chargeNetworkQuietly(attempt))) return;
      await database.transaction((tx) => chargeNetwork(tx, attempt));
    },
    holdOwing: createHolding({ ...deps, seenHere, charging }),
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

interface HoldingDeps extends ThrottleDeps {
  readonly seenHere: WrongAttempts;
  readonly charging: Charging;
}

function createHolding({ sealing, clock, seenHere, charging }: HoldingDeps): Throttle['holdOwing'] {
  const { chargedOf, chargeHeld, chargeNetwork, isQuiet } = charging;

  /** The network's counter; locked where it is near a wait, or nothing in memory counts the attempt. */
  async function networkOf(tx: Transaction, attempt: Attempt, seen: Seen | undefined): Promise<StoredCounter[]> {
    const key = networkKeyOf(sealing, attempt);
    if (key === undefined) return [];
    const quiet =
      attempt.slot?.counts() === true && seen !== undefined && seen.counters.every((one) => isQuiet(one, seen));
    return quiet ? [...seen.counters] : await heldCounters(tx, [key]);
  }

  /** `held`: counters of the account as they are, locked. */
  async function holding(
    tx: Transaction,
    attempt: Attempt,
    held: readonly StoredCounter[],
    seen?: Seen,
  ): Promise<HeldAttempt> {
    const tried = triedBy(sealing, attempt);
    if (seenHere.isFull(tried)) throw tooManyAttempts(CLOSED_RETRY_SECONDS);
    const nowMs = clock.nowMs();
    const keys = settledKeysOf(sealing, attempt);
    const own = held.filter((one) => keys.some((key) => key.kind !== 'network' && isOf(one, key)));
    const all = [...own, ...(await networkOf(tx, attempt, seen))];
    chargedOf(keysOf(sealing, attempt).map((key) => counterOf(all, key, nowMs)));
    return {
      async right() {
        const channel = channelOf(attempt);
        const settled = own.map((one) => ({ ...one, ...settle(one, channel, nowMs, { charged: false }) }));
        const changed = settled.filter(({ failures }, at) => failures !== own[at]?.failures);
        seenHere.forget(tried);
        if (changed.length > 0) await writeCounters(tx, changed);
      },
      async wrong() {
        seenHere.charge(tried);
        await chargeHeld(tx, accountKeysOf(sealing, attempt));
        await chargeNetwork(tx, attempt);
      },
    };
  }

  return async (tx, { preHash, device, address }) => {
    // A browser the account knows does not wait for its network; whether it does is not known yet.
    const network = device === undefined ? networkKey(sealing, address) : undefined;
    // What is under way is counted before the look: what ends between the two is counted twice, never not at all.
    const bounds = network && charging.boundsOf(network);
    const [held, counters] = await Promise.all([
      heldOwing(tx, { preHash, device }),
      network === undefined ? [] : readCounters(tx, [network]),
    ]);
    return async (attempt, emailToken) => {
      const complete =
        emailToken === sealing.emailToken(attempt.email) &&
        (attempt.knownDevice !== undefined) === (device !== undefined);
      if (complete) return await holding(tx, attempt, held, bounds && { ...bounds, counters });
      const accounts = settledKeysOf(sealing, attempt).filter(({ kind }) => kind !== 'network');
      return await holding(tx, attempt, await heldCounters(tx, accounts));
    };
  };
}

/** The network's counter, if there is one yet, as it is at this moment, and what it may stand at. */
interface Seen extends QuietBounds {
  readonly counters: readonly StoredCounter[];
}
