import { addressGroup } from '../../platform/http/address.ts';
import type { CounterKey, StoredCounter } from './attempt-store.ts';
import type { Sealing } from './sealing.ts';
import type { Attempt } from './attempt.ts';
import type { Channel } from './throttle-rules.ts';
import type { Tried } from './wrong-attempts.ts';

const NO_DEVICE = new Uint8Array(0);

/** The counters that an attempt is charged to: its account's, then its network's. */
export function keysOf(sealing: Sealing, attempt: Attempt): CounterKey[] {
  const network = networkKeyOf(sealing, attempt);
  return [...accountKeysOf(sealing, attempt), ...(network === undefined ? [] : [network])];
}

export function accountKeysOf(sealing: Sealing, { stage, email, knownDevice }: Attempt): CounterKey[] {
  const subject = sealing.emailToken(email);
  const account: CounterKey = { subject, stage, kind: 'account', deviceHash: NO_DEVICE };
  if (knownDevice !== undefined) return [account, { subject, stage, kind: 'device', deviceHash: knownDevice }];
  return [account, { subject, stage, kind: 'unknown-devices', deviceHash: NO_DEVICE }];
}

/** A browser known to the account answers for itself alone: neither strangers nor its network can hold it up. */
export const networkKeyOf = (sealing: Sealing, { knownDevice, address }: Attempt): CounterKey | undefined =>
  knownDevice === undefined ? networkKey(sealing, address) : undefined;

export function networkKey(sealing: Sealing, address: string | undefined): CounterKey | undefined {
  if (address === undefined) return undefined;
  const subject = sealing.networkToken(addressGroup(address));
  return { subject, stage: 'any', kind: 'network', deviceHash: NO_DEVICE };
}

/** What a success gives back: strangers' counter, too, where the browser is a known one; the network's where it was charged. */
export function settledKeysOf(sealing: Sealing, attempt: Attempt): CounterKey[] {
  if (channelOf(attempt) === 'unknown-devices') {
    return attempt.slot?.counts() === true ? accountKeysOf(sealing, attempt) : keysOf(sealing, attempt);
  }
  const strangers = accountKeysOf(sealing, { ...attempt, knownDevice: undefined }).slice(1);
  return [...accountKeysOf(sealing, attempt), ...strangers];
}

export const channelOf = (attempt: Attempt): Channel =>
  attempt.knownDevice === undefined ? 'unknown-devices' : 'device';

export const triedBy = (sealing: Sealing, attempt: Attempt): Tried => ({
  ...{ subject: sealing.emailToken(attempt.email), stage: attempt.stage, channel: channelOf(attempt) },
});

/** One that is not there yet has no failures. */
export function counterOf(read: readonly StoredCounter[], key: CounterKey, nowMs: number): StoredCounter {
  return read.find((one) => isOf(one, key)) ?? { key, kind: key.kind, failures: 0, waitsUntilMs: nowMs, lastMs: nowMs };
}

export const isOf = ({ key }: StoredCounter, other: CounterKey): boolean =>
  key.subject === other.subject && key.stage === other.stage && key.kind === other.kind;
