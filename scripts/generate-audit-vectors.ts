/** Writes formats/vectors/audit-tree.json: `node scripts/generate-audit-vectors.ts`. Same output every time. */
import { writeFileSync } from 'node:fs';
import { ed25519PrivateKey, sha256 } from '../src/crypto/index.ts';
import { createEventWriter } from '../src/features/audit/audit-event.ts';
import { type BatchedEvent, createBatchWriter, erasedEvent } from '../src/features/audit/event-batch.ts';
import { EVENTS } from '../src/features/audit/events.ts';
import { PHRASES, unpack } from '../src/features/audit/packing.ts';
import { toBase64, toHex, utf8Encode } from '../src/kernel/bytes.ts';
import type { AuditEventId, NodeId, OrganisationId } from '../src/kernel/ids.ts';
import type { Actor } from '../src/kernel/principal.ts';
import {
  checkpointText,
  cosignatureLine,
  cosignedMessage,
  createMerkle,
  encodeEntries,
  encodeLeaf,
  printVerifierKey,
  printWitnessKey,
  proveConsistency,
  proveInclusion,
  signedNote,
  tilePath,
  verifierKey,
  witnessKey,
} from '../src/verifier/index.ts';

const merkle = createMerkle(sha256);
const SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 300];
const SIZE = 300;

const actor: Actor = {
  principal: {
    kind: 'node',
    nodeId: '0198f3a0-0000-7000-8000-000000000001' as NodeId,
    name: 'Clinic Nº 7',
    organisationId: '0198f3a0-0000-7000-8000-00000000000a' as OrganisationId,
    domains: [],
    permissions: new Set(),
    scopes: new Set(),
    certificateSha256: 'ab'.repeat(32),
  },
  origin: { door: 'nodes', address: '192.0.2.7', requestId: '0198f3a0-0000-7000-8000-0000000000ff' },
};
const write = createEventWriter({ site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' });
const recordedMs = Date.UTC(2026, 0, 31, 9, 30);
const parts = write({
  id: '019c1399-0e40-7000-8000-000000000005',
  recorded: new Date(recordedMs).toISOString(),
  shape: EVENTS['client.read'],
  patient: 'Patient/0198f3a0-0000-7000-8000-0000000000c1',
  input: { actor, event: 'client.read', action: 'R', outcome: 'success', interaction: 'read' },
});
const packed = parts.before + parts.own + parts.after;
const json = unpack(packed);
const nonce = Uint8Array.from({ length: 16 }, (_, i) => i);
const commitment = sha256(Buffer.concat([nonce, utf8Encode(json)]));

/** Leaf n of the tree of the vectors: commitment SHA-256("event n"). */
const leaves = Array.from({ length: SIZE }, (_, index) =>
  encodeLeaf({
    index,
    recordedMs: recordedMs + index,
    event: index % 3 === 0 ? 'client.read' : 'sign-in.code',
    commitment: sha256(utf8Encode(`event ${index}`)),
  }),
);
const hashes = leaves.map(merkle.leafHash);
const reader = (level: number, index: number): Promise<Uint8Array> =>
  Promise.resolve(merkle.rootOf(hashes.slice(index * 2 ** level, (index + 1) * 2 ** level)));
const rootAt = (size: number): Uint8Array => merkle.rootOf(hashes.slice(0, size));

/** A batch of two events by one actor, the second erased. */
const batch = createBatchWriter();
const batched: BatchedEvent = {
  id: '019c1399-0e40-7000-8000-000000000005' as AuditEventId,
  recordedMs,
  nonce,
  outcome: 0,
  actorKind: 'node',
  event: 'client.read',
  actor: '0198f3a0-0000-7000-8000-000000000001',
  address: '192.0.2.7',
  client: '0198f3a0-0000-7000-8000-0000000000c1',
  content: parts,
};
batch.addAgain(batched);
batch.addAgain(erasedEvent({ ...batched, id: '019c1399-0e40-7000-8000-000000000006' as AuditEventId }));

const signer = ed25519PrivateKey(new Uint8Array(32).fill(7));
const key = verifierKey(sha256, 'careseal.example.org/audit/log', signer.publicKey.bytes);
const text = checkpointText({
  origin: key.name,
  size: SIZE,
  root: rootAt(SIZE),
  signedAt: '2026-01-31T09:31:00.000Z',
});

const COSIGNED_AT = 1_769_851_900;
const witness = ed25519PrivateKey(new Uint8Array(32).fill(9));
const watching = witnessKey(sha256, 'witness.example.org', witness.publicKey.bytes);

const vectors = {
  phrases: PHRASES,
  event: {
    packed: toBase64(utf8Encode(packed)),
    canonicalJson: json,
    nonce: toHex(nonce),
    commitment: toHex(commitment),
    leaf: toHex(encodeLeaf({ index: 4711, recordedMs, event: 'client.read', commitment })),
    leafHash: toHex(merkle.leafHash(encodeLeaf({ index: 4711, recordedMs, event: 'client.read', commitment }))),
  },
  batch: { payload: toHex(batch.take()), events: 2 },
  roots: SIZES.map((size) => ({ size, root: toHex(rootAt(size)) })),
  tiles: {
    [tilePath({ level: 0, number: 0, width: 256 })]: toHex(sha256(Buffer.concat(hashes.slice(0, 256)))),
    [tilePath({ level: 0, number: 1, width: 44 })]: toHex(sha256(Buffer.concat(hashes.slice(256)))),
    [tilePath({ level: 1, number: 0, width: 1 })]: toHex(sha256(rootAt(256))),
    [tilePath({ level: 'entries', number: 1, width: 44 })]: toHex(sha256(encodeEntries(leaves.slice(256)))),
  },
  inclusion: await Promise.all(
    [0, 1, 255, 256, 299].map(async (index) => ({
      index,
      size: SIZE,
      path: (await proveInclusion(merkle, reader, { index, size: SIZE })).map(toHex),
    })),
  ),
  consistency: await Promise.all(
    [1, 7, 255, 256, 257].map(async (from) => ({
      from,
      to: SIZE,
      path: (await proveConsistency(merkle, reader, { from, to: SIZE })).map(toHex),
    })),
  ),
  checkpoint: {
    seed: '07'.repeat(32),
    verifierKey: printVerifierKey(key),
    note: signedNote(text, key, signer.sign(utf8Encode(text))),
  },
  cosignature: {
    seed: '09'.repeat(32),
    witnessKey: printWitnessKey(watching),
    unixSeconds: COSIGNED_AT,
    line: cosignatureLine(watching, {
      unixSeconds: COSIGNED_AT,
      signature: witness.sign(cosignedMessage(utf8Encode(text), COSIGNED_AT)),
    }),
  },
};

writeFileSync(new URL('../formats/vectors/audit-tree.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`);
