/** A Patient as lines a person reads. Values only; what is sealed or signed is somebody else's concern. */
import type { Address, ContactPoint, HumanName, Identifier, Patient } from '@medplum/fhirtypes';
import type { FieldView } from './wire.ts';

const MOTHERS_MAIDEN_NAME = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';

export const LABELS: Readonly<Record<string, string>> = {
  name: 'Name',
  gender: 'Sex',
  birthDate: 'Birth date',
  identifier: 'Identifier',
  telecom: 'Contact',
  address: 'Address',
  mothersMaidenName: "Mother's maiden name",
  deceasedDateTime: 'Died',
  deceasedBoolean: 'Deceased',
  multipleBirthBoolean: 'Multiple birth',
  multipleBirthInteger: 'Birth order',
  maritalStatus: 'Marital status',
  active: 'Active',
  communication: 'Language',
  contact: 'Contact person',
  managingOrganization: 'Organisation',
  generalPractitioner: 'Practitioner',
  extension: 'Further detail',
};

export function displayName(name: HumanName | undefined): string {
  if (!name) return '';
  if (name.text && !name.family && !name.given) return name.text;
  return [...(name.prefix ?? []), ...(name.given ?? []), name.family, ...(name.suffix ?? [])].filter(Boolean).join(' ');
}

export function displayAddress(address: Address): string {
  if (address.text && !address.line && !address.city) return address.text;
  const city = [address.postalCode, address.city].filter(Boolean).join(' ');
  return [...(address.line ?? []), city, address.district, address.state, address.country].filter(Boolean).join(', ');
}

function displayContact(point: ContactPoint): string {
  return [point.value, point.use ? `(${point.use})` : ''].filter(Boolean).join(' ');
}

/** A short, readable name of an identifier system: the last part of its URI. */
export function systemLabel(system: string): string {
  const tail = system.split(/[/:#]/).findLast((part) => part !== '');
  return tail && tail.length > 0 ? tail : system;
}

function displayIdentifier(identifier: Identifier): string {
  return identifier.value ?? '';
}

/** The text of one element's value, whatever its FHIR type. */
export function displayValue(path: string, value: unknown): string {
  switch (path) {
    case 'name':
      return displayName(value as HumanName);
    case 'address':
      return displayAddress(value as Address);
    case 'telecom':
      return displayContact(value as ContactPoint);
    case 'identifier':
      return displayIdentifier(value as Identifier);
    default:
      return displayOther(value);
  }
}

function displayOther(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(displayOther).filter(Boolean).join(', ');
  if (typeof value !== 'object' || value === null) return '';
  const record = value as Record<string, unknown>;
  for (const key of ['text', 'display', 'valueString', 'value', 'code', 'reference']) {
    if (typeof record[key] === 'string') return record[key];
  }
  for (const key of ['coding', 'language', 'name', 'valueCodeableConcept', 'valueCoding']) {
    if (record[key] !== undefined) return displayOther(record[key]);
  }
  return '';
}

/** `identifier:<system>` and `telecom:<system>` name their kind; everything else goes by its element. */
export function pathOf(path: string, value: unknown): string {
  if (path === 'identifier') return `identifier:${(value as Identifier).system ?? ''}`;
  if (path === 'telecom') return `telecom:${(value as ContactPoint).system ?? 'other'}`;
  if (path === 'extension' && (value as { url?: string }).url === MOTHERS_MAIDEN_NAME) return 'mothersMaidenName';
  return path;
}

export function labelOf(path: string): string {
  const [element = path, ...rest] = path.split(':');
  const kind = rest.join(':');
  if (element === 'identifier') return kind ? systemLabel(kind) : 'Identifier';
  if (element === 'telecom') return { phone: 'Telephone', sms: 'Telephone', email: 'E-mail' }[kind] ?? 'Contact';
  return LABELS[element] ?? element;
}

const LISTED = [
  'name',
  'birthDate',
  'gender',
  'identifier',
  'telecom',
  'address',
  'deceasedDateTime',
  'deceasedBoolean',
] as const;
const FURTHER = [
  'multipleBirthBoolean',
  'multipleBirthInteger',
  'maritalStatus',
  'communication',
  'contact',
  'extension',
] as const;

/** Every line of a Patient that has a text. */
export function fieldsOf(patient: Patient): FieldView[] {
  const fields: FieldView[] = [];
  for (const element of [...LISTED, ...FURTHER]) {
    const value = (patient as unknown as Record<string, unknown>)[element];
    for (const one of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
      const text = displayValue(element, one);
      const path = pathOf(element, one);
      if (text) fields.push({ path, label: labelOf(path), value: text });
    }
  }
  return fields;
}
