const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const PASSES = 3; // 3 × 11 bits hold 32

export interface SortedKeys {
  readonly keys: Uint32Array;
  /** The record of each key. */
  readonly records: Uint32Array;
}

/**
 * Records in the order of their keys, those without a key (0) left out; records of one key stay in their own order. Least
 * significant digit first: the time is the same whatever the keys are.
 */
export function sortByKey(keys: Uint32Array): SortedKeys {
  let count = 0;
  for (let at = 0; at < keys.length; at++) if (keys[at] !== 0) count++;
  let fromKeys = new Uint32Array(count);
  let fromRecords = new Uint32Array(count);
  let to = 0;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as number;
    if (key === 0) continue;
    fromKeys[to] = key;
    fromRecords[to++] = at;
  }
  let toKeys = new Uint32Array(count);
  let toRecords = new Uint32Array(count);
  const places = new Uint32Array(DIGITS);
  for (let pass = 0; pass < PASSES; pass++) {
    const shift = pass * DIGIT_BITS;
    places.fill(0);
    for (let at = 0; at < count; at++) {
      const value = digit(fromKeys[at] as number, shift);
      places[value] = (places[value] as number) + 1;
    }
    let sum = 0;
    for (let value = 0; value < DIGITS; value++) {
      const own = places[value] as number;
      places[value] = sum;
      sum += own;
    }
    for (let at = 0; at < count; at++) {
      const key = fromKeys[at] as number;
      const value = digit(key, shift);
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

function digit(key: number, shift: number): number {
  return (key >>> shift) & (DIGITS - 1);
}
