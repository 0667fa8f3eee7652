import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sha256 } from '../crypto/index.ts';
import { sha256Portable, verifyEd25519 } from '../crypto/portable.ts';
import { createBatchWriter, readBatch } from '../features/audit/event-batch.ts';
import { PHRASES, unpack } from '../features/audit/packing.ts';
import { cosignatureBy, cosignedMessage, parseWitnessKey } from './cosignature.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { fromBase64, fromHex, toHex, utf8Decode, utf8Encode } from '../kernel/bytes.ts';
import { encodeLeaf, parseLeaf } from './leaf.ts';
import { parseCheckpoint, parseVerifierKey, signatureBy } from './checkpoint.ts';
import { createMerkle, type Sha256 } from './merkle.ts';
import { verifyConsistency, verifyInclusion } from './proofs.ts';

/** formats/vectors/audit-tree.json through every code path, with the hash of Node and with that of a browser. */
const Hex = z.string().transform((text) => fromHex(text) ?? new Uint8Array());
const Vectors = z.object({
  phrases: z.array(z.string()),
  event: z.object({
    packed: z.string(),
    canonicalJson: z.string(),
    nonce: Hex,
    commitment: z.string(),
    leaf: Hex,
    leafHash: z.string(),
  }),
  batch: z.object({ payload: Hex, events: z.number() }),
  cosignature: z.object({ witnessKey: z.string(), unixSeconds: z.number(), line: z.string() }),
  roots: z.array(z.object({ size: z.number(), root: z.string() })),
  inclusion: z.array(z.object({ index: z.number(), size: z.number(), path: z.array(Hex) })),
  consistency: z.array(z.object({ from: z.number(), to: z.number(), path: z.array(Hex) })),
  checkpoint: z.object({ verifierKey: z.string(), note: z.string() }),
});
const file = new URL('../../formats/vectors/audit-tree.json', import.meta.url);
const vectors = Vectors.parse(JSON.parse(readFileSync(file, 'utf8')));

const FIRST_MS = Date.UTC(2026, 0, 31, 9, 30);
const leaves = Array.from({ length: 300 }, (_, index) =>
  encodeLeaf({
    index,
    recordedMs: FIRST_MS + index,
    event: index % 3 === 0 ? 'client.read' : 'sign-in.code',
    commitment: sha256(utf8Encode(`event ${index}`)),
  }),
);
const rootOf = (size: number): Uint8Array =>
  fromHex(vectors.roots.find((one) => one.size === size)?.root ?? '') ?? new Uint8Array();

describe.each([
  ['Node', sha256],
  ['a browser', sha256Portable],
] as [string, Sha256][])('the vectors, hashed by %s', (_name, hash) => {
  const merkle = createMerkle(hash);

  test('an event: unpacked, committed to, put into a leaf', () => {
    const { event } = vectors;
    expect(vectors.phrases).toEqual(PHRASES);
    const json = unpack(utf8Decode(fromBase64(event.packed) ?? new Uint8Array()));
    expect(json).toBe(event.canonicalJson);
    expect(canonicalJson(JSON.parse(json))).toBe(json);
    expect(toHex(hash(Buffer.concat([event.nonce, utf8Encode(json)])))).toBe(event.commitment);
    expect(toHex(parseLeaf(event.leaf)?.commitment ?? new Uint8Array())).toBe(event.commitment);
    expect(toHex(merkle.leafHash(event.leaf))).toBe(event.leafHash);
  });

  test('roots', () => {
    for (const { size, root } of vectors.roots) {
      expect(toHex(merkle.rootOf(leaves.slice(0, size).map(merkle.leafHash)))).toBe(root);
    }
  });

  test('proofs', () => {
    for (const { index, size, path } of vectors.inclusion) {
      const leafHash = merkle.leafHash(leaves[index] ?? new Uint8Array());
      expect(verifyInclusion(merkle, { leafHash, index, size, path, root: rootOf(size) })).toBe(true);
    }
    for (const { from, to, path } of vectors.consistency) {
      const older = merkle.rootOf(leaves.slice(0, from).map(merkle.leafHash));
      const claim = { from: { size: from, root: older }, to: { size: to, root: rootOf(to) }, path };
      expect(verifyConsistency(merkle, claim)).toBe(true);
    }
  });

  test('the checkpoint', async () => {
    const key = parseVerifierKey(hash, vectors.checkpoint.verifierKey);
    const checkpoint = parseCheckpoint(vectors.checkpoint.note);
    if (key === undefined || checkpoint === undefined) throw new Error('not parsed');
    expect(toHex(checkpoint.root)).toBe(toHex(rootOf(300)));
    const signature = signatureBy(checkpoint, key) ?? new Uint8Array();
    expect(await verifyEd25519(key.publicKey, checkpoint.message, signature)).toBe(true);
  });

  test('a cosignature', async () => {
    const { witnessKey, unixSeconds, line } = vectors.cosignature;
    const key = parseWitnessKey(hash, witnessKey);
    const checkpoint = parseCheckpoint(vectors.checkpoint.note + line);
    if (key === undefined || checkpoint === undefined) throw new Error('not parsed');
    const signed = cosignatureBy(checkpoint, key);
    expect(signed?.unixSeconds).toBe(unixSeconds);
    const message = cosignedMessage(checkpoint.message, unixSeconds);
    expect(await verifyEd25519(key.publicKey, message, signed?.signature ?? new Uint8Array())).toBe(true);
  });
});

test('a batch, read and written again to the byte', () => {
  const { payload, events } = vectors.batch;
  const [first, second, ...more] = readBatch(payload);
  expect([events, more.length]).toEqual([2, 0]);
  const { before, own, after } = first?.content ?? { before: '', own: '', after: '' };
  expect(unpack(before + own + after)).toBe(vectors.event.canonicalJson);
  expect(toHex(first?.nonce ?? new Uint8Array())).toBe(toHex(vectors.event.nonce));
  expect(first).toMatchObject({ event: 'client.read', outcome: 0, actorKind: 'node', address: '192.0.2.7' });
  expect(second).toMatchObject({ event: 'client.read', actor: '', content: undefined, client: undefined });
  const writer = createBatchWriter();
  for (const event of readBatch(payload)) writer.addAgain(event);
  expect(toHex(writer.take())).toBe(toHex(payload));
  for (let cut = 0; cut < payload.length; cut += 7)
    expect(() => readBatch(payload.subarray(0, cut))).toThrow(RangeError);
});
