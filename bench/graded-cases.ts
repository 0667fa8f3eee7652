import { readRows } from './linkage-sets.ts';

/**
 * Cases of the kinds that CDC's graded set has, made of other people of its seeds: for each kind what was changed, the grade a steward gives
 * it, and mistakes of writing strewn over it. The same seed gives the same cases. They show whether rules that were found by looking at the
 * graded set hold for people nobody looked at.
 */
export type CdcRow = Readonly<Record<string, string>>;
export type Grade = 'match' | 'possible_match' | 'no_match';
export interface GradedCase {
  readonly kind: string;
  readonly expected: Grade;
  readonly seed: CdcRow;
  readonly row: CdcRow;
}

interface Kind {
  readonly name: string;
  readonly expected: Grade;
  readonly change: (person: CdcRow, draw: Draw) => Partial<Record<string, string>>;
  /** What the seed record itself has otherwise, before anything is changed: an address of a prison, a name that is unknown. */
  readonly given?: Partial<Record<string, string>>;
}

export type Draw = (below: number) => number;

/** Mulberry32: small, and the same everywhere. */
export function drawOf(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PRISON = { ADDRESS: 'Delta County Prison\\n1877 Harbor Road' };
const DORM = { ADDRESS: 'Northside College Dorm\\n402 Elm Lane' };
const MAIL = { ADDRESS: 'c/o Emergency Mail Program\\n3110 Foster Isle Suite 204' };
const STORE = { ADDRESS: 'USPS Store\\n77 Amber Well Suite 31' };
const FLAT = { ADDRESS: '2208 Foster Grove Apt. 118' };
const NAMELESS = { FIRST: 'Anonymous', LAST: 'Anonymous', SUFFIX: '' };
const WOMAN = { GENDER: 'F' };
const MAN = { GENDER: 'M' };

/** The value with one digit replaced by another; of the last four, as registered one after another. */
function otherDigit(value: string, draw: Draw, back = 1 + draw(4)): string {
  let seen = 0;
  for (let at = value.length - 1; at >= 0; at--) {
    if (!/\d/.test(value[at] ?? '') || ++seen < back) continue;
    const digit = (Number(value[at]) + 1 + draw(9)) % 10;
    return value.slice(0, at) + digit + value.slice(at + 1);
  }
  return value;
}
const bothOther = (person: CdcRow, draw: Draw) => ({
  ID: otherDigit(person['ID'] ?? '', draw),
  SSN: otherDigit(person['SSN'] ?? '', draw),
});
const isoOf = (person: CdcRow): string => person['BIRTHDATE'] ?? '';
const yearsLater = (person: CdcRow, years: number): string =>
  `${Number(isoOf(person).slice(0, 4)) + years}${isoOf(person).slice(4)}`;
const kind = (name: string, expected: Grade, change: Kind['change'], given: Kind['given'] = {}): Kind => ({
  name,
  expected,
  change,
  given,
});

const KINDS: readonly Kind[] = [
  kind('a letter less in the given name', 'match', () => ({ FIRST: 'Jonathon' }), { FIRST: 'Jonathan' }),
  kind('given and family name exchanged', 'match', ({ FIRST = '', LAST = '' }) => ({ FIRST: LAST, LAST: FIRST })),
  kind('a hyphen in the name', 'match', ({ LAST = '' }) => ({ LAST: `${LAST.slice(0, 3)}-${LAST.slice(3)}` })),
  kind('nickname', 'match', () => ({ FIRST: 'Liz' }), { FIRST: 'Elizabeth' }),
  kind('nickname of another beginning', 'match', () => ({ FIRST: 'Peggy' }), { FIRST: 'Margaret' }),
  kind('spelled otherwise', 'match', () => ({ FIRST: 'Katherine' }), { FIRST: 'Catherine' }),
  kind('a wife’s other family name', 'match', () => ({ LAST: 'Delacroix' }), WOMAN),
  kind('day and month exchanged', 'match', () => ({ BIRTHDATE: '1971-11-04' }), { BIRTHDATE: '1971-04-11' }),
  kind('month of birth only', 'match', (person) => ({ BIRTHDATE: isoOf(person).slice(0, 7) })),
  kind('another birth date', 'match', () => ({ BIRTHDATE: '1913-02-27' })),
  kind('a month that is none', 'possible_match', () => ({ BIRTHDATE: '1999-14-02' }), { BIRTHDATE: '1962-10-20' }),
  kind('a birth date to come', 'possible_match', () => ({ BIRTHDATE: '2999-03-01' })),
  kind('an age for a birth date', 'possible_match', () => ({ BIRTHDATE: 'not known, about 40' })),
  kind(
    'national number and flat',
    'possible_match',
    (person, draw) => ({ SSN: otherDigit(person['SSN'] ?? '', draw), ADDRESS: '2208 Foster Grove Apt. 119' }),
    FLAT,
  ),
  kind('national number, two digits', 'possible_match', ({ SSN = '' }, draw) => ({
    SSN: otherDigit(otherDigit(SSN, draw, 1), draw, 2),
  })),
  kind('the last four digits', 'match', ({ SSN = '' }) => ({ SSN: SSN.slice(-4) })),
  kind('street shortened', 'match', () => ({ ADDRESS: '88 Foster Pkwy. Apt 12' }), {
    ADDRESS: '88 Foster Parkway Apt. 12',
  }),
  kind('another post-office box', 'match', () => ({ ADDRESS: 'PO BOX 4413' }), { ADDRESS: 'PO BOX 4412' }),
  kind('all in capitals', 'match', ({ ADDRESS = '', CITY = '', LAST = '' }) => ({
    ADDRESS: ADDRESS.toUpperCase(),
    CITY: CITY.toUpperCase(),
    LAST: LAST.toUpperCase(),
  })),
  kind('postal code', 'match', ({ ZIP = '' }, draw) => ({ ZIP: otherDigit(ZIP, draw) })),
  kind('senior and junior', 'no_match', () => ({ SUFFIX: 'Jr' }), { SUFFIX: 'Sr' }),
  kind(
    'brothers on one file',
    'no_match',
    ({ SSN = '' }, draw) => ({ FIRST: 'Walter', SSN: `${SSN.slice(0, -4)}${1000 + draw(9000)}` }),
    { ...MAN, FIRST: 'Henry' },
  ),
  kind(
    'nameless, neighbours',
    'no_match',
    (person, draw) => ({ ...bothOther(person, draw), ADDRESS: '9481 Foster Center' }),
    { ...NAMELESS, ADDRESS: '9480 Foster Center' },
  ),
  kind(
    'nameless, another flat',
    'no_match',
    (person, draw) => ({ ...bothOther(person, draw), ADDRESS: '2208 Foster Grove Apt. 119' }),
    { ...NAMELESS, ...FLAT },
  ),
  kind('nameless, another file', 'match', ({ ID = '' }, draw) => ({ ID: otherDigit(ID, draw) }), NAMELESS),
  kind('nameless in other words', 'match', () => ({ FIRST: 'Unknown', LAST: 'Unknown' }), NAMELESS),
  kind(
    'nameless, one home',
    'possible_match',
    (person, draw) => ({ ...bothOther(person, draw), BIRTHDATE: yearsLater(person, 1) }),
    { ...NAMELESS, ...FLAT },
  ),
  kind(
    'Jane Doe, one home',
    'possible_match',
    (person, draw) => ({ ...bothOther(person, draw), BIRTHDATE: '2019-02-17' }),
    { FIRST: 'Jane', LAST: 'Doe', SUFFIX: '', ...WOMAN },
  ),
  kind('John Doe, other numbers', 'possible_match', bothOther, { FIRST: 'John', LAST: 'Doe', SUFFIX: '', ...MAN }),
  kind('unnamed children', 'no_match', bothOther, { FIRST: 'Baby', LAST: 'Boy', SUFFIX: '' }),
  kind(
    'two generations',
    'no_match',
    (person, draw) => ({ ...bothOther(person, draw), BIRTHDATE: yearsLater(person, 20) }),
    { SUFFIX: '' },
  ),
  kind(
    'a few years apart',
    'possible_match',
    (person, draw) => ({ ...bothOther(person, draw), BIRTHDATE: '1985-05-09' }),
    { BIRTHDATE: '1982-05-09' },
  ),
  kind(
    'a woman’s other name, other numbers',
    'possible_match',
    (person, draw) => ({ ...bothOther(person, draw), LAST: 'Delacroix' }),
    { ...WOMAN, ...FLAT },
  ),
  kind(
    'a man’s other name, other numbers',
    'no_match',
    (person, draw) => ({ ...bothOther(person, draw), LAST: 'Delacroix' }),
    { ...MAN, ...FLAT },
  ),
  kind(
    'a letter of the name, other numbers',
    'possible_match',
    (person, draw) => ({ ...bothOther(person, draw), LAST: 'Thorlton' }),
    { ...FLAT, LAST: 'Thornton' },
  ),
  kind('file, birth date and family name', 'match', (person, draw) => ({
    ID: otherDigit(person['ID'] ?? '', draw),
    BIRTHDATE: otherDigit(isoOf(person), draw, 1),
    LAST: 'Delacroix',
  })),
  kind('prison: another given name', 'no_match', (person, draw) => ({ ...bothOther(person, draw), FIRST: 'Ami' }), {
    ...PRISON,
    FIRST: 'Amy',
  }),
  kind(
    'prison: another family name',
    'no_match',
    (person, draw) => ({ ...bothOther(person, draw), LAST: 'Delacroix' }),
    PRISON,
  ),
  kind(
    'dormitory: another given name',
    'no_match',
    (person, draw) => ({ ...bothOther(person, draw), FIRST: 'Walter' }),
    { ...DORM, FIRST: 'Henry' },
  ),
  kind(
    'mail drop: another birth date',
    'no_match',
    (person, draw) => ({ ...bothOther(person, draw), BIRTHDATE: '1958-10-16' }),
    { ...STORE, BIRTHDATE: '1958-11-16' },
  ),
  kind(
    'mail drop: another family name, one file',
    'no_match',
    ({ SSN = '' }, draw) => ({ SSN: otherDigit(SSN, draw), LAST: 'Delacroix' }),
    MAIL,
  ),
  kind(
    'mail drop: file, nickname, birth date',
    'match',
    ({ ID = '', ...person }, draw) => ({ ID: otherDigit(ID, draw), FIRST: 'Mike', BIRTHDATE: yearsLater(person, 10) }),
    { ...MAIL, FIRST: 'Michael', BIRTHDATE: '1962-10-11' },
  ),
  kind(
    'all a slip of the hand',
    'possible_match',
    (person, draw) => ({
      ...bothOther(person, draw),
      FIRST: 'Melvin',
      LAST: 'Thorton',
      BIRTHDATE: '1985-09-05',
      ADDRESS: '5707 Foster Canyon',
    }),
    { FIRST: 'Mavin', LAST: 'Thornton', BIRTHDATE: '1985-09-15', ADDRESS: '5705 Foster Canyon' },
  ),
  kind(
    'church: file, a letter, a year',
    'match',
    ({ ID = '', ...person }, draw) => ({ ID: otherDigit(ID, draw), FIRST: 'Adan', BIRTHDATE: yearsLater(person, -1) }),
    { FIRST: 'Adam', ADDRESS: 'Church Group\\n874 Foster Circles Suite 75' },
  ),
];

const WRITTEN = ['BIRTHDATE', 'FIRST', 'LAST', 'SUFFIX', 'GENDER', 'ADDRESS', 'CITY', 'ZIP', 'SSN'] as const;

/** Mistakes of writing: letters typed into a value, left out or exchanged; values left out. As often as in the graded set. */
function strewn(row: CdcRow, draw: Draw): CdcRow {
  const share = [0, 0, 0, 8, 8, 25][draw(6)] ?? 0;
  const out: Record<string, string> = { ...row };
  for (const column of WRITTEN) {
    if (draw(100) >= share) continue;
    out[column] = draw(2) === 0 ? '' : slipped(slipped(row[column] ?? '', draw), draw);
  }
  return out;
}

function slipped(value: string, draw: Draw): string {
  const at = draw(value.length + 1);
  const how = draw(3);
  if (how === 0) return value.slice(0, at) + String.fromCharCode(97 + draw(26)) + value.slice(at);
  if (how === 1) return value.slice(0, at) + value.slice(at + 1);
  return value.slice(0, at) + (value[at + 1] ?? '') + (value[at] ?? '') + value.slice(at + 2);
}

/** `each`: how many of every kind. `untouched`: no mistakes of writing, the kinds alone. */
export function gradedCases(seed: number, each: number, untouched = false): readonly GradedCase[] {
  const seen = new Set(readRows('cdc_graded_dev.csv').map((row) => row['Match Id']));
  const people = readRows('cdc_seed.csv').filter(
    (row) => !seen.has(row['Match Id']) && /^\d{4}-/.test(isoOf(row)) && /^[A-Z][a-z]{3,}$/.test(row['FIRST'] ?? ''),
  );
  const draw = drawOf(seed);
  const out: GradedCase[] = [];
  for (const { name, expected, change, given } of KINDS) {
    for (let times = 0; times < each; times++) {
      const person: CdcRow = { ...people[draw(people.length)], ...defined(given) };
      const changed: CdcRow = { ...person, ...defined(change(person, draw)) };
      out.push({ kind: name, expected, seed: person, row: untouched ? changed : strewn(changed, draw) });
    }
  }
  return out;
}

const defined = (parts: Partial<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(parts).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
