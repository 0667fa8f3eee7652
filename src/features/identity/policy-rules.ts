import { type IdentitySettings, SECOND_FACTOR_LEVELS, type SecondFactorLevel } from './model.ts';

/** What applies to one person, from every level at which a second factor can be asked for. */
export interface RequirementFacts {
  readonly server: SecondFactorLevel;
  /** Of the person's organisations and roles, and of the person; in any order. */
  readonly others: readonly SecondFactorLevel[];
  /** A living exception of this person. */
  readonly excepted: boolean;
}

/** The strictest wins; an exception makes `required` optional and nothing else. */
export function requirementOf({ server, others, excepted }: RequirementFacts): SecondFactorLevel {
  const strictest = SECOND_FACTOR_LEVELS[Math.max(...[server, ...others].map((each) => rank(each)))] ?? 'required';
  return excepted && strictest === 'required' ? 'optional' : strictest;
}

const rank = (level: SecondFactorLevel): number => SECOND_FACTOR_LEVELS.indexOf(level);

/** Whether somebody with or without a factor is asked for it at sign-in. Off means: also not of who has one. */
export function isFactorAsked(level: SecondFactorLevel, hasFactor: boolean): boolean {
  return level === 'required' || (level === 'optional' && hasFactor);
}

/** The shortest password this person may choose. */
export function passwordLengthFor(level: SecondFactorLevel, settings: IdentitySettings): number {
  return level === 'required' ? settings.passwordLengthMin : settings.passwordAloneLengthMin;
}

/** Whether the last full proof is recent enough for a dangerous act. A clock set back makes no proof younger than it is. */
export function isProofFresh(authenticatedAtMs: number, nowMs: number, settings: IdentitySettings): boolean {
  const ageMs = nowMs - authenticatedAtMs;
  return ageMs >= -MINUTE && ageMs < settings.stepUpMinutes * MINUTE;
}
const MINUTE = 60_000;

/** Names of the settings whose value differs, with both values as text for the log. */
export function settingChanges(
  before: IdentitySettings,
  after: IdentitySettings,
): readonly { readonly what: keyof IdentitySettings; readonly from: string; readonly to: string }[] {
  // The schema's keys; Object.keys loses their type.
  const names = Object.keys(after) as (keyof IdentitySettings)[];
  return names
    .map((what) => ({ what, from: settingText(before[what]), to: settingText(after[what]) }))
    .filter(({ from, to }) => from !== to);
}

/** Words of a blocklist are counted, not told: they could be somebody's password. */
function settingText(value: IdentitySettings[keyof IdentitySettings]): string {
  return Array.isArray(value)
    ? `${value.length} words (${value.toSorted().join(' ').length} characters)`
    : String(value);
}
