/** FHIR date, dateTime and instant: do they exist, and which stretch of time do they mean (R4 §3.1.1.4.7). */

/** From `lowMs` on and before `highMs`, Unix milliseconds; a time without zone is taken as UTC. */
export interface TimeRange {
  readonly lowMs: number;
  readonly highMs: number;
}

/** The moments at which FHIR's calendar begins and ends: years 0001 to 9999 in UTC. */
export const FIRST_MS = Date.parse('0001-01-01T00:00:00.000Z');
export const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

const DAY_MS = 86_400_000;
const DATE_TIME = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;

/** Days since 1970-01-01 in the proleptic Gregorian calendar; Date.UTC bends the years 0 to 99. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Is it a FHIR date that exists: YYYY, YYYY-MM or YYYY-MM-DD, year 0001 to 9999? The hot path of every Patient. */
export function isDate(text: string): boolean {
  if (!/^\d{4}(?:-\d\d(?:-\d\d)?)?$/.test(text)) return false;
  const year = Number(text.slice(0, 4));
  if (year === 0 || text.length === 4) return year > 0;
  const month = Number(text.slice(5, 7));
  if (month < 1 || month > 12 || text.length === 7) return month >= 1 && month <= 12;
  const day = Number(text.slice(8, 10));
  return day >= 1 && day <= daysInMonth(year, month);
}

/**
 * The stretch of time a date or time means; undefined when there is no such date. Looser than FHIR's dateTime, since a
 * search may leave out the seconds and the zone; `isDateTime` and `isInstant` are strict.
 */
export function timeRange(text: string): TimeRange | undefined {
  const match = DATE_TIME.exec(text);
  if (!match) return undefined;
  const [, y = '', mo, d, h, mi, s, fraction, zone] = match;
  if (!isDate([y, mo, d].filter((part) => part !== undefined).join('-'))) return undefined;
  const year = Number(y);
  if (mo === undefined) return { lowMs: dayNumber(year, 1, 1) * DAY_MS, highMs: dayNumber(year + 1, 1, 1) * DAY_MS };
  const month = Number(mo);
  if (d === undefined) {
    const first = dayNumber(year, month, 1);
    return { lowMs: first * DAY_MS, highMs: (first + daysInMonth(year, month)) * DAY_MS };
  }
  const midnight = dayNumber(year, month, Number(d)) * DAY_MS;
  if (h === undefined) return { lowMs: midnight, highMs: midnight + DAY_MS };
  const offset = zoneOffsetMs(zone);
  if (offset === undefined || Number(h) > 23 || Number(mi) > 59 || Number(s ?? 0) > 60) return undefined;
  const minute = midnight + Number(h) * 3_600_000 + Number(mi) * 60_000 - offset;
  if (s === undefined) return { lowMs: minute, highMs: minute + 60_000 };
  // A leap second counts as the second before it, as Unix time does.
  const second = minute + Math.min(Number(s), 59) * 1000;
  if (fraction === undefined) return { lowMs: second, highMs: second + 1000 };
  const width = fraction.length >= 3 ? 1 : 10 ** (3 - fraction.length);
  const low = second + Number(fraction.slice(0, 3).padEnd(3, '0'));
  return { lowMs: low, highMs: low + width };
}

function zoneOffsetMs(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 14 || minutes > 59 || (hours === 14 && minutes > 0)) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3_600_000 + minutes * 60_000);
}

const WHOLE_TIME = /T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** FHIR dateTime: a date, or a date with time to the second and zone. */
export function isDateTime(text: string): boolean {
  return text.includes('T') ? WHOLE_TIME.test(text) && timeRange(text) !== undefined : isDate(text);
}

export function isInstant(text: string): boolean {
  return WHOLE_TIME.test(text) && timeRange(text) !== undefined;
}
