/** First half of `npm run check`: everything that can be said about the code without running it. The tests follow. */
import { spawn } from 'node:child_process';

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

const PROJECTS = ['pure', 'server', 'cli', 'web', 'test'] as const;

const STEPS: readonly Step[] = [
  { name: 'format', command: ['biome', 'format'] },
  ...PROJECTS.map((project) => ({ name: `types:${project}`, command: ['tsc', '-p', `tsconfig.${project}.json`] })),
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  {
    name: 'walls',
    command: [
      'depcruise',
      '--config',
      '.dependency-cruiser.mjs',
      '--output-type',
      'err',
      'src',
      'scripts',
      'bench',
      'test',
    ],
  },
  { name: 'unused', command: ['knip'] },
];

async function run({ name, command }: Step): Promise<boolean> {
  const startedAt = performance.now();
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  );
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (code !== 0) console.log(output.trim());
  return code === 0;
}

const wanted = process.argv.slice(2);
const failed: string[] = [];
for (const step of STEPS) {
  if (wanted.length > 0 && !wanted.some((name) => step.name.startsWith(name))) continue;
  if (!(await run(step))) failed.push(step.name);
}
console.log(failed.length === 0 ? 'Everything is in order.' : `Not in order: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
