/**
 * Synthetic people for benchmarks and demonstrations, the same for the same seed on every machine: real-name skew (the commonest
 * surname over 1 %), 1 January birthdays, households that share family name, address and telephone, twins, sons named after
 * their fathers, and duplicates with the mistakes of registration desks. Streams: memory does not grow with the count.
 */
export interface PeopleOptions {
  readonly seed: number;
  /** People, duplicates not counted. */
  readonly count: number;
  /** Share of people who are registered a second time, some a third time. */
  readonly duplicates: number;
}

export interface SyntheticRecord {
  readonly id: string;
  /** The truth: equal for records of one person. */
  readonly person: number;
  readonly given: string;
  readonly family: string;
  readonly gender: 'male' | 'female';
  /** YYYY-MM-DD; empty when missing, as every text below. */
  readonly birthDate: string;
  readonly phone: string;
  readonly nationalId: string;
  readonly line: string;
  readonly city: string;
  readonly postalCode: string;
  readonly mother: string;
}

/** sfc32: small, fast and good enough (PractRand); four 32-bit words of state. */
export function randomNumbers(seed: number): () => number {
  let a = seed | 0;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let d = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

type Random = () => number;
const below = (random: Random, count: number): number => Math.floor(random() * count);
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)] as T;

const MALE =
  'mohamed john james joseph david samuel peter daniel ahmed ali robert michael william moses isaac emmanuel paul george hassan ibrahim juan jose carlos luis abdullah yusuf stephen charles thomas patrick francis simon andrew richard kevin brian edward omar musa juma salim elias tadesse bekele kofi kwame okello otieno wanjala mugisha ssali kato wasswa denis godfrey ronald geoffrey alex martin henry victor benjamin anthony mark steven kenneth joshua jacob nicholas eric jonathan justin scott brandon gregory frank alexander raymond jack dennis jerry tyler aaron adam nathan zachary douglas peterson noel felix oscar hugo ivan miguel angel pedro pablo'.split(
    ' ',
  );
const FEMALE =
  'mary fatima maria grace sarah elizabeth aisha amina esther ruth jane rose joyce alice agnes florence jennifer patricia linda barbara susan margaret halima khadija zainab mariam ana rosa carmen isabel anna hawa juliet harriet irene judith prossy winnie christine josephine lilian beatrice betty mercy faith hope charity sophia emma olivia ava mia charlotte amelia nakato babirye namukasa nalubega akello achieng atieno wanjiru njeri wambui tigist hanna selam abeba akosua ama adwoa abena efua nancy sandra ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca laura helen sharon cynthia kathleen amy angela shirley brenda pamela nicole samantha katherine virginia rachel janet gloria teresa doris'.split(
    ' ',
  );
const FAMILIES =
  'mohamed nguyen okello smith garcia ali ahmed otieno mwangi johnson silva hassan odhiambo kamau brown ouma diallo traore khan singh kim lee jones williams rodriguez lopez tesfaye bekele banda phiri moyo ochieng njoroge akello wasswa kato ssekandi mensah owusu adebayo okafor martinez hernandez gonzalez perez sanchez davis miller wilson anderson taylor moore jackson martin thompson white'.split(
    ' ',
  );
const CITIES =
  'kampala nairobi lagos accra kumasi mombasa kisumu entebbe jinja gulu mbarara arusha dodoma mwanza lusaka ndola harare blantyre lilongwe kigali addis-ababa bahir-dar mekelle dakar bamako conakry freetown monrovia springfield riverside fairview georgetown'.split(
    ' ',
  );
const STREETS =
  'church market station school hill lake river king queen independence mosque hospital garden mango palm acacia kenyatta nkrumah lumumba nyerere mandela victoria college mill park forest spring bridge union liberty'.split(
    ' ',
  );
const KINDS = ['road', 'street', 'avenue', 'lane', 'close'];
const ONSETS = 'b d f g h k l m n p r s t w y z mb nd ng nk ch sh kw gw br tr'.split(' ');
const VOWELS = 'a e i o u aa ee oo ai ei'.split(' ');
const SURNAMES = 30_000;

