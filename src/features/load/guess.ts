import { compileDates } from './dates.ts';
import type { FileColumn, FileProblem, MapDocument } from './wire.ts';

/**
 * A first mapping from column names (English, French, Spanish, Portuguese, Swahili, and what registers call them) and, where the name says
 * nothing, from the values. A guess is a proposal: the page shows it with a preview and nothing is loaded before somebody agrees.
 */
type Target =
  | 'id'
  | 'given'
  | 'middle'
  | 'family'
  | 'name'
  | 'gender'
  | 'birthDate'
  | 'phone'
  | 'email'
  | 'identifier'
  | 'line'
  | 'houseNumber'
  | 'city'
  | 'district'
  | 'state'
  | 'postalCode'
  | 'country'
  | 'mothersMaidenName';

const NAMES: Readonly<Record<Target, string>> = {
  id: 'recid recordid clientid patientid personid uniqueid uid id recordnumber folderno',
  given:
    'givenname givennames firstname fname forename forenames first given prenom prenoms nombre nombres primeiro primeironome jinalakwanza vorname',
  middle: 'middlename middle othername othernames secondname',
  family:
    'surname lastname familyname lname last family nom nomdefamille apellido apellidos sobrenome jinalaukoo nachname',
  name: 'fullname name patientname clientname names nomcomplet nombrecompleto jina',
  gender: 'sex gender sexe sexo genero jinsia geschlecht',
  birthDate:
    'dateofbirth dob birthdate birthday datenaissance datedenaissance fechanacimiento fechadenacimiento datanascimento tarehekuzaliwa geburtsdatum',
  phone:
    'phonenumber phone phoneno mobile mobilenumber mobilephone telephone tel cell cellphone cellphonenumber contact contactnumber telefono telefone simu',
  email: 'email emailaddress mail correo courriel',
  identifier:
    'nin nationalid nid nationalidnumber idnumber nationalidentifier ssn socsecid socialsecuritynumber passport passportnumber artnumber mrn medicalrecordnumber hospitalnumber nhsnumber nhisnumber cpf curp upi ugandanin insurancenumber healthid ccc cccnumber',
  line: 'address address1 address2 addressline1 addressline2 street streetname line adresse direccion endereco physicaladdress',
  houseNumber: 'streetnumber housenumber houseno',
  city: 'city suburb town village ville ciudad cidade locality commune',
  district: 'district county zone ward parish subcounty',
  state: 'state region province departement estado provincia',
  postalCode: 'postcode postalcode zip zipcode codepostal codigopostal cep',
  country: 'country pays pais nation',
  mothersMaidenName: 'mothersmaidenname mother mothermaidenname mothersname nommere',
};

const TARGET_OF: ReadonlyMap<string, Target> = new Map(
  (Object.entries(NAMES) as [Target, string][]).flatMap(([target, names]) =>
    names.split(' ').map((name): [string, Target] => [name, target]),
  ),
);

/** Longer ones are none (RFC 5321), and looking for the last dot of very long texts takes long. */
const EMAIL_MAX = 254;

const DATE_FORMATS = [
  'auto',
  'DD/MM/YYYY',
  'MM/DD/YYYY',
  'DD-MM-YYYY',
  'DD.MM.YYYY',
  'MM-DD-YYYY',
  'DD MMM YYYY',
  'DD-MMM-YYYY',
  'DD/MM/YY',
  'MM/DD/YY',
];

export interface MappingGuess {
  readonly map: MapDocument;
  readonly problems: readonly FileProblem[];
}

/** `today`: a FHIR date. */
export function guessMapping(all: readonly FileColumn[], today: string): MappingGuess {
  const columns = all.filter(({ name }) => name !== '');
  const found = new Map<Target, string[]>();
  const taken = new Set<string>();
  const note = (target: Target, column: string): void => {
    found.set(target, [...(found.get(target) ?? []), column]);
    taken.add(column);
  };
  for (const { name } of columns) {
    const target = TARGET_OF.get(name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ''));
    if (target !== undefined && !taken.has(name)) note(target, name);
  }
  for (const column of columns) {
    const target = taken.has(column.name) ? undefined : targetOfValues(column, today);
    if (target !== undefined && !found.has(target)) note(target, column.name);
  }
  const problems: FileProblem[] = [];
  const map = assemble(found, { columns, today, problems });
  if (map.id === undefined) {
    problems.push({
      level: 'warning',
      code: 'no-id',
      text: 'No column looks like the number of the record. Choose the one that stays the same when the file is made again.',
    });
  }
  return { map, problems };
}

