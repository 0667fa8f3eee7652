import { normalised } from '../../kernel/normalise.ts';
import type { RuleName, RuleSettings, RuleView } from './wire.ts';

/** The rules with what they do unless somebody sets them otherwise. Pure. */
export type Rules = Readonly<Record<RuleName, RuleSettings>>;

const settings = (part: Partial<RuleSettings>): RuleSettings => ({
  enabled: true,
  threshold: 1,
  minutes: 60,
  quietFrom: '20:00',
  quietTo: '06:00',
  zone: 'UTC',
  mail: true,
  ...part,
});

interface Rule extends Pick<RuleView, 'title' | 'about' | 'uses'> {
  readonly settings: RuleSettings;
}

export const RULES: Readonly<Record<RuleName, Rule>> = {
  'many-clients': {
    title: 'Many clients in a short time',
    about: 'One person looks at more different clients than their work explains.',
    uses: ['threshold', 'minutes'],
    settings: settings({ threshold: 100, minutes: 60 }),
  },
  'own-name': {
    title: 'A client with one’s own name, or a colleague',
    about: 'Somebody opens the record of a client who bears their own surname or the name of somebody who works here.',
    uses: [],
    settings: settings({ mail: false }),
  },
  'outside-hours': {
    title: 'Work outside of hours',
    about: 'Somebody looks at clients at a time when nobody should be at work.',
    uses: ['threshold', 'quiet'],
    settings: settings({ enabled: false, threshold: 5 }),
  },
  refusals: {
    title: 'Many refusals',
    about: 'One person, system or network address is refused again and again.',
    uses: ['threshold', 'minutes'],
    settings: settings({ threshold: 20, minutes: 10 }),
  },
  export: {
    title: 'Data saved as a file',
    about: 'Somebody saves or prints clients or audit reports more often than their work explains.',
    uses: ['threshold', 'minutes'],
    settings: settings({ threshold: 10, minutes: 60, mail: false }),
  },
  'break-glass': {
    title: 'Emergency access',
    about: 'Somebody opens records in an emergency that their rights do not cover.',
    uses: [],
    settings: settings({}),
  },
  'new-network': {
    title: 'Sign-in from a new network',
    about: 'Somebody signs in from a network they have not used in the last 90 days.',
    uses: [],
    settings: settings({ mail: false }),
  },
  'log-damaged': {
    title: 'The audit log is damaged or stands still',
    about: 'The log does not fit its signed head, or events wait for longer than a minute to be taken into it.',
    uses: [],
    settings: settings({}),
  },
  'witness-silent': {
    title: 'A witness is silent',
    about: 'Nobody outside has confirmed the head of the log for this long.',
    uses: ['minutes'],
    settings: settings({ minutes: 1_440 }),
  },
  'forwarding-stopped': {
    title: 'Forwarding of the log stands still',
    about: 'A system that should get the log has taken nothing for this long. The events wait and are not lost.',
    uses: ['minutes'],
    settings: settings({ minutes: 60 }),
  },
  'changed-past': {
    title: 'Something was changed past Careseal',
    about:
      'Somebody has written to the database by other ways than Careseal: an account, a right, whose a client is, a system, a rule or a receiver is not as it was left. Find out who writes to the database, and change its passwords; on the server, `careseal registry check` finds every client that was changed, and `careseal registry repair` puts it right.',
    uses: [],
    settings: settings({}),
  },
};

/** Minutes since midnight in a time zone; undefined where there is no such zone. */
export function minuteOfDay(unixMs: number, zone: string): number | undefined {
  try {
    const parts = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }).formatToParts(unixMs);
    const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
    return part('hour') * 60 + part('minute');
  } catch {
    return undefined;
  }
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** Whether nobody should be at work. The quiet time may go over midnight; one that begins and ends at once is none. */
export function isQuiet(unixMs: number, { quietFrom, quietTo, zone }: RuleSettings): boolean {
  const minute = minuteOfDay(unixMs, zone);
  if (minute === undefined) return false;
  const from = minutesOf(quietFrom);
  const to = minutesOf(quietTo);
  if (from === to) return false;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

export interface PersonName {
  readonly family: readonly string[];
  readonly given: readonly string[];
}

/** Words of a name that can be compared: without accents and case, particles and titles left out. */
export function nameWords(name: string): string[] {
  return normalised(name, 'NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word.length > 1 && !PARTICLES.has(word));
}
const PARTICLES: ReadonlySet<string> = new Set([
  'dr',
  'prof',
  'mr',
  'mrs',
  'ms',
  'von',
  'van',
  'de',
  'der',
  'den',
  'di',
  'da',
  'el',
  'al',
  'bin',
  'ibn',
  'sr',
  'br',
]);

/**
 * Why a record is close to whoever opens it: it bears their surname (the last word of their name), or both the surname and a given
 * name of somebody who works here.
 */
export function closeness(
  reader: string,
  client: PersonName,
  people: readonly string[],
): 'own-surname' | 'colleague' | undefined {
  const family = new Set(client.family.flatMap(nameWords));
  const surname = nameWords(reader).at(-1);
  if (surname !== undefined && family.has(surname)) return 'own-surname';
  const given = new Set(client.given.flatMap(nameWords));
  const isColleague = people.some((name) => {
    const words = nameWords(name);
    return words.length > 1 && words.some((word) => family.has(word)) && words.some((word) => given.has(word));
  });
  return isColleague ? 'colleague' : undefined;
}