/** Rank of a Zipf-like draw: the first of n takes about 1/ln(n), here flattened so that the commonest surname has some 1.5 %. */
function zipf(random: Random, count: number, flatten: number): number {
  const low = Math.log(flatten);
  const high = Math.log(flatten + count);
  return Math.min(count - 1, Math.floor(Math.exp(low + random() * (high - low)) - flatten));
}

function familyName(rank: number): string {
  const known = FAMILIES[rank];
  if (known !== undefined) return known;
  const random = randomNumbers(rank);
  let name = '';
  for (let i = 2 + below(random, 3); i > 0; i--) name += pick(random, ONSETS) + pick(random, VOWELS);
  return name;
}

const drawFamily = (random: Random): string => familyName(zipf(random, SURNAMES, 8));
function drawGiven(random: Random, gender: 'male' | 'female'): string {
  const list = gender === 'male' ? MALE : FEMALE;
  const first = list[zipf(random, list.length, 6)] as string;
  return random() < 0.2 ? `${first} ${pick(random, list)}` : first;
}

function birthDate(random: Random, youngest: number, oldest: number): string {
  const year = 2025 - youngest - below(random, oldest - youngest + 1);
  if (random() < 0.1) return `${year}-01-01`;
  return new Date(Date.UTC(year, 0, 1 + below(random, 365))).toISOString().slice(0, 10);
}

interface Household {
  readonly family: string;
  readonly line: string;
  readonly city: string;
  readonly postalCode: string;
  readonly phone: string;
  readonly mother: string;
}

function household(random: Random): Household {
  const city = CITIES[zipf(random, CITIES.length, 2)] as string;
  return {
    family: drawFamily(random),
    line: `${1 + below(random, 300)} ${pick(random, STREETS)} ${pick(random, KINDS)}`,
    city: city.replace('-', ' '),
    postalCode: String(10_000 + CITIES.indexOf(city) * 100 + below(random, 60)),
    phone: `07${String(below(random, 1e8)).padStart(8, '0')}`,
    mother: drawFamily(random),
  };
}

/** One person after another, each followed by their duplicates. */
export function* people(options: PeopleOptions): Generator<SyntheticRecord> {
  const random = randomNumbers(options.seed);
  let person = 0;
  while (person < options.count) {
    const home = household(random);
    const size = Math.min(1 + below(random, 5), options.count - person);
    let before: SyntheticRecord | undefined;
    const taken = new Set<string>();
    for (let member = 0; member < size; member++) {
      const made = memberOf(random, home, { person, member, before, taken });
      yield made;
      before = made;
      if (random() < options.duplicates) {
        yield mistaken(random, made, 'b');
        if (random() < 0.1) yield mistaken(random, made, 'c');
      }
      person++;
    }
  }
}

interface Place {
  readonly person: number;
  readonly member: number;
  readonly before: SyntheticRecord | undefined;
  /** First names already given in this household: parents do not give one twice, but for sons named after their father. */
  readonly taken: Set<string>;
}

function newGiven(random: Random, gender: 'male' | 'female', taken: Set<string>): string {
  for (;;) {
    const given = drawGiven(random, gender);
    const first = given.split(' ')[0] ?? given;
    if (taken.has(first)) continue;
    taken.add(first);
    return given;
  }
}

function memberOf(random: Random, home: Household, { person, member, before, taken }: Place): SyntheticRecord {
  const gender = random() < 0.5 ? 'male' : 'female';
  const twin = member > 1 && before !== undefined && random() < 0.04;
  const namesake = !twin && member === 2 && before !== undefined && random() < 0.03;
  const date = twin ? before.birthDate : member < 2 ? birthDate(random, 20, 85) : birthDate(random, 0, 19);
  return {
    id: `p${person}a`,
    person,
    given: namesake ? before.given : newGiven(random, gender, taken),
    family: member === 1 && random() < 0.5 ? drawFamily(random) : home.family,
    gender,
    birthDate: date,
    phone: random() < 0.7 ? home.phone : random() < 0.5 ? `07${String(below(random, 1e8)).padStart(8, '0')}` : '',
    nationalId:
      random() < 0.5 ? `C${gender === 'male' ? 'M' : 'F'}${String(person * 7919 + 10_000_000)}${check(person)}` : '',
    line: home.line,
    city: home.city,
    postalCode: home.postalCode,
    mother: member < 2 ? '' : home.mother,
  };
}

