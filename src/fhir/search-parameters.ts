import type { Patient } from '@medplum/fhirtypes';

/**
 * The search parameters of Patient: one table for the parser, the terms, the exact test and the capability statement.
 * A *space* is a set of blind terms of one kind of value; `name` searches three spaces, and nothing is indexed twice.
 */
export type Space =
  | {
      readonly name: string;
      readonly kind: 'text';
      readonly prefixes: readonly number[];
      read(patient: Patient): Texts;
    }
  | { readonly name: string; readonly kind: 'phone' | 'plain'; read(patient: Patient): Texts }
  | {
      readonly name: string;
      readonly kind: 'coding';
      /** `one`: all values come from one system, so that it tells no records apart. */
      readonly systems: 'one' | 'many';
      read(patient: Patient): readonly CodingValue[];
    }
  | { readonly name: string; readonly kind: 'date'; read(patient: Patient): Texts }
  | { readonly name: string; readonly kind: 'reference'; read(patient: Patient): readonly ReferenceValue[] };

type Texts = readonly (string | undefined)[];
export interface CodingValue {
  readonly system?: string | undefined;
  readonly value?: string | undefined;
}
export interface ReferenceValue {
  readonly reference?: string | undefined;
  readonly identifier?: CodingValue | undefined;
}

export interface SearchParameter {
  readonly name: string;
  readonly type: 'string' | 'token' | 'date' | 'reference' | 'special';
  readonly definition: string;
  readonly modifiers: readonly string[];
  readonly spaces: readonly Space[];
  readonly documentation: string;
  /** Types a reference may point at. */
  readonly targets?: readonly string[];
}

/** Query lengths that are found without false candidates; others are found through the next shorter one. */
export const NAME_PREFIXES = [1, 2, 3, 4, 5, 6, 8] as const;
const ADDRESS_PREFIXES = [1, 3, 5] as const;
/** Lines have many words, each of which is indexed: fewer lengths for each. */
const LINE_PREFIXES = [1, 4] as const;

export const MOTHERS_MAIDEN_NAME = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';
const GENDER_SYSTEM = 'http://hl7.org/fhir/administrative-gender';

const names = (patient: Patient) => patient.name ?? [];
const addresses = (patient: Patient) => patient.address ?? [];
const telecom = (patient: Patient, of: (system: string | undefined) => boolean): Texts =>
  (patient.telecom ?? []).filter((point) => of(point.system)).map((point) => point.value);
const isPhone = (system: string | undefined): boolean => system === 'phone' || system === 'sms';

const text = (name: string, prefixes: readonly number[], read: (patient: Patient) => Texts): Space => ({
  name,
  kind: 'text',
  prefixes,
  read,
});
const coding = (name: string, systems: 'one' | 'many', read: (patient: Patient) => readonly CodingValue[]): Space => ({
  name,
  kind: 'coding',
  systems,
  read,
});
const date = (name: string, read: (patient: Patient) => Texts): Space => ({ name, kind: 'date', read });
const reference = (name: string, read: (patient: Patient) => readonly (ReferenceValue | undefined)[]): Space => ({
  name,
  kind: 'reference',
  read: (patient) => read(patient).filter((item) => item !== undefined),
});

const given = text('given', NAME_PREFIXES, (p) => names(p).flatMap((name) => name.given ?? []));
const family = text('family', NAME_PREFIXES, (p) => names(p).map((name) => name.family));
const namePart = text('name-part', NAME_PREFIXES, (p) =>
  names(p).flatMap((name) => [name.text, ...(name.prefix ?? []), ...(name.suffix ?? [])]),
);
const mothersMaidenName = text('mothersMaidenName', NAME_PREFIXES, (p) =>
  (p.extension ?? [])
    .filter((extension) => extension.url === MOTHERS_MAIDEN_NAME)
    .map((extension) => extension.valueString),
);
const addressLine = text('address-line', LINE_PREFIXES, (p) =>
  addresses(p).flatMap((address) => [...(address.line ?? []), address.district, address.text]),
);
const city = text('address-city', ADDRESS_PREFIXES, (p) => addresses(p).map((address) => address.city));
const state = text('address-state', ADDRESS_PREFIXES, (p) => addresses(p).map((address) => address.state));
const country = text('address-country', ADDRESS_PREFIXES, (p) => addresses(p).map((address) => address.country));
const postalCode = text('address-postalcode', ADDRESS_PREFIXES, (p) =>
  addresses(p).map((address) => address.postalCode),
);

const phone: Space = { name: 'phone', kind: 'phone', read: (p) => telecom(p, isPhone) };
const email: Space = { name: 'email', kind: 'plain', read: (p) => telecom(p, (system) => system === 'email') };
const otherTelecom: Space = {
  name: 'telecom-other',
  kind: 'plain',
  read: (p) => telecom(p, (system) => !isPhone(system) && system !== 'email'),
};

const identifier = coding('identifier', 'many', (p) => p.identifier ?? []);
const gender = coding('gender', 'one', (p) => (p.gender ? [{ system: GENDER_SYSTEM, value: p.gender }] : []));
const active = coding('active', 'one', (p) => (p.active === undefined ? [] : [{ value: String(p.active) }]));
const deceased = coding('deceased', 'one', (p) => [
  { value: String(p.deceasedBoolean === true || p.deceasedDateTime !== undefined) },
]);
const language = coding('language', 'many', (p) =>
  (p.communication ?? []).flatMap((item) =>
    (item.language?.coding ?? []).map(({ system, code }) => ({ system, value: code })),
  ),
);
const addressUse = coding('address-use', 'one', (p) =>
  addresses(p).flatMap(({ use }) => (use ? [{ system: 'http://hl7.org/fhir/address-use', value: use }] : [])),
);
const tag = coding('_tag', 'many', (p) => (p.meta?.tag ?? []).map(({ system, code }) => ({ system, value: code })));

