import { statSync } from 'node:fs';
import type { Config } from '../platform/config/index.ts';
import type { Logger } from '../platform/log/index.ts';

const OTHERS_READ = 0o004;
const SECRETS = [
  'databasePasswordFile',
  'databaseOwnerPasswordFile',
  'passphraseFile',
  'mailPasswordFile',
  'openhimPasswordFile',
  'usersKeyFile',
  'nodesKeyFile',
  'atnaKeyFile',
] as const;
type SecretFiles = Pick<Config, (typeof SECRETS)[number]>;

/**
 * Says once, for all of them, which files with secrets every user of this machine can read. Not refused: secrets that are mounted
 * into a container are often so, and nobody else is in there. Files that are missing fail where they are read.
 */
export function warnOfReadableSecrets(config: SecretFiles, log: Pick<Logger, 'warn'>): void {
  const readable = SECRETS.filter((name) => isReadable(config[name]));
  if (readable.length === 0) return;
  log.warn(
    'Every user of this machine can read files with secrets that the settings name; unless nobody else uses it, take that away (chmod o-r)',
    { settings: readable.join(', ') },
  );
}

function isReadable(path: string | undefined): boolean {
  if (path === undefined) return false;
  try {
    return (statSync(path).mode & OTHERS_READ) !== 0;
  } catch {
    // Missing, or behind a directory we may not enter: whoever reads it says so.
    return false;
  }
}
