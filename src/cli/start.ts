import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';

export const start: Command = {
  name: 'start',
  summary: 'Start the server: its database, its doors and its background work',
  positional: [],
  options: {
    workers: {
      kind: 'value',
      valueName: 'N',
      description: 'Processes that serve the doors (default: setting workers, 1)',
    },
    dev: { kind: 'flag', description: 'Mark every page as a trial installation; never for real data' },
  },
  json: false,
  help: `Runs until it gets SIGTERM or Ctrl-C; then it finishes open requests and stops its database.
\`careseal config\` shows the settings: ports, host names, certificates, database.`,
  async run({ config, value, flag, out, signal }) {
    const { startServer, withStartOptions } = await import('../main/index.ts');
    const chosen = withStartOptions(config, { workers: workersOption(value('workers')), development: flag('dev') });
    const server = await startServer(chosen, { print: (line) => out.line(line) });
    await server.runUntil(signal);
  },
};

function workersOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const workers = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (workers < 1 || workers > 64) throw new Problem('invalid', 'usage', '--workers takes a number from 1 to 64.');
  return workers;
}
