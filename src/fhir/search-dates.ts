import { FIRST_MS, isDate, LAST_MS, type TimeRange, timeRange } from './dates.ts';

/** Prefixes of dates (R4 §3.1.1.4.7) and the terms that find what they ask for. */
export type DatePrefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';
export const DATE_PREFIXES: readonly DatePrefix[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];

export interface DateQuery {
  readonly prefix: DatePrefix;
  /** What the text means: the whole day, month or year; for `ap` widened by a tenth of the distance to now. */
  readonly range: TimeRange;
  readonly text: string;
}

/** `ge1980-05` and the like; undefined when there is no such prefix or date. */
export function parseDateQuery(text: string, nowMs: number): DateQuery | undefined {
  const prefixed = /^([a-z]{2})(.*)$/s.exec(text);
  const prefix = prefixed ? DATE_PREFIXES.find((known) => known === prefixed[1]) : 'eq';
  const date = prefixed?.[2] ?? text;
  const range = timeRange(date);
  if (!prefix || !range) return undefined;
  if (prefix !== 'ap') return { prefix, range, text: date };
  const slack = Math.abs(nowMs - (range.lowMs + range.highMs) / 2) / 10;
  return { prefix, range: { lowMs: range.lowMs - slack, highMs: range.highMs + slack }, text: date };
}

/** Does a stored stretch of time satisfy the query? `ne` is the opposite of `eq`. */
export function dateMatches({ prefix, range }: DateQuery, value: TimeRange): boolean {
  const contained = value.lowMs >= range.lowMs && value.highMs <= range.highMs;
  const later = value.highMs > range.highMs;
  const earlier = value.lowMs < range.lowMs;
  switch (prefix) {
    case 'eq':
      return contained;
    case 'ne':
      return !contained;
    case 'gt':
      return later;
    case 'ge':
      return later || contained;
    case 'lt':
      return earlier;
    case 'le':
      return earlier || contained;
    case 'sa':
      return value.lowMs >= range.highMs;
    case 'eb':
      return value.highMs <= range.lowMs;
    case 'ap':
      return value.lowMs < range.highMs && value.highMs > range.lowMs;
  }
}

/** Years, both included, in which a stored value may begin that satisfies the query; undefined for `ne`. */
export interface YearSpan {
  readonly from: number;
  readonly to: number;
}

const FIRST_YEAR = 1;
const LAST_YEAR = 9999;

const yearOf = (ms: number): number => new Date(Math.min(Math.max(ms, FIRST_MS), LAST_MS)).getUTCFullYear();

export function yearSpan({ prefix, range }: DateQuery): YearSpan | undefined {
  const first = yearOf(range.lowMs);
  const last = yearOf(range.highMs - 1);
  const next = yearOf(range.highMs);
  switch (prefix) {
    case 'eq':
      return { from: first, to: last };
    case 'ne':
      return undefined;
    case 'gt':
    case 'sa':
      return { from: next, to: LAST_YEAR };
    case 'ge':
      return { from: first, to: LAST_YEAR };
    case 'lt':
    case 'eb':
      return { from: FIRST_YEAR, to: first };
    case 'le':
      return { from: FIRST_YEAR, to: last };
    case 'ap':
      // A year that began before the range may still reach into it.
      return { from: first, to: last };
  }
}

export function intersect(a: YearSpan, b: YearSpan): YearSpan {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
}

/** Terms for all years of a span: whole centuries where possible. */
export function spanTerms({ from, to }: YearSpan): string[] {
  const terms: string[] = [];
  for (let year = from; year <= to; ) {
    const century = Math.floor(year / 100);
    const end = century * 100 + 99;
    // There is no year 0, so the first century begins with 1.
    if (end <= to && (year % 100 === 0 || year === FIRST_YEAR)) {
      terms.push(`c${String(century).padStart(2, '0')}`);
      year = end + 1;
    } else {
      terms.push(String(year).padStart(4, '0'));
      year += 1;
    }
  }
  return terms;
}

/** One term for `eq` with a day, month or year; a time is looked for by its day or days in UTC. */
export function exactDateTerms({ prefix, range, text }: DateQuery): string[] | undefined {
  if (prefix !== 'eq') return undefined;
  if (isDate(text)) return [text];
  const days = [range.lowMs, range.highMs - 1].map((ms) => new Date(ms).toISOString().slice(0, 10));
  return [...new Set(days)];
}
