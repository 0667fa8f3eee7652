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
    | 'alert-place-bound' = 'rows-bound',
): BoundMark {
  const path = join(homePaths(home).keys, name);
  return {
    isSet: async () => existsSync(path),
    set: () =>
      writeFile(path, 'Rows of the database are bound to the keys of this home. Keep this file.\n', { mode: 0o600 }),
  };
}
