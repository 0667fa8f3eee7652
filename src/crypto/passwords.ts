import { availableParallelism } from 'node:os';
import { hash, hashRaw, verify } from '@node-rs/argon2';
import { Problem } from '../kernel/problem.ts';
import { KEY_BYTES, type SecretKey, secretKey } from './secret-key.ts';

/**
 * Argon2id (RFC 9106). One hash costs 10 ms and 19 MiB (OWASP's first choice), so the number that run at once is capped
 * and the queue is bounded: a flood of sign-ins must not take the memory or the processors of the rest of the server.
 */
export interface PasswordHasher {
  /** The encoded hash (PHC string) with a random salt. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is right. `undefined` stands for an account that does not exist: the same work is done and the
   * answer is false, so that the time of the answer does not tell which accounts exist.
   */
  verify(encoded: string | undefined, password: string): Promise<boolean>;
  /** Throws `passwords-busy` when nobody more may wait: to be asked before anything is spent on an attempt. */
  assertRoom(): void;
  /** Whether the hash was made with other costs than those in use and should be made again at the next sign-in. */
  needsRehash(encoded: string): boolean;
}

export interface PasswordHasherOptions {
  /** Hashes at once. */
  readonly parallelMax: number;
  /** Callers waiting beyond those; more are refused with `Problem('too-many-requests', 'passwords-busy')`. */
  readonly waitingMax: number;
  /** Memory of one hash in KiB; default 19,456. Less is for tests that sign in a thousand times. */
  readonly memoryKiB?: number;
}

/** The library's `Algorithm.Argon2id`, whose const enum cannot be imported by code whose types are only erased. */
const ARGON2ID = 2;
const COSTS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;

/**
 * All processors but one, and two at least: on two, what a sign-in does beside its hash goes on meanwhile, and whoever is signed in
 * waits some milliseconds (bench/RESULTS.md).
 */
const HASHES_AT_ONCE = Math.max(2, Math.min(8, availableParallelism() - 1));

export function createPasswordHasher(
  options: PasswordHasherOptions = { parallelMax: HASHES_AT_ONCE, waitingMax: 32 },
): PasswordHasher {
  const { run, assertRoom } = createBoundedQueue(options);
  const costs = { ...COSTS, memoryCost: options.memoryKiB ?? COSTS.memoryCost };
  const prefix = `$argon2id$v=19$m=${costs.memoryCost},t=${costs.timeCost},p=${costs.parallelism}$`;
  /** A hash of these costs that no password has: its 32 bytes are all zero. */
  const nobody = `${prefix}${'A'.repeat(22)}$${'A'.repeat(43)}`;
  return {
    assertRoom,
    hash: (password) => run(() => hash(normalised(password), costs)),
    verify: async (encoded, password) => {
      const right = await run(() => verify(encoded ?? nobody, normalised(password)));
      return right && encoded !== undefined;
    },
    needsRehash: (encoded) => !encoded.startsWith(prefix),
  };
}

/** NIST SP 800-63B §3.1.1.2: the same password typed on two keyboards must give the same bytes. */
function normalised(password: string): string {
  return password.normalize('NFKC');
}

function createBoundedQueue({ parallelMax, waitingMax }: PasswordHasherOptions) {
  const waiting: (() => void)[] = [];
  let running = 0;
  const assertRoom = (): void => {
    if (running < parallelMax || waiting.length < waitingMax) return;
    throw new Problem('too-many-requests', 'passwords-busy', 'Too many sign-ins at once. Try again in a moment.', {
      retryAfterSeconds: 2,
    });
  };
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    assertRoom();
    // The one that finishes hands its place on, so `running` stays as it is.
    if (running >= parallelMax) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
  return { run, assertRoom };
}

/** Argon2id costs of a root key made from a passphrase: paid once per start, so far above those of a sign-in. */
export const PASSPHRASE_COSTS = { memoryKiB: 262_144, passes: 4 } as const;

export interface PassphraseDerivation {
  readonly salt: Uint8Array;
  readonly memoryKiB: number;
  readonly passes: number;
}

/** The root key of a passphrase given at start. */
export async function keyFromPassphrase(passphrase: string, how: PassphraseDerivation): Promise<SecretKey> {
  const bytes = await hashRaw(normalised(passphrase), {
    algorithm: ARGON2ID,
    memoryCost: how.memoryKiB,
    timeCost: how.passes,
    parallelism: 1,
    outputLen: KEY_BYTES,
    salt: how.salt,
  });
  const key = secretKey(bytes);
  bytes.fill(0);
  return key;
}
