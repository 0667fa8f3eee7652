import { describeConfig } from '../platform/config/index.ts';
import type { Command } from './command.ts';

export const config: Command = {
  name: 'config',
  summary: 'Show the effective settings, where each comes from, and never a secret',
  positional: [],
  options: {},
  json: true,
  help: `Settings are read from careseal.json in the home directory; CARESEAL_* variables outrank it.`,
  async run({ config: effective, out }) {
    const lines = describeConfig(effective);
    out.json(Object.fromEntries(lines.map(({ name, value, from, variable }) => [name, { value, from, variable }])));
    const shown = lines.map((line) => ({ ...line, text: shownValue(line.value) }));
    const widths = [
      Math.max(...shown.map((line) => line.variable.length)),
      Math.min(44, Math.max(...shown.map((line) => line.text.length))),
    ] as const;
    for (const { variable, text, from, description } of shown) {
      out.line(`${variable.padEnd(widths[0])}  ${text.padEnd(widths[1])}  ${from.padEnd(13)}  ${description}`);
    }
  },
};

function shownValue(value: unknown): string {
  if (value === null) return '-';
  return Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value);
}
