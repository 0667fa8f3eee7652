import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and those above it that are missing, with `mode`; one that is there stays as it is. Throws the error of the
 * system where that cannot be done. Node's own `recursive` never comes back where a file system answers "no such file" to
 * everything that is made in it (/proc): it goes on trying to make the directory above, which is there.
 */
export function makeDirectory(path: string, mode: number): void {
  const missing: string[] = [];
  let existing = resolve(path);
  while (!isDirectory(existing) && dirname(existing) !== existing) {
    missing.push(existing);
    existing = dirname(existing);
  }
  for (const directory of missing.toReversed()) makeOne(directory, mode);
}

/** Two processes may make the same one at the same moment: whoever comes second finds it there. */
function makeOne(directory: string, mode: number): void {
  try {
    mkdirSync(directory, { mode });
  } catch (error) {
    if (!isDirectory(directory)) throw error;
  }
}

/** Also false for what may not be looked at; making it then fails and says so. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
