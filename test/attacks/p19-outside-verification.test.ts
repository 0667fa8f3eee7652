import { execFile } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildVerifier } from '../../scripts/build-verifier.ts';
import { sha256 } from '../../src/crypto/index.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { openWitness } from '../../src/features/witness/index.ts';
import { startSmallServer } from '../../src/platform/small-http/index.ts';
import { parseVerifierKey } from '../../src/verifier/index.ts';
import { readInput, testKeyRing, userActor } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/**
 * P19: whoever gives an auditor an exported event, a checkpoint or a copy of the log, and has changed any of it, is found by the
 * auditor's own file, which runs in a folder without anything of Careseal.
 */
const run = promisify(execFile);
const SIZE = 601;
let db: TestDatabase;
let audit: Audit;
let folder: string;
let key: string;
let witnessKey: string;
let stop: () => Promise<void>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'careseal-outside-'));
  await buildVerifier(folder);
  db = await testDatabase();
  const keyRing = testKeyRing();
  const base = { database: db.database, keyRing, clock: { nowMs: Date.now }, onFailure: () => {} };
  const source = { site: 's', baseUrl: 'https://careseal.example.org:8443' };
  const alone = createAudit({ ...base, source });
  await alone.recordNow(Array.from({ length: 300 }, (_, i) => readInput(`a${i}`, i % 2 === 0 ? userActor : undefined)));
  await alone.sequence();
  await writeFile(join(folder, 'kept'), (await alone.status()).checkpoint);
  key = (await alone.status()).verifierKey;
  const log = parseVerifierKey(sha256, key);
  if (log === undefined) throw new Error('no key');
  const directory = join(folder, 'witness');
  const witness = await openWitness({ name: 'w.example.org', directory, logs: [log], clock: base.clock });
  witnessKey = witness.verifierKey;
  const server = await startSmallServer({ host: '127.0.0.1', port: 0, handle: witness.handle });
  const witnesses = [{ url: `http://127.0.0.1:${server.port}`, key: witnessKey }];
  audit = createAudit({ ...base, source, witnesses });
  await audit.recordNow(Array.from({ length: 301 }, (_, i) => readInput(`b${i}`)));
  await audit.sequence();
  await audit.askWitnesses();
  const { events } = await audit.search({ clients: ['a4'], limit: 1 });
  await writeFile(join(folder, 'event.json'), await audit.export.event(events[0]?.id ?? ''));
  const size = await audit.export.tree(async (path, bytes) => {
    await mkdir(dirname(join(folder, 'log', path)), { recursive: true });
    await writeFile(join(folder, 'log', path), bytes);
  });
  if (size !== SIZE) throw new Error(`the log has ${size} events instead of ${SIZE}`);
  stop = async () => {
    await server.close();
    await db.close();
  };
});
afterAll(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly code: number;
  readonly ok: boolean;
  readonly texts: string;
}

/** Runs the one file, far from this repository and its modules. */
async function outside(...words: string[]): Promise<Answer> {
  const done = await run(process.execPath, ['careseal-verify.mjs', '--json', ...words], { cwd: folder, env: {} }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => ({ stdout: error.stdout || '{}', code: error.code }),
  );
  const { ok = false, results = [] } = JSON.parse(done.stdout) as {
    ok?: boolean;
    results?: { findings: { verdict: string; text: string }[] }[];
  };
  const texts = results
    .flatMap(({ findings }) => findings.map(({ verdict, text }) => `${verdict}: ${text}`))
    .join('\n');
  return { code: done.code, ok, texts };
}

async function changed(name: string, change: (text: string) => string): Promise<string> {
  const text = await readFile(join(folder, name), 'utf8');
  const other = change(text);
  expect(other).not.toBe(text);
  await writeFile(join(folder, 'changed'), other);
  return 'changed';
}

