import { type PolicySetting, policySettings, policyWarnings } from '../features/identity/index.ts';
import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';

export const policyGet: Command = {
  name: 'policy get',
  summary: 'Show how people sign in: second factor, sessions, passwords, links',
  positional: ['NAME?'],
  options: {},
  json: true,
  help: 'Each setting with its value, its safe range and what it does. `careseal policy set` changes one.',
  async run({ optionalArgument, out, withServices }) {
    const { settings, warnings, requirements, networks } = await withServices(async ({ identity }) => {
      await identity.policy.refresh();
      return {
        settings: policySettings(identity.policy.settings),
        warnings: policyWarnings(identity.policy.settings, identity.policy.isChanged()),
        requirements: identity.policy.requirements(),
        networks: identity.policy.networks(),
      };
    });
    const name = optionalArgument(0);
    const shown = name === undefined ? settings : settings.filter((setting) => setting.name === name);
    if (shown.length === 0) throw unknownSetting();
    out.json(name === undefined ? { settings, warnings, requirements, networks } : { settings: shown });
    for (const setting of shown) out.line(lineOf(setting));
    for (const warning of name === undefined ? warnings : []) out.line(`WARNING: ${warning}`);
  },
};

export const policySet: Command = {
  name: 'policy set',
  summary: 'Change a setting of how people sign in, while serving; recorded with old and new value',
  positional: ['NAME', 'VALUE'],
  options: {},
  json: true,
  help: `Takes effect everywhere within a second. Values outside the safe range are refused. Lists are written with commas.
Example: careseal policy set sessionIdleMinutes 10`,
  async run({ argument, out, withServices }) {
    const name = argument(0);
    const setting = await withServices(async ({ identity, actor }) => {
      await identity.policy.refresh();
      const before = policySettings(identity.policy.settings).find((one) => one.name === name);
      if (before === undefined) throw unknownSetting();
      await identity.policy.set(actor, { [name]: valueOf(before, argument(1)) });
      return policySettings(identity.policy.settings).find((one) => one.name === name);
    });
    out.json({ setting });
    if (setting !== undefined) out.line(`Changed. ${lineOf(setting)}`);
  },
};

function valueOf({ kind }: PolicySetting, text: string): unknown {
  if (kind === 'number') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (kind === 'switch') return { on: true, true: true, off: false, false: false }[text] ?? text;
  if (kind !== 'words') return text;
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function lineOf({ name, value, unit, min, max, choices, title }: PolicySetting): string {
  const shown = Array.isArray(value)
    ? `${value.length} words`
    : `${String(value)}${unit === undefined ? '' : ` ${unit}`}`;
  const range = choices?.join(', ') ?? (min === undefined ? '' : `${min} to ${max ?? 'any'}`);
  return `${name} = ${shown}${range === '' ? '' : ` (${range})`}: ${title}`;
}

function unknownSetting(): Problem {
  return new Problem(
    'invalid',
    'usage',
    'There is no such setting. `careseal policy get` lists them; nothing was changed.',
  );
}
