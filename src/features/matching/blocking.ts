import type { BirthDate } from './birth-date.ts';
import type { CompiledModel } from './compiled-model.ts';
import type { BlockingPart } from './model-document.ts';
import type { PreparedName } from './name.ts';
import { phonetic } from './phonetic.ts';
import type { PreparedRecord } from './prepared-record.ts';

/**
 * The keys by which a record meets others: records that share any key are compared. Rules come from the model, are OR-ed, and each
 * is chosen so that a block stays small among ten million people with real names. A missing value makes no key.
 *
 * A key is `rule|value|value`. It holds names in the clear: the caller turns it into a blind token before it leaves the process.
 */
export function blockingKeys(model: CompiledModel, record: PreparedRecord): readonly string[] {
  const { rules, keysMax } = model.document.blocking;
  // Several rules share a part; each is worked out once per record.
  const known: Partial<Record<BlockingPart, readonly string[]>> = {};
  const keys: string[] = [];
  for (const { name, parts } of rules) {
    let made: readonly string[] = [name];
    for (const part of parts) {
      const values = (known[part] ??= PARTS[part](record));
      if (values.length === 0) {
        made = NONE;
        break;
      }
      made = extend(made, values);
    }
    for (const key of made) {
      if (keys.length >= keysMax) return keys;
      keys.push(key);
    }
  }
  return keys;
}

/** Every key with every value behind it. */
function extend(keys: readonly string[], values: readonly string[]): readonly string[] {
  const out: string[] = [];
  for (const key of keys) for (const value of values) out.push(`${key}|${value}`);
  return out;
}

/** The rule that made a key, for reports on full blocks. */
export function ruleOfKey(key: string): string {
  return key.slice(0, key.indexOf('|'));
}

const NONE: readonly string[] = [];
const one = (value: string | undefined): readonly string[] => (value === undefined || value === '' ? NONE : [value]);

const PARTS: Readonly<Record<BlockingPart, (record: PreparedRecord) => readonly string[]>> = {
  identifier: (record) => record.identifiers.map(({ system, value }) => `${system}|${value}`),
  phone: (record) => record.phones.map((phone) => phone.slice(-PHONE_DIGITS)),
  email: (record) => record.emails,
  'name-sound': nameSounds,
  'name-pair-sound': namePairSounds,
  'rare-full-name': rareFullName,
  initials,
  'birth-date': (record) => one(fullDate(record.birthDate)),
  'exact-birth-date': (record) => one(record.birthDate?.estimated === true ? undefined : fullDate(record.birthDate)),
  'birth-year': (record) => one(record.birthDate === undefined ? undefined : String(record.birthDate.year)),
  'birth-month-day': (record) => one(record.birthDate?.estimated === true ? undefined : monthDay(record.birthDate)),
  'address-line': addressLine,
  city: (record) => one(placeKey(record.address?.city)),
  'postal-code': (record) => one(record.address?.postalCode),
  'mothers-maiden-name-sound': (record) => one(record.mothersMaidenName?.joined.phonetic),
};

/** The last eight digits are the subscriber's everywhere; what stands before them is written in many ways. */
const PHONE_DIGITS = 8;
/** Name parts that make keys of their own; the joined name counts as one, so that "van der Berg" meets "Vanderberg". */
const NAME_PARTS_MAX = 3;

function sounds(name: PreparedName | undefined): readonly string[] {
  if (name === undefined) return NONE;
  if (name.words.length === 1) return one(name.words[0]?.phonetic);
  const out: string[] = [];
  for (const word of [...name.words.slice(0, NAME_PARTS_MAX), name.joined]) {
    if (word.length > 1 && word.phonetic !== '' && !out.includes(word.phonetic)) out.push(word.phonetic);
  }
  return out;
}

function nameSounds(record: PreparedRecord): readonly string[] {
  const out = [...sounds(record.given)];
  for (const sound of sounds(record.family)) if (!out.includes(sound)) out.push(sound);
  return out;
}

/** In alphabetical order, so that exchanged names meet. Only first words and joined names: the product would explode. */
function namePairSounds(record: PreparedRecord): readonly string[] {
  const givens = sounds(record.given).slice(0, 2);
  const families = sounds(record.family).slice(0, 2);
  const out: string[] = [];
  for (const given of givens) {
    for (const family of families) {
      const pair = given < family ? `${given}+${family}` : `${family}+${given}`;
      if (!out.includes(pair)) out.push(pair);
    }
  }
  return out;
}

/** A full name alone is a key only while few have it: ten million people times this share is a block of a hundred. */
const RARE_SHARE_LOG2 = Math.log2(1e-5);

function rareFullName({ given, family }: PreparedRecord): readonly string[] {
  if (given === undefined || family === undefined) return NONE;
  if (given.shareLog2 + family.shareLog2 > RARE_SHARE_LOG2) return NONE;
  const [a, b] = [given.joined.text, family.joined.text];
  return [a < b ? `${a}+${b}` : `${b}+${a}`];
}

function initials(record: PreparedRecord): readonly string[] {
  const given = record.given?.words[0]?.phonetic[0];
  const family = record.family?.words[0]?.phonetic[0];
  if (given === undefined || family === undefined) return NONE;
  return [given < family ? given + family : family + given];
}

/** Day and month in numerical order where both could be a month: exchanged ones meet. */
function fullDate(date: BirthDate | undefined): string | undefined {
  return date === undefined || date.precision < 3 ? undefined : `${date.year}${monthDay(date)}`;
}

function monthDay(date: BirthDate | undefined): string | undefined {
  if (date === undefined || date.precision < 3) return undefined;
  const low = Math.min(date.month, date.day);
  const high = Math.max(date.month, date.day);
  return date.day > 12 ? `${two(date.month)}${two(date.day)}` : `${two(low)}${two(high)}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** A number and the sound of the street's first words; without a number thousands live in one village. */
function addressLine(record: PreparedRecord): readonly string[] {
  const { address } = record;
  if (address === undefined || address.street === '' || address.numbers.length === 0) return NONE;
  return [`${address.numbers[0]} ${phonetic(address.street.replaceAll(' ', ''))}`];
}

function placeKey(city: string | undefined): string | undefined {
  return city === undefined ? undefined : phonetic(city.replaceAll(' ', ''));
}
