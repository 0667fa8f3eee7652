import { createWriteStream, lstatSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { newId } from '../crypto/index.ts';
import { Problem } from '../kernel/problem.ts';

/**
 * Writes all or nothing, for the owner's eyes alone: under a new name that nobody could have put there, which then takes the place of
 * what is at `path`. A file that others may read, or a link that leads elsewhere, is not written into. Throws `out-not-a-file` where
 * something other than a file is there.
 */
export async function writePrivate(
  path: string,
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  assertFileOrNothing(path);
  const part = join(dirname(path), `.${basename(path)}.${newId()}`);
  try {
    await pipeline(Readable.from(pieces), createWriteStream(part, { flags: 'wx', mode: 0o600 }));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Also for before the work begins. */
export function assertFileOrNothing(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return;
  throw new Problem('conflict', 'out-not-a-file', `${path} is a link, a folder or a device. Give the name of a file.`);
}
