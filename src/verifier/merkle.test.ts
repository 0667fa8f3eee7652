import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../crypto/index.ts';
import { fromHex, toHex } from '../kernel/bytes.ts';
import { createCompactRange, createMerkle } from './merkle.ts';
import { type NodeReader, proveConsistency, proveInclusion, verifyConsistency, verifyInclusion } from './proofs.ts';

const merkle = createMerkle(sha256);

/** The eight leaves and their roots that Certificate Transparency's implementations test RFC 6962 with. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (hex) => fromHex(hex) ?? new Uint8Array(),
);
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** RFC 6962 §2.1 written down once more, straight from the paper and without any cleverness. */
function fromThePaper(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array());
  const only = leaves[0];
  if (leaves.length === 1 && only !== undefined) return sha256(Buffer.concat([Buffer.of(0), only]));
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Buffer.concat([Buffer.of(1), fromThePaper(leaves.slice(0, k)), fromThePaper(leaves.slice(k))]));
}

const leavesOf = (size: number): Uint8Array[] => Array.from({ length: size }, (_, i) => Buffer.from(`leaf ${i}`));
const rootAt = (leaves: readonly Uint8Array[]): Uint8Array => merkle.rootOf(leaves.map(merkle.leafHash));
const readerOver =
  (leaves: readonly Uint8Array[]): NodeReader =>
  (level, index) =>
    Promise.resolve(fromThePaper(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)));

const size = fc.integer({ min: 1, max: 70 });

describe('the RFC 6962 tree', () => {
  test.each(ROOTS.map((root, n) => [n, root] as const))(
    'of the first %i known leaves has the known root',
    (n, root) => {
      expect(toHex(rootAt(LEAVES.slice(0, n)))).toBe(root);
    },
  );

  test('of any size has the root the paper defines', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), (n) => {
        expect(toHex(rootAt(leavesOf(n)))).toBe(toHex(fromThePaper(leavesOf(n))));
      }),
      { numRuns: 40 },
    );
  });

  test('a compact range counts what was appended', () => {
    const range = createCompactRange(merkle);
    for (const leaf of leavesOf(13)) range.append(merkle.leafHash(leaf));
    expect(range.size).toBe(13);
    expect(range.peaks()).toHaveLength(3);
  });
});

describe('inclusion proofs', () => {
  test('prove every leaf of trees of any size, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), fc.nat(), async (n, at, flip) => {
        const leaves = leavesOf(n);
        const index = at % n;
        const path = await proveInclusion(merkle, readerOver(leaves), { index, size: n });
        const claim = {
          leafHash: merkle.leafHash(leaves[index] as Uint8Array),
          index,
          size: n,
          path,
          root: rootAt(leaves),
        };
        expect(verifyInclusion(merkle, claim)).toBe(true);
        expect(verifyInclusion(merkle, { ...claim, leafHash: flipped(claim.leafHash, flip) })).toBe(false);
        expect(verifyInclusion(merkle, { ...claim, root: flipped(claim.root, flip) })).toBe(false);
        expect(verifyInclusion(merkle, { ...claim, path: [...path, claim.root] })).toBe(false);
        if (path.length > 0) {
          const which = flip % path.length;
          const wrong = path.map((hash, i) => (i === which ? flipped(hash, flip) : hash));
          expect(verifyInclusion(merkle, { ...claim, path: wrong })).toBe(false);
          expect(verifyInclusion(merkle, { ...claim, path: path.slice(1) })).toBe(false);
        }
        if (n > 1) expect(verifyInclusion(merkle, { ...claim, index: (index + 1) % n })).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    { index: 3, size: 3 },
    { index: -1, size: 3 },
    { index: 0.5, size: 3 },
    { index: 0, size: 2 ** 53 },
  ])('refuse a place outside the tree: %j', async (place) => {
    const claim = { leafHash: merkle.emptyRoot, path: [], root: merkle.emptyRoot, ...place };
    expect(verifyInclusion(merkle, claim)).toBe(false);
    await expect(proveInclusion(merkle, readerOver([]), place)).rejects.toThrow(RangeError);
  });
});

describe('consistency proofs', () => {
  test('prove growth between any two sizes, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(size, size, fc.nat(), async (a, b, flip) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        const leaves = leavesOf(to);
        const claim = {
          from: { size: from, root: rootAt(leaves.slice(0, from)) },
          to: { size: to, root: rootAt(leaves) },
          path: await proveConsistency(merkle, readerOver(leaves), { from, to }),
        };
        expect(verifyConsistency(merkle, claim)).toBe(true);
        const forked = { ...claim, from: { size: from, root: flipped(claim.from.root, flip) } };
        expect(verifyConsistency(merkle, forked)).toBe(false);
        expect(verifyConsistency(merkle, { ...claim, to: { size: to, root: flipped(claim.to.root, flip) } })).toBe(
          false,
        );
        for (let i = 0; i < claim.path.length; i++) {
          const wrong = claim.path.map((hash, at) => (at === i ? flipped(hash, flip) : hash));
          expect(verifyConsistency(merkle, { ...claim, path: wrong })).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('every tree grows from the empty one, and none shrinks', () => {
    const root = rootAt(leavesOf(3));
    const empty = { size: 0, root: merkle.emptyRoot };
    expect(verifyConsistency(merkle, { from: empty, to: { size: 3, root }, path: [] })).toBe(true);
    expect(verifyConsistency(merkle, { from: { size: 0, root }, to: { size: 3, root }, path: [] })).toBe(false);
    expect(verifyConsistency(merkle, { from: { size: 3, root }, to: empty, path: [] })).toBe(false);
  });
});

function flipped(bytes: Uint8Array, which: number): Uint8Array {
  const changed = new Uint8Array(bytes);
  const at = which % changed.length;
  changed[at] = (changed[at] ?? 0) ^ (1 << (which % 8));
  return changed;
}
