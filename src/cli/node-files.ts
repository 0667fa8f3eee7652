import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Problem } from '../kernel/problem.ts';
import { makeDirectory } from '../platform/home/index.ts';

/** Text of a file somebody named. */
export function readInput(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Problem('invalid', 'file-unreadable', `The file ${file} cannot be read. Nothing was changed.`, { cause });
  }
}

/**
 * Before anything is issued: a certificate that cannot be handed over would stay registered for nobody. A node's own key may
 * lie there already: beside its request is where its certificate belongs.
 */
export function prepareDirectory(path: string, files: readonly string[]): string {
  const directory = resolve(path);
  const taken = files.filter((name) => existsSync(join(directory, name)));
  if (taken.length > 0)
    throw new Problem(
      'conflict',
      'files-exist',
      `${directory} holds ${taken.join(', ')} already. Nothing was changed; choose another directory.`,
    );
  try {
    makeDirectory(directory, 0o700);
    const probe = join(directory, `.careseal-${process.pid}`);
    writeFileSync(probe, '', { flag: 'wx' });
    rmSync(probe);
  } catch (cause) {
    throw new Problem('invalid', 'out-not-writable', `${directory} cannot be written. Nothing was changed.`, { cause });
  }
  return directory;
}

/** Never over an existing file; a key is nobody else's to read from its first byte on. */
export function writeNew(directory: string, name: string, content: string | Uint8Array): string {
  const file = join(directory, name);
  const mode = /\.(?:key|p12)$/.test(name) ? 0o600 : 0o644;
  writeFileSync(file, content, { flag: 'wx', mode });
  chmodSync(file, mode);
  return file;
}

export function invalid(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): Problem {
  const text = issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
  return new Problem('invalid', 'usage', `Nothing was changed. ${text.replace(/\.?$/, '.')}`);
}
