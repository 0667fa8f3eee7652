const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const PASSES = 3; // 3 × 11 bits hold 32

export interface SortedKeys {
  readonly keys: Uint32Array;
  /** The record of each key. */
  readonly records: Uint32Array;
}

/**
 * Records in the order of their keys, those without a key (0) left out, and most of those whose key nobody shares; records of one key
 * stay in their own order. Least significant digit first: the time is the same whatever the keys are.
 */
export function sortByKey(keys: Uint32Array): SortedKeys {
  const { own, records } = shared(keys);
  const count = own.length;
  const places = placesOf(own);
  let [fromKeys, fromRecords] = [own, records];
  let [toKeys, toRecords] = [new Uint32Array(count), new Uint32Array(count)];
  for (let pass = 0; pass < PASSES; pass++) {
    const shift = pass * DIGIT_BITS;
    const base = pass * DIGITS;
    for (let at = 0; at < count; at++) {
      const key = fromKeys[at] as number;
      const value = base + digit(key, shift);
      const place = places[value] as number;
      places[value] = place + 1;
      toKeys[place] = key;
      toRecords[place] = fromRecords[at] as number;
    }
    [fromKeys, toKeys] = [toKeys, fromKeys];
    [fromRecords, toRecords] = [toRecords, fromRecords];
  }
  return { keys: fromKeys, records: fromRecords };
}

const SEEN_BITS_MAX = 22;

/**
 * The keys that may be shared: under a narrow rule most are not, and need not be sorted. Keys are counted by their low bits, so a few
 * that are alone stay.
 */
function shared(keys: Uint32Array): {
  readonly own: Uint32Array<ArrayBuffer>;
  readonly records: Uint32Array<ArrayBuffer>;
} {
  const bits = Math.min(SEEN_BITS_MAX, 34 - Math.clz32(keys.length | 256));
  const mask = (1 << bits) - 1;
  const seen = new Uint8Array(mask + 1);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as number;
    if (key === 0) continue;
    const slot = key & mask;
    seen[slot] = seen[slot] === 0 ? 1 : 2;
  }
  let count = 0;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as number;
    if (key !== 0 && seen[key & mask] === 2) count++;
  }
  const own = new Uint32Array(count);
  const records = new Uint32Array(count);
  let to = 0;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as number;
    if (key === 0 || seen[key & mask] !== 2) continue;
    own[to] = key;
    records[to++] = at;
  }
  return { own, records };
}

/** Where the keys of every digit begin, pass by pass. */
function placesOf(keys: Uint32Array): Uint32Array {
  const places = new Uint32Array(DIGITS * PASSES);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as number;
    const low = digit(key, 0);
    const middle = DIGITS + digit(key, DIGIT_BITS);
    const high = 2 * DIGITS + digit(key, 2 * DIGIT_BITS);
    places[low] = (places[low] as number) + 1;
    places[middle] = (places[middle] as number) + 1;
    places[high] = (places[high] as number) + 1;
  }
  for (let pass = 0; pass < PASSES; pass++) {
    let sum = 0;
    for (let value = pass * DIGITS; value < (pass + 1) * DIGITS; value++) {
      const own = places[value] as number;
      places[value] = sum;
      sum += own;
    }
  }
  return places;
}

function digit(key: number, shift: number): number {
  return (key >>> shift) & (DIGITS - 1);
}