function check(person: number): string {
  return String.fromCharCode(65 + (person % 26), 65 + (Math.floor(person / 26) % 26));
}

type Field = 'given' | 'family' | 'birthDate' | 'phone' | 'nationalId' | 'line' | 'city' | 'mother';

/** The same person registered again: one to three mistakes, now and then a move or a new number. */
function mistaken(random: Random, original: SyntheticRecord, suffix: string): SyntheticRecord {
  let copy: SyntheticRecord = { ...original, id: `p${original.person}${suffix}` };
  for (let mistakes = 1 + below(random, 3); mistakes > 0; mistakes--) copy = oneMistake(random, copy);
  if (random() < 0.1) copy = { ...copy, ...moved(random) };
  return random() < 0.3 ? { ...copy, nationalId: '' } : copy;
}

function moved(random: Random): Partial<SyntheticRecord> {
  const { line, city, postalCode } = household(random);
  return { line, city, postalCode };
}

function oneMistake(random: Random, record: SyntheticRecord): SyntheticRecord {
  const draw = random();
  if (draw < 0.05) return { ...record, given: record.family, family: record.given };
  if (draw < 0.12) return { ...record, birthDate: mistakenDate(random, record.birthDate) };
  if (draw < 0.2) return { ...record, phone: random() < 0.5 ? '' : `07${String(below(random, 1e8)).padStart(8, '0')}` };
  if (draw < 0.28) return { ...record, given: record.given.split(' ')[0] ?? '' };
  const field = pick<Field>(random, ['given', 'family', 'phone', 'line', 'city', 'mother', 'nationalId']);
  return { ...record, [field]: typingError(random, record[field]) };
}

function mistakenDate(random: Random, date: string): string {
  if (date === '') return date;
  const [year = '', month = '', day = ''] = date.split('-');
  const draw = random();
  if (draw < 0.3 && Number(day) <= 12) return `${year}-${day}-${month}`;
  if (draw < 0.5) return `${year}-01-01`;
  if (draw < 0.8) return `${Number(year) + (random() < 0.5 ? 1 : -1)}-${month}-${day}`.replace('-02-29', '-02-28');
  return '';
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
export function typingError(random: Random, text: string): string {
  if (text.length < 2) return text;
  const at = below(random, text.length - 1);
  const other = /[0-9]/.test(text[at] ?? '') ? String(below(random, 10)) : (LETTERS[below(random, 26)] ?? 'a');
  const draw = random();
  if (draw < 0.25) return text.slice(0, at) + text.slice(at + 1);
  if (draw < 0.5) return text.slice(0, at) + other + text.slice(at);
  if (draw < 0.75) return text.slice(0, at) + other + text.slice(at + 1);
  return text.slice(0, at) + (text[at + 1] ?? '') + (text[at] ?? '') + text.slice(at + 2);
}

/** Column names of `csvLine`, and the mapping that `careseal load` needs for them. */
export const CSV_HEADER =
  'rec_id,person,given_name,surname,sex,date_of_birth,phone_number,national_id,address,city,postcode,mother';
export const CSV_MAP = {
  id: 'rec_id',
  given: 'given_name',
  family: 'surname',
  gender: 'sex',
  birthDate: 'date_of_birth',
  phone: 'phone_number',
  identifier: [{ system: 'urn:example:national-id', column: 'national_id' }],
  address: { line: 'address', city: 'city', postalCode: 'postcode' },
  mothersMaidenName: 'mother',
} as const;

export function csvLine(record: SyntheticRecord): string {
  const {
    id,
    person,
    given,
    family,
    gender,
    birthDate: date,
    phone,
    nationalId,
    line,
    city,
    postalCode,
    mother,
  } = record;
  return [id, person, given, family, gender, date, phone, nationalId, line, city, postalCode, mother].join(',');
}
