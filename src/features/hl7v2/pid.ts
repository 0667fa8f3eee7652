/** Between PID segments and Patients. Pure. */
import type { Address, ContactPoint, HumanName, Identifier, Patient } from '@medplum/fhirtypes';
import { MOTHERS_MAIDEN_NAME } from '../../fhir/index.ts';
import type { Authorities } from './authorities.ts';
import { escapedText, fieldOf, type Hl7Field, type Hl7Message, type Segment } from './message.ts';

const IDENTIFIER_TYPES = 'http://terminology.hl7.org/CodeSystem/v2-0203';
const MARITAL = 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus';

/** An identifier whose authority nobody here knows: the repetition it is in, from 1. */
export interface UnknownAuthority {
  readonly repetition: number;
}

/** The identifiers of a repeating CX field. */
export function identifiersOf(
  field: Hl7Field,
  systemOf: (cx: Hl7Field) => string | undefined,
): readonly Identifier[] | UnknownAuthority {
  const identifiers: Identifier[] = [];
  for (const [index, cx] of field.repetitions().entries()) {
    const value = cx.value();
    if (value === undefined) continue;
    const system = systemOf(cx);
    if (system === undefined) return { repetition: index + 1 };
    const type = cx.component(5).value();
    identifiers.push({
      ...(type ? { type: { coding: [{ system: IDENTIFIER_TYPES, code: type }] } } : {}),
      system,
      value,
    });
  }
  return identifiers;
}

/** Everything but the identifiers. Values that mean nothing in FHIR (a birth date of four zeros) are left out. */
export function demographicsOf(message: Hl7Message, pid: Segment): Omit<Patient, 'resourceType'> {
  const field = (n: number): Hl7Field => fieldOf(message, pid, n);
  const names = field(5).repetitions().flatMap(nameOf);
  const addresses = field(11).repetitions().flatMap(addressOf);
  const telecom = [
    ...field(13)
      .repetitions()
      .flatMap((xtn) => contactOf(xtn, 'home')),
    ...field(14)
      .repetitions()
      .flatMap((xtn) => contactOf(xtn, 'work')),
  ];
  const birthDate = dateOf(field(7).value());
  const gender = GENDERS[field(8).value()?.toUpperCase() ?? ''];
  const maiden = field(6).component(1).value();
  const marital = field(16).value();
  const order = field(25).value();
  return {
    active: true,
    ...(names.length > 0 ? { name: names } : {}),
    ...(telecom.length > 0 ? { telecom } : {}),
    ...(gender ? { gender } : {}),
    ...(birthDate ? { birthDate } : {}),
    ...deceasedOf(field(29).value(), field(30).value()),
    ...(addresses.length > 0 ? { address: addresses } : {}),
    ...(marital ? { maritalStatus: { coding: [{ system: MARITAL, code: marital }] } } : {}),
    ...(order && /^[1-9]\d?$/.test(order)
      ? { multipleBirthInteger: Number(order) }
      : field(24).value() === 'Y'
        ? { multipleBirthBoolean: true }
        : {}),
    ...(maiden ? { extension: [{ url: MOTHERS_MAIDEN_NAME, valueString: maiden }] } : {}),
  };
}

const GENDERS: Readonly<Record<string, NonNullable<Patient['gender']>>> = {
  M: 'male',
  F: 'female',
  O: 'other',
  A: 'other',
  N: 'other',
  U: 'unknown',
};

/** HL7 table 0200. */
const NAME_USES: Readonly<Record<string, NonNullable<HumanName['use']>>> = {
  L: 'official',
  D: 'usual',
  M: 'maiden',
  N: 'nickname',
  A: 'usual',
};

function nameOf(xpn: Hl7Field): HumanName[] {
  const part = (n: number): string | undefined => xpn.component(n).value();
  const family = part(1);
  const given = [part(2) ?? '', ...(part(3) ?? '').split(/\s+/)].filter((one) => one !== '');
  const use = NAME_USES[part(7) ?? ''];
  const suffix = [part(4), part(6)].filter((one) => one !== undefined);
  const prefix = part(5);
  if (family === undefined && given.length === 0) return [];
  return [
    {
      ...(use ? { use } : {}),
      ...(family ? { family } : {}),
      ...(given.length > 0 ? { given } : {}),
      ...(prefix ? { prefix: [prefix] } : {}),
      ...(suffix.length > 0 ? { suffix } : {}),
    },
  ];
}

/** HL7 table 0190. */
const ADDRESS_USES: Readonly<Record<string, NonNullable<Address['use']>>> = {
  H: 'home',
  O: 'work',
  B: 'work',
  C: 'temp',
};

