#!/usr/bin/env node
// The way in for people: `npm start`, `npm test`, `npm run careseal -- …`. Plain JavaScript for Node 20 or later; it makes sure
// that everything is installed and built, then runs the program on the Node of package.json and passes signals on.
//   node scripts/careseal.mjs COMMAND …       the command line
//   node scripts/careseal.mjs --run FILE …    another program of this repository (checks, tests)
//   node scripts/careseal.mjs --web --run …   the same with the web pages built
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { ensureWebBuilt } from './build-web.mjs';

/** Half of what V8 takes by itself for what was just made: some 60 MB less, for more and smaller collections. The bench does the same. */
const MEMORY = ['--max-semi-space-size=8'];
/** A load makes much that is soon over. */
const MEMORY_OF_LOADS = ['--max-semi-space-size=32'];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
let words = process.argv.slice(2);
const needsWeb = words[0] === '--web' || (words[0] === 'start' && !words.includes('--help'));
if (words[0] === '--web') words = words.slice(1);

try {
  await ensureInstalled(root);
  const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (needsWeb) await ensureWebBuilt(root, node);
  const [program, ...args] = words[0] === '--run' ? words.slice(1) : ['src/cli/main.ts', ...words];
  await run(node, [...(words[0] === 'load' ? MEMORY_OF_LOADS : MEMORY), join(root, program ?? ''), ...args]);
} catch (error) {
  process.stderr.write(`careseal: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function run(node, args) {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`;
  // The fourth channel tells the program when this one is killed, so that nothing is left running.
  const child = spawn(node, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: path },
  });
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

/** npm that is killed outright cannot pass the signal on. It starts us through a shell, so it is our grandparent. */
function stopWithParent(child) {
  const before = lineage();
  const watch = setInterval(() => {
    if (lineage() === before) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 250);
  watch.unref();
}

/** Parent and, where /proc tells, grandparent. */
function lineage() {
  try {
    const stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
    return `${process.ppid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]}`;
  } catch {
    return `${process.ppid}`;
  }
}
