import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ed25519PrivateKey, ed25519PublicKey, sha256 } from '../../src/crypto/index.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { openWitness, type Witness } from '../../src/features/witness/index.ts';
import { utf8Encode } from '../../src/kernel/bytes.ts';
import { startSmallServer } from '../../src/platform/small-http/index.ts';
import {
  checkpointText,
  cosignatureBy,
  cosignedMessage,
  createMerkle,
  parseCheckpoint,
  parseVerifierKey,
  parseWitnessKey,
  printAddCheckpoint,
  proveConsistency,
  signedNote,
  verifierKey,
} from '../../src/verifier/index.ts';
import { readInput, testKeyRing } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/**
 * P18: who owns the whole server, signing key included, cannot show two histories to people who ask the same witness, nor take a
 * history back: a witness signs a head only if it grew out of the last one it signed.
 */
const merkle = createMerkle(sha256);
const clock = { nowMs: Date.now };
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careseal-witness-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a witness, attacked by the owner of the log’s own key', () => {
  const signer = ed25519PrivateKey(new Uint8Array(32).fill(3));
  const log = verifierKey(sha256, 'evil.example.org/audit/log', signer.publicKey.bytes);
  const leaves = (n: number, history: string) =>
    Array.from({ length: n }, (_, i) => merkle.leafHash(utf8Encode(i < 5 ? `same ${i}` : `${history} ${i}`)));
  const rootOf = (n: number, history: string) => merkle.rootOf(leaves(n, history));
  const proof = (from: number, to: number, history: string) =>
    proveConsistency(
      merkle,
      (level, i) => Promise.resolve(merkle.rootOf(leaves(to, history).slice(i * 2 ** level, (i + 1) * 2 ** level))),
      { from, to },
    );
  function note(size: number, history: string, key = log): string {
    const text = checkpointText({
      origin: key.name,
      size,
      root: rootOf(size, history),
      signedAt: '2026-01-01T00:00:00.000Z',
    });
    return signedNote(text, key, signer.sign(utf8Encode(text)));
  }
  const open = (name: string): Promise<Witness> =>
    openWitness({ name, directory: join(directory, name), logs: [log], clock });
  const add = (witness: Witness, body: string) => witness.handle({ method: 'POST', path: '/add-checkpoint', body });
  const send = async (witness: Witness, from: number, to: number, history: string) =>
    await add(
      witness,
      printAddCheckpoint({ oldSize: from, proof: await proof(from, to, history), note: note(to, history) }),
    );

  test('signs what grows, over its own clock, and the signature verifies', async () => {
    const witness = await open('a.example.org');
    expect((await send(witness, 0, 5, 'one')).status).toBe(200);
    const answer = await send(witness, 5, 12, 'one');
    const key = parseWitnessKey(sha256, witness.verifierKey);
    const cosigned = parseCheckpoint(note(12, 'one') + answer.body);
    if (key === undefined || cosigned === undefined) throw new Error('not parsed');
    const signed = cosignatureBy(cosigned, key);
    if (signed === undefined) throw new Error('not signed');
    expect(Math.abs(signed.unixSeconds * 1000 - Date.now())).toBeLessThan(60_000);
    const message = cosignedMessage(cosigned.message, signed.unixSeconds);
    expect(ed25519PublicKey(key.publicKey).verify(message, signed.signature)).toBe(true);
  });

  test('refuses a fork shown to it, whatever the proof, and after a restart too', async () => {
    for (const witness of [await open('a.example.org'), await open('a.example.org')]) {
      expect(await send(witness, 12, 14, 'two')).toMatchObject({ status: 422 });
      expect(await send(witness, 12, 12, 'two')).toMatchObject({ status: 409, body: '12\n' });
      expect(await send(witness, 5, 14, 'two')).toMatchObject({ status: 409, contentType: 'text/x.tlog.size' });
      expect(await send(witness, 0, 14, 'two')).toMatchObject({ status: 409 });
    }
  });

  test('refuses to go back', async () => {
    const witness = await open('a.example.org');
    expect(await send(witness, 5, 8, 'one')).toMatchObject({ status: 409, body: '12\n' });
    expect(await add(witness, printAddCheckpoint({ oldSize: 12, proof: [], note: note(8, 'one') }))).toMatchObject({
      status: 400,
    });
  });

  test('a fork shown to two witnesses is found by comparing them: neither signs the other history', async () => {
    const [a, b] = [await open('a.example.org'), await open('b.example.org')];
    expect((await send(b, 0, 14, 'two')).status).toBe(200);
    expect((await send(a, 12, 14, 'two')).status).toBe(422);
    expect((await send(b, 14, 14, 'one')).status).toBe(409);
    expect((await send(b, 14, 20, 'one')).status).toBe(422);
  });

  test('knows its logs and their signatures', async () => {
    const witness = await open('a.example.org');
    const other = verifierKey(sha256, 'other.example.org/audit/log', signer.publicKey.bytes);
    const asked = (text: string) => add(witness, printAddCheckpoint({ oldSize: 12, proof: [], note: text }));
    expect(await asked(note(12, 'one', other))).toMatchObject({ status: 404 });
    expect(await asked(note(12, 'one').replace(/.{6}\n$/, 'AAAAA=\n'))).toMatchObject({ status: 403 });
    expect(await asked(note(12, 'one'))).toMatchObject({ status: 200 });
    for (const body of [
      '',
      'old 1',
      'old x\n\nx',
      `old 1\nshort\n\n${note(12, 'one')}`,
      `old 01\n\n${note(12, 'one')}`,
    ])
      expect(await add(witness, body)).toMatchObject({ status: 400 });
  });

  test('many at once are decided one after the other', async () => {
    const witness = await open('c.example.org');
    const answers = await Promise.all([
      send(witness, 0, 14, 'one'),
      send(witness, 0, 14, 'two'),
      send(witness, 0, 9, 'one'),
    ]);
    expect(answers.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 409, 409]);
  });

  test('a witness that lost its memory does not sign', async () => {
    const heads = join(directory, 'c.example.org', 'heads.json');
    const before = await readFile(heads, 'utf8');
    await writeFile(heads, before.slice(0, 20));
    await expect(open('c.example.org')).rejects.toMatchObject({ code: 'witness-state-damaged' });
    await rm(heads);
    await expect(open('c.example.org')).rejects.toMatchObject({ code: 'witness-state-damaged' });
  });
});

