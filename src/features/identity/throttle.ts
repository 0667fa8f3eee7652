import type { Database, Transaction } from '../../platform/db/sql.ts';
import { addressGroup } from '../../platform/http/address.ts';
import type { Clock } from '../../kernel/time.ts';
import {
  type CounterKey,
  clearCounters,
  deleteIdleCounters,
  chargeCounters,
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
import { charge, settlement } from './throttle-rules.ts';

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
  /** Gives the attempt back after it was right, in the transaction of what it led to. */
  settle(tx: Transaction, attempt: Attempt): Promise<void>;
  /** Forgets all failures of an account. */
  clear(tx: Transaction, email: string): Promise<void>;
  housekeep(): Promise<void>;
}

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
  const { database, sealing, clock, settings } = deps;

  function keysOf(attempt: Attempt): CounterKey[] {
    const { stage, knownDevice, address } = attempt;
    const subject = sealing.emailToken(attempt.email);
    const account: CounterKey = { subject, stage, kind: 'account', deviceHash: NO_DEVICE };
    // A browser known to the account answers for itself alone: neither strangers nor its network can hold it up.
    if (knownDevice !== undefined) return [account, { subject, stage, kind: 'device', deviceHash: knownDevice }];
    const strangers: CounterKey = { subject, stage, kind: 'unknown-devices', deviceHash: NO_DEVICE };
    if (address === undefined) return [account, strangers];
    const network = sealing.networkToken(addressGroup(address));
    return [account, strangers, { subject: network, stage: 'any', kind: 'network', deviceHash: NO_DEVICE }];
  }

  /** With the counters held: for who comes at the same moment as another. */
  async function chargeLocked(attempt: Attempt): Promise<void> {
    const decision = await database.transaction(async (tx) => {
      const counters = await lockCounters(tx, keysOf(attempt), clock.nowMs());
      const decided = charge(counters, clock.nowMs(), settings.attemptsFree);
      if (decided.kind !== 'allowed') return decided;
      const charged = decided.charged.map((one, at) => ({ ...required(counters[at]), ...one }));
      await writeCounters(tx, charged);
      await noteNetwork(tx, deps, attempt, charged);
      return decided;
    });
    if (decision.kind === 'refused') throw tooManyAttempts(decision.retryAfterSeconds);
  }

  return {
    async charge(attempt) {
      const keys = keysOf(attempt);
      const nowMs = clock.nowMs();
      const read = await readCounters(database, keys);
      const counters = keys.map((key) => read.find((one) => isOf(one, key)) ?? newCounter(key, nowMs));
      // Counters only open with time or success, so most of a flood is turned away without a lock or a write.
      const decided = charge(counters, nowMs, settings.attemptsFree);
      if (decided.kind === 'refused') throw tooManyAttempts(decided.retryAfterSeconds);
      const charged = decided.charged.map((one, at) => ({ ...required(counters[at]), ...one }));
      const done = await database
        .transaction(async (tx) => {
          if (!(await chargeCounters(tx, read, charged))) throw new ChangedMeanwhile();
          await noteNetwork(tx, deps, attempt, charged);
          return true;
        })
        .catch((error: unknown) => {
          if (error instanceof ChangedMeanwhile) return false;
          throw error;
        });
      if (!done) await chargeLocked(attempt);
    },
    async settle(tx, attempt) {
      const channel = attempt.knownDevice === undefined ? 'unknown-devices' : 'device';
      const strangers = keysOf({ ...attempt, knownDevice: undefined, address: undefined }).slice(1);
      const keys = channel === 'device' ? [...keysOf(attempt), ...strangers] : keysOf(attempt);
      const counters = keys.map((key) => ({ key, settlement: settlement(key.kind, channel) }));
      await settleCounters(tx, counters, clock.nowMs());
    },
    clear: (tx, email) => clearCounters(tx, sealing.emailToken(email)),
    housekeep: () => deleteIdleCounters(database, clock.nowMs()),
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

/** Somebody else has charged one of the counters: nothing of ours stays. */
class ChangedMeanwhile extends Error {}

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
