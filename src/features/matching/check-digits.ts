/**
 * Check digits: the last place or two of a number, reckoned from the others, so that a slip of the hand shows. The value is as
 * `normaliseIdentifier` leaves it: upper case, no separators, no leading zeros, which `length` puts back.
 */
export const CHECK_DIGITS = [
  /** ISO/IEC 7812-1, H. P. Luhn 1960: South Africa's, Sweden's and Greece's numbers of persons, Australia's IHI, Canada's SIN. */
  'luhn',
  /** J. Verhoeff 1969, over the dihedral group of order 10: India's Aadhaar. */
  'verhoeff',
  /** ISO/IEC 7064 MOD 11-2, its check 0–9 or X: China's resident number, ISNI, ORCID. */
  'mod-11-2',
  /** ISO/IEC 7064 MOD 97-10, letters as 10–35: two digits at the end. */
  'mod-97-10',
  /** ISO/IEC 7064 MOD 37-2, letters and digits: ISBT 128 donation numbers. */
  'mod-37-2',
  /** NHS Data Dictionary: weights 10 to 2, modulo 11; a check of 10 is never issued. */
  'nhs',
  /** Receita Federal: two digits, each modulo 11: Brazil's CPF. */
  'cpf',
] as const;
export type CheckDigits = (typeof CHECK_DIGITS)[number];

/** A test of one number: true when its check is right. False for what has no number's form. Allocates nothing. */
export type CheckTest = (value: string) => boolean;

/** `length`: places of the whole number, where leading zeros belong to it. */
export function checkTest(kind: CheckDigits, length = 0): CheckTest {
  const test = TESTS[kind];
  return (value) => test(length > value.length ? value.padStart(length, '0') : value) && fits(value, length);
}

const fits = (value: string, length: number): boolean => length === 0 || value.length <= length;

const TESTS: Readonly<Record<CheckDigits, CheckTest>> = {
  luhn,
  verhoeff,
  'mod-11-2': mod11,
  'mod-97-10': (value) => remainder97(value) === 1,
  'mod-37-2': mod37,
  nhs,
  cpf,
};

/** The digit at a place, or -1. */
function digitAt(value: string, at: number): number {
  const digit = value.charCodeAt(at) - 48;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

/** 0–9 as themselves, A–Z as 10–35, or -1. */
function numberAt(value: string, at: number): number {
  const unit = value.charCodeAt(at);
  if (unit >= 65 && unit <= 90) return unit - 55;
  return digitAt(value, at);
}

function luhn(value: string): boolean {
  let sum = 0;
  for (let at = value.length - 1, place = 0; at >= 0; at--, place++) {
    const digit = digitAt(value, at);
    if (digit < 0) return false;
    const doubled = digit * 2;
    sum += place % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return value.length > 1 && sum % 10 === 0;
}

/** Product in the dihedral group of order 10: 0–4 turn, 5–9 turn and mirror. */
function turned(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b - 5) % 5);
  return b < 5 ? 5 + ((a - 5 - b + 5) % 5) : (a - b + 5) % 5;
}

/** Verhoeff's permutation and its powers, eight rows of ten. */
const PERMUTED: Uint8Array = powersOf(Uint8Array.of(1, 5, 7, 6, 2, 8, 3, 0, 9, 4));

function powersOf(first: Uint8Array): Uint8Array {
  const rows = Uint8Array.from({ length: 80 }, (_, at) => at % 10);
  for (let at = 10; at < 80; at++) rows[at] = first[rows[at - 10] as number] as number;
  return rows;
}

function verhoeff(value: string): boolean {
  let check = 0;
  for (let at = value.length - 1, place = 0; at >= 0; at--, place++) {
    const digit = digitAt(value, at);
    if (digit < 0) return false;
    check = turned(check, PERMUTED[(place % 8) * 10 + digit] as number);
  }
  return value.length > 1 && check === 0;
}

function mod11(value: string): boolean {
  const end = value.length - 1;
  let sum = 0;
  for (let at = 0; at < end; at++) {
    const digit = digitAt(value, at);
    if (digit < 0) return false;
    sum = ((sum + digit) * 2) % 11;
  }
  const check = value.charCodeAt(end) === 88 ? 10 : digitAt(value, end);
  return end > 0 && check >= 0 && (sum + check) % 11 === 1;
}

function mod37(value: string): boolean {
  const end = value.length - 1;
  let sum = 0;
  for (let at = 0; at < end; at++) {
    const number = numberAt(value, at);
    if (number < 0) return false;
    sum = ((sum + number) * 2) % 37;
  }
  // Normalisation drops the asterisk that stands for 36.
  const check = numberAt(value, end);
  return end > 0 && check >= 0 && (sum + check) % 37 === 1;
}

/** The remainder of the number, its letters written as two digits; -1 for what is none. */
function remainder97(value: string): number {
  if (value.length < 3) return -1;
  let rest = 0;
  for (let at = 0; at < value.length; at++) {
    const number = numberAt(value, at);
    if (number < 0) return -1;
    rest = (rest * (number > 9 ? 100 : 10) + number) % 97;
  }
  return rest;
}

function nhs(value: string): boolean {
  if (value.length !== 10) return false;
  return (
    weighted(value, 9, 10) >= 0 && (weighted(value, 9, 10) + digitAt(value, 9)) % 11 === 0 && digitAt(value, 9) >= 0
  );
}

/** The first `count` digits times weights that fall from `weight`; -1 for what is no number. */
function weighted(value: string, count: number, weight: number): number {
  let sum = 0;
  for (let at = 0; at < count; at++) {
    const digit = digitAt(value, at);
    if (digit < 0) return -1;
    sum += digit * (weight - at);
  }
  return sum;
}

function cpf(value: string): boolean {
  return value.length === 11 && hasCpfCheck(value, 9) && hasCpfCheck(value, 10);
}

function hasCpfCheck(value: string, place: number): boolean {
  const sum = weighted(value, place, place + 1);
  return sum >= 0 && digitAt(value, place) === ((sum * 10) % 11) % 10;
}
