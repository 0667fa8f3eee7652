import { existsSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Problem } from '../kernel/problem.ts';
import { type Config, loadConfig } from '../platform/config/index.ts';
import { helpText, type ParsedArguments, parseArguments } from './arguments.ts';
import type { Command, Invocation, Output } from './command.ts';
import { COMMANDS, findCommand } from './registry.ts';
import { reportFailure } from './report.ts';

/** 0 done, 1 refused or failed, 2 called in a wrong way, 3 the home is in use. */
const EXIT = { failed: 1, usage: 2, inUse: 3 } as const;

async function main(words: readonly string[]): Promise<number> {
  // Whatever the starter allows: nobody else writes into what is made here.
  process.umask(process.umask() | 0o022);
  const found = findCommand(words);
  if (found === undefined) return overview(words);
  const command = await COMMANDS[found.name]?.load();
  if (command === undefined) return overview(words);
  const wantsJson = command.json && words.includes('--json');
  try {
    const parsed = parseArguments(command, found.rest);
    if (parsed.help) {
      process.stdout.write(`${helpText(command)}\n`);
      return 0;
    }
    return (await command.run(invocation(command, parsed, loadConfig()))) ?? 0;
  } catch (error) {
    reportFailure(error, wantsJson);
    if (!(error instanceof Problem)) return EXIT.failed;
    return error.code === 'usage' ? EXIT.usage : error.code === 'home-in-use' ? EXIT.inUse : EXIT.failed;
  }
}

function invocation(command: Command, parsed: ParsedArguments, config: Config): Invocation {
  const signal = untilInterrupted();
  const missing = (what: string): never => {
    throw new Error(`${command.name} asked for ${what}, which it does not declare as required`);
  };
  return {
    config,
    signal,
    argument: (index) => parsed.positional[index] ?? missing(`argument ${index}`),
    optionalArgument: (index) => parsed.positional[index],
    value: (name) => parsed.values.get(name),
    required: (name) => parsed.values.get(name) ?? missing(`--${name}`),
    flag: (name) => parsed.flags.has(name),
    out: output(parsed.json),
    async withServices(work) {
      tellOfNewHome(config);
      const { withServices } = await import('../main/index.ts');
      return await withServices(config, { command: `careseal ${command.name}`, signal }, work);
    },
  };
}

/** A home is made where there is none. Whoever only stands in another folder than usual should see that. */
function tellOfNewHome({ home }: Config): void {
  if (existsSync(home)) return;
  process.stderr.write(
    `There is no Careseal in ${home} yet: a new, empty one is made. CARESEAL_HOME says where another lies.\n`,
  );
}

function output(isJson: boolean): Output {
  const terminal = isatty(2);
  return {
    isJson,
    line: (text) => void (isJson || process.stdout.write(`${text}\n`)),
    progress: (text) => void (terminal && process.stderr.write(`\r${text}\u001b[K`)),
    json: (value) => void (isJson && process.stdout.write(`${JSON.stringify(value)}\n`)),
  };
}

/** A signal asks to end in order. Somebody who presses Ctrl-C again does not want to wait. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  const ECHO_MS = 1_000; // npm and our own launcher pass a terminal's Ctrl-C on, so one arrives several times
  let firstAt: number | undefined;
  process.on('SIGINT', () => {
    if (firstAt !== undefined && Date.now() - firstAt > ECHO_MS) process.exit(EXIT.failed);
    firstAt ??= Date.now();
    controller.abort();
  });
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, () => controller.abort());
  // Started by scripts/careseal.mjs, which holds this channel open: when it is killed, so are we.
  process.on('disconnect', () => controller.abort());
  process.channel?.unref();
  return controller.signal;
}

/** All commands, or those that begin with the first word: `careseal node`, `careseal node --help`, `careseal node lits`. */
function overview(words: readonly string[]): number {
  const [first = '--help', ...rest] = words;
  const named = Object.entries(COMMANDS).filter(([name]) => name.startsWith(`${first} `));
  const listed = named.length > 0 ? named : Object.entries(COMMANDS);
  const asked = ['--help', '-h', 'help'].includes((named.length > 0 ? rest[0] : first) ?? '--help');
  const width = Math.max(...listed.map(([name]) => name.length));
  const text = [
    `Usage: careseal ${named.length > 0 ? first : 'COMMAND'}${named.length > 0 ? ' …' : ' [OPTIONS]'}`,
    '',
    ...listed.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    '`careseal COMMAND --help` tells about one.',
  ].join('\n');
  if (asked) process.stdout.write(`${text}\n`);
  else process.stderr.write(`${text}\n\nThere is no command "${words.slice(0, 2).join(' ')}".\n`);
  return asked ? 0 : EXIT.usage;
}

process.exitCode = await main(process.argv.slice(2));
