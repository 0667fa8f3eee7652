import {
  type BlindKey,
  blindKey,
  open,
  type SealContext,
  type SealedAtRest,
  type SealingKey,
  type SecretKey,
  seal,
  sealKeyId,
} from '../crypto/index.ts';
import { Problem } from '../kernel/problem.ts';

/** Seals, opens and blinds with the keys in use. Synchronous: the keys are in memory, unwrapped once. */
export interface KeyRing {
  /** Seals under the current data key of the table's family, for this place only. */
  seal(plaintext: Uint8Array, context: SealContext): SealedAtRest;
  /**
   * Opens a seal in its place. Throws Problem('internal', 'seal-broken') when it was changed or moved, and
   * Problem('unavailable', 'key-unknown') when its key has not reached this process yet; trying again then helps.
   */
  open(sealed: SealedAtRest, context: SealContext): Uint8Array;
  /** The token to write with a record. `parameter` is the search parameter's full name, `value` is normalised. */
  blind(parameter: string, value: string): bigint;
  /** The tokens to search by: one per index key in use, more than one only while index keys rotate. */
  blindAll(parameter: string, value: string): readonly bigint[];
}

/**
 * Audit rows are append-only, so they can be neither re-sealed nor re-tokened; they have keys of their own, told by the
 * prefix `audit.` of table and parameter. The other family's old keys are destroyed when a rotation has finished.
 */
export const KEY_FAMILIES = ['record', 'audit'] as const;
export type KeyFamily = (typeof KEY_FAMILIES)[number];

export function familyOf(name: string): KeyFamily {
  return name.startsWith('audit.') ? 'audit' : 'record';
}

/** Unwrapped keys at one moment. Replaced whole, never changed. */
export interface KeySet {
  /** Every data key that may still open something. */
  readonly dataKeys: ReadonlyMap<number, SealingKey>;
  readonly current: Readonly<Record<KeyFamily, CurrentKeys>>;
}

export interface CurrentKeys {
  readonly data: SealingKey;
  readonly index: SecretKey;
  /** Announced and retiring index keys: searched by, not written with. */
  readonly otherIndex: readonly SecretKey[];
}

/** What `KeyRing` is over a changing set of keys. `onUnknownKey` is told when a seal names a key that is not in the set. */
export function createKeyRing(keySet: () => KeySet, onUnknownKey: () => void = () => {}): KeyRing {
  const tokens = createTokenKeys(keySet);
  return {
    seal: (plaintext, context) => seal(keySet().current[familyOf(context.table)].data, plaintext, context),
    open(sealed, context) {
      const key = keySet().dataKeys.get(sealKeyId(sealed));
      if (key !== undefined) return open(key, sealed, context);
      onUnknownKey();
      throw new Problem(
        'unavailable',
        'key-unknown',
        'A record is sealed under a key that is not loaded yet. Try again.',
        {
          retryAfterSeconds: 1,
        },
      );
    },
    blind: (parameter, value) => tokens(parameter).current.blind(value),
    blindAll(parameter, value) {
      const { current, others } = tokens(parameter);
      return [current.blind(value), ...others.map((other) => other.blind(value))];
    },
  };
}

interface TokenKeys {
  readonly current: BlindKey;
  readonly others: readonly BlindKey[];
}

/** Derived keys, kept per parameter for as long as the key set stays. Parameters are the program's, so they are few. */
function createTokenKeys(keySet: () => KeySet): (parameter: string) => TokenKeys {
  let derivedFrom: KeySet | undefined;
  let derived = new Map<string, TokenKeys>();
  return (parameter) => {
    const now = keySet();
    if (now !== derivedFrom) {
      derivedFrom = now;
      derived = new Map();
    }
    const known = derived.get(parameter);
    if (known !== undefined) return known;
    const { index, otherIndex } = now.current[familyOf(parameter)];
    const current = blindKey(index, parameter);
    const made = {
      current: isSearchParameter(parameter) ? withMemory(current) : current,
      others: otherIndex.map((key) => blindKey(key, parameter)),
    };
    derived.set(parameter, made);
    return made;
  };
}

/** Values of search parameters (first letters of names, years, towns) come again and again; keys of records and events do not. */
const isSearchParameter = (parameter: string): boolean => !parameter.includes('.');
const REMEMBERED_MAX = 4_096;
const REMEMBERED_LENGTH_MAX = 32;

/** Keeps the tokens of short values that came lately, since each costs two blocks of SHA-256. Dies with the key set. */
function withMemory(key: BlindKey): BlindKey {
  const tokens = new Map<string, bigint>();
  return {
    blind(value) {
      const known = tokens.get(value);
      if (known !== undefined) return known;
      const token = key.blind(value);
      if (value.length <= REMEMBERED_LENGTH_MAX) {
        if (tokens.size >= REMEMBERED_MAX) tokens.clear();
        tokens.set(value, token);
      }
      return token;
    },
  };
}
