import { equalBytes } from '../kernel/bytes.ts';
import { HASH_BYTES, type Merkle } from './merkle.ts';

/** Hash of the perfect subtree of 2^level leaves that starts at leaf `index · 2^level`. */
export type NodeReader = (level: number, index: number) => Promise<Uint8Array>;

/** Sizes and indices are whole numbers below 2^53; bit operators would cut them to 32 bits, so arithmetic is used instead. */
const half = (n: number): number => Math.floor(n / 2);
const odd = (n: number): boolean => n % 2 === 1;
const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

/** Inclusion proof of leaf `index` in the tree of `size` leaves (RFC 6962 §2.1.1), from the leaf upwards. */
export async function proveInclusion(
  merkle: Merkle,
  read: NodeReader,
  place: { readonly index: number; readonly size: number },
): Promise<Uint8Array[]> {
  const { index, size } = place;
  if (!isSize(index) || !isSize(size) || index >= size) throw new RangeError('The index is outside the tree');
  return path(index, 0, size);

  async function path(m: number, start: number, end: number): Promise<Uint8Array[]> {
    if (end - start === 1) return [];
    const split = start + largestPowerBelow(end - start);
    return m < split
      ? [...(await path(m, start, split)), await subtree(merkle, read, { start: split, end })]
      : [...(await path(m, split, end)), await subtree(merkle, read, { start, end: split })];
  }
}

/** Consistency proof from the tree of `from` leaves to that of `to` leaves (RFC 6962 §2.1.2). */
export async function proveConsistency(
  merkle: Merkle,
  read: NodeReader,
  sizes: { readonly from: number; readonly to: number },
): Promise<Uint8Array[]> {
  const { from, to } = sizes;
  if (!isSize(from) || !isSize(to) || from > to) throw new RangeError('A tree only grows');
  if (from === 0 || from === to) return [];
  return path(from, 0, to, true);

  async function path(m: number, start: number, end: number, known: boolean): Promise<Uint8Array[]> {
    if (m === end) return known ? [] : [await subtree(merkle, read, { start, end })];
    const split = start + largestPowerBelow(end - start);
    return m <= split
      ? [...(await path(m, start, split, known)), await subtree(merkle, read, { start: split, end })]
      : [...(await path(m, split, end, false)), await subtree(merkle, read, { start, end: split })];
  }
}

/** Root of the leaves start … end-1, where `start` is a multiple of the range's largest perfect subtree. */
async function subtree(
  merkle: Merkle,
  read: NodeReader,
  range: { readonly start: number; readonly end: number },
): Promise<Uint8Array> {
  const peaks: Uint8Array[] = [];
  let start = range.start;
  while (start < range.end) {
    let width = 1;
    let level = 0;
    while (width * 2 <= range.end - start) {
      width *= 2;
      level++;
    }
    peaks.push(await read(level, start / width));
    start += width;
  }
  return merkle.foldPeaks(peaks);
}

function largestPowerBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

export interface InclusionClaim {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** RFC 9162 §2.1.3.2, which verifies RFC 6962's proofs. False for anything that does not prove the claim, whatever its shape. */
export function verifyInclusion(merkle: Merkle, claim: InclusionClaim): boolean {
  const { index, size, path, root } = claim;
  if (!isSize(index) || !isSize(size) || index >= size || path.some((hash) => hash.length !== HASH_BYTES)) return false;
  let fn = index;
  let sn = size - 1;
  let r = claim.leafHash;
  for (const p of path) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      r = merkle.nodeHash(p, r);
      while (!odd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      r = merkle.nodeHash(r, p);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && equalBytes(r, root);
}

export interface ConsistencyClaim {
  readonly from: { readonly size: number; readonly root: Uint8Array };
  readonly to: { readonly size: number; readonly root: Uint8Array };
  readonly path: readonly Uint8Array[];
}

/** RFC 9162 §2.1.4.2: the tree `to` holds the tree `from` unchanged as its beginning. */
export function verifyConsistency(merkle: Merkle, claim: ConsistencyClaim): boolean {
  const { from, to } = claim;
  if (!isSize(from.size) || !isSize(to.size) || from.size > to.size) return false;
  if (claim.path.some((hash) => hash.length !== HASH_BYTES)) return false;
  if (from.size === to.size) return claim.path.length === 0 && equalBytes(from.root, to.root);
  if (from.size === 0) return claim.path.length === 0 && equalBytes(from.root, merkle.emptyRoot);
  return walkConsistency(merkle, claim);
}

function walkConsistency(merkle: Merkle, { from, to, path: given }: ConsistencyClaim): boolean {
  // Where the old size is a power of two, its root is itself the first hash of the path.
  const path = isPowerOfTwo(from.size) ? [from.root, ...given] : [...given];
  let fn = from.size - 1;
  let sn = to.size - 1;
  while (odd(fn)) {
    fn = half(fn);
    sn = half(sn);
  }
  const first = path.shift();
  if (first === undefined) return false;
  let fr = first;
  let sr = first;
  for (const c of path) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      fr = merkle.nodeHash(c, fr);
      sr = merkle.nodeHash(c, sr);
      while (!odd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      sr = merkle.nodeHash(sr, c);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && equalBytes(fr, from.root) && equalBytes(sr, to.root);
}

function isPowerOfTwo(n: number): boolean {
  let power = 1;
  while (power < n) power *= 2;
  return power === n;
}
