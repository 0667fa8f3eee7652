import type { PasswordReason } from './wire.ts';

/**
 * Which passwords are taken (SP 800-63B-4 §3.1.1.2, ASVS 5.0 V6.2): length and a blocklist, no composition rules. The whole
 * password is compared, after the disguises people use: case, digits and signs around a word, letters as digits.
 */
export interface PasswordPolicy {
  readonly lengthMin: number;
  /** Lower-case passwords that many people use. */
  readonly common: ReadonlySet<string>;
}

/** Longest password in characters; far above the 64 that must be possible. Argon2id reads it whole. */
export const PASSWORD_LENGTH_MAX = 256;

const TEXTS: Readonly<Record<PasswordReason['code'], (policy: PasswordPolicy) => string>> = {
  'too-short': (policy) => `Use at least ${policy.lengthMin} characters. A few words together are easy to remember.`,
  'too-long': () => `Use at most ${PASSWORD_LENGTH_MAX} characters.`,
  common: () => 'Many people use this password, so it is among the first to be tried.',
  'own-word': () => 'This is made of your own name, e-mail address or organisation, which is easy to guess.',
  repetitive: () => 'This repeats the same few characters.',
  sequence: () => 'This follows the alphabet, the numbers or the keys of the keyboard.',
};

/** Names of this program and of what it stands for: the first words somebody would try on it. */
const PROGRAM_WORDS = ['careseal', 'password', 'registry', 'administrator'];

/** Unicode text is compared and hashed in one form (NFKC, as crypto/ hashes it), so that every keyboard gives the same password. */
export function normalisePassword(password: string): string {
  return password.normalize('NFKC');
}

/** Every reason against a password, in plain words; none means that it is taken. `words`: name, e-mail, organisation. */
export function passwordReasons(
  password: string,
  words: readonly string[],
  policy: PasswordPolicy,
): readonly PasswordReason[] {
  const text = normalisePassword(password);
  const length = [...text].length;
  const lower = text.toLowerCase();
  const codes: PasswordReason['code'][] = [];
  if (length < policy.lengthMin) codes.push('too-short');
  if (length > PASSWORD_LENGTH_MAX) return [reason('too-long', policy)];
  if (disguises(lower).some((form) => policy.common.has(form))) codes.push('common');
  if (isMadeOfWords(lower, words)) codes.push('own-word');
  if (isRepetitive(lower)) codes.push('repetitive');
  else if (isSequence(lower)) codes.push('sequence');
  return codes.map((code) => reason(code, policy));
}

const reason = (code: PasswordReason['code'], policy: PasswordPolicy): PasswordReason => ({
  code,
  text: TEXTS[code](policy),
});

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
};

function unleet(text: string): string {
  return text.replaceAll(/[013457@$]/g, (sign) => LEET[sign] ?? sign);
}

/** The password as typed, without digits and signs around it, and both with digits read as letters. */
function disguises(lower: string): readonly string[] {
  const core = lower.replace(/^[^\p{L}]+/u, '').replace(/[^\p{L}]+$/u, '');
  // A word of three letters in a long row of digits is not what makes that password weak.
  const cores = core.length >= 4 && core.length * 2 >= lower.length ? [core, unleet(core)] : [];
  return [lower, unleet(lower), lower.replaceAll(/\s+/g, ''), ...cores];
}

/** Nothing is left of the password but fewer than four letters once the person's own words are taken out. */
function isMadeOfWords(lower: string, words: readonly string[]): boolean {
  const parts = [...words, ...PROGRAM_WORDS]
    .map((word) => normalisePassword(word).toLowerCase())
    .flatMap((word) => [word, ...word.split(/[^\p{L}\p{N}]+/u)])
    .filter((word) => [...word].length >= 4)
    .sort((a, b) => b.length - a.length);
  return [lower, unleet(lower)].some((form) => {
    const left = parts.reduce((rest, part) => rest.replaceAll(part, ' ').replaceAll(unleet(part), ' '), form);
    return left !== form && left.replaceAll(/[^\p{L}]/gu, '').length < 4;
  });
}

/** One piece again and again (`abcabcabc`), or fewer than four different characters. */
function isRepetitive(lower: string): boolean {
  if (lower.length < 4) return false;
  return new Set(lower).size < 4 || /^(.{1,6}?)\1{2,}.{0,5}$/u.test(lower) || /^(.{4,})\1$/u.test(lower);
}

const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'azertyuiop',
  'qsdfghjklm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm',
];
const RUNS = [...ROWS, ...ROWS.map((row) => [...row].toReversed().join(''))];

/** Made of runs of three or more neighbouring characters, with fewer than four others. */
function isSequence(lower: string): boolean {
  let others = 0;
  let at = 0;
  while (at < lower.length) {
    const run = longestRun(lower.slice(at));
    if (run < 3) others++;
    at += run < 3 ? 1 : run;
  }
  return lower.length >= 4 && others < 4;
}

function longestRun(text: string): number {
  let length = 0;
  while (length < text.length && RUNS.some((row) => row.includes(text.slice(0, length + 1)))) length++;
  return length;
}
