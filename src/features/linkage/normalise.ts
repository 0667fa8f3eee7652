import { compileDates, type DateReader, genderWords, readBoolean, splitWholeName } from '../load/reading.ts';
import type { MapDocument } from '../load/wire.ts';
import {
  type CompiledModel,
  generationOf,
  nameParts,
  normaliseEmail,
  normaliseIdentifier,
  normalisePhone,
  prepareAddress,
} from '../matching/index.ts';
import { GENERATION_SHIFT, MULTIPLE_BIRTH, UNNAMED } from './fields.ts';

/**
 * From what a file writes to what comparison sees, one distinct value at a time. Placeholders and values that cannot be read become
 * the empty text, which is missing. A value of several parts (two telephone numbers) keeps them apart with a blank.
 */
export interface Normalised {
  readonly text: string;
  readonly flags: number;
}
export type Normalise = (texts: readonly string[]) => Normalised;

const NOTHING: Normalised = { text: '', flags: 0 };
const plain = (text: string): Normalised => (text === '' ? NOTHING : { text, flags: 0 });

export function normaliseName(model: CompiledModel, field: 'given' | 'family'): Normalise {
  const skip = model.skip[field];
  return (texts) => {
    const { words, generation, unnamed } = nameParts(texts, skip);
    return { text: words.join(' '), flags: (unnamed ? UNNAMED : 0) | (generation << GENERATION_SHIFT) };
  };
}

/** Both names out of one text. */
export function normaliseWholeName(
  model: CompiledModel,
  name: NonNullable<MapDocument['name']>,
): readonly [given: Normalise, family: Normalise] {
  const order = typeof name === 'string' ? undefined : name.order;
  const given = normaliseName(model, 'given');
  const family = normaliseName(model, 'family');
  return [
    ([text = '']) => given(splitWholeName(text, order).givens),
    ([text = '']) => family(splitWholeName(text, order).families),
  ];
}

/** Files hold people long dead, too. */
const YEAR_MIN = 1000;

export function normaliseBirthDate(
  model: CompiledModel,
  formats: readonly string[],
  today: string,
  unknown: readonly string[] = [],
): Normalise {
  const read: DateReader = compileDates(formats, today, YEAR_MIN);
  const none = new Set(unknown.map((text) => text.trim().toLowerCase()));
  return ([text = '']) => {
    if (none.has(text.toLowerCase())) return NOTHING;
    const { date } = read(text);
    return date === undefined || model.skip.birthDates.has(date) ? NOTHING : plain(date);
  };
}

export function normaliseGender(gender: NonNullable<MapDocument['gender']>): Normalise {
  const words = genderWords(gender);
  return ([text = '']) => {
    const code = words.get(text.toLowerCase());
    return code === undefined || code === 'unknown' ? NOTHING : plain(code);
  };
}

const severalOf =
  (one: (text: string) => string): Normalise =>
  (texts) => {
    if (texts.length === 1) return plain(one(texts[0] ?? ''));
    const found = texts.map(one).filter((text, at, all) => text !== '' && all.indexOf(text) === at);
    return plain(found.join(' '));
  };

export function normaliseEmails(model: CompiledModel): Normalise {
  return severalOf((text) => {
    const email = normaliseEmail(text);
    return model.skip.emails.has(email) ? '' : email.replaceAll(' ', '');
  });
}

export const normalisePhones = severalOf(normalisePhone);
export const normaliseIdentifiers = severalOf(normaliseIdentifier);

/** `numbers|street`, as `lineOf` of prepared-values reads it. */
export const normaliseLine: Normalise = (texts) => {
  const prepared = prepareAddress({ line: texts });
  if (prepared === undefined || (prepared.numbers.length === 0 && prepared.street === '')) return NOTHING;
  return plain(`${prepared.numbers.join(' ')}|${prepared.street}`);
};

export function normalisePlace(part: 'city' | 'state' | 'postalCode'): Normalise {
  return ([text = '']) => plain(prepareAddress({ line: [], [part]: text })?.[part] ?? '');
}

export const normaliseSuffix: Normalise = (texts) => ({ text: '', flags: generationOf(texts) << GENERATION_SHIFT });

export const normaliseMultipleBirth: Normalise = ([text = '']) => {
  const several = /^[2-9]$/.test(text) || readBoolean(text) === true;
  return several ? { text: '', flags: MULTIPLE_BIRTH } : NOTHING;
};

/** Kept as it stands: the record's own id, and the truth. */
export const keepText: Normalise = ([text = '']) => plain(text);
