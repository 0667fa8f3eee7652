import { resolve } from 'node:path';
import { Problem, type ProblemIssue } from '../../kernel/problem.ts';
import { DEFAULTS, SETTINGS, type Setting, type SettingName, type SettingValues, variableName } from './settings.ts';

export type ValueSource = 'default' | 'careseal.json' | 'environment';

export interface Config extends SettingValues {
  /** Absolute path of CARESEAL_HOME. */
  readonly home: string;
  readonly sources: Readonly<Record<SettingName | 'home', ValueSource>>;
}

export interface ConfigInput {
  readonly home: string;
  readonly homeSource: ValueSource;
  readonly workingDirectory: string;
  /** The parsed careseal.json; undefined when there is none. */
  readonly document: unknown;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

const NAMES = Object.keys(SETTINGS) as SettingName[];
/** Variables that are not settings: where the home is. */
const OTHER_VARIABLES = new Set(['CARESEAL_HOME']);

/**
 * Merges defaults, careseal.json and CARESEAL_* variables (the later wins) and checks the result. Refuses unknown keys and
 * wrong values, all of them at once, with Problem('invalid', 'configuration').
 */
export function readConfig(input: ConfigInput): Config {
  const issues: ProblemIssue[] = [];
  const document = documentEntries(input.document, issues);
  for (const name of Object.keys(input.variables)) {
    const known = OTHER_VARIABLES.has(name) || NAMES.some((setting) => variableName(setting) === name);
    if (name.startsWith('CARESEAL_') && !known) issues.push({ detail: `${name} is not a setting${suggest(name)}` });
  }
  const values: Record<string, unknown> = {};
  const sources: Record<string, ValueSource> = { home: input.homeSource };
  for (const name of NAMES) {
    const found = findValue(name, document, input.variables);
    sources[name] = found.source;
    values[name] = checked(name, found, input, issues);
  }
  pairs(values, issues);
  if (issues.length > 0) throw refuse(issues);
  // Each value was parsed by its own schema above.
  return { ...(values as unknown as SettingValues), home: input.home, sources: sources as Config['sources'] };
}

interface Found {
  readonly value: unknown;
  readonly source: ValueSource;
}

function findValue(name: SettingName, document: Map<string, unknown>, variables: ConfigInput['variables']): Found {
  const text = variables[variableName(name)];
  if (text !== undefined) return { value: SETTINGS[name].fromText(text), source: 'environment' };
  if (document.has(name)) return { value: document.get(name), source: 'careseal.json' };
  return { value: DEFAULTS[name], source: 'default' };
}

function checked(name: SettingName, found: Found, input: ConfigInput, issues: ProblemIssue[]): unknown {
  const setting: Setting<unknown> = SETTINGS[name] as Setting<unknown>;
  const parsed = setting.schema.safeParse(found.value);
  if (!parsed.success) {
    const label = found.source === 'environment' ? variableName(name) : `"${name}" in careseal.json`;
    // zod's message names the expectation, never the value, which may be a secret put into the wrong place.
    issues.push({ detail: `${label}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}` });
    return undefined;
  }
  if (setting.isPath !== true || typeof parsed.data !== 'string') return parsed.data;
  return resolve(found.source === 'environment' ? input.workingDirectory : input.home, parsed.data);
}

function documentEntries(document: unknown, issues: ProblemIssue[]): Map<string, unknown> {
  if (document === undefined) return new Map();
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    issues.push({ detail: 'careseal.json must be a JSON object' });
    return new Map();
  }
  const entries = new Map<string, unknown>(Object.entries(document));
  for (const key of entries.keys()) {
    if (!NAMES.some((name) => name === key)) issues.push({ detail: `"${key}" in careseal.json is not a setting` });
  }
  return entries;
}

/** Settings that make sense only together. */
function pairs(values: Record<string, unknown>, issues: ProblemIssue[]): void {
  for (const [first, second] of [
    ['usersCertificateFile', 'usersKeyFile'],
    ['nodesCertificateFile', 'nodesKeyFile'],
    ['atnaCertificateFile', 'atnaKeyFile'],
  ] as const) {
    if ((values[first] === undefined) !== (values[second] === undefined)) {
      issues.push({ detail: `${variableName(first)} and ${variableName(second)} are needed together` });
    }
  }
  for (const [needs, needed] of [
    ['databaseOwnerUrl', 'databaseUrl'],
    ['databasePasswordFile', 'databaseUrl'],
    ['databaseOwnerPasswordFile', 'databaseOwnerUrl'],
    ['mailHost', 'mailFrom'],
    ['mailUser', 'mailHost'],
    ['mailUser', 'mailPasswordFile'],
    ['mailPasswordFile', 'mailUser'],
  ] as const) {
    if (values[needs] !== undefined && values[needed] === undefined) {
      issues.push({ detail: `${variableName(needs)} needs ${variableName(needed)}` });
    }
  }
}

function suggest(variable: string): string {
  const letters = (text: string): string => [...text.replaceAll('_', '')].toSorted().join('');
  const near = NAMES.map(variableName).find((name) => letters(name) === letters(variable) || name.includes(variable));
  return near === undefined ? '; `careseal config` lists them' : `; did you mean ${near}?`;
}

function refuse(issues: readonly ProblemIssue[]): Problem {
  const list = issues.map((issue) => `  - ${issue.detail}`).join('\n');
  return new Problem('invalid', 'configuration', `The settings cannot be used:\n${list}`, { issues });
}
