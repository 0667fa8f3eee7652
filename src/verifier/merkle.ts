/**
 * The RFC 6962 Merkle tree (§2.1), as functions over hashes; pure, so that the server, the command line and a page in a browser
 * share it. The hash function comes in as a value, since a browser has another one than Node.
 */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

export const HASH_BYTES = 32;

export interface Merkle {
  /** RFC 6962 MTH of the empty tree: SHA-256 of nothing. */
  readonly emptyRoot: Uint8Array;
  /** SHA-256(0x00 ‖ leaf). */
  leafHash(leaf: Uint8Array): Uint8Array;
  /** SHA-256(0x01 ‖ left ‖ right). */
  nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array;
  /** Root over perfect subtrees given from left (largest) to right (smallest); `emptyRoot` when there is none. */
  foldPeaks(peaks: readonly Uint8Array[]): Uint8Array;
  /** Root of a tree of any size, from all its leaf hashes. */
  rootOf(leafHashes: readonly Uint8Array[]): Uint8Array;
}

/** Makes the tree's functions over one hash function. The returned functions share scratch space, but keep no state. */
export function createMerkle(sha256: Sha256): Merkle {
  const node = new Uint8Array(1 + 2 * HASH_BYTES);
  node[0] = 1;
  const emptyRoot = sha256(new Uint8Array(0));

  function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
    node.set(left, 1);
    node.set(right, 1 + HASH_BYTES);
    return sha256(node);
  }

  function foldPeaks(peaks: readonly Uint8Array[]): Uint8Array {
    let root = peaks.at(-1);
    for (let i = peaks.length - 2; i >= 0; i--) root = nodeHash(peaks[i] as Uint8Array, root as Uint8Array);
    return root ?? emptyRoot;
  }

  return {
    emptyRoot,
    nodeHash,
    foldPeaks,
    leafHash(leaf) {
      const bytes = new Uint8Array(1 + leaf.length);
      bytes.set(leaf, 1);
      return sha256(bytes);
    },
    rootOf(leafHashes) {
      const range = createCompactRange({ nodeHash });
      for (const hash of leafHashes) range.append(hash);
      return foldPeaks(range.peaks());
    },
  };
}

/** The roots of the perfect subtrees a growing tree consists of: all that is needed to append and to compute its root. */
export interface CompactRange {
  readonly size: number;
  /** Appends a leaf, or the root of a perfect subtree of 2^level leaves where the size is a multiple of that. */
  append(hash: Uint8Array, level?: number): void;
  peaks(): Uint8Array[];
}

export function createCompactRange(merkle: Pick<Merkle, 'nodeHash'>): CompactRange {
  const stack: { level: number; hash: Uint8Array }[] = [];
  let size = 0;
  return {
    get size() {
      return size;
    },
    append(hash, ofLevel = 0) {
      let level = ofLevel;
      let top = hash;
      for (let last = stack.at(-1); last !== undefined && last.level === level; last = stack.at(-1)) {
        stack.pop();
        top = merkle.nodeHash(last.hash, top);
        level++;
      }
      stack.push({ level, hash: top });
      size += 2 ** ofLevel;
    },
    peaks: () => stack.map((peak) => peak.hash),
  };
}
