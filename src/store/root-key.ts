import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import {
  exportSecretKey,
  keyFromPassphrase,
  newSecretKey,
  PASSPHRASE_COSTS,
  randomBytes,
  type SecretKey,
  secretKey,
} from '../crypto/index.ts';
import { fromBase64Url, toBase64Url } from '../kernel/bytes.ts';
import { Problem } from '../kernel/problem.ts';
import { parseStrictJson } from '../kernel/strict-json.ts';

/**
 * Where the root key comes from: never from the database. Replacing it takes three steps, since the key and the rows it wraps
 * lie in different places: the next key is made durable beside the old one (`prepare`), the rows are re-wrapped, the old key
 * goes (`settle`). Between the steps both are there, and the rows tell which one is right. Except for `read`, everything is
 * called under the lock of the key table, or two processes could settle differently.
 */
export interface RootKeySource {
  /** For messages: "the file …/root.key". */
  readonly where: string;
  /** The keys that may be the right one, none before the first start. */
  read(): Promise<readonly SecretKey[]>;
  /** Makes the first root key, durably. Refuses when there is one. */
  create(): Promise<SecretKey>;
  /** Makes a next key, durably, beside the present one. Refuses when there is one already. */
  prepare(): Promise<SecretKey>;
  /** Keeps only this one of the keys read. */
  settle(key: SecretKey): Promise<void>;
}

/** A key in text, and the text of a key. */
interface Encoding {
  parse(text: string): Promise<SecretKey>;
  make(): Promise<{ readonly key: SecretKey; readonly text: string }>;
}

/** `CARESEAL_HOME/keys/root.key`: `careseal-root-key-1 ` and 43 letters of base64url, mode 0600. */
export function rootKeyFile(path: string): RootKeySource {
  return fileSource(path, {
    parse: async (text) => {
      const bytes = fromBase64Url(/^careseal-root-key-1 ([A-Za-z0-9_-]{43})\n?$/.exec(text)?.[1] ?? '');
      if (bytes?.length !== 32) throw unusable(path, 'is not a root key file');
      return secretKey(bytes);
    },
    make: async () => {
      const key = newSecretKey();
      return { key, text: `careseal-root-key-1 ${toBase64Url(exportSecretKey(key))}\n` };
    },
  });
}

const derivation = z.strictObject({
  format: z.literal('careseal-passphrase-1'),
  salt: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  // Bounds: weak costs would be a downgrade by whoever can write the file, huge ones would stop the start.
  memoryKiB: z.int().min(65_536).max(4_194_304),
  passes: z.int().min(1).max(64),
});

/**
 * A passphrase given at start; `path` keeps salt and costs, which are no secret. `next` is the passphrase after a rotation,
 * the same one when left out (the salt changes, and the key with it).
 */
export function rootKeyFromPassphrase(path: string, passphrase: { now: string; next?: string }): RootKeySource {
  const written = new Map<string, SecretKey>();
  return fileSource(path, {
    parse: async (text) => {
      const known = written.get(text);
      if (known !== undefined) return known;
      const how = derivation.safeParse(parseStrictJson(text));
      const salt = fromBase64Url(how.data?.salt ?? '');
      if (how.data === undefined || salt === undefined) throw unusable(path, 'does not say how the key is derived');
      const key = await keyFromPassphrase(passphrase.now, { ...how.data, salt });
      written.set(text, key);
      return key;
    },
    make: async () => {
      const salt = randomBytes(32);
      const how = { format: 'careseal-passphrase-1', salt: toBase64Url(salt), ...PASSPHRASE_COSTS };
      const text = `${JSON.stringify(how)}\n`;
      const key = await keyFromPassphrase(passphrase.next ?? passphrase.now, { ...PASSPHRASE_COSTS, salt });
      written.set(text, key);
      return { key, text };
    },
  });
}

function fileSource(path: string, encoding: Encoding): RootKeySource {
  const next = `${path}.next`;
  const readOne = async (file: string): Promise<{ readonly file: string; readonly key: SecretKey }[]> => {
    const text = await readPrivateFile(file);
    return text === undefined ? [] : [{ file, key: await encoding.parse(text) }];
  };
  const readBoth = async () => [...(await readOne(path)), ...(await readOne(next))];
  const make = async (file: string): Promise<SecretKey> => {
    const { key, text } = await encoding.make();
    await writePrivateFile(file, text);
    return key;
  };
  return {
    where: path,
    read: async () => (await readBoth()).map(({ key }) => key),
    create: () => make(path),
    prepare: () => make(next),
    async settle(key) {
      const right = (await readBoth()).find((candidate) => candidate.key.equals(key));
      if (right?.file === next) await rename(next, path);
      else if (right !== undefined) await unlink(next).catch(ignoreMissing);
      await syncDirectory(path);
    },
  };
}

/** The file's text, or undefined when there is none. Refuses a file that others may read. */
async function readPrivateFile(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(ignoreMissing);
  if (found === undefined) return undefined;
  if ((found.mode & 0o077) !== 0) throw unusable(path, 'may be read by other users of this machine (chmod 600)');
  return await readFile(path, 'utf8');
}

/** Creates a file with mode 0600, on the disk when this returns. Never overwrites: an overwritten root key is lost data. */
async function writePrivateFile(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(path);
}

/** A new name is durable only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function unusable(path: string, what: string): Problem<'root-key-unusable'> {
  return new Problem('internal', 'root-key-unusable', `${path} ${what}. Nothing was changed.`);
}
