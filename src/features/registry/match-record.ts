import type { Address, ContactPoint, Extension, Patient } from '@medplum/fhirtypes';
import type { MatchAddress, MatchRecord } from '../matching/index.ts';

const MOTHERS_MAIDEN_NAME = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';
const ORIGINAL_TEXT = 'http://hl7.org/fhir/StructureDefinition/originalText';

/** Extracts what matching compares. Names of every use are taken: a maiden name may be the one another node knows. */
export function matchRecordOf(patient: Patient): MatchRecord {
  const given: string[] = [];
  const family: string[] = [];
  const suffix: string[] = [];
  for (const name of patient.name ?? []) {
    for (const part of name.given ?? []) if (part && !given.includes(part)) given.push(part);
    for (const part of name.suffix ?? []) if (part && !suffix.includes(part)) suffix.push(part);
    if (name.family && !family.includes(name.family)) family.push(name.family);
  }
  const address = matchAddress(patient.address);
  const maiden = patient.extension?.find((extension) => extension.url === MOTHERS_MAIDEN_NAME)?.valueString;
  const multipleBirth = patient.multipleBirthInteger ?? patient.multipleBirthBoolean;
  return {
    given,
    family,
    ...(suffix.length > 0 ? { suffix } : {}),
    ...(patient.birthDate ? { birthDate: patient.birthDate } : birthDateText(patient)),
    ...(patient.gender ? { gender: patient.gender } : {}),
    phones: contactValues(patient.telecom, ['phone', 'sms', 'fax']),
    emails: contactValues(patient.telecom, ['email']),
    identifiers: matchIdentifiers(patient),
    ...(address ? { address } : {}),
    ...(maiden ? { mothersMaidenName: maiden } : {}),
    ...(multipleBirth === undefined ? {} : { multipleBirth }),
  };
}

/** What a file had in place of a birth date, kept as text when it was loaded. */
function birthDateText(patient: Patient & PrimitiveExtensions): Pick<MatchRecord, 'birthDateText'> {
  const { _birthDate: element } = patient;
  const text = element?.extension?.find(({ url }) => url === ORIGINAL_TEXT)?.valueString;
  return text ? { birthDateText: text } : {};
}

interface PrimitiveExtensions {
  readonly _birthDate?: { readonly extension?: readonly Extension[] };
}

function matchIdentifiers(patient: Patient): { system: string; value: string }[] {
  const found: { system: string; value: string }[] = [];
  for (const identifier of patient.identifier ?? []) {
    // An identifier marked old or without a system says nothing certain about the person.
    if (identifier.system && identifier.value && identifier.use !== 'old') {
      found.push({ system: identifier.system, value: identifier.value });
    }
  }
  return found;
}

function contactValues(telecom: ContactPoint[] | undefined, systems: readonly string[]): string[] {
  const values: string[] = [];
  for (const point of telecom ?? []) {
    if (point.value && point.system && systems.includes(point.system)) values.push(point.value);
  }
  return values;
}

/** The address used for comparison: the first that is not marked old. */
function matchAddress(addresses: Address[] | undefined): MatchAddress | undefined {
  const address = addresses?.find((candidate) => candidate.use !== 'old') ?? addresses?.[0];
  if (!address) return undefined;
  return {
    line: address.line ?? [],
    ...(address.city ? { city: address.city } : {}),
    ...(address.state ? { state: address.state } : {}),
    ...(address.postalCode ? { postalCode: address.postalCode } : {}),
    ...(address.country ? { country: address.country } : {}),
  };
}
