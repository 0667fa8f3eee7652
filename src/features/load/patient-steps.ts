import type { Address, ContactPoint, Extension, HumanName, Identifier, Patient } from '@medplum/fhirtypes';
import { MOTHERS_MAIDEN_NAME } from '../../fhir/index.ts';
import { compileDates, dateFormats, type DateReader } from './dates.ts';
import type { MapDocument } from './map-document.ts';
import { genderWords } from './gender-words.ts';
import type { Notice } from './model.ts';
import {
  type Columns,
  cell,
  columnName,
  type ReadValue,
  readBoolean,
  readColumn,
  readSource,
  readSources,
} from './row-values.ts';
import { splitWholeName } from './whole-name.ts';

/** A Patient in the making, with what could not be read. */
export interface Draft {
  readonly patient: Patient;
  readonly warnings: Notice[];
}
/** Adds one element of the Patient from the row's fields. */
export type Step = (fields: readonly string[], draft: Draft) => void;

export interface StepsInput {
  readonly map: MapDocument;
  readonly domain: string;
  /** FHIR date. */
  readonly today: string;
}

/** The element's text as it stood in the file, where it could not be read completely. */
const ORIGINAL_TEXT = 'http://hl7.org/fhir/StructureDefinition/originalText';

/** One step per mapped element. */
export function compileSteps(input: StepsInput, columns: Columns): Step[] {
  const { map } = input;
  const steps: Step[] = [
    identifierStep(map, columns, input.domain),
    activeStep(map, columns),
    nameStep(map, columns),
    telecomStep(map, columns),
  ].filter((step) => step !== undefined);
  if (map.gender !== undefined) steps.push(genderStep(map.gender, columns));
  if (map.birthDate !== undefined) steps.push(birthDateStep(map.birthDate, columns, input.today));
  if (map.deceased !== undefined) steps.push(deceasedStep(map.deceased, columns, input.today));
  if (map.address !== undefined) steps.push(addressStep(map.address, columns));
  if (map.maritalStatus !== undefined) steps.push(maritalStep(readSource(columns, map.maritalStatus)));
  if (map.multipleBirth !== undefined) steps.push(multipleBirthStep(map.multipleBirth, columns));
  if (map.language !== undefined) steps.push(languageStep(readSource(columns, map.language)));
  if (map.mothersMaidenName !== undefined) steps.push(motherStep(readSource(columns, map.mothersMaidenName)));
  return steps;
}

function identifierStep(map: MapDocument, columns: Columns, domain: string): Step | undefined {
  const others = (map.identifier ?? []).filter(
    ({ system, column }) => system !== domain || (map.id !== undefined && column !== map.id),
  );
  if (others.length === 0) return undefined;
  const made = others.map(({ system, column, use, type }) => {
    const at = columns.place(column);
    const coding =
      type === undefined
        ? undefined
        : { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: type }] };
    return (fields: readonly string[]): Identifier | undefined => {
      const value = cell(fields, at);
      return value === '' ? undefined : { ...(use && { use }), ...(coding && { type: coding }), system, value };
    };
  });
  return (fields, { patient }) => {
    for (const make of made) {
      const identifier = make(fields);
      if (identifier !== undefined) patient.identifier?.push(identifier);
    }
  };
}

function activeStep(map: MapDocument, columns: Columns): Step | undefined {
  const { active } = map;
  if (active === undefined) return undefined;
  const read = readSource(columns, active);
  return (fields, { patient, warnings }) => {
    const text = read(fields);
    if (text === '') return;
    const value = readBoolean(text);
    if (value === undefined) warnings.push({ column: columnName(active), reason: 'is neither yes nor no' });
    else patient.active = value;
  };
}

function nameStep(map: MapDocument, columns: Columns): Step | undefined {
  const { given, family, name, prefix, suffix } = map;
  if (given === undefined && family === undefined && name === undefined) return undefined;
  const readGiven = given === undefined ? undefined : readSources(columns, given);
  const readFamily = family === undefined ? undefined : readSources(columns, family);
  const readPrefix = prefix === undefined ? undefined : readSource(columns, prefix);
  const readSuffix = suffix === undefined ? undefined : readSource(columns, suffix);
  const readWhole = name === undefined ? undefined : wholeName(name, columns);
  return (fields, { patient }) => {
    let givens = readGiven?.(fields) ?? [];
    let families = readFamily?.(fields) ?? [];
    if (givens.length === 0 && families.length === 0 && readWhole !== undefined) {
      ({ givens, families } = readWhole(fields));
    }
    if (givens.length === 0 && families.length === 0) return;
    const human: HumanName = {};
    if (families.length > 0) human.family = families.join(' ');
    if (givens.length > 0) human.given = givens;
    const [before, after] = [readPrefix?.(fields) ?? '', readSuffix?.(fields) ?? ''];
    if (before !== '') human.prefix = [before];
    if (after !== '') human.suffix = [after];
    patient.name = [human];
  };
}

function wholeName(
  name: NonNullable<MapDocument['name']>,
  columns: Columns,
): (fields: readonly string[]) => { givens: string[]; families: string[] } {
  const read = readColumn(columns, columnName(name));
  const order = typeof name === 'string' ? undefined : name.order;
  return (fields) => splitWholeName(read(fields), order);
}

