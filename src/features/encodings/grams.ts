import { type MatchRecord, nameParts, normalisePhone, parseBirthDate } from '../matching/index.ts';

/** One thing a record says, in the words that are hashed, and how many bits each of them sets. */
export interface FieldGrams {
  readonly field: string;
  readonly grams: readonly string[];
  readonly bitsPerGram: number;
}

const NO_WORDS: ReadonlySet<string> = new Set();
const PHONE_DIGITS = 8;
/** A name longer than this would fill a filter by itself. */
const GRAMS_MAX = 24;

/**
 * The parts of a record that take part, as normalised as matching has them. Names and places as letter pairs, so that a typing
 * error costs a few bits; dates by digit and by part, so that one wrong digit or a swap of day and month does too. Identifiers
 * stay out: they are few, guessable and issued by others.
 */
export function gramsOf(record: MatchRecord): readonly FieldGrams[] {
  const fields: FieldGrams[] = [];
  const add = (field: string, grams: readonly string[], bitsPerGram: number): void => {
    if (grams.length > 0) fields.push({ field, grams: [...new Set(grams)].slice(0, GRAMS_MAX), bitsPerGram });
  };
  add('given', nameGrams(record.given), 8);
  add('family', nameGrams(record.family), 10);
  add('birth-date', dateGrams(record.birthDate), 10);
  if (record.gender === 'male' || record.gender === 'female') add('gender', [record.gender], 12);
  add('phone', phoneGrams(record.phones), 4);
  add('city', wordGrams(record.address?.city), 4);
  add('postal-code', wordGrams(record.address?.postalCode), 4);
  return fields;
}

function nameGrams(texts: readonly string[]): readonly string[] {
  return nameParts(texts, NO_WORDS).words.flatMap(pairs);
}

function wordGrams(text: string | undefined): readonly string[] {
  return text === undefined ? [] : nameParts([text], NO_WORDS).words.flatMap(pairs);
}

/** `_am`, `am`, `mi` …: letter pairs with the beginning and the end of the word marked. */
function pairs(word: string): string[] {
  const marked = `_${word}_`;
  return Array.from({ length: marked.length - 1 }, (_, at) => marked.slice(at, at + 2));
}

function dateGrams(text: string | undefined): readonly string[] {
  const date = text === undefined ? undefined : parseBirthDate(text);
  if (date === undefined || text === undefined) return [];
  const [year = '', month = '', day = ''] = text.slice(0, 10).split('-');
  return [
    ...digits('y', year),
    `year ${year}`,
    ...(month === '' ? [] : [...digits('m', month), `part ${month}`]),
    ...(day === '' ? [] : [...digits('d', day), `part ${day}`]),
  ];
}

function digits(place: string, text: string): string[] {
  return [...text].map((digit, at) => `${place}${at} ${digit}`);
}

/** The last digits of the first telephone; area codes and prefixes are written in too many ways. */
function phoneGrams(phones: readonly string[]): readonly string[] {
  const number = normalisePhone(phones[0] ?? '').slice(-PHONE_DIGITS);
  return number.length < PHONE_DIGITS ? [] : pairs(number);
}
