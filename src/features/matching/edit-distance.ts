/**
 * Edit distances over strings, allocation-free. `withinOneEdit` answers the frequent question in linear time; `editDistance` is
 * the restricted Damerau-Levenshtein distance (optimal string alignment: Damerau 1964, Boytsov 2011), cut off at `most`.
 */

/** True when one insertion, deletion, substitution or swap of neighbours turns one text into the other (or they are equal). */
export function withinOneEdit(a: string, b: string): boolean {
  const difference = a.length - b.length;
  if (difference > 1 || difference < -1) return false;
  let start = 0;
  const shorter = difference < 0 ? a.length : b.length;
  while (start < shorter && a.charCodeAt(start) === b.charCodeAt(start)) start++;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a.charCodeAt(endA - 1) === b.charCodeAt(endB - 1)) {
    endA--;
    endB--;
  }
  const restA = endA - start;
  const restB = endB - start;
  if (restA <= 1 && restB <= 1) return true;
  return (
    restA === 2 &&
    restB === 2 &&
    a.charCodeAt(start) === b.charCodeAt(start + 1) &&
    a.charCodeAt(start + 1) === b.charCodeAt(start)
  );
}

const LENGTH_MAX = 64;
// Scratch rows of the dynamic programme; written before they are read in every call, so they carry nothing from call to call.
let beforeLast = new Uint8Array(LENGTH_MAX + 1);
let last = new Uint8Array(LENGTH_MAX + 1);
let current = new Uint8Array(LENGTH_MAX + 1);

/** Distance of two texts of at most 64 units each (longer ones are cut), or `most + 1` as soon as it must be greater. */
export function editDistance(a: string, b: string, most: number): number {
  const lengthA = Math.min(a.length, LENGTH_MAX);
  const lengthB = Math.min(b.length, LENGTH_MAX);
  if (Math.abs(lengthA - lengthB) > most) return most + 1;
  for (let j = 0; j <= lengthB; j++) last[j] = j;
  for (let i = 1; i <= lengthA; i++) {
    const smallest = nextRow(a, b, i, lengthB);
    if (smallest > most) return most + 1;
    const spare = beforeLast;
    beforeLast = last;
    last = current;
    current = spare;
  }
  const distance = last[lengthB] ?? 0;
  return distance > most ? most + 1 : distance;
}

/** Fills `current` for letter i of a; answers the smallest value of the row. */
function nextRow(a: string, b: string, i: number, lengthB: number): number {
  const unitA = a.charCodeAt(i - 1);
  const unitBeforeA = i > 1 ? a.charCodeAt(i - 2) : -1;
  current[0] = i;
  let smallest = i;
  for (let j = 1; j <= lengthB; j++) {
    const unitB = b.charCodeAt(j - 1);
    const substitute = (last[j - 1] as number) + (unitA === unitB ? 0 : 1);
    const insertOrDelete = Math.min(last[j] as number, current[j - 1] as number) + 1;
    let best = substitute < insertOrDelete ? substitute : insertOrDelete;
    if (i > 1 && j > 1 && unitA === b.charCodeAt(j - 2) && unitBeforeA === unitB) {
      best = Math.min(best, (beforeLast[j - 2] as number) + 1);
    }
    current[j] = best;
    if (best < smallest) smallest = best;
  }
  return smallest;
}
