// Installs what package-lock.json asks for, when it is not there yet. Plain JavaScript for Node 20 or later.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export async function ensureInstalled(root) {
  if (isInstalled(root)) return;
  process.stderr.write('Installing the libraries Careseal is built from (once, about a minute) …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--loglevel=error', '--no-audit', '--no-fund'], {
    cwd: root,
    // Standard output stays clean for commands that answer in JSON.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('`npm ci` failed; its message stands above. Nothing was started.');
  if (!existsSync(nodeProgram(root)))
    throw new Error('npm did not install its "node" package; are install scripts switched off?');
}

function nodeProgram(root) {
  return join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** npm keeps a lockfile of what it installed; it must agree with ours wherever a package is not optional. */
function isInstalled(root) {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden) || !existsSync(nodeProgram(root))) return false;
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, optional, peer, devOptional }]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return optional === true || devOptional === true || peer === true;
    return found.version === version;
  });
}
