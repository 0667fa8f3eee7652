import type { ReactNode } from 'react';
import { useNow } from './now.ts';

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const month = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'long', timeZone: 'UTC' });
const moment = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
});
const momentWithSeconds = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
});
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** A calendar date as the locale writes it; FHIR's partial dates (1980, 1980-02) stay partial. */
export function dateText(iso: string): string {
  if (/^\d{4}$/.test(iso)) return iso;
  const at = new Date(iso.length === 7 ? `${iso}-01T00:00:00Z` : `${iso.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return iso;
  return iso.length === 7 ? month.format(at) : day.format(at);
}

/** A birth date: no time, no zone; the ISO form on hover. */
export function CalendarDate({ iso }: { readonly iso: string }): ReactNode {
  return (
    <time dateTime={iso} title={iso} className="nowrap">
      {dateText(iso)}
    </time>
  );
}

/** A moment with its zone; the ISO form on hover. */
export function Moment({ iso, seconds = false }: { readonly iso: string; readonly seconds?: boolean }): ReactNode {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return (
    <time dateTime={iso} title={iso} className="nowrap">
      {parts(seconds ? momentWithSeconds : moment, at)}
    </time>
  );
}

/** The zone, with the space before it, apart: where there is no room it goes first, rather than the last letters of it. */
function parts(format: Intl.DateTimeFormat, at: Date): ReactNode {
  const words = format.formatToParts(at);
  const zone = words.findIndex(({ type }) => type === 'timeZoneName');
  const text = (from: number, to: number): string =>
    words
      .slice(from, to)
      .map(({ value }) => value)
      .join('');
  if (zone < words.length - 1) return text(0, words.length);
  return (
    <>
      {text(0, zone - 1)}
      <span className="zone">{text(zone - 1, words.length)}</span>
    </>
  );
}

const STEPS: readonly (readonly [number, Intl.RelativeTimeFormatUnit, number])[] = [
  [60, 'second', 1],
  [3600, 'minute', 60],
  [86_400, 'hour', 3600],
  [86_400 * 30, 'day', 86_400],
  [86_400 * 365, 'month', 86_400 * 30],
  [Number.POSITIVE_INFINITY, 'year', 86_400 * 365],
];

export function agoText(iso: string, nowMs: number): string {
  const seconds = Math.round((new Date(iso).getTime() - nowMs) / 1000);
  if (Math.abs(seconds) < 45) return 'just now';
  for (const [limit, unit, size] of STEPS) {
    if (Math.abs(seconds) < limit) return ago.format(Math.round(seconds / size), unit);
  }
  return iso;
}

/** How long ago, with the exact moment on hover. */
export function Ago({ iso }: { readonly iso: string }): ReactNode {
  const nowMs = useNow();
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return (
    <time dateTime={iso} title={`${moment.format(at)} (${iso})`} className="nowrap">
      {agoText(iso, nowMs)}
    </time>
  );
}

/** Text in its own script and direction, so that a right-to-left name does not turn its neighbours around. */
export function Own({ children, strong = false }: { readonly children: string; readonly strong?: boolean }): ReactNode {
  return (
    <bdi dir="auto" className={strong ? 'own strong' : 'own'}>
      {children}
    </bdi>
  );
}

export function Count({ value }: { readonly value: number }): ReactNode {
  return <span className="numbers">{value.toLocaleString()}</span>;
}

export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ['kB', 'MB', 'GB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString(undefined, { maximumFractionDigits: 1 })} ${units[unit] ?? 'GB'}`;
}

export function durationText(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** A score between 0 and 1 as people compare it; never rounded up to certainty. */
export function scoreText(score: number): string {
  if (score > 0.9995 && score < 1) return '> 99.9 %';
  if (score < 0.0005 && score > 0) return '< 0.1 %';
  return `${(score * 100).toLocaleString(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} %`;
}
