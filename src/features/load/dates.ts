/**
 * Dates as files write them. A format is compiled once; reading one text is a single match. What cannot be read completely
 * still gives the year, or year and month, that stand there beyond doubt; the caller keeps the original text beside it.
 */
export interface ReadDate {
  /** FHIR date: YYYY, YYYY-MM or YYYY-MM-DD. */
  readonly date?: string;
  /** Why the text was not read completely. */
  readonly fault?: string;
}

export type DateReader = (text: string) => ReadDate;

interface CompiledFormat {
  readonly pattern: RegExp;
  readonly order: readonly ('year' | 'year2' | 'month' | 'monthName' | 'day')[];
  readonly yearFirst: boolean;
}

const AUTO = ['YYYY-MM-DD', 'YYYYMMDD', 'YYYY-MM', 'YYYY', 'YYYY/MM/DD'];
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Nobody registered today was born before; historical files are read with another limit. */
const YEAR_MIN = 1850;
const TOKEN = /YYYY|YY|MMM|MM|M|DD|D/g;

interface Limits {
  /** FHIR date. */
  readonly latest: string;
  readonly yearMin: number;
}

/** `today` is a FHIR date: nobody is born later. */
export function compileDates(formats: readonly string[], today: string, yearMin: number = YEAR_MIN): DateReader {
  const compiled = formats.flatMap((format) => (format === 'auto' ? AUTO : [format])).map(compileFormat);
  const limits = { latest: dayAfter(today), yearMin };
  return (text) => readDate(text, compiled, limits);
}

/** The formats that a mapping names for a column. */
export function dateFormats(mapped: { readonly format?: string | string[] | undefined } | string): readonly string[] {
  const format = typeof mapped === 'string' ? undefined : mapped.format;
  return format === undefined ? ['auto'] : Array.isArray(format) ? format : [format];
}

function dayAfter(today: string): string {
  // A day of grace: elsewhere on earth tomorrow has begun.
  return new Date(Date.parse(`${today}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

function compileFormat(format: string): CompiledFormat {
  const order: CompiledFormat['order'][number][] = [];
  const separated = /[^YMD]/.test(format);
  const two = separated ? '(\\d{1,2})' : '(\\d{2})';
  let pattern = '';
  let last = 0;
  for (const found of format.matchAll(TOKEN)) {
    pattern += escaped(format.slice(last, found.index));
    last = found.index + found[0].length;
    const kind = kindOf(found[0]);
    // The second of a kind means nothing, and a row of them could be matched in more ways than there is time to try.
    if (order.some((one) => PARTS[one] === PARTS[kind])) {
      pattern += escaped(found[0]);
      continue;
    }
    order.push(kind);
    pattern += kind === 'year' ? '(\\d{4})' : kind === 'monthName' ? '([A-Za-z]{3,9})\\.?' : two;
  }
  pattern += escaped(format.slice(last));
  // A time of day after the date is common in exports and means nothing for a birth date.
  return {
    pattern: new RegExp(`^${pattern}(?:[T ]\\d{1,2}:\\d{2}.*)?$`),
    order,
    yearFirst: format.startsWith('YYYY'),
  };
}

/** Which of the three parts of a date a token stands for. */
const PARTS = { year: 'year', year2: 'year', month: 'month', monthName: 'month', day: 'day' } as const;

function kindOf(token: string): CompiledFormat['order'][number] {
  if (token === 'YYYY') return 'year';
  if (token === 'YY') return 'year2';
  if (token === 'MMM') return 'monthName';
  return token.startsWith('M') ? 'month' : 'day';
}

function escaped(separators: string): string {
  // Blanks together are one: each `\s+` after another would try every share of a row of blanks.
  return separators.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&').replace(/ +/g, '\\s+');
}

/** Longer texts are no dates, whatever stands at their beginning. */
const TEXT_MAX = 100;

function readDate(text: string, formats: readonly CompiledFormat[], limits: Limits): ReadDate {
  if (text.length > TEXT_MAX) return { ...beyondDoubt(text, formats, limits), fault: 'is longer than a date' };
  let fault = 'is not a date in the format given';
  for (const candidate of spellings(text)) {
    for (const format of formats) {
      const read = match(candidate, format, limits);
      if (read?.date !== undefined) return read;
      if (read?.fault !== undefined) fault = read.fault;
    }
  }
  return { ...beyondDoubt(text, formats, limits), fault };
}

/** As written, and without blanks: they slip into digits typed one by one. */
function spellings(text: string): readonly string[] {
  const closed = text.replace(/\s+/g, '');
  return closed === text ? [text] : [text, closed];
}

function match(text: string, format: CompiledFormat, limits: Limits): ReadDate | undefined {
  const found = format.pattern.exec(text);
  if (found === null) return undefined;
  let [year, month, day] = [0, 0, 0];
  for (const [index, kind] of format.order.entries()) {
    const part = found[index + 1] ?? '';
    if (kind === 'year') year = Number(part);
    else if (kind === 'year2') year = fullYear(Number(part), Number(limits.latest.slice(0, 4)));
    else if (kind === 'month') month = Number(part);
    else if (kind === 'monthName') month = MONTHS.indexOf(part.slice(0, 3).toLowerCase()) + 1;
    else day = Number(part);
  }
  return checked({ year, month, day, order: format.order }, limits);
}

/** Two digits mean the last hundred years. */
function fullYear(digits: number, thisYear: number): number {
  const century = thisYear - (thisYear % 100);
  return century + digits > thisYear ? century - 100 + digits : century + digits;
}

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly order: CompiledFormat['order'];
}

function checked({ year, month, day, order }: Parts, { latest, yearMin }: Limits): ReadDate {
  const hasMonth = order.includes('month') || order.includes('monthName');
  const hasDay = order.includes('day');
  if (year < yearMin) return { fault: `lies before ${yearMin}` };
  if (hasMonth && (month < 1 || month > 12)) return { fault: 'has a month that does not exist' };
  if (hasDay && (day < 1 || day > daysIn(year, month))) return { fault: 'is a day that does not exist' };
  const date = `${year}${hasMonth ? `-${pad(month)}` : ''}${hasDay ? `-${pad(day)}` : ''}`;
  return date > latest.slice(0, date.length) ? { fault: 'lies in the future' } : { date };
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
}

function pad(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

const LEADING = /^(\d{4})(?:[-/. ]?(\d{2})(?=[-/. \d]))?/;
const TRAILING = /(\d{4})$/;

/** The year that stands where the format has it, and the month after it, if both can be true. */
function beyondDoubt(text: string, formats: readonly CompiledFormat[], { latest, yearMin }: Limits): { date?: string } {
  const [found] = [formats.some((format) => format.yearFirst) ? LEADING.exec(text) : TRAILING.exec(text)];
  const year = Number(found?.[1] ?? 0);
  if (year < yearMin || year > Number(latest.slice(0, 4))) return {};
  const month = Number(found?.[2] ?? 0);
  const date = month >= 1 && month <= 12 ? `${year}-${pad(month)}` : String(year);
  return date > latest.slice(0, date.length) ? { date: String(year) } : { date };
}