describe('the verifier of one file', () => {
  test('finds what is right to be right, with the keys got elsewhere', async () => {
    const keys = ['--key', key, '--witness', witnessKey];
    const answer = await outside(...keys, '--since', 'kept', 'event.json', 'log', 'kept');
    expect(answer).toMatchObject({ code: 0, ok: true });
    for (const said of [
      'was made of',
      'It is number 4 of the 601',
      'saw the same log',
      'were counted again',
      'Nothing that was under your checkpoint of 300',
    ])
      expect(answer.texts).toContain(said);
  });

  test('says what it cannot know', async () => {
    const answer = await outside('event.json');
    expect(answer.ok).toBe(true);
    expect(answer.texts).toMatch(/unknown: Whether that key is the log’s/);
    expect(answer.texts).toMatch(/unknown: Whether others were shown the same log/);
    const words = await run(process.execPath, ['careseal-verify.mjs', 'event.json'], { cwd: folder });
    expect(words.stdout).toContain('What these checks cannot know');
  });

  test.each([
    ['another person', (text: string) => text.replace('Patient/a4', 'Patient/a5')],
    [
      'another actor',
      (text: string) => text.replace(userActor.origin.requestId, '0198f3a0-0000-7000-8000-000000000000'),
    ],
    ['another time', (text: string) => text.replace(/"recorded": "20/, '"recorded": "19')],
    ['another place', (text: string) => text.replace('"path": [\n      "', '"path": [\n      "A')],
    ['another root', (text: string) => text.replace('601\\n', '602\\n')],
    ['no proof', (text: string) => text.replace(/"leaf": "[^"]+"/, '"leaf": ""')],
    ['another nonce', (text: string) => text.replace(/"nonce": ".../, '"nonce": "AAA')],
  ])('finds an exported event with %s', async (_what, change) => {
    expect(await outside('--key', key, await changed('event.json', change))).toMatchObject({ code: 1, ok: false });
  });

  test('finds an event of a log with another key, though the file brings its own', async () => {
    const other = 'careseal.example.org:8443/audit/log+';
    const forged = await changed('event.json', (text) => text.replace(/— (\S+) (.{8})...../u, '— $1 $2AAAAA'));
    expect((await outside(forged)).ok).toBe(false);
    expect((await outside('--key', `${other}00000000+AAAA`, 'event.json')).code).toBe(2);
  });

  test('finds every byte that is changed in a copy of the log, files that miss, and a shorter log', async () => {
    const copy = join(folder, 'copy');
    const files = (await readdir(join(folder, 'log'), { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    for (const file of files) {
      if (file.name === 'verifier-key') continue;
      const path = join(file.parentPath, file.name).slice(join(folder, 'log').length);
      // Tiles above the leaves are for proofs; whoever counts again does not need them.
      if (/\/tile\/[1-9]/.test(path)) continue;
      await rm(copy, { recursive: true, force: true });
      await cp(join(folder, 'log'), copy, { recursive: true });
      const bytes = await readFile(join(copy, path));
      const at = path === '/checkpoint' ? 50 : Math.floor(bytes.length / 3);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await writeFile(join(copy, path), bytes);
      expect([path, (await outside('--key', key, 'copy')).ok]).toEqual([path, false]);
    }
    await rm(join(copy, 'tile/entries'), { recursive: true });
    expect((await outside('copy')).texts).toContain('missing');
    await writeFile(
      join(folder, 'longer'),
      (await readFile(join(folder, 'kept'), 'utf8')).replace('\n300\n', '\n999\n'),
    );
    expect((await outside('--since', 'longer', 'log')).texts).toContain('has only 601');
    await writeFile(
      join(folder, 'otherlog'),
      (await readFile(join(folder, 'kept'), 'utf8')).replace('\n300\n', '\n299\n'),
    );
    expect((await outside('--since', 'otherlog', 'log')).texts).toContain('wrong: The log is another one');
  });

  test('the page is one file that may load nothing, and runs only its own script', async () => {
    const page = await readFile(join(folder, 'careseal-verify.html'), 'utf8');
    const script = /<script type="module">([\s\S]*)<\/script>/.exec(page)?.[1] ?? '';
    expect(page).toContain(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/\bsrc=|href=|import\(|https?:\/\/(?!careseal\.org\/fhir|www\.w3\.org)/);
    expect(await readFile(join(folder, 'careseal-verify.mjs'), 'utf8')).not.toMatch(/from ["'](?!node:)/);
  });
});

/**
 * The same log, read by the papers alone: RFC 6962 §2.1, RFC 9162 §2.1.3.2, RFC 8032 and the C2SP texts on tiles, checkpoints and
 * cosignatures, with Node's hash and signature and not one line of Careseal's verifier.
 */
describe('from the papers', () => {
  const H = (...parts: (Uint8Array | string)[]) =>
    parts.reduce((h, part) => h.update(part), createHash('sha256')).digest();
  const mth = (leaves: Buffer[]): Buffer => {
    if (leaves.length === 1) return H(Uint8Array.of(0), leaves[0] ?? '');
    let k = 1;
    while (k * 2 < leaves.length) k *= 2;
    return H(Uint8Array.of(1), mth(leaves.slice(0, k)), mth(leaves.slice(k)));
  };
  const ed25519 = (raw: Buffer, message: string | Buffer, signature: Buffer): boolean => {
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
    return verify(null, Buffer.from(message), createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
  };
  const rawKey = (text: string) => Buffer.from(text.split('+').slice(2).join('+'), 'base64').subarray(1);
  const canonical = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const sorted = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${sorted.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(',')}}`;
  };

  async function leavesOfFolder(): Promise<Buffer[]> {
    const leaves: Buffer[] = [];
    for (const name of ['000', '001', '002.p/89']) {
      const bytes = await readFile(join(folder, 'log/tile/entries', name));
      for (let at = 0; at < bytes.length; ) {
        const length = bytes.readUInt16BE(at);
        leaves.push(bytes.subarray(at + 2, at + 2 + length));
        at += 2 + length;
      }
    }
    return leaves;
  }

  test('the leaves give the root, and the log and its witness signed it', async () => {
    const note = await readFile(join(folder, 'log/checkpoint'), 'utf8');
    const [text = '', signatures = ''] = note.split('\n\n').map((part, i) => (i === 0 ? `${part}\n` : part));
    const [origin, size, root] = text.split('\n');
    const leaves = await leavesOfFolder();
    expect([origin, size, leaves.length]).toEqual(['careseal.example.org:8443/audit/log', '601', 601]);
    expect(mth(leaves).toString('base64')).toBe(root);
    const [own, cosigned] = signatures
      .trimEnd()
      .split('\n')
      .map((line) => Buffer.from(line.split(' ')[2] ?? '', 'base64'));
    if (own === undefined || cosigned === undefined) throw new Error('two lines');
    expect(own.subarray(0, 4)).toEqual(H(`${origin}\n`, Uint8Array.of(1), rawKey(key)).subarray(0, 4));
    expect(ed25519(rawKey(key), text, own.subarray(4))).toBe(true);
    expect(cosigned.subarray(0, 4)).toEqual(H('w.example.org\n', Uint8Array.of(4), rawKey(witnessKey)).subarray(0, 4));
    const time = cosigned.readBigUInt64BE(4);
    expect(ed25519(rawKey(witnessKey), `cosignature/v1\ntime ${time}\n${text}`, cosigned.subarray(12))).toBe(true);
  });

  test('the exported event is in it', async () => {
    const { auditEvent, proof } = JSON.parse(await readFile(join(folder, 'event.json'), 'utf8')) as {
      auditEvent: unknown;
      proof: { index: number; size: number; leaf: string; nonce: string; path: string[]; checkpoint: string };
    };
    const leaf = Buffer.from(proof.leaf, 'base64');
    expect(leaf.subarray(-32)).toEqual(H(Buffer.from(proof.nonce, 'base64'), canonical(auditEvent)));
    expect(leaf.readBigUInt64BE(1)).toBe(BigInt(proof.index));
    let [fn, sn, r] = [proof.index, proof.size - 1, H(Uint8Array.of(0), leaf)];
    for (const p of proof.path.map((text) => Buffer.from(text, 'base64'))) {
      expect(sn).not.toBe(0);
      if ((fn & 1) === 1 || fn === sn) {
        r = H(Uint8Array.of(1), p, r);
        while ((fn & 1) === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
      } else r = H(Uint8Array.of(1), r, p);
      [fn, sn] = [fn >> 1, sn >> 1];
    }
    expect(sn).toBe(0);
    expect(r.toString('base64')).toBe(proof.checkpoint.split('\n')[2]);
    expect((await leavesOfFolder())[proof.index]).toEqual(leaf);
  });
});
