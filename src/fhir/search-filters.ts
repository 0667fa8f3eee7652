import type { Patient } from '@medplum/fhirtypes';
import { timeRange } from './dates.ts';
import { dateMatches, exactDateTerms, parseDateQuery, spanTerms, type YearSpan, yearSpan } from './search-dates.ts';
import { fold, phoneDigits, samePhone, startsWith } from './search-fold.ts';
import type { CodingValue, ReferenceValue, SearchParameter, Space } from './search-parameters.ts';
import {
  phoneTerm,
  plainTerm,
  prefixTerm,
  referenceId,
  referenceTerm,
  type SearchTerm,
  systemTerm,
} from './search-terms.ts';

/** One value of one parameter, understood. */
export interface ValueFilter {
  /** Any of these terms finds a superset of what `test` accepts; undefined where no index helps. */
  readonly terms: readonly SearchTerm[] | undefined;
  /** For dates: the years a match may begin in, so that several conditions on one date can be narrowed together. */
  readonly years?: YearSpan | undefined;
  test(patient: Patient): boolean;
}

/** A value that cannot be understood, said in words without it. */
export interface ValueFault {
  readonly fault: string;
}

/** Understands one value (commas already split) of a parameter with its modifier. */
export function valueFilter(
  parameter: SearchParameter,
  modifier: string | undefined,
  value: string,
  nowMs: number,
): ValueFilter | ValueFault {
  if (modifier === 'missing') return missingFilter(parameter, value);
  switch (parameter.type) {
    case 'string':
      return stringFilter(parameter, modifier, unescape(value));
    case 'token':
      return tokenFilter(parameter, modifier, value);
    case 'date':
      return dateFilter(parameter, unescape(value), nowMs);
    case 'reference':
      return referenceFilter(parameter, modifier, value);
    case 'special':
      return { fault: 'this parameter cannot be searched' };
  }
}

/** Splits at a separator that no backslash precedes (R4 §3.1.1.4.6). */
export function splitUnescaped(text: string, separator: ',' | '|'): string[] {
  if (!text.includes('\\')) return text.split(separator);
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === separator) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

export function unescape(text: string): string {
  return text.includes('\\') ? text.replace(/\\([\\,|$])/g, '$1') : text;
}

function hasAny(space: Space, patient: Patient): boolean {
  return space.read(patient).some((value) => value !== undefined);
}

function missingFilter(parameter: SearchParameter, value: string): ValueFilter | ValueFault {
  if (value !== 'true' && value !== 'false') return { fault: ':missing takes true or false' };
  const wanted = value === 'true';
  return {
    terms: undefined,
    test: (patient) => !parameter.spaces.some((space) => hasAny(space, patient)) === wanted,
  };
}

function stringFilter(
  { spaces }: SearchParameter,
  modifier: string | undefined,
  value: string,
): ValueFilter | ValueFault {
  const query = fold(value);
  if (query === '') return { fault: 'the text to search for is empty' };
  const accepts: Record<string, (text: string) => boolean> = {
    exact: (text) => text === value,
    contains: (text) => fold(text).includes(query),
  };
  const accept = (modifier === undefined ? undefined : accepts[modifier]) ?? ((text) => startsWith(fold(text), query));
  const terms = modifier === 'contains' ? [] : spaces.flatMap((space) => textTerms(space, query));
  return {
    terms: terms.length > 0 ? terms : undefined,
    test: (patient) =>
      spaces.some(
        (space) => space.kind === 'text' && space.read(patient).some((text) => text !== undefined && accept(text)),
      ),
  };
}

function textTerms(space: Space, query: string): SearchTerm[] {
  const value = space.kind === 'text' ? prefixTerm(query, space.prefixes) : undefined;
  return value === undefined ? [] : [{ parameter: space.name, value }];
}

interface TokenQuery {
  /** undefined: any; empty: none. */
  readonly system: string | undefined;
  /** undefined: any value of that system. */
  readonly value: string | undefined;
}

/** `value`, `system|value`, `|value` or `system|`. */
export function parseToken(text: string): TokenQuery | undefined {
  const parts = splitUnescaped(text, '|').map(unescape);
  if (parts.length > 2) return undefined;
  const [first = '', second] = parts;
  if (second === undefined) return first === '' ? undefined : { system: undefined, value: first };
  if (first === '' && second === '') return undefined;
  return { system: first, value: second === '' ? undefined : second };
}

