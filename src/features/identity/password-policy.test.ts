import { describe, expect, test } from 'vitest';
import { createCommonPasswords } from './common-passwords.ts';
import { passwordReasons } from './password-policy.ts';

const load = createCommonPasswords();
const WORDS = ['Ama Mensah', 'ama.mensah@clinic.example.org', 'Lakeside Health Programme'];
const codes = async (password: string, words: readonly string[] = WORDS) =>
  passwordReasons(password, words, { lengthMin: 8, common: await load() }).map((reason) => reason.code);

describe('taken', () => {
  test.each([
    'seven herons over the lake',
    'kettle-bramble-74-orbit',
    'Xk9#vPq2!mZr',
    'ẅarum nïcht ünïcode',
    '湖の上を七羽の鷺が飛ぶ',
    'my first cat was called Ama',
    'x'.repeat(3) + ' kd9 qmw vbe '.repeat(19),
  ])('%s', async (password) => expect(await codes(password)).toEqual([]));
});

describe('refused, with the reason', () => {
  test.each([
    ['', 'too-short'],
    ['kf8!2pz', 'too-short'],
    ['k9'.repeat(150), 'too-long'],
    ['password123', 'common'],
    ['P@ssw0rd', 'common'],
    ['Password2024!', 'common'],
    ['iloveyou1', 'common'],
    ['correct horse battery staple', 'common'],
    ['!!football!!', 'common'],
    ['12345678', 'common'],
    ['mensah1985', 'own-word'],
    ['AmaMensah!', 'own-word'],
    ['M3nsah2024', 'own-word'],
    ['lakeside-programme', 'own-word'],
    ['Lakeside2026', 'own-word'],
    ['ama.mensah@clinic.example.org', 'own-word'],
    ['careseal2026', 'own-word'],
    ['zzzzzzzzzzzz', 'repetitive'],
    ['xk9xk9xk9xk9', 'repetitive'],
    ['tulip88tulip88', 'repetitive'],
    ['abcdefghijk', 'sequence'],
    ['98765432qwer', 'sequence'],
    ['poiuytrewq12', 'sequence'],
  ])('%s: %s', async (password, reason) => expect(await codes(password)).toContain(reason));
});

test('the compared form is the same from every keyboard', async () => {
  expect(await codes('ｐａｓｓｗｏｒｄ１２３')).toContain('common');
  expect(await codes('Café-Zoë-2026', ['Cafe\u0301 Zoe\u0308'])).toContain('own-word');
});

test('length counts characters, not code units', async () => {
  expect(await codes('🦢🦉🦚🦜🐧🦃🦩')).toContain('too-short');
});

test('every reason says what to do in plain words, without the password', async () => {
  for (const reason of passwordReasons('password', [], { lengthMin: 15, common: await load() })) {
    expect(reason.text).toMatch(/^[A-Z].*\.$/);
    expect(reason.text).not.toContain('password ');
  }
});
