import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Config, surroundings } from '../platform/config/index.ts';
import { type RootKeySource, rootKeyFile, rootKeyFromPassphrase } from '../store/index.ts';
import { assertNotOthers } from '../platform/home/index.ts';
import { homePaths } from './place.ts';

const FILE_NAME = 'root.key';

/** The settings that say where the root key is. */
export type RootKeyPlace = Pick<Config, 'home' | 'rootKeyFile' | 'passphraseFile'>;

/** What a thread is told, which gets copies of plain values only. */
export function rootKeyPlace({ home, rootKeyFile: file, passphraseFile }: RootKeyPlace): RootKeyPlace {
  return { home, rootKeyFile: file, passphraseFile };
}

/** The root key of this installation: a passphrase where one is set, a file of one's own choosing, else keys/root.key. */
export async function rootKeySource(
  config: RootKeyPlace,
  options: { readonly nextPassphrase?: string } = {},
): Promise<RootKeySource> {
  const { keys } = homePaths(config.home);
  await mkdir(keys, { recursive: true, mode: 0o700 });
  assertNotOthers(keys);
  const passphraseFile = config.passphraseFile ?? systemdCredential('careseal-passphrase');
  if (passphraseFile !== undefined) {
    const now = (await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, '');
    const next = options.nextPassphrase;
    return rootKeyFromPassphrase(join(keys, 'passphrase.json'), next === undefined ? { now } : { now, next });
  }
  const path = config.rootKeyFile ?? join(keys, FILE_NAME);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return rootKeyFile(path);
}

/** `LoadCredential=careseal-passphrase:…` in a systemd unit; only used when systemd passed that one in. */
function systemdCredential(name: string): string | undefined {
  const directory = surroundings().credentialsDirectory;
  if (directory === undefined) return undefined;
  const path = join(directory, name);
  return existsSync(path) ? path : undefined;
}
