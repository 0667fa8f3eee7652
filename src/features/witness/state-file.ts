import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ed25519PrivateKey, type Ed25519PrivateKey, newEd25519Seed } from '../../crypto/index.ts';
import { fromBase64, toBase64 } from '../../kernel/bytes.ts';
import { Problem } from '../../kernel/problem.ts';
import { makeDirectory } from '../../platform/home/index.ts';
import type { SeenHead } from './rules.ts';

/** What a witness keeps, in a directory of its own: its key, and the newest head of each log. */
export interface WitnessState {
  readonly key: Ed25519PrivateKey;
  /** Undefined for a log that was never seen. */
  seen(origin: string): SeenHead | undefined;
  /** On the disk before it resolves; then, and only then, may the head be signed. */
  remember(origin: string, head: SeenHead): Promise<void>;
}

const Heads = z.record(z.string(), z.object({ size: z.int().min(0), root: z.string() }));
const KEY_FILE = 'witness.key';
const HEADS_FILE = 'heads.json';

/** Opens the directory, or makes it with a new key. */
export async function openWitnessState(directory: string): Promise<WitnessState> {
  makeDirectory(directory, 0o700);
  const path = join(directory, HEADS_FILE);
  const key = await readKey(join(directory, KEY_FILE), path);
  const heads = new Map(Object.entries(await readHeads(path)));
  return {
    key,
    seen(origin) {
      const head = heads.get(origin);
      return head === undefined ? undefined : { size: head.size, root: fromBase64(head.root) ?? new Uint8Array() };
    },
    async remember(origin, { size, root }) {
      const next = new Map(heads).set(origin, { size, root: toBase64(root) });
      await replace(path, `${JSON.stringify(Object.fromEntries(next), null, 2)}\n`);
      heads.set(origin, { size, root: toBase64(root) });
    },
  };
}

/** The heads' file is there before the key is: a key without it once signed something that nobody remembers. */
async function readKey(path: string, headsPath: string): Promise<Ed25519PrivateKey> {
  const text = await readIfThere(path);
  if (text !== undefined) {
    const seed = fromBase64(text.trim());
    if (seed?.length === 32) return ed25519PrivateKey(seed);
    throw damaged(path);
  }
  if ((await readIfThere(headsPath)) === undefined) await replace(headsPath, '{}\n');
  const seed = newEd25519Seed();
  await replace(path, `${toBase64(seed)}\n`);
  return ed25519PrivateKey(seed);
}

async function readHeads(path: string): Promise<z.output<typeof Heads>> {
  const text = await readIfThere(path);
  if (text === undefined) throw damaged(path);
  try {
    return Heads.parse(JSON.parse(text));
  } catch {
    // A witness that forgot what it saw would sign a fork.
    throw damaged(path);
  }
}

function damaged(path: string): Problem {
  return new Problem(
    'internal',
    'witness-state-damaged',
    `${path} cannot be read. Nothing was signed. Put back a copy of it, or begin with a new directory and a new key.`,
  );
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all, and on the disk: a file beside it, flushed, takes its place. */
async function replace(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
