/**
 * SHA-256 (FIPS 180-4) in plain TypeScript, for two places where `node:crypto` will not do:
 * - blind tokens, some 100,000 a second: a call into OpenSSL costs more than the two blocks it hashes. With the two keyed
 *   states of HMAC computed once, a token takes 0.7 µs here and 2.1 to 2.7 µs there (bench/crypto.bench.ts);
 * - the verifier in a browser, where WebCrypto is asynchronous and a Merkle tree of a million leaves is not.
 * Only additions, rotations and fixed table reads: its time depends on the length of the input, not on its content.
 */
const STATE_WORDS = 8;
const BLOCK_BYTES = 64;

/** First 32 bits of the fractional part of the nth root of the first `count` primes (§4.2.2, §5.3.3). */
function rootsOfPrimes(count: number, root: (prime: number) => number): Int32Array {
  const words = new Int32Array(count);
  for (let candidate = 2, found = 0; found < count; candidate++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) prime = false;
    if (prime) words[found++] = (root(candidate) % 1) * 2 ** 32;
  }
  return words;
}

const K = rootsOfPrimes(64, Math.cbrt);
const INITIAL = rootsOfPrimes(STATE_WORDS, Math.sqrt);

/** Message schedule of the block at hand. Filled anew for each block, never read across calls. */
const W = new Int32Array(64);

/** §6.2.2: one block, already in W[0..15], from state `from` into state `into` (which may be the same). */
function compress(from: Int32Array, into: Int32Array): void {
  for (let i = 16; i < 64; i++) {
    const x = W[i - 15] as number;
    const y = W[i - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = ((W[i - 16] as number) + s0 + (W[i - 7] as number) + s1) | 0;
  }
  let a = from[0] as number;
  let b = from[1] as number;
  let c = from[2] as number;
  let d = from[3] as number;
  let e = from[4] as number;
  let f = from[5] as number;
  let g = from[6] as number;
  let h = from[7] as number;
  for (let i = 0; i < 64; i++) {
    const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + sum1 + ((e & f) ^ (~e & g)) + (K[i] as number) + (W[i] as number)) | 0;
    const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  into[0] = ((from[0] as number) + a) | 0;
  into[1] = ((from[1] as number) + b) | 0;
  into[2] = ((from[2] as number) + c) | 0;
  into[3] = ((from[3] as number) + d) | 0;
  into[4] = ((from[4] as number) + e) | 0;
  into[5] = ((from[5] as number) + f) | 0;
  into[6] = ((from[6] as number) + g) | 0;
  into[7] = ((from[7] as number) + h) | 0;
}

/** Loads sixteen big-endian words of `bytes` at `offset`. */
function load(bytes: Uint8Array, offset: number): void {
  for (let i = 0, at = offset; i < 16; i++, at += 4) {
    W[i] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  }
}

/** A state after whole blocks, and how many bytes have gone into it. */
export interface Sha256State {
  readonly words: Int32Array;
  readonly bytes: number;
}

/** The state after one 64-byte block from the start: what HMAC keeps of each of its two padded keys. */
export function sha256StateOfBlock(block: Uint8Array): Sha256State {
  if (block.length !== BLOCK_BYTES) throw new RangeError('a block has 64 bytes');
  const words = new Int32Array(STATE_WORDS);
  load(block, 0);
  compress(INITIAL, words);
  return { words, bytes: BLOCK_BYTES };
}

const START: Sha256State = { words: INITIAL, bytes: 0 };
const tail = new Uint8Array(2 * BLOCK_BYTES);

/** Finishes a hash: `message[0..length)` after `start`, into the eight words of `into`. */
export function sha256Finish(start: Sha256State, message: Uint8Array, length: number, into: Int32Array): void {
  let from = start.words;
  let at = 0;
  for (; at + BLOCK_BYTES <= length; at += BLOCK_BYTES) {
    load(message, at);
    compress(from, into);
    from = into;
  }
  // §5.1.1: a one bit, zeros, and the length in bits as 64-bit number at the end of the last block.
  const rest = length - at;
  for (let i = 0; i < rest; i++) tail[i] = message[at + i] as number;
  const end = rest + 9 <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  tail[rest] = 0x80;
  tail.fill(0, rest + 1, end);
  load(tail, 0);
  if (end > BLOCK_BYTES) {
    compress(from, into);
    from = into;
    load(tail, BLOCK_BYTES);
  }
  const total = start.bytes + length;
  W[14] = Math.floor(total / 2 ** 29);
  W[15] = total << 3;
  compress(from, into);
}

/** Finishes a hash over one 32-byte digest given as words: the outer half of HMAC. */
export function sha256FinishDigest(start: Sha256State, digest: Int32Array, into: Int32Array): void {
  for (let i = 0; i < STATE_WORDS; i++) W[i] = digest[i] as number;
  W[8] = 0x80000000;
  for (let i = 9; i < 15; i++) W[i] = 0;
  W[15] = (start.bytes + 32) << 3;
  compress(start.words, into);
}

/** SHA-256 without node:crypto, synchronous, 32 bytes. On a server `sha256` of hash.ts is faster for long inputs. */
export function sha256Portable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const words = new Int32Array(STATE_WORDS);
  sha256Finish(START, bytes, bytes.length, words);
  return wordsToBytes(words);
}

export function wordsToBytes(words: Int32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) view.setInt32(4 * i, words[i] as number);
  return bytes;
}
