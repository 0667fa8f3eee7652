/** Matching's field and level names in plain words. An unknown one is shown as it is, readable enough to report. */
const FIELDS: Readonly<Record<string, string>> = {
  given: 'Given names',
  family: 'Family name',
  name: 'Name',
  birthDate: 'Birth date',
  gender: 'Sex',
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
  'exact-estimated': 'same, but it looks estimated',
  same: 'same',
  part: 'one part is the same',
  nickname: 'nickname of the same name',
  close: 'nearly the same',
  similar: 'similar',
  initial: 'initial only',
  swapped: 'given and family name swapped',
  'swapped-close': 'swapped and nearly the same',
  street: 'same street, other house',
  implied: 'follows from the rest of the address',
  'day-month-swapped': 'day and month swapped',
  'one-digit': 'one digit differs',
  'two-digits': 'two digits differ',
  'month-day': 'same day and month, other year',
  'two-parts': 'two of day, month and year agree',
  'year-month': 'same year and month',
  year: 'same year',
  'near-year': 'a year or two apart',
  different: 'different',
  missing: 'missing in one record',
};

const CONTRADICTIONS: Readonly<Record<string, string>> = {
  'different-name-and-birth-date': 'Neither the name nor the birth date agrees.',
  'different-birth-date': 'The birth dates differ, and what agrees may belong to a household.',
  household:
    'Given name or birth date is another one: a shared family name, telephone or address would be the household’s.',
  twins: 'They may be twins: same family and birth date, different given names.',
  'multiple-birth': 'One of them is a twin, and the given names are not the same.',
  'unnamed-child': 'One of them is a child without a name yet.',
  'parent-and-child': 'Their birth dates are a generation apart, as of parent and child.',
  'different-generation': 'They are a generation apart.',
  'different-identifier': 'A number that each person has only once differs.',
  'identifier-alone': 'Only one number agrees, and nothing else. It may have been written down for the wrong person.',
  'senior-and-junior': 'One is written as the senior, the other as the junior of that name.',
  'no-name-agrees': 'No name of theirs agrees, and no number they both have.',
  'impossible-birth-date': 'What one of them has for a birth date is none, and no slip of the other’s.',
  'other-numbers':
    'Both have numbers of their own, and all are different. Somebody got two cards, or they are two people.',
  'other-numbers-and-details': 'Both have numbers of their own, all are different, and something else differs too.',
};

const RULES: Readonly<Record<string, string>> = {
  'unique-identifier': 'same number that each person has only once',
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
  'merge-proposed': 'Somebody wants to merge these two clients.',
  'record-changed': 'A linked record changed and no longer fits.',
  chain: 'Would join records that look like two people.',
  'changed-into': 'One record was changed at once from one person into what looks like another.',
  overlay: 'One record was changed into what looks like somebody else.',
  'linked-doubtful': 'Linked by an earlier model; the present one doubts it.',
};

const SHORT_CAUSES: Readonly<Record<string, string>> = {
  'between-thresholds': 'not sure enough',
  contradiction: 'something contradicts',
  'two-people-match': 'alike to two people',
  'merge-proposed': 'merge proposed',
  'record-changed': 'a record changed',
  chain: 'would chain two people',
  'changed-into': 'became somebody else',
  overlay: 'became somebody else',
  'linked-doubtful': 'a link is doubted',
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
export const ruleWords = (rule: string): string => RULES[rule] ?? rule.replaceAll('-', ' ');
export const gradeWords = (grade: string): string => GRADES[grade] ?? tidy(grade);
export const shortCauseWords = (cause: string): string => SHORT_CAUSES[cause] ?? cause.replaceAll('-', ' ');
export const causeWords = (cause: string): string => CAUSES[cause] ?? tidy(cause);

/** The telling end of an identifier system: `urn:ug:nin` → `ug:nin`, `https://clinic.example/ids` → `clinic.example/ids`. */
export function shortSystem(system: string): string {
  return system.replace(/^(urn:careseal:identifier:|urn:|https?:\/\/)/, '').replace(/\/$/, '');
}
