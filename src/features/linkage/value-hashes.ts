import { phonetic } from '../matching/index.ts';
import { type Column, type ColumnKey, sharedNumbers, textOf, valueCount } from './fields.ts';
import { dateOf, lineOf, nameOf } from './prepared-values.ts';

/**
 * What blocking keys are made of: for every distinct value of a column a hash of one of its aspects (the sound of a name, the year of
 * a date), 0 where it has none. Two keys may be equal by accident; that costs a comparison and nothing else.
 */
export interface Aspect {
  readonly ids: Uint32Array;
  /** By number of value. */
  readonly hashes: Uint32Array;
}
export type Aspects = ReadonlyMap<string, Aspect>;

export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mixed(hash) || 1;
}

export function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Hashes of a value in the order of the aspects' names. */
type Hashes = (text: string) => readonly number[];

/** The aspects of a column: their names, and how a value's are made. */
function recipeOf(key: ColumnKey): { readonly names: readonly string[]; readonly hashes: Hashes } | undefined {
  switch (key) {
    case 'given':
    case 'family':
      return {
        names: ['sound', 'last-sound', 'joined-sound', 'exact', 'initial', 'start'].map((name) => `${key}-${name}`),
        hashes: nameHashes,
      };
    case 'birthDate':
      return { names: ['date', 'year', 'month-day', 'year-month'], hashes: dateHashes };
    case 'gender':
      return { names: ['gender'], hashes: (text) => [hashText(text)] };
    case 'phone':
      return { names: ['phone', 'phone-end'], hashes: phoneHashes };
    case 'email':
      return { names: ['email', 'email-name'], hashes: emailHashes };
    case 'line':
      return { names: ['line', 'street'], hashes: lineHashes };
    case 'postalCode':
      return { names: [key], hashes: (text) => [hashText(text)] };
    case 'city':
    case 'state':
      return { names: [`${key}-sound`], hashes: (text) => [hashText(phonetic(text.replaceAll(' ', '')))] };
    case 'mother':
      return { names: ['mother'], hashes: (text) => [hashText(phonetic(text.replaceAll(' ', '')))] };
    default:
      return key.startsWith('identifier:')
        ? { names: [key], hashes: (text) => [hashText(text.split(' ', 1)[0] ?? '')] }
        : undefined;
  }
}

/** All aspects of a column. */
export function aspectsOfColumn(column: Column): readonly (readonly [name: string, aspect: Aspect])[] {
  const recipe = recipeOf(column.key);
  if (recipe === undefined) return [];
  const count = valueCount(column.texts);
  const arrays = recipe.names.map(() => sharedNumbers(count + 1));
  for (let id = 1; id <= count; id++) {
    const made = recipe.hashes(textOf(column.texts, id));
    for (let at = 0; at < arrays.length; at++) (arrays[at] as Uint32Array)[id] = made[at] ?? 0;
  }
  return recipe.names.map((name, at) => [name, { ids: column.ids, hashes: arrays[at] as Uint32Array }]);
}

const LOCAL_LENGTH_MIN = 5;

const sound = (code: string): number => (code === '' ? 0 : hashText(code));

const nameHashes: Hashes = (text) => {
  const { words, joined } = nameOf(text);
  const first = words[0]?.phonetic ?? '';
  const last = words.at(-1)?.phonetic ?? '';
  return [
    sound(first),
    last === first ? 0 : sound(last),
    words.length < 2 ? 0 : sound(joined.phonetic),
    hashText(joined.text),
    sound(first.slice(0, 1)),
    hashText(joined.text.slice(0, 3)),
  ];
};

const dateHashes: Hashes = (text) => {
  const { year, month, day, precision, estimated } = dateOf(text);
  const none = precision < 3;
  // Where day and month could be mistaken for each other, they are put in numerical order: exchanged ones meet.
  const monthDay = day > 12 ? month * 100 + day : Math.min(month, day) * 100 + Math.max(month, day);
  return [
    none ? 0 : mixed(year * 10_000 + monthDay),
    mixed(year),
    none || estimated ? 0 : mixed(monthDay),
    precision < 2 ? 0 : mixed(year * 100 + month),
  ];
};

const phoneHashes: Hashes = (text) => {
  const [first = ''] = text.split(' ', 1);
  return [hashText(first.slice(-8)), hashText(first.slice(-4))];
};

const emailHashes: Hashes = (text) => {
  const [first = ''] = text.split(' ', 1);
  const local = first.slice(0, Math.max(0, first.indexOf('@')));
  return [hashText(first), local.length >= LOCAL_LENGTH_MIN ? hashText(local) : 0];
};

const lineHashes: Hashes = (text) => {
  const { numbers, street } = lineOf(text);
  if (street === '') return [0, 0];
  const code = phonetic(street.replaceAll(' ', ''));
  return [numbers.length === 0 ? 0 : hashText(`${numbers[0]} ${code}`), hashText(code)];
};
