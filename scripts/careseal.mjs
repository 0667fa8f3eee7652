#!/usr/bin/env node
// The way in for people: `npm start`, `npm test`, `npm run careseal -- …`. Plain JavaScript for Node 20 or later; it makes sure
// that everything is installed and built, then runs the program on the Node of package.json and passes signals on.
//   node scripts/careseal.mjs COMMAND …       the command line
//   node scripts/careseal.mjs --run FILE …    another program of this repository (tests, checks)
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { ensureWebBuilt } from './build-web.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const words = process.argv.slice(2);

try {
  await ensureInstalled(root);
  const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  const needsWeb = words[0] === 'start' || words[0] === '--run';
  if (needsWeb) await ensureWebBuilt(root, node);
  const target = words[0] === '--run' ? words.slice(1) : [join(root, 'src', 'cli', 'main.ts'), ...words];
  await run(node, words[0] === '--run' ? [join(root, target[0] ?? ''), ...target.slice(1)] : target);
} catch (error) {
  process.stderr.write(`careseal: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function run(node, args) {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`;
  // The fourth channel tells the program when this one is killed, so that nothing is left running.
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env: { ...process.env, PATH: path } });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  if (process.env.npm_lifecycle_event !== undefined) stopWithParent(child);
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
      resolve();
    });
  });
  process.exit();
}

/** npm that is killed outright cannot pass the signal on. */
function stopWithParent(child) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, 250).unref();
}