const birthDate = date('birthdate', (p) => [p.birthDate]);
const deathDate = date('death-date', (p) => [p.deceasedDateTime]);
const lastUpdated = date('_lastUpdated', (p) => [p.meta?.lastUpdated]);

const organization = reference('organization', (p) => [p.managingOrganization]);
const generalPractitioner = reference('general-practitioner', (p) => p.generalPractitioner ?? []);
const link = reference('link', (p) => (p.link ?? []).map((item) => item.other));

/** Every space whose terms are kept with a record. `_lastUpdated` is a plain column, `_tag` tells golden from source. */
export const SPACES: readonly Space[] = [
  given,
  family,
  namePart,
  mothersMaidenName,
  addressLine,
  city,
  state,
  country,
  postalCode,
  phone,
  email,
  otherTelecom,
  identifier,
  gender,
  active,
  deceased,
  language,
  addressUse,
  tag,
  birthDate,
  deathDate,
  organization,
  generalPractitioner,
  link,
];

const R4 = 'http://hl7.org/fhir/SearchParameter';
const STRING_MODIFIERS = ['exact', 'contains', 'missing'];
const TOKEN_MODIFIERS = ['not', 'missing'];

const strings = (name: string, definition: string, documentation: string, ...spaces: Space[]): SearchParameter => ({
  name,
  type: 'string',
  definition: `${R4}/${definition}`,
  modifiers: STRING_MODIFIERS,
  spaces,
  documentation,
});
const tokens = (name: string, definition: string, documentation: string, ...spaces: Space[]): SearchParameter => ({
  name,
  type: 'token',
  definition: `${R4}/${definition}`,
  modifiers: TOKEN_MODIFIERS,
  spaces,
  documentation,
});
const dates = (name: string, definition: string, documentation: string, space: Space): SearchParameter => ({
  name,
  type: 'date',
  definition: `${R4}/${definition}`,
  modifiers: ['missing'],
  spaces: [space],
  documentation,
});
const references = (
  name: string,
  targets: readonly string[],
  documentation: string,
  space: Space,
): SearchParameter => ({
  name,
  type: 'reference',
  definition: `${R4}/Patient-${name}`,
  modifiers: ['identifier', 'missing', ...targets],
  spaces: [space],
  documentation,
  targets,
});

const WORDS = 'The value or a word in it starts with the text, whatever its case, accents and punctuation.';

const LIST: readonly SearchParameter[] = [
  {
    name: '_id',
    type: 'token',
    definition: `${R4}/Resource-id`,
    modifiers: [],
    spaces: [],
    documentation: 'The logical id.',
  },
  dates('_lastUpdated', 'Resource-lastUpdated', 'When the record was last changed.', lastUpdated),
  tokens(
    '_tag',
    'Resource-tag',
    'https://careseal.org/fhir/record-kind|source asks for source records instead of golden ones.',
    tag,
  ),
  tokens('active', 'Patient-active', 'Whether the record is in use.', active),
  strings('family', 'individual-family', WORDS, family),
  strings('given', 'individual-given', WORDS, given),
  strings('name', 'Patient-name', `Any part of a name. ${WORDS}`, given, family, namePart),
  tokens(
    'identifier',
    'Patient-identifier',
    'system|value, value, |value or system|; letters of any case.',
    identifier,
  ),
  tokens(
    'telecom',
    'individual-telecom',
    'A whole telephone number or address of any kind.',
    phone,
    email,
    otherTelecom,
  ),
  tokens('phone', 'individual-phone', 'A whole telephone number, with or without country code and separators.', phone),
  tokens('email', 'individual-email', 'A whole e-mail address.', email),
  dates('birthdate', 'individual-birthdate', 'Prefixes eq ne gt lt ge le sa eb ap.', birthDate),
  strings(
    'address',
    'individual-address',
    `Any part of an address. ${WORDS}`,
    addressLine,
    city,
    state,
    country,
    postalCode,
  ),
  strings('address-city', 'individual-address-city', WORDS, city),
  strings('address-country', 'individual-address-country', WORDS, country),
  strings('address-postalcode', 'individual-address-postalcode', WORDS, postalCode),
  strings('address-state', 'individual-address-state', WORDS, state),
  tokens('address-use', 'individual-address-use', 'home, work, temp, old or billing.', addressUse),
  tokens('gender', 'individual-gender', 'male, female, other or unknown.', gender),
  {
    ...strings('mothersMaidenName', '', `The extension patient-mothersMaidenName. ${WORDS}`, mothersMaidenName),
    definition: 'http://hl7.org/fhir/SearchParameter/patient-extensions-Patient-mothersMaidenName',
  },
  tokens('deceased', 'Patient-deceased', 'true when a death is recorded, be it without date.', deceased),
  dates('death-date', 'Patient-death-date', 'Prefixes as for birthdate.', deathDate),
  tokens('language', 'Patient-language', 'A language that can be spoken with the person.', language),
  references(
    'general-practitioner',
    ['Organization', 'Practitioner', 'PractitionerRole'],
    'The nominated practitioner.',
    generalPractitioner,
  ),
  references('organization', ['Organization'], 'The managing organization.', organization),
  references('link', ['Patient', 'RelatedPerson'], 'Another record that this one is linked to.', link),
];

export const SEARCH_PARAMETERS: ReadonlyMap<string, SearchParameter> = new Map(LIST.map((item) => [item.name, item]));