describe('Careseal and its witnesses', () => {
  let db: TestDatabase;
  let audit: Audit;
  let server: { port: number; close(): Promise<void> };
  let witness: Witness;
  const keyRing = testKeyRing();
  const source = { site: 's', baseUrl: 'https://careseal.example.org:8443' };
  const open = (witnesses: { url: string; key: string }[], now = clock) =>
    createAudit({ database: db.database, keyRing, clock: now, source, witnesses, onFailure: () => {} });

  beforeAll(async () => {
    db = await testDatabase();
    const plain = open([]);
    await plain.recordNow([readInput('a')]);
    await plain.sequence();
    const log = parseVerifierKey(sha256, (await plain.status()).verifierKey);
    if (log === undefined) throw new Error('no key');
    witness = await openWitness({
      name: 'ministry.example.org',
      directory: join(directory, 'ministry'),
      logs: [log],
      clock,
    });
    server = await startSmallServer({ host: '127.0.0.1', port: 0, handle: witness.handle });
    audit = open([{ url: `http://127.0.0.1:${server.port}`, key: witness.verifierKey }]);
  });
  afterAll(async () => {
    await server.close();
    await db.close();
  });
  const served = async (path: string) => {
    const route = audit.routes.find((one) => one.path === path);
    // These two routes ask for nothing and answer bytes.
    const reply = await route?.handle({} as never);
    return new TextDecoder().decode((reply as { body: Uint8Array }).body);
  };

  test('a head is signed, kept and served with its cosignature', async () => {
    await audit.askWitnesses();
    const [state] = (await audit.status()).witnesses;
    expect(state).toMatchObject({ name: 'ministry.example.org', size: 1 });
    expect(state).not.toHaveProperty('failure');
    for (const path of ['/audit/log/checkpoint', '/audit/log/witnessed']) {
      expect((await served(path)).split('\n').filter((line) => line.startsWith('— '))).toHaveLength(2);
    }
  });

  test('growth is proved to it; what it signed last stays served while the log grows on', async () => {
    for (let i = 0; i < 300; i++) await audit.recordNow([readInput(String(i))]);
    await audit.sequence();
    await audit.askWitnesses();
    await audit.recordNow([readInput('more')]);
    await audit.sequence();
    expect((await audit.status()).witnesses[0]).toMatchObject({ size: 301 });
    expect(await served('/audit/log/witnessed')).toContain('\n301\n');
    expect(await served('/audit/log/checkpoint')).toContain('\n302\n');
    expect((await audit.verify()).ok).toBe(true);
  });

  test('a database put back to an earlier day is told apart by the witness', async () => {
    await audit.askWitnesses();
    await db.ownerDatabase.run({ name: 'p18.off', text: 'ALTER TABLE audit.checkpoint DISABLE TRIGGER USER' });
    await db.ownerDatabase.run({ name: 'p18.off2', text: 'ALTER TABLE audit.cosignature DISABLE TRIGGER USER' });
    await db.ownerDatabase.run({ name: 'p18.cut', text: 'DELETE FROM audit.checkpoint WHERE size > 301' });
    await db.ownerDatabase.run({ name: 'p18.cut2', text: 'DELETE FROM audit.cosignature' });
    await audit.askWitnesses();
    expect((await audit.status()).witnesses[0]?.failure).toMatch(/larger log/);
  });

  test('a silent witness is said to be silent, and breaks nothing', async () => {
    await server.close();
    let nowMs = Date.now();
    const alone = open([{ url: `http://127.0.0.1:${server.port}`, key: witness.verifierKey }], { nowMs: () => nowMs });
    await alone.askWitnesses();
    const [soon] = (await alone.status()).witnesses;
    expect(soon?.failure).toBeTruthy();
    expect(soon).not.toHaveProperty('silentSince');
    nowMs += 20 * 60_000;
    expect((await alone.status()).witnesses[0]).toHaveProperty('silentSince');
    await alone.recordNow([readInput('still')]);
  });
});
