import { expect } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { readSigner } from '../../src/features/audit/signer.ts';
import { checkpointsAfter, readHead, readLeaves } from '../../src/features/audit/tree-store.ts';
import type { Database } from '../../src/platform/db/sql.ts';
import type { KeyRing } from '../../src/store/index.ts';
import { createMerkle, encodeLeaf, parseCheckpoint } from '../../src/verifier/index.ts';
import { readInput } from './audit.ts';

const merkle = createMerkle(sha256);

/** A log that is asked to be quiet about failures: the tests cause them. */
export function quietLog(database: Database, keyRing: KeyRing, everyMs = 20): Audit {
  return createAudit({
    database,
    keyRing,
    clock: { nowMs: Date.now },
    source: { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' },
    checkpointEveryMs: everyMs,
    onFailure: () => {},
  });
}

export async function fill(log: Audit, n: number): Promise<void> {
  const inputs = Array.from({ length: n }, (_, i) => readInput(String(i)));
  for (let from = 0; from < n; from += 500) await log.recordNow(inputs.slice(from, from + 500));
}

/** Recomputes the tree from its leaves, the slow way, and compares every checkpoint with it. Answers the size. */
export async function expectSound(database: Database, keyRing: KeyRing): Promise<number> {
  const head = await readHead(database);
  const leaves = await readLeaves(database, 0, 1_000_000);
  expect(leaves.map((leaf) => leaf.index)).toEqual(leaves.map((_, i) => i));
  const hashes = leaves.map((leaf) => merkle.leafHash(encodeLeaf(leaf)));
  const signer = await readSigner(database, keyRing);
  for (const row of await checkpointsAfter(database, 0, 100_000)) {
    const checkpoint = parseCheckpoint(row.note);
    expect(checkpoint?.size).toBe(row.size);
    expect(Buffer.from(row.root).equals(merkle.rootOf(hashes.slice(0, row.size)))).toBe(true);
    expect(Buffer.from(checkpoint?.root ?? []).equals(row.root)).toBe(true);
    const signature = checkpoint?.signatures[0]?.signature ?? new Uint8Array();
    expect(signer?.verify(checkpoint?.message ?? new Uint8Array(), signature)).toBe(true);
  }
  expect(head?.size ?? 0).toBe(leaves.length);
  return leaves.length;
}
