import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BoundMark } from '../features/identity/index.ts';
import { homePaths } from './place.ts';

/**
 * The file that says that the rows of this home carry bindings. In the home, where whoever writes to the database alone cannot
 * remove it; should it be lost, the bindings of the central organisation tell the same.
 */
export function boundMark(
  home: string,
  name:
    | 'rows-bound'
    | 'targets-bound'
    | 'target-places-bound'
    | 'rules-bound'
    | 'alert-rules-bound'
    | 'later-alert-rules-bound'
    | 'alert-place-bound'
    | 'model-bound'
    | 'alert-recipients-bound' = 'rows-bound',
): BoundMark {
  const path = join(homePaths(home).keys, name);
  return {
    isSet: async () => existsSync(path),
    set: () => writeFile(path, MARKED, { mode: 0o600 }),
  };
}

/** The same, for who has to know it while deciding: asked of the disk only until it is there. */
export function keptMark(
  home: string,
  name: 'domains-bound' | 'goldens-bound',
): { isSet(): boolean; set(): Promise<void> } {
  const path = join(homePaths(home).keys, name);
  let known = false;
  return {
    isSet: () => (known ||= existsSync(path)),
    set: () => writeFile(path, MARKED, { mode: 0o600 }),
  };
}

const MARKED = 'Rows of the database are bound to the keys of this home. Keep this file.\n';
