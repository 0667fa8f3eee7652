/**
 * Jaro-Winkler similarity, 0..1 (Jaro 1989; Winkler 1990, prefix scale .1 over at most four letters, boost above .7).
 * Words are arrays of UTF-16 code units of at most 31 units, so that the two match masks are plain integers and nothing is
 * allocated. Symmetric: the masks are built over the shorter word whichever side it comes from.
 */
export const WORD_UNITS_MAX = 31;

export function jaroWinkler(left: Uint16Array, right: Uint16Array): number {
  return jaroWinklerOf(left, left.length, right, right.length);
}

/** The same of the first units of two longer arrays: for who has put the words into arrays that are used again. */
export function jaroWinklerOf(left: Uint16Array, lengthLeft: number, right: Uint16Array, lengthRight: number): number {
  const swap = lengthLeft > lengthRight;
  const a = swap ? right : left;
  const b = swap ? left : right;
  const lengthA = swap ? lengthRight : lengthLeft;
  const lengthB = swap ? lengthLeft : lengthRight;
  if (lengthA === 0) return lengthB === 0 ? 1 : 0;
  const reach = Math.max(0, (lengthB >> 1) - 1);
  let maskA = 0;
  let maskB = 0;
  let matches = 0;
  for (let i = 0; i < lengthA; i++) {
    const unit = a[i];
    const from = i > reach ? i - reach : 0;
    const to = i + reach + 1 < lengthB ? i + reach + 1 : lengthB;
    for (let j = from; j < to; j++) {
      if (b[j] === unit && (maskB & (1 << j)) === 0) {
        maskA |= 1 << i;
        maskB |= 1 << j;
        matches++;
        break;
      }
    }
  }
  if (matches === 0) return 0;
  const halfTranspositions = countOutOfOrder(a, b, maskA, maskB);
  const jaro = (matches / lengthA + matches / lengthB + (matches - halfTranspositions / 2) / matches) / 3;
  return jaro > 0.7 ? jaro + commonPrefix(a, b, lengthA) * 0.1 * (1 - jaro) : jaro;
}

function countOutOfOrder(a: Uint16Array, b: Uint16Array, maskA: number, maskB: number): number {
  let count = 0;
  let j = 0;
  for (let i = 0; maskA >>> i !== 0; i++) {
    if ((maskA & (1 << i)) === 0) continue;
    while ((maskB & (1 << j)) === 0) j++;
    if (a[i] !== b[j]) count++;
    j++;
  }
  return count;
}

/** `lengthA`: of the shorter word. */
function commonPrefix(a: Uint16Array, b: Uint16Array, lengthA: number): number {
  const most = lengthA < 4 ? lengthA : 4;
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
