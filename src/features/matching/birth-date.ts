import { editDistance, withinOneEdit } from './edit-distance.ts';

/**
 * Birth dates as numbers. `precision` 1 year, 2 month, 3 day; `estimated` when the date is one that registrars write for "some
 * time that year" (1 January, 15 June, 1 and 2 July), so that its day and month say little.
 */
export interface BirthDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly precision: 1 | 2 | 3;
  readonly estimated: boolean;
  /** YYYYMMDD as eight digits, for digit-wise comparison; missing parts are zeros. */
  readonly digits: number;
}

export const BIRTH_DATE_LEVELS = [
  'exact',
  'exact-estimated',
  'day-month-swapped',
  'one-digit',
  'month-day',
  'two-parts',
  'year-month',
  'year',
  'near-year',
  'two-digits',
  'different',
] as const;
export type BirthDateLevel = (typeof BIRTH_DATE_LEVELS)[number];

const FHIR_DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?/;

/** Parses a FHIR date; `undefined` for anything else and for placeholder dates, which are the caller's to list. */
export function parseBirthDate(text: string): BirthDate | undefined {
  const found = FHIR_DATE.exec(text);
  if (found === null) return undefined;
  const year = Number(found[1]);
  const month = Number(found[2] ?? 0);
  const day = Number(found[3] ?? 0);
  if (month > 12 || day > 31 || (day > 0 && (day > lengthOf(year, month) || year > YEAR_LAST))) return undefined;
  const precision = day > 0 ? 3 : month > 0 ? 2 : 1;
  return { year, month, day, precision, estimated: isEstimated(month, day), digits: year * 10000 + month * 100 + day };
}

const WHOLE_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
/** Nobody alive is born later than this; kept far away, so that no clock is needed and no date of today is ever in doubt. */
const YEAR_LAST = 2150;

/** YYYYMMDD of what is written as a whole date but is none (month 13, 30 February, the year 3000); empty for everything else. */
export function impossibleDate(text: string): string {
  const found = WHOLE_DATE.exec(text);
  if (found === null) return '';
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const isReal = year <= YEAR_LAST && month >= 1 && month <= 12 && day >= 1 && day <= lengthOf(year, month);
  return isReal ? '' : text.replaceAll('-', '');
}

/** A date into which letters or marks were typed: 1976-q08-20. Its eight digits must be a date, with the year first. */
export function dateWithin(text: string | undefined): BirthDate | undefined {
  if (text === undefined || text.length > WRITTEN_MAX) return undefined;
  const digits = text.replaceAll(/\D/g, '');
  const isLong = digits.length === 8 && digits[0] !== '0';
  return isLong ? parseBirthDate(`${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`) : undefined;
}
const WRITTEN_MAX = 14;

function lengthOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isEstimated(month: number, day: number): boolean {
  return (month === 1 && day === 1) || (month === 6 && day === 15) || (month === 7 && day <= 2 && day > 0);
}

const level = (name: BirthDateLevel): number => BIRTH_DATE_LEVELS.indexOf(name);
const EXACT = level('exact');
const EXACT_ESTIMATED = level('exact-estimated');
const SWAPPED = level('day-month-swapped');
const ONE_DIGIT = level('one-digit');
const MONTH_DAY = level('month-day');
const TWO_PARTS = level('two-parts');
const YEAR_MONTH = level('year-month');
const YEAR = level('year');
const NEAR_YEAR = level('near-year');
const TWO_DIGITS = level('two-digits');
const DIFFERENT = level('different');

/** The index of the level that two birth dates reach. Symmetric. */
export function compareBirthDates(a: BirthDate, b: BirthDate): number {
  if (a.precision < 3 || b.precision < 3) return comparePartial(a, b);
  if (a.digits === b.digits) return a.estimated ? EXACT_ESTIMATED : EXACT;
  if (a.year === b.year && a.month === b.day && a.day === b.month) return SWAPPED;
  if (a.estimated !== b.estimated && a.year === b.year) return YEAR;
  const differing = digitsApart(a.digits, b.digits);
  if (differing === 1) return ONE_DIGIT;
  if (a.month === b.month && a.day === b.day) return a.estimated ? estimatedYears(a, b) : MONTH_DAY;
  if (a.year === b.year && (a.month === b.month || a.day === b.day)) return a.estimated ? YEAR : TWO_PARTS;
  const estimated = estimatedYears(a, b);
  return estimated === DIFFERENT && differing === 2 ? TWO_DIGITS : estimated;
}

function comparePartial(a: BirthDate, b: BirthDate): number {
  if (a.year !== b.year) return Math.abs(a.year - b.year) <= 1 ? NEAR_YEAR : DIFFERENT;
  if (a.precision === 1 || b.precision === 1) return YEAR;
  if (a.month === b.month) return YEAR_MONTH;
  return a.estimated || b.estimated ? YEAR : NEAR_YEAR;
}

/** Estimated dates come from an estimated age: a few years apart is still some likeness. */
function estimatedYears(a: BirthDate, b: BirthDate): number {
  return (a.estimated || b.estimated) && Math.abs(a.year - b.year) <= 2 ? NEAR_YEAR : DIFFERENT;
}

/** How many of the eight digits differ; an exchange of two neighbours and nothing else counts as one. */
export function digitsApart(a: number, b: number): number {
  let restA = a;
  let restB = b;
  let differing = 0;
  let exchanged = false;
  for (let place = 0; place < 8; place++) {
    const digitA = restA % 10;
    const digitB = restB % 10;
    restA = (restA - digitA) / 10;
    restB = (restB - digitB) / 10;
    if (digitA === digitB) continue;
    differing++;
    if (differing === 1) exchanged = restA % 10 === digitB && restB % 10 === digitA;
  }
  return exchanged && differing === 2 ? 1 : differing;
}

/** Digits that were meant as this date: two slips in the whole of it (or with day and month exchanged), one in its year and month alone. */
export function isSlipOfDate(digits: string, date: BirthDate): boolean {
  const whole = String(date.digits).padStart(8, '0');
  const yearAndMonth = whole.slice(0, 6);
  const exchanged = whole.slice(0, 4) + whole.slice(6) + whole.slice(4, 6);
  return (
    editDistance(digits, whole, 2) <= 2 ||
    editDistance(digits, exchanged, 2) <= 2 ||
    withinOneEdit(digits, yearAndMonth)
  );
}

/** How far two dates are apart, in whole years; used by the guard against parent and child. */
export function yearsApart(a: BirthDate, b: BirthDate): number {
  return Math.abs(a.year - b.year);
}
