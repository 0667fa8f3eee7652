import { statSync } from 'node:fs';
import { Problem } from '../../kernel/problem.ts';

const OTHERS_WRITE = 0o002;

/**
 * Refuses a directory or file in which another user of this machine could put keys or settings of their own: one that everybody may
 * write to, or that belongs to somebody else. Root's are nobody else's; a group's are left to whoever made the group (volumes of
 * containers have one). What is not there is nobody's. Throws Problem('invalid', 'configuration').
 */
export function assertNotOthers(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  const uid = process.getuid?.();
  if (found === undefined || uid === undefined) return;
  if ((found.mode & OTHERS_WRITE) !== 0)
    throw notOurs(
      `${path} can be written by every user of this machine. Take that away (chmod o-w) and look at what is in it`,
    );
  if (uid !== 0 && found.uid !== uid && found.uid !== 0)
    throw notOurs(`${path} belongs to another user of this machine (${found.uid}). Start Careseal as that user`);
}

function notOurs(text: string): Problem {
  return new Problem(
    'invalid',
    'configuration',
    `${text}: settings and keys in it could be somebody else’s. Nothing was read.`,
  );
}
