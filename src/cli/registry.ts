import type { Command } from './command.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command. Its file is loaded when it is called for, so that one command does not pay for the others. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  start: { summary: 'Start the server', load: async () => (await import('./start.ts')).start },
  config: { summary: 'Show the effective settings', load: async () => (await import('./config.ts')).config },
};

/** Finds `node add` before `node`: the longest name that the words begin with. */
export function findCommand(words: readonly string[]): { readonly name: string; readonly rest: string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    if (Object.hasOwn(COMMANDS, name)) return { name, rest: words.slice(length) };
  }
  return undefined;
}
