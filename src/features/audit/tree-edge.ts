import { createCompactRange, HASH_BYTES, type Merkle, TILE_WIDTH } from '../../verifier/index.ts';
import type { TileRow } from './tree-store.ts';

/**
 * The right edge of the tree: per level the hashes of the tile that is not complete yet. All that is needed to append leaves,
 * to compute the root and to cut complete tiles.
 */
export interface Edge {
  readonly size: number;
  /** `partial[level]`: 0 … 255 hashes. */
  readonly partial: readonly (readonly Uint8Array[])[];
}

export const EMPTY_EDGE: Edge = { size: 0, partial: [] };

export interface Growth {
  readonly edge: Edge;
  /** Tiles that became complete, lower levels first. */
  readonly tiles: readonly TileRow[];
}

/** The edge after these leaf hashes. The given edge stays as it is, so a transaction that fails has changed nothing. */
export function grow(merkle: Merkle, edge: Edge, leafHashes: readonly Uint8Array[]): Growth {
  const partial = edge.partial.map((hashes) => [...hashes]);
  const tiles: TileRow[] = [];
  let size = edge.size;

  function push(level: number, hash: Uint8Array): void {
    const hashes = (partial[level] ??= []);
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    tiles.push({ level, number: size / TILE_WIDTH ** (level + 1) - 1, hashes: joined(hashes) });
    partial[level] = [];
    push(level + 1, merkle.rootOf(hashes));
  }

  for (const hash of leafHashes) {
    size++;
    push(0, hash);
  }
  return { edge: { size, partial }, tiles };
}

/** Root of the whole tree. */
export function rootOfEdge(merkle: Merkle, edge: Edge): Uint8Array {
  const peaks: Uint8Array[] = [];
  for (const hashes of edge.partial.toReversed()) {
    const range = createCompactRange(merkle);
    for (const hash of hashes) range.append(hash);
    peaks.push(...range.peaks());
  }
  return merkle.foldPeaks(peaks);
}

export function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  hashes.forEach((hash, i) => bytes.set(hash, i * HASH_BYTES));
  return bytes;
}

export function split(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}