function telecomStep(map: MapDocument, columns: Columns): Step | undefined {
  if (map.phone === undefined && map.email === undefined) return undefined;
  const readPhones = map.phone === undefined ? () => [] : readSources(columns, map.phone);
  const readEmails = map.email === undefined ? () => [] : readSources(columns, map.email);
  return (fields, { patient }) => {
    const telecom: ContactPoint[] = [];
    for (const value of readPhones(fields)) telecom.push({ system: 'phone', value });
    for (const value of readEmails(fields)) telecom.push({ system: 'email', value });
    if (telecom.length > 0) patient.telecom = telecom;
  };
}

function genderStep(gender: NonNullable<MapDocument['gender']>, columns: Columns): Step {
  if (typeof gender !== 'string' && 'value' in gender) {
    return (_fields, { patient }) => void (patient.gender = gender.value);
  }
  const column = columnName(gender);
  const read = readColumn(columns, column);
  const values = genderWords(gender);
  return (fields, { patient, warnings }) => {
    const text = read(fields);
    if (text === '') return;
    const code = values.get(text.toLowerCase());
    if (code !== undefined) {
      patient.gender = code;
      return;
    }
    warnings.push({ column, reason: 'is no sex that the mapping knows; it was kept as text' });
    keepText(patient, '_gender', text);
  };
}

/** Keeps what could not be read as FHIR's originalText extension of the element, so that nothing of the file is lost. */
function keepText(patient: Patient, element: '_gender' | '_birthDate', text: string): void {
  const extension: Extension[] = [{ url: ORIGINAL_TEXT, valueString: text }];
  Object.assign(patient, { [element]: { extension } });
}

function birthDateStep(birthDate: NonNullable<MapDocument['birthDate']>, columns: Columns, today: string): Step {
  const column = columnName(birthDate);
  const read = readColumn(columns, column);
  const unknown = new Set(
    typeof birthDate === 'string' ? [] : (birthDate.unknown ?? []).map((text) => text.trim().toLowerCase()),
  );
  const readDate = datesOf(birthDate, today);
  return (fields, { patient, warnings }) => {
    const text = read(fields);
    if (text === '' || unknown.has(text.toLowerCase())) return;
    const { date, fault } = readDate(text);
    if (date !== undefined) patient.birthDate = date;
    if (fault === undefined) return;
    warnings.push({
      column,
      reason: `${fault}; ${date === undefined ? 'it was kept as text' : 'the part of it that can be true was taken, all of it kept as text'}`,
    });
    keepText(patient, '_birthDate', text);
  };
}

function datesOf(mapped: { readonly format?: string | string[] | undefined } | string, today: string): DateReader {
  return compileDates(dateFormats(mapped), today);
}

function deceasedStep(deceased: NonNullable<MapDocument['deceased']>, columns: Columns, today: string): Step {
  const column = columnName(deceased);
  const read = readColumn(columns, column);
  const readDate = datesOf(deceased, today);
  return (fields, { patient, warnings }) => {
    const text = read(fields);
    if (text === '') return;
    const dead = readBoolean(text);
    const { date, fault } = dead === undefined ? readDate(text) : {};
    if (dead !== undefined) patient.deceasedBoolean = dead;
    else if (fault === undefined && date !== undefined) patient.deceasedDateTime = date;
    else warnings.push({ column, reason: 'is neither a date nor yes or no; it was left out' });
  };
}

function addressStep(address: NonNullable<MapDocument['address']>, columns: Columns): Step {
  const readLines = address.line === undefined ? () => [] : readSources(columns, address.line);
  const parts: [key: 'text' | 'district' | 'city' | 'state' | 'postalCode' | 'country', read: ReadValue][] = [];
  for (const key of ['text', 'district', 'city', 'state', 'postalCode', 'country'] as const) {
    const source = address[key];
    if (source !== undefined) parts.push([key, readSource(columns, source)]);
  }
  return (fields, { patient }) => {
    const made: Address = {};
    const line = joinHouseNumber(readLines(fields));
    if (line.length > 0) made.line = line;
    for (const [key, read] of parts) {
      const value = read(fields);
      if (value !== '') made[key] = value;
    }
    if (Object.keys(made).length === 0) return;
    if (address.use !== undefined) made.use = address.use;
    patient.address = [made];
  };
}

/** A column that holds nothing but a house number belongs before the street in the next one. */
function joinHouseNumber(values: readonly string[]): string[] {
  const [number, street, ...rest] = values;
  if (number === undefined || street === undefined || !/^\d{1,6}[a-zA-Z]?$/.test(number)) return [...values];
  return [`${number} ${street}`, ...rest];
}

function maritalStep(read: ReadValue): Step {
  return (fields, { patient }) => {
    const text = read(fields);
    if (text !== '') patient.maritalStatus = { text };
  };
}

function multipleBirthStep(source: NonNullable<MapDocument['multipleBirth']>, columns: Columns): Step {
  const read = readSource(columns, source);
  return (fields, { patient, warnings }) => {
    const text = read(fields);
    if (text === '') return;
    const several = readBoolean(text);
    if (/^[1-9]$/.test(text) && text !== '1') patient.multipleBirthInteger = Number(text);
    else if (several !== undefined) patient.multipleBirthBoolean = several;
    else warnings.push({ column: columnName(source), reason: 'is neither yes, no nor a number; it was left out' });
  };
}

function languageStep(read: ReadValue): Step {
  return (fields, { patient }) => {
    const text = read(fields);
    if (text !== '') patient.communication = [{ language: { text } }];
  };
}

function motherStep(read: ReadValue): Step {
  return (fields, { patient }) => {
    const valueString = read(fields);
    if (valueString !== '') patient.extension = [{ url: MOTHERS_MAIDEN_NAME, valueString }];
  };
}
