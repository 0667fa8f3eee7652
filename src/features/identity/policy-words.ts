import { z } from 'zod';
import { DEFAULT_IDENTITY_SETTINGS, IdentitySettings } from './model.ts';
import type { PolicySetting } from './wire-policy.ts';

type Words = Pick<PolicySetting, 'group' | 'title' | 'text'> & { readonly unit?: string };

/** What each setting does, for somebody who runs a programme and not a server. */
const WORDS: Readonly<Record<keyof IdentitySettings, Words>> = {
  secondFactor: {
    group: 'second-factor',
    title: 'Second factor',
    text: 'Required: nobody gets in with a password alone. Optional: who has set up a second factor is asked for it. Off: nobody is asked, so a stolen password opens the account. Organisations, roles and people may have stricter rules; the strictest wins.',
  },
  trustedDevices: {
    group: 'second-factor',
    title: 'Trusted devices',
    text: 'People may tell Careseal not to ask for the second factor again on a device of their own. Switched off, all devices are asked again at the next sign-in.',
  },
  trustedDeviceDays: {
    group: 'second-factor',
    title: 'Trust in a device lasts',
    text: 'Counted from the last time the second factor was really given there. Shorter ends older trust at once.',
    unit: 'days',
  },
  stepUpMinutes: {
    group: 'second-factor',
    title: 'A proof counts as recent for',
    text: 'Dangerous acts (rights, resets, keys, this page) ask for the second factor again when it was last given longer ago.',
    unit: 'minutes',
  },
  sessionIdleMinutes: {
    group: 'sessions',
    title: 'Signed out when nobody moves for',
    text: 'A warning comes two minutes before, or at half of a time below four minutes; drafts are kept, secrets never.',
    unit: 'minutes',
  },
  sessionAbsoluteHours: {
    group: 'sessions',
    title: 'Signed out in any case after',
    text: 'However busy somebody is; about one working day.',
    unit: 'hours',
  },
  sessionsPerUserMax: {
    group: 'sessions',
    title: 'Sessions of one person at once',
    text: 'The one not used for longest ends when there are more.',
    unit: 'sessions',
  },
  passwordLengthMin: {
    group: 'passwords',
    title: 'Shortest password, with a second factor',
    text: 'Holds for passwords chosen from now on. Length protects; rules about signs and digits do not, so there are none.',
    unit: 'characters',
  },
  passwordAloneLengthMin: {
    group: 'passwords',
    title: 'Shortest password where it is all there is',
    text: 'For people who need no second factor.',
    unit: 'characters',
  },
  blocklistWords: {
    group: 'passwords',
    title: 'Words no password may be made of',
    text: 'Names of your organisation, its clinics, its town. Common passwords and everybody’s own name are refused anyway.',
  },
  attemptsFree: {
    group: 'passwords',
    title: 'Wrong attempts before waiting begins',
    text: 'After so many wrong passwords or codes each further try has to wait, longer each time. A browser that somebody has used before is not held up by strangers.',
    unit: 'attempts',
  },
  preSessionMinutes: {
    group: 'links',
    title: 'Time for the second factor',
    text: 'From the right password to the code.',
    unit: 'minutes',
  },
  setupLinkMinutes: {
    group: 'links',
    title: 'Set-up link works for',
    text: 'The link the server prints while there is no administrator.',
    unit: 'minutes',
  },
  enrolmentLinkHours: {
    group: 'links',
    title: 'Invitation and reset links work for',
    text: 'Each works once.',
    unit: 'hours',
  },
  resetLinkMinutes: {
    group: 'links',
    title: 'Links for a forgotten password work for',
    text: 'They are sent by e-mail and open nothing without the second factor.',
    unit: 'minutes',
  },
  knownDeviceDays: {
    group: 'links',
    title: 'A browser counts as known for',
    text: 'A known browser has its own count of wrong attempts. It opens nothing.',
    unit: 'days',
  },
  inactivityDays: {
    group: 'accounts',
    title: 'Retire accounts not used for',
    text: '0: never. Retired people keep their name in the log and are invited again if they come back. The last administrator is never retired.',
    unit: 'days',
  },
};

/** Every setting with its words, its range and its value. */
export function policySettings(settings: IdentitySettings): PolicySetting[] {
  return settingNames().map((name) => {
    const { unit, ...words } = WORDS[name];
    const value = settings[name];
    return {
      ...{ name, ...words, ...rangeOf(name), value: listed(value), default: listed(DEFAULT_IDENTITY_SETTINGS[name]) },
      ...(unit === undefined ? {} : { unit }),
    };
  });
}

/** Names of the settings, in the order of the words above. */
export function settingNames(): (keyof IdentitySettings)[] {
  // The record's keys; Object.keys loses their type.
  return Object.keys(WORDS) as (keyof IdentitySettings)[];
}

const listed = (value: IdentitySettings[keyof IdentitySettings]) => (Array.isArray(value) ? [...value] : value);

function rangeOf(name: keyof IdentitySettings): Pick<PolicySetting, 'kind' | 'min' | 'max' | 'choices'> {
  const inner = IdentitySettings.shape[name].unwrap();
  if (inner instanceof z.ZodBoolean) return { kind: 'switch' };
  if (inner instanceof z.ZodEnum) return { kind: 'choice', choices: inner.options.map(String) };
  if (inner instanceof z.ZodArray) return { kind: 'words' };
  if (inner instanceof z.ZodNumber) return { kind: 'number', ...bounds(inner) };
  // A union of 0 ("never") and a range: the page says in words what 0 means.
  return { kind: 'number', min: 0, max: 1095 };
}

function bounds(schema: z.ZodNumber): { min?: number; max?: number } {
  const { minValue, maxValue } = schema;
  return { ...(minValue === null ? {} : { min: minValue }), ...(maxValue === null ? {} : { max: maxValue }) };
}

/** What administrators are told on every page as long as it holds. */
export function policyWarnings(settings: IdentitySettings, changed: boolean): string[] {
  const warnings: string[] = [];
  if (changed)
    warnings.push(
      'Somebody has changed the policy in the database, past Careseal. The safest values hold; set it anew under Policy.',
    );
  if (settings.secondFactor === 'off')
    warnings.push('The second factor is off: whoever knows a password gets in. Switch it on under Policy.');
  if (settings.secondFactor === 'optional')
    warnings.push('The second factor is optional: accounts without one open with a password alone.');
  return warnings;
}