function tokenFilter(
  { spaces }: SearchParameter,
  modifier: string | undefined,
  text: string,
): ValueFilter | ValueFault {
  const query = parseToken(text);
  if (!query) return { fault: 'value, system|value, |value or system| was expected' };
  const test = (patient: Patient): boolean => spaces.some((space) => tokenMatches(space, patient, query));
  if (modifier === 'not') return { terms: undefined, test: (patient) => !test(patient) };
  const terms = spaces.flatMap((space) => tokenTerms(space, query));
  return { terms: terms.length > 0 ? terms : undefined, test };
}

function tokenTerms(space: Space, { system, value }: TokenQuery): SearchTerm[] {
  const term = (text: string): SearchTerm[] => [{ parameter: space.name, value: text }];
  if (space.kind === 'coding') {
    if (value !== undefined) return term(plainTerm(value));
    return space.systems === 'many' ? term(systemTerm(system ?? '')) : [];
  }
  if (value === undefined) return [];
  return term(space.kind === 'phone' ? phoneTerm(value) : plainTerm(value));
}

/** Spaces of contact points by the `system` a token may name. */
const TELECOM_SYSTEMS: Readonly<Record<string, readonly string[]>> = {
  phone: ['phone', 'sms'],
  email: ['email'],
  'telecom-other': ['fax', 'pager', 'url', 'other'],
};

function tokenMatches(space: Space, patient: Patient, { system, value }: TokenQuery): boolean {
  if (space.kind === 'coding') {
    const wanted = value === undefined ? undefined : plainTerm(value);
    return space.read(patient).some((coding) => codingMatches(coding, system, wanted));
  }
  if (space.kind !== 'phone' && space.kind !== 'plain') return false;
  if (system !== undefined && !TELECOM_SYSTEMS[space.name]?.includes(system)) return false;
  const same = value === undefined ? () => true : space.kind === 'phone' ? phoneTest(value) : plainTest(value);
  if (system === undefined) return space.read(patient).some((text) => text !== undefined && same(text));
  return (patient.telecom ?? []).some(
    (point) => point.system === system && point.value !== undefined && same(point.value),
  );
}

function codingMatches(coding: CodingValue, system: string | undefined, wanted: string | undefined): boolean {
  if (system !== undefined && (coding.system ?? '') !== system) return false;
  return wanted === undefined || (coding.value !== undefined && plainTerm(coding.value) === wanted);
}

function plainTest(query: string): (text: string) => boolean {
  const wanted = plainTerm(query);
  return (text) => plainTerm(text) === wanted;
}

function phoneTest(query: string): (text: string) => boolean {
  const wanted = phoneDigits(query);
  if (wanted === '') return plainTest(query);
  return (text) => samePhone(phoneDigits(text), wanted);
}

function dateFilter({ spaces }: SearchParameter, text: string, nowMs: number): ValueFilter | ValueFault {
  const query = parseDateQuery(text, nowMs);
  const [space] = spaces;
  if (!query || space?.kind !== 'date')
    return { fault: 'a date that exists was expected, with a prefix eq ne gt lt ge le sa eb or ap' };
  const years = yearSpan(query);
  const exact = exactDateTerms(query);
  const values = exact ?? (years === undefined ? undefined : spanTerms(years));
  return {
    terms: values?.map((value) => ({ parameter: space.name, value })),
    years: exact ? undefined : years,
    test: (patient) =>
      space.read(patient).some((value) => {
        const range = value === undefined ? undefined : timeRange(value);
        return range !== undefined && dateMatches(query, range);
      }),
  };
}

function referenceFilter(
  { spaces, targets = [] }: SearchParameter,
  modifier: string | undefined,
  text: string,
): ValueFilter | ValueFault {
  const [space] = spaces;
  if (space?.kind !== 'reference') return { fault: 'this parameter cannot be searched' };
  if (modifier === 'identifier') {
    const query = parseToken(text);
    if (!query) return { fault: 'value, system|value, |value or system| was expected' };
    const wanted = query.value === undefined ? undefined : plainTerm(query.value);
    return {
      terms: undefined,
      test: (patient) =>
        space
          .read(patient)
          .some(({ identifier }) => identifier !== undefined && codingMatches(identifier, query.system, wanted)),
    };
  }
  const value = unescape(text);
  const wanted = modifier === undefined || value.includes('/') ? value : `${modifier}/${value}`;
  if (modifier !== undefined && !targets.includes(modifier))
    return { fault: 'this type is not a target of the reference' };
  if (wanted === '') return { fault: 'a reference was expected' };
  return {
    terms: [{ parameter: space.name, value: referenceTerm(wanted) }],
    test: (patient) => space.read(patient).some((reference) => referenceMatches(reference, wanted)),
  };
}

/** The same reference, or the same id where the query is only an id. */
function referenceMatches({ reference }: ReferenceValue, wanted: string): boolean {
  if (reference === undefined) return false;
  return reference === wanted || referenceId(reference) === wanted;
}
