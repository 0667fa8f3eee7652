// Builds the web application when its inputs have changed since the last build. Plain JavaScript for Node 20 or later.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const INPUTS = [
  'src/web',
  'src/kernel',
  'src/crypto',
  'src/features',
  'src/verifier',
  'scripts/build-verifier.ts',
  'vite.config.ts',
  'tsconfig.web.json',
  'tsconfig.base.json',
  'package-lock.json',
];
/** Of the features the web sees their wire formats and models only. */
const FEATURE_FILE = /(^|[\\/])(wire[-a-z]*|model|map-document|access)\.ts$/;

export async function ensureWebBuilt(root, node) {
  if (!existsSync(join(root, 'vite.config.ts'))) return;
  const stamp = join(root, 'dist', 'web.inputs');
  const inputs = hashInputs(root);
  const built = existsSync(stamp) && existsSync(join(root, 'dist', 'web', 'index.html'));
  if (built && readFileSync(stamp, 'utf8') === inputs) return;
  process.stderr.write('Building the web pages …\n');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const { status } = spawnSync(node, [vite, 'build', '--logLevel', 'warn'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('The web pages could not be built; the message stands above. Nothing was started.');
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, inputs);
}

function hashInputs(root) {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
    for (const path of files(join(root, input))) {
      if (input === 'src/features' && !FEATURE_FILE.test(path)) continue;
      if (path.includes('.test.')) continue;
      hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0');
    }
  }
  return hash.digest('hex');
}

function files(path) {
  if (!existsSync(path)) return [];
  const entries = (() => {
    try {
      return readdirSync(path, { withFileTypes: true });
    } catch {
      return undefined; // a file
    }
  })();
  if (entries === undefined) return [path];
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? files(join(path, entry.name)) : [join(path, entry.name)]));
}
