import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the program itself lies; the home, which holds an installation's data, is another directory. */
const PROGRAM = join(import.meta.dirname, '..', '..');

export const MIGRATIONS_DIRECTORY = join(PROGRAM, 'migrations');
export const WEB_DIRECTORY = join(PROGRAM, 'dist', 'web');

/** Names inside CARESEAL_HOME. */
export function homePaths(home: string): {
  readonly postgres: string;
  readonly keys: string;
  readonly tls: string;
  readonly work: string;
} {
  return { postgres: join(home, 'pg'), keys: join(home, 'keys'), tls: join(home, 'tls'), work: join(home, 'work') };
}

/** The version of package.json. */
export async function programVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(PROGRAM, 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0';
}