function targetOfValues(column: FileColumn, today: string): Target | undefined {
  const { samples } = column;
  if (samples.length === 0) return undefined;
  const all = (test: (value: string) => boolean): boolean => samples.every(test);
  if (all((value) => value.length <= EMAIL_MAX && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value))) return 'email';
  if (samples.length > 1 && all((value) => /^(m|f|male|female|homme|femme)$/i.test(value))) return 'gender';
  if (all((value) => value.length >= 8 && bestFormats([value], today).length > 0)) return 'birthDate';
  return all((value) => /^\+?[\d\s()-]{9,18}$/.test(value) && value.replace(/\D/g, '').length >= 9)
    ? 'phone'
    : undefined;
}

/** The formats under which every sample is a date. */
function bestFormats(samples: readonly string[], today: string): string[] {
  return DATE_FORMATS.filter((format) => {
    const read = compileDates([format], today);
    return samples.every((sample) => read(sample).fault === undefined);
  });
}

interface Sight {
  readonly columns: readonly FileColumn[];
  readonly today: string;
  readonly problems: FileProblem[];
}

function assemble(found: ReadonlyMap<Target, readonly string[]>, sight: Sight): MapDocument {
  const first = (target: Target): string | undefined => found.get(target)?.[0];
  const given = [...(found.get('given') ?? []), ...(found.get('middle') ?? [])];
  const lines = [...(found.get('houseNumber') ?? []), ...(found.get('line') ?? [])];
  const address = {
    ...(lines.length > 0 && { line: lines.length === 1 ? lines[0] : lines }),
    ...optional('city', first('city')),
    ...optional('district', first('district')),
    ...optional('state', first('state')),
    ...optional('postalCode', first('postalCode')),
    ...optional('country', first('country')),
  };
  const identifiers = (found.get('identifier') ?? []).map((column) => ({ system: systemFor(column), column }));
  return {
    ...optional('id', first('id')),
    ...(given.length > 0 && { given: given.length === 1 ? given[0] : given }),
    ...optional('family', first('family')),
    ...(given.length === 0 && !found.has('family') && optional('name', first('name'))),
    ...optional('gender', first('gender')),
    ...birthDate(first('birthDate'), sight),
    ...severalOrOne('phone', found.get('phone')),
    ...severalOrOne('email', found.get('email')),
    ...(identifiers.length > 0 && { identifier: identifiers }),
    ...(Object.keys(address).length > 0 && { address }),
    ...optional('mothersMaidenName', first('mothersMaidenName')),
  };
}

function optional<Key extends string>(key: Key, column: string | undefined): Partial<Record<Key, string>> {
  // A record with one known key; TypeScript widens computed keys to string.
  return column === undefined ? {} : ({ [key]: column } as Partial<Record<Key, string>>);
}

function severalOrOne<Key extends 'phone' | 'email'>(
  key: Key,
  columns: readonly string[] | undefined,
): Partial<Pick<MapDocument, Key>> {
  if (columns === undefined) return {};
  const value = columns.length === 1 ? columns[0] : [...columns];
  return { [key]: value } as Partial<Pick<MapDocument, Key>>;
}

/** A made-up system that says what it is; the person who maps the file replaces it by the official one. */
function systemFor(column: string): string {
  return `urn:careseal:identifier:${column.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
}

function birthDate(column: string | undefined, sight: Sight): Pick<MapDocument, 'birthDate'> {
  if (column === undefined) return {};
  const samples = sight.columns.find(({ name }) => name === column)?.samples ?? [];
  const formats = bestFormats(samples, sight.today);
  const format = formats[0] ?? mostlyFitting(samples, sight.today);
  const bothWays = formats.includes('DD/MM/YYYY') && formats.includes('MM/DD/YYYY');
  if (bothWays) {
    sight.problems.push({
      level: 'warning',
      code: 'ambiguous-date',
      column,
      text: 'These dates can be read with the day or the month first. Check the format.',
    });
  }
  return { birthDate: format === undefined || format === 'auto' ? column : { column, format } };
}

function mostlyFitting(samples: readonly string[], today: string): string | undefined {
  return DATE_FORMATS.find((format) => {
    const read = compileDates([format], today);
    return samples.filter((sample) => read(sample).fault === undefined).length * 2 > samples.length;
  });
}
