import type { Patient } from '@medplum/fhirtypes';
import { FIRST_MS, LAST_MS, timeRange } from './dates.ts';
import { fold, PHONE_COMMON_DIGITS, phoneDigits, wordStarts } from './search-fold.ts';
import { type CodingValue, type ReferenceValue, SPACES, type Space } from './search-parameters.ts';

/** A value to search by, not yet blinded; the same shape as the registry's `SearchTerm`. */
export interface SearchTerm {
  readonly parameter: string;
  readonly value: string;
}

/**
 * What a record is found by. Each term once, in no particular order. The hot path of every registration. A usual record has 30 to
 * 60; beyond `enough` it stops, so that a text of a hundred thousand words does not fill the memory.
 */
export function searchTerms(patient: Patient, enough = Infinity): SearchTerm[] {
  const terms: SearchTerm[] = [];
  for (const space of SPACES) {
    if (terms.length > enough) break;
    const values = spaceTerms(space, patient, enough);
    for (const value of values) terms.push({ parameter: space.name, value });
  }
  return terms;
}

function spaceTerms(space: Space, patient: Patient, enough: number): Set<string> {
  const into = new Set<string>();
  switch (space.kind) {
    case 'text':
      for (const text of space.read(patient))
        if (text !== undefined) addPrefixes(fold(text), space.prefixes, { into, enough });
      break;
    case 'phone':
      for (const text of space.read(patient)) if (text !== undefined) into.add(phoneTerm(text));
      break;
    case 'plain':
      for (const text of space.read(patient)) if (text !== undefined) into.add(plainTerm(text));
      break;
    case 'coding':
      for (const coding of space.read(patient)) addCoding(coding, space.systems, into);
      break;
    case 'date':
      for (const date of space.read(patient)) if (date !== undefined) addDate(date, into);
      break;
    case 'reference':
      for (const reference of space.read(patient)) addReference(reference, into);
      break;
  }
  return into;
}

function addPrefixes(
  folded: string,
  lengths: readonly number[],
  { into, enough }: { readonly into: Set<string>; readonly enough: number },
): void {
  for (const start of wordStarts(folded)) {
    for (const length of lengths) {
      if (length > start.length) break;
      into.add(start.slice(0, length));
    }
    if (into.size > enough) return;
  }
}

/** The longest indexed start of a folded query; undefined for an empty one. `whole`: nothing was cut off. */
export function prefixTerm(folded: string, lengths: readonly number[]): string | undefined {
  const length = lengths.findLast((candidate) => candidate <= folded.length);
  return length === undefined ? undefined : folded.slice(0, length);
}

/** Two writings of one number share their last digits; what has no digits is taken as it is. */
export function phoneTerm(text: string): string {
  const digits = phoneDigits(text);
  return digits === '' ? plainTerm(text) : digits.slice(-PHONE_COMMON_DIGITS);
}

export function plainTerm(text: string): string {
  return text.trim().toLowerCase();
}

/**
 * Terms of a coded value: the value, and `system|` where systems differ from record to record. There is none of `system|value`:
 * it would be as rare as the value, every rare term costs a registration, and the exact test looks at the system anyway.
 */
function addCoding({ system, value }: CodingValue, systems: 'one' | 'many', into: Set<string>): void {
  if (system !== undefined && systems === 'many') into.add(systemTerm(system));
  if (value !== undefined) into.add(plainTerm(value));
}

export function systemTerm(system: string): string {
  return `${system}|`;
}

/** Century, year, month and day of its beginning in UTC, as far as it is known: a range is then a few terms. */
function addDate(date: string, into: Set<string>): void {
  const day = date.length <= 10 ? date : utcDay(date);
  into.add(`c${day.slice(0, 2)}`);
  into.add(day.slice(0, 4));
  if (date.length >= 7) into.add(day.slice(0, 7));
  if (date.length >= 10) into.add(day);
}

function utcDay(dateTime: string): string {
  const lowMs = timeRange(dateTime)?.lowMs ?? 0;
  // A zone may carry the first and last day of the calendar out of it.
  return new Date(Math.min(Math.max(lowMs, FIRST_MS), LAST_MS)).toISOString().slice(0, 10);
}

/** The id that a reference ends in, however it is written; one without an id goes by its text. */
export function referenceTerm(reference: string): string {
  return referenceId(reference) ?? reference;
}

function addReference({ reference }: ReferenceValue, into: Set<string>): void {
  if (reference !== undefined) into.add(referenceTerm(reference));
}

/** `123` of `Patient/123` and `https://host/fhir/Patient/123/_history/2`. */
export function referenceId(reference: string): string | undefined {
  return /(?:^|\/)[A-Z][A-Za-z]+\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/.exec(reference)?.[1];
}