function addressOf(xad: Hl7Field): Address[] {
  const part = (n: number): string | undefined => xad.component(n).value();
  const line = [part(1), part(2)].filter((one) => one !== undefined);
  const use = ADDRESS_USES[part(7) ?? ''];
  const address: Address = {
    ...(use ? { use } : {}),
    ...(line.length > 0 ? { line } : {}),
    ...(part(3) ? { city: part(3) as string } : {}),
    ...(part(9) ? { district: part(9) as string } : {}),
    ...(part(4) ? { state: part(4) as string } : {}),
    ...(part(5) ? { postalCode: part(5) as string } : {}),
    ...(part(6) ? { country: part(6) as string } : {}),
  };
  return Object.keys(address).length > (use ? 1 : 0) ? [address] : [];
}

function contactOf(xtn: Hl7Field, use: 'home' | 'work'): ContactPoint[] {
  const part = (n: number): string | undefined => xtn.component(n).value();
  const email = part(4);
  if (email !== undefined) return [{ system: 'email', value: email, use }];
  const local = part(7);
  const number =
    part(12) ?? part(1) ?? (local === undefined ? undefined : [part(5), part(6), local].filter(Boolean).join(' '));
  if (number === undefined) return [];
  const mobile = part(3) === 'CP' || part(2) === 'PRS';
  return [{ system: 'phone', value: number, use: mobile ? 'mobile' : use }];
}

/** `YYYY`, `YYYYMM`, `YYYYMMDD…` to a FHIR date; validated with the Patient. */
export function dateOf(text: string | undefined): string | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})?(\d{2})?/.exec(text ?? '') ?? [];
  if (year === undefined || year === '0000') return undefined;
  return [year, month, day].filter((part) => part !== undefined && part !== '00').join('-');
}

function deceasedOf(at: string | undefined, flag: string | undefined): Partial<Patient> {
  const date = dateOf(at);
  if (date !== undefined) return { deceasedDateTime: date };
  return flag === 'Y' ? { deceasedBoolean: true } : {};
}

/** Repetitions of PID-3. */
export function writtenIdentifiers(identifiers: readonly Identifier[], authorities: Authorities): string {
  return identifiers
    .filter(({ system, value }) => system !== undefined && value !== undefined)
    .map(({ system, value, type }) => {
      const code = type?.coding?.[0]?.code ?? '';
      const authority = authorities.written(system ?? '');
      return `${escapedText(value ?? '')}^^^${authority.split('&').map(escapedText).join('&')}${code ? `^${escapedText(code)}` : ''}`;
    })
    .join('~');
}

/** A PID segment that says what a Patient says. */
export function writtenPid(patient: Patient, setId: number, authorities: Authorities): string {
  const fields: string[] = [];
  fields[1] = String(setId);
  fields[3] = writtenIdentifiers(patient.identifier ?? [], authorities);
  fields[5] = (patient.name ?? []).map(writtenName).join('~');
  const maiden = patient.extension?.find(({ url }) => url === MOTHERS_MAIDEN_NAME)?.valueString;
  if (maiden) fields[6] = escapedText(maiden);
  fields[7] = (patient.birthDate ?? '').replaceAll('-', '');
  fields[8] = { male: 'M', female: 'F', other: 'O', unknown: 'U' }[patient.gender ?? 'unknown'];
  fields[11] = (patient.address ?? []).map(writtenAddress).join('~');
  fields[13] = (patient.telecom ?? [])
    .filter(({ use }) => use !== 'work')
    .map(writtenContact)
    .join('~');
  fields[14] = (patient.telecom ?? [])
    .filter(({ use }) => use === 'work')
    .map(writtenContact)
    .join('~');
  return ['PID', ...Array.from({ length: 14 }, (_none, index) => fields[index + 1] ?? '')]
    .join('|')
    .replace(/\|+$/, '');
}

const joined = (parts: readonly (string | undefined)[]): string =>
  parts
    .map((part) => escapedText(part ?? ''))
    .join('^')
    .replace(/\^+$/, '');

function writtenName({ family, given = [], prefix, suffix, use }: HumanName): string {
  const type = { official: 'L', usual: 'D', maiden: 'M', nickname: 'N', old: 'U', anonymous: 'S', temp: 'TEMP' }[
    use ?? 'official'
  ];
  const [first, ...middle] = given;
  return joined([family, first, middle.join(' '), suffix?.[0], prefix?.[0], '', type]);
}

function writtenAddress({ line = [], city, state, postalCode, country, use, district }: Address): string {
  const type = { home: 'H', work: 'O', temp: 'C', old: '', billing: 'BI' }[use ?? 'home'];
  return joined([line[0], line.slice(1).join(' '), city, state, postalCode, country, type, '', district]);
}

function writtenContact({ system, value, use }: ContactPoint): string {
  if (system === 'email') return joined(['', 'NET', 'Internet', value]);
  return joined([value, 'PRN', use === 'mobile' ? 'CP' : 'PH']);
}
