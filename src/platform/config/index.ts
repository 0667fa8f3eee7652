/** The only door to process.env. Everything that can be set is in settings.ts, once. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Problem } from '../../kernel/problem.ts';
import { assertNotOthers } from '../home/index.ts';
import { type Config, readConfig } from './config.ts';
import { SETTINGS, type Setting, type SettingName, variableName } from './settings.ts';

export type { Config } from './config.ts';

const DEFAULT_HOME = 'careseal-data';

/**
 * Reads the effective settings of this process: defaults, then `careseal.json` in CARESEAL_HOME (default ./careseal-data), then
 * CARESEAL_* variables. Throws Problem('invalid', 'configuration') that lists everything wrong at once, or that others could have written it.
 */
export function loadConfig(): Config {
  const workingDirectory = process.cwd();
  const chosen = process.env['CARESEAL_HOME'];
  const home = resolve(workingDirectory, chosen === undefined || chosen === '' ? DEFAULT_HOME : chosen);
  const settings = join(home, 'careseal.json');
  for (const path of [home, settings]) assertNotOthers(path);
  return readConfig({
    home,
    homeSource: chosen === undefined || chosen === '' ? 'default' : 'environment',
    workingDirectory,
    document: readDocument(settings),
    variables: process.env,
  });
}

function readDocument(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new Problem('invalid', 'configuration', `${path} cannot be read.`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Problem('invalid', 'configuration', `${path} is not valid JSON.`, { cause });
  }
}

export interface ConfigLine {
  readonly name: string;
  readonly variable: string;
  /** As it may be shown: passwords hidden. */
  readonly value: unknown;
  readonly from: string;
  readonly description: string;
}

/** The effective settings for printing, with where each comes from; never a secret. */
export function describeConfig(config: Config): ConfigLine[] {
  const home: ConfigLine = {
    name: 'home',
    variable: 'CARESEAL_HOME',
    value: config.home,
    from: config.sources.home,
    description: 'Directory that holds settings, keys, certificates and the embedded database',
  };
  const names = Object.keys(SETTINGS) as SettingName[];
  return [home, ...names.map((name) => line(config, name))];
}

function line(config: Config, name: SettingName): ConfigLine {
  const setting = SETTINGS[name] as Setting<unknown>;
  const value = config[name];
  return {
    name,
    variable: variableName(name),
    value: value === undefined ? null : (setting.redact?.(value) ?? value),
    from: config.sources[name],
    description: setting.description,
  };
}

/** What a program asks of its terminal and its starter; none of it is a setting of Careseal. */
export interface Surroundings {
  /** True when npm started us: when npm is killed, so are we. */
  readonly startedByNpm: boolean;
  readonly noColour: boolean;
  /** Credentials that systemd passes in (LoadCredential=). */
  readonly credentialsDirectory: string | undefined;
}

export function surroundings(): Surroundings {
  const { env } = process;
  return {
    startedByNpm: env['npm_lifecycle_event'] !== undefined,
    noColour: (env['NO_COLOR'] ?? '') !== '',
    credentialsDirectory: env['CREDENTIALS_DIRECTORY'],
  };
}
