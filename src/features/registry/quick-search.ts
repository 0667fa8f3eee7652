/** The pages' search: words, each a name, a birth date, an identifier or a telephone number, all of which must fit. */
import type { Patient } from '@medplum/fhirtypes';
import { fold, NAME_PREFIXES, phoneTerm, plainTerm, prefixTerm, samePhone, startsWith } from '../../fhir/index.ts';
import type { SearchTerm } from './service.ts';

export interface QuickSearch {
  readonly terms: readonly (readonly SearchTerm[])[];
  accepts(patient: Patient): boolean;
}

const WORDS_MAX = 8;

interface Word {
  readonly terms: readonly SearchTerm[];
  accepts(patient: Patient): boolean;
}

export function parseQuickSearch(text: string): QuickSearch {
  const words = text
    .trim()
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
    .slice(0, WORDS_MAX)
    .map(parseWord)
    .filter((word) => word.terms.length > 0);
  return {
    terms: words.map((word) => word.terms),
    accepts: (patient) => words.every((word) => word.accepts(patient)),
  };
}

function parseWord(text: string): Word {
  const date = dateIn(text);
  const kinds = [nameWord(text), identifierWord(text), ...(date ? [dateWord(date)] : []), ...phoneWord(text)];
  return {
    terms: kinds.flatMap((kind) => kind.terms),
    accepts: (patient) => kinds.some((kind) => kind.accepts(patient)),
  };
}

function nameWord(text: string): Word {
  const folded = fold(text);
  const start = prefixTerm(folded, NAME_PREFIXES);
  const parts = (patient: Patient) =>
    (patient.name ?? []).flatMap((name) => [...(name.given ?? []), name.family ?? '', name.text ?? '']);
  return {
    terms:
      start === undefined ? [] : ['given', 'family', 'name-part'].map((parameter) => ({ parameter, value: start })),
    accepts: (patient) => parts(patient).some((part) => part !== '' && startsWith(fold(part), folded)),
  };
}

function identifierWord(text: string): Word {
  const wanted = plainTerm(text);
  return {
    terms: [{ parameter: 'identifier', value: wanted }],
    accepts: (patient) =>
      (patient.identifier ?? []).some((one) => one.value !== undefined && plainTerm(one.value) === wanted),
  };
}

/** `1980`, `1980-02`, `1980-02-01`, and `01/02/1980` or `1.2.1980` with the day first. */
function dateIn(text: string): string | undefined {
  if (/^(1[89]|20)\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/.test(text)) return text;
  const local = /^(\d{1,2})[./](\d{1,2})[./]((?:1[89]|20)\d\d)$/.exec(text);
  const [, day, month, year] = local ?? [];
  if (!day || !month || !year || Number(day) > 31 || Number(month) > 12) return undefined;
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

function dateWord(date: string): Word {
  return {
    terms: [{ parameter: 'birthdate', value: date }],
    accepts: (patient) => patient.birthDate?.startsWith(date) ?? false,
  };
}

function phoneWord(text: string): Word[] {
  const digits = text.replace(/\D/g, '').replace(/^0+/, '');
  if (digits.length < 5 || !/^[\d+()./-]+$/.test(text)) return [];
  const numbers = (patient: Patient) =>
    (patient.telecom ?? []).flatMap((point) =>
      point.value ? [point.value.replace(/\D/g, '').replace(/^0+/, '')] : [],
    );
  return [
    {
      terms: [{ parameter: 'phone', value: phoneTerm(text) }],
      accepts: (patient) => numbers(patient).some((number) => samePhone(number, digits)),
    },
  ];
}
