import { parseArgs } from 'node:util';
import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';

export interface ParsedArguments {
  readonly positional: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
  readonly help: boolean;
  readonly json: boolean;
}

/** Reads a command's words. Unknown options, missing ones and surplus arguments are refused with Problem 'usage'. */
export function parseArguments(command: Command, words: readonly string[]): ParsedArguments {
  const specs = Object.entries(command.options).map(
    ([name, spec]) => [name, { type: spec.kind === 'flag' ? ('boolean' as const) : ('string' as const) }] as const,
  );
  const own = command.json ? [['json', { type: 'boolean' as const }] as const] : [];
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...words],
      options: { ...Object.fromEntries([...specs, ...own]), help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (cause) {
    throw usage(command, cause instanceof Error ? firstSentence(cause.message) : 'The options cannot be read.');
  }
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (const [name, value] of Object.entries(parsed.values)) {
    if (typeof value === 'string') values.set(name, value);
    else if (value === true) flags.add(name);
  }
  const result = { positional: parsed.positionals, values, flags, help: flags.has('help'), json: flags.has('json') };
  if (!result.help) check(command, result);
  return result;
}

function check(command: Command, given: ParsedArguments): void {
  const required = command.positional.filter((name) => !name.endsWith('?'));
  const missing = required[given.positional.length];
  if (missing !== undefined) throw usage(command, `${missing} is missing.`);
  if (given.positional.length > command.positional.length) throw usage(command, 'There are too many arguments.');
  for (const [name, spec] of Object.entries(command.options)) {
    if (spec.required === true && !given.values.has(name)) throw usage(command, `--${name} is missing.`);
  }
}

function firstSentence(message: string): string {
  return message.split('. ')[0]?.replace(/\.?$/, '.') ?? message;
}

function usage(command: Command, detail: string): Problem {
  return new Problem(
    'invalid',
    'usage',
    `${detail}\n${usageLine(command)}\n\`careseal ${command.name} --help\` says more.`,
  );
}

export function usageLine(command: Command): string {
  const positional = command.positional.map((name) => (name.endsWith('?') ? `[${name.slice(0, -1)}]` : name));
  const options = Object.entries(command.options).map(([name, spec]) => {
    const text = spec.kind === 'flag' ? `--${name}` : `--${name} ${spec.valueName ?? 'VALUE'}`;
    return spec.required === true ? text : `[${text}]`;
  });
  const json = command.json ? ['[--json]'] : [];
  return `Usage: careseal ${[command.name, ...positional, ...options, ...json].join(' ')}`;
}

export function helpText(command: Command): string {
  const lines = [command.summary, '', usageLine(command)];
  const options = Object.entries(command.options).map(([name, spec]) => [
    spec.kind === 'flag' ? `--${name}` : `--${name} ${spec.valueName ?? 'VALUE'}`,
    spec.description + (spec.required === true ? ' (required)' : ''),
  ]);
  if (command.json) options.push(['--json', 'Answer with one JSON document']);
  const width = Math.max(0, ...options.map(([name]) => name?.length ?? 0));
  if (options.length > 0) lines.push('', ...options.map(([name, text]) => `  ${name?.padEnd(width)}  ${text}`));
  if (command.help !== undefined) lines.push('', command.help.trim());
  return lines.join('\n');
}
