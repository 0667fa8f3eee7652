import { sha256 } from '../../crypto/index.ts';
import type { Sql } from '../../platform/db/sql.ts';
import { createMerkle, encodeLeaf, hashesAtLevel, type NodeReader, TILE_WIDTH } from '../../verifier/index.ts';
import { type Edge, split } from './tree-edge.ts';
import { readLeaves, readTiles } from './tree-store.ts';

export const merkle = createMerkle(sha256);

/** The log's rows do not make up the tree they should; `verify` says where. */
export class TreeDamaged extends Error {
  constructor(what: string) {
    super(`The audit tree is damaged: ${what}`);
    this.name = 'TreeDamaged';
  }
}

/** Hashes of one tile of a tree of `size` leaves; a partial one is computed from what is below it. */
export async function tileHashes(
  sql: Sql,
  tile: { readonly level: number; readonly number: number; readonly size: number },
): Promise<Uint8Array[]> {
  const { level, number, size } = tile;
  const first = number * TILE_WIDTH;
  const below = Math.min(first + TILE_WIDTH, hashesAtLevel(size, level));
  if (below <= first) return [];
  if (below === first + TILE_WIDTH) {
    const stored = (await readTiles(sql, level, number, number + 1))[0];
    if (stored === undefined) throw new TreeDamaged(`tile ${level}/${number} is missing`);
    return split(stored.hashes);
  }
  const hashes =
    level === 0
      ? (await readLeaves(sql, first, below)).map((leaf) => merkle.leafHash(encodeLeaf(leaf)))
      : (await readTiles(sql, level - 1, first, below)).map((child) => merkle.rootOf(split(child.hashes)));
  if (hashes.length !== below - first) throw new TreeDamaged(`hashes below tile ${level}/${number} are missing`);
  return hashes;
}

/** The right edge of the tree of `size` leaves, from stored tiles and leaves. */
export async function readEdge(sql: Sql, size: number): Promise<Edge> {
  const partial: Uint8Array[][] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level++) {
    const number = Math.floor(hashesAtLevel(size, level) / TILE_WIDTH);
    partial.push(await tileHashes(sql, { level, number, size }));
  }
  return { size, partial };
}

/** Reads nodes of the tree of `size` leaves for proofs; keeps the tiles it has read, so make one per proof. */
export function createNodeReader(sql: Sql, size: number): NodeReader {
  const tiles = new Map<string, Promise<Uint8Array[]>>();
  return async (level, index) => {
    const tileLevel = Math.floor(level / 8);
    const width = 2 ** (level % 8);
    const first = index * width;
    const number = Math.floor(first / TILE_WIDTH);
    const key = `${tileLevel}/${number}`;
    const reading = tiles.get(key) ?? tileHashes(sql, { level: tileLevel, number, size });
    tiles.set(key, reading);
    const start = first - number * TILE_WIDTH;
    const hashes = (await reading).slice(start, start + width);
    if (hashes.length !== width) throw new TreeDamaged(`node ${level}/${index} is outside the tree`);
    return merkle.rootOf(hashes);
  };
}
