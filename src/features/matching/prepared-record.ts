import { isPassing, type PreparedAddress, prepareAddress } from './address.ts';
import { type BirthDate, dateWithin, impossibleDate, parseBirthDate } from './birth-date.ts';
import type { CompiledIdentifierKind, CompiledModel } from './compiled-model.ts';
import { normaliseEmail } from './email.ts';
import { digitsOf } from './fold.ts';
import { normaliseIdentifier } from './identifier.ts';
import type { MatchRecord } from './model.ts';
import { generationOf, type NameParts, nameParts, type PreparedName, prepareName } from './name.ts';
import { normalisePhone } from './phone.ts';
import { isUnknownPerson } from './placeholders.ts';

/** A record ready to be compared: normalised once, compared often. Placeholder values are gone. */
export interface PreparedRecord {
  readonly given: PreparedName | undefined;
  readonly family: PreparedName | undefined;
  readonly birthDate: BirthDate | undefined;
  /** The digits of what is written as birth date and is none, which counts as missing: 20011340; empty where nothing is. */
  readonly impossibleBirthDate: string;
  /** 0 unknown, 1 male, 2 female, 3 other. */
  readonly gender: 0 | 1 | 2 | 3;
  readonly phones: readonly string[];
  readonly emails: readonly string[];
  readonly identifiers: readonly PreparedIdentifier[];
  readonly address: PreparedAddress | undefined;
  /** Many strangers are registered at this address: a mail drop, a prison, a dormitory. */
  readonly passing: boolean;
  readonly mothersMaidenName: PreparedName | undefined;
  /** Jane Doe: the whole name stands for "not known". */
  readonly unknownPerson: boolean;
  /** First 1, second 2, third 3 …; 5 senior, 6 junior; 0 unknown. */
  readonly generation: number;
  readonly multipleBirth: boolean;
  /** "Baby of …": the given name is not known yet. */
  readonly unnamed: boolean;
  /** Fields whose value was a placeholder, for the explanation. */
  readonly skipped: readonly string[];
}

export interface PreparedIdentifier {
  readonly system: string;
  readonly kind: CompiledIdentifierKind;
  readonly value: string;
  /** Its check digit is wrong, where the model says how that is reckoned. */
  readonly miswritten: boolean;
}

const GENDERS = { unknown: 0, male: 1, female: 2, other: 3 } as const;
/** More values of one kind than this are not looked at; nobody has them, and comparison is quadratic in them. */
const VALUES_MAX = 10;

export function prepare(model: CompiledModel, record: MatchRecord): PreparedRecord {
  const given = nameParts(record.given, model.skip.given);
  const family = nameParts(record.family, model.skip.family);
  const birthDate = birthDateOf(model, record.birthDate) ?? dateWithin(record.birthDateText);
  return {
    given: prepareName(given.words, (name) => model.shareLog2('given', name)),
    family: prepareName(family.words, (name) => model.shareLog2('family', name)),
    birthDate,
    impossibleBirthDate: birthDate === undefined ? impossibleOf(model, record) : '',
    gender: GENDERS[record.gender ?? 'unknown'],
    phones: distinct(record.phones, normalisePhone),
    emails: emailsOf(model, record.emails),
    identifiers: identifiersOf(model, record),
    address: record.address === undefined ? undefined : prepareAddress(record.address),
    passing: record.address !== undefined && isPassing(record.address),
    mothersMaidenName: motherOf(model, record.mothersMaidenName),
    unknownPerson: isUnknownPerson(given.words, family.words),
    generation: generation(record, given, family),
    multipleBirth: record.multipleBirth !== undefined && record.multipleBirth !== false,
    unnamed: given.unnamed,
    skipped: skippedOf(given, family, record.birthDate !== undefined && birthDate === undefined),
  };
}

const NOTHING: readonly string[] = [];

function skippedOf(given: NameParts, family: NameParts, birthDateSkipped: boolean): readonly string[] {
  if (!given.placeholder && !family.placeholder && !birthDateSkipped) return NOTHING;
  const skipped: string[] = [];
  if (given.placeholder) skipped.push('given');
  if (family.placeholder) skipped.push('family');
  if (birthDateSkipped) skipped.push('birthDate');
  return skipped;
}

function birthDateOf(model: CompiledModel, text: string | undefined): BirthDate | undefined {
  if (text === undefined || model.skip.birthDates.has(text)) return undefined;
  return parseBirthDate(text);
}

/** What stands for "not known" is no impossible date, and neither are words without any digit. */
function impossibleOf(model: CompiledModel, { birthDate, birthDateText }: MatchRecord): string {
  if (birthDate === undefined) return digitsOf(birthDateText ?? '').slice(0, DATE_DIGITS_MAX);
  return model.skip.birthDates.has(birthDate) ? '' : impossibleDate(birthDate);
}
const DATE_DIGITS_MAX = 14;

function distinct(values: readonly string[], normalise: (value: string) => string): readonly string[] {
  if (values.length === 0) return NOTHING;
  const out: string[] = [];
  for (const value of values) {
    const normal = normalise(value);
    if (normal !== '' && !out.includes(normal) && out.length < VALUES_MAX) out.push(normal);
  }
  return out;
}

function emailsOf(model: CompiledModel, emails: readonly string[]): readonly string[] {
  return distinct(emails, (text) => {
    const email = normaliseEmail(text);
    return model.skip.emails.has(email) ? '' : email;
  });
}

function identifiersOf(model: CompiledModel, record: MatchRecord): readonly PreparedIdentifier[] {
  const out: PreparedIdentifier[] = [];
  for (const { system, value } of record.identifiers) {
    const normal = normaliseIdentifier(value);
    if (normal === '' || out.length >= VALUES_MAX * 2) continue;
    if (out.some((known) => known.system === system && known.value === normal)) continue;
    const kind = model.kindOf(system);
    out.push({ system, kind, value: normal, miswritten: kind.check !== undefined && !kind.check(normal) });
  }
  return out;
}

function motherOf(model: CompiledModel, name: string | undefined): PreparedName | undefined {
  if (name === undefined) return undefined;
  return prepareName(nameParts([name], model.skip.family).words, (joined) => model.shareLog2('family', joined));
}

function generation(record: MatchRecord, given: NameParts, family: NameParts): number {
  if (record.suffix !== undefined && record.suffix.length > 0) {
    const mark = generationOf(record.suffix);
    if (mark > 0) return mark;
  }
  return family.generation > 0 ? family.generation : given.generation;
}
