/**
 * Sealing, opening, blinding, signing and password hashing beside OpenSSL on the same machine in the same run: the ratios are what to
 * look at, the numbers belong to the machine. `node bench/crypto.bench.ts [--json]`
 */
import { execFileSync } from 'node:child_process';
import { createHmac, createSecretKey } from 'node:crypto';
import {
  blindKey,
  createPasswordHasher,
  ed25519PrivateKey,
  hkdfSha256,
  newEd25519Seed,
  newSecretKey,
  open,
  randomBytes,
  seal,
} from '../src/crypto/index.ts';
import { utf8Encode } from '../src/kernel/bytes.ts';

interface Line {
  readonly what: string;
  readonly perSecond: number;
  /** The same work by OpenSSL's own `speed`, one core; absent where it is not installed. */
  readonly openssl?: number;
  readonly ratio?: number;
}

const SECONDS = 1;

/** Processor time in seconds; OpenSSL counts the same, so neighbours on the machine disturb neither. */
function spent(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** Calls per second of processor time, after a warm-up. */
function rate(work: (turn: number) => unknown): number {
  const batch = (count: number): number => {
    const before = process.cpuUsage();
    for (let turn = 0; turn < count; turn++) work(turn);
    return spent(before);
  };
  let count = 100;
  while (batch(count) < SECONDS / 10) count *= 2;
  const wanted = Math.ceil(count * 10);
  return Math.round(wanted / batch(wanted));
}

/** The last number of a line of `openssl speed -mr`, picked by field; undefined without OpenSSL. */
function openssl(words: readonly string[], field: number): number | undefined {
  try {
    const output = execFileSync('openssl', ['speed', '-mr', '-seconds', String(SECONDS), ...words], {
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    });
    const value = Number(output.trim().split('\n').at(-1)?.split(':')[field]);
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function line(what: string, perSecond: number, peer?: number): Line {
  if (peer === undefined) return { what, perSecond };
  return { what, perSecond, openssl: Math.round(peer), ratio: Math.round((perSecond / peer) * 100) / 100 };
}

function sealing(bytes: number): Line[] {
  const key = { id: 1, key: newSecretKey() };
  const place = { table: 'store.resource', type: 'Patient', id: '0198c5d2-9f0e-7c3a-8b3e-2f1f0d9c4a11', version: 1 };
  const plaintext = randomBytes(bytes);
  const sealed = seal(key, plaintext, place);
  const peer = openssl(['-bytes', String(bytes), '-evp', 'aes-256-gcm'], 3);
  const calls = peer === undefined ? undefined : peer / bytes;
  return [
    line(
      `seal ${bytes} B`,
      rate(() => seal(key, plaintext, place)),
      calls,
    ),
    line(
      `open ${bytes} B`,
      rate(() => open(key, sealed, place)),
      calls,
    ),
  ];
}

/** A token is HMAC of a short value. Beside it what node:crypto takes for the same, and OpenSSL without any Node. */
function blinding(): Line[] {
  const index = newSecretKey();
  const key = blindKey(index, 'Patient.family');
  const hmac = createSecretKey(hkdfSha256(index, new Uint8Array(0), utf8Encode('bench'), 32));
  const values = Array.from({ length: 1000 }, (_, n) => `okello-${n}`);
  const value = (turn: number): string => values[turn % values.length] ?? '';
  const peer = openssl(['-bytes', '16', '-hmac', 'sha256'], 3);
  const calls = peer === undefined ? undefined : peer / 16;
  return [
    line(
      'blind token',
      rate((turn) => key.blind(value(turn))),
      calls,
    ),
    line(
      'the same with node:crypto',
      rate((turn) => createHmac('sha256', hmac).update(value(turn)).digest().readBigInt64BE()),
      calls,
    ),
  ];
}

function signing(): Line[] {
  const key = ed25519PrivateKey(newEd25519Seed());
  const message = randomBytes(200);
  const signature = key.sign(message);
  return [
    line(
      'Ed25519 sign',
      rate(() => key.sign(message)),
      openssl(['ed25519'], 4),
    ),
    line(
      'Ed25519 verify',
      rate(() => key.publicKey.verify(message, signature)),
      openssl(['ed25519'], 5),
    ),
  ];
}

async function passwords(): Promise<Line[]> {
  const hasher = createPasswordHasher({ parallelMax: 1, waitingMax: 1 });
  const turns = 20;
  const before = process.cpuUsage();
  for (let turn = 0; turn < turns; turn++) await hasher.hash(`password ${turn}`);
  return [line('Argon2id 19 MiB t=2', Math.round((turns / spent(before)) * 10) / 10)];
}

const lines = [...sealing(1024), ...sealing(16_384), ...blinding(), ...signing(), ...(await passwords())];
if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify(lines)}\n`);
} else {
  for (const { what, perSecond, openssl: peer, ratio } of lines) {
    const beside = peer === undefined ? '' : `   OpenSSL ${String(peer).padStart(10)}/s   ratio ${ratio}`;
    process.stdout.write(`${what.padEnd(28)}${String(perSecond).padStart(10)}/s${beside}\n`);
  }
}
