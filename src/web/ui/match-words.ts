/** Matching's field and level names in plain words. An unknown one is shown as it is, readable enough to report. */
const FIELDS: Readonly<Record<string, string>> = {
  given: 'Given names',
  family: 'Family name',
  name: 'Name',
  birthDate: 'Birth date',
  gender: 'Gender',
  phone: 'Telephone',
  email: 'E-mail',
  mothersMaidenName: 'Mother’s maiden name',
  'address.line': 'Street',
  'address.city': 'Town',
  'address.district': 'District',
  'address.state': 'State',
  'address.postalCode': 'Postal code',
  'address.country': 'Country',
  address: 'Address',
  identifier: 'Identifier',
};

const LEVELS: Readonly<Record<string, string>> = {
  exact: 'same',
  close: 'nearly the same',
  similar: 'similar',
  phonetic: 'sounds the same',
  nickname: 'nickname of the same name',
  initial: 'initial only',
  swapped: 'swapped',
  transposed: 'digits swapped',
  year: 'same year',
  'year-month': 'same month',
  partial: 'partly the same',
  different: 'different',
  missing: 'missing in one record',
  conflict: 'contradicts',
};

const CONTRADICTIONS: Readonly<Record<string, string>> = {
  'different-birth-date': 'The birth dates cannot belong to one person.',
  'different-gender': 'The genders differ.',
  'different-identifier': 'An identifier that each person has only once differs.',
  twins: 'They may be twins: same family and birth date, different given names.',
  'parent-child': 'They may be parent and child: same name, a generation apart.',
  'skip-value': 'What agrees is a placeholder such as “Baby” or 999, and proves nothing.',
  'never-link': 'A steward said that these are different people.',
};

const GRADES: Readonly<Record<string, string>> = {
  certain: 'Certainly one person',
  probable: 'Probably one person',
  possible: 'Possibly one person',
  'certainly-not': 'Not one person',
};

const CAUSES: Readonly<Record<string, string>> = {
  'between-thresholds': 'Too alike to ignore, not alike enough to link without a person.',
  contradiction: 'Alike, but something contradicts it.',
  'two-people-match': 'Alike to two different people.',
  'record-changed': 'A linked record changed and no longer fits.',
};

const SHORT_CAUSES: Readonly<Record<string, string>> = {
  'between-thresholds': 'not sure enough',
  contradiction: 'something contradicts',
  'two-people-match': 'alike to two people',
  'record-changed': 'a record changed',
};

const tidy = (text: string): string => {
  const spaced = text.replaceAll(/[-_.]/g, ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

export function fieldWords(field: string): string {
  if (field.startsWith('identifier:')) return `Identifier ${shortSystem(field.slice('identifier:'.length))}`;
  return FIELDS[field] ?? tidy(field);
}
export const levelWords = (level: string): string => LEVELS[level] ?? level.replaceAll('-', ' ');
export const contradictionWords = (code: string): string => CONTRADICTIONS[code] ?? tidy(code);
export const gradeWords = (grade: string): string => GRADES[grade] ?? tidy(grade);
export const shortCauseWords = (cause: string): string => SHORT_CAUSES[cause] ?? cause.replaceAll('-', ' ');
export const causeWords = (cause: string): string => CAUSES[cause] ?? tidy(cause);

/** The telling end of an identifier system: `urn:ug:nin` → `ug:nin`, `https://clinic.example/ids` → `clinic.example/ids`. */
export function shortSystem(system: string): string {
  return system.replace(/^(urn:|https?:\/\/)/, '').replace(/\/$/, '');
}
