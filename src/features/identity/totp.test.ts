import { describe, expect, test } from 'vitest';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import { totpEnrolment, totpSecretText, totpStep } from './totp.ts';
import * as wire from './wire.ts';
import type { UserId } from '../../kernel/ids.ts';

// RFC 6238 appendix B, SHA-1, cut to six digits; the secret is the ASCII text 12345678901234567890.
const SECRET = totpSecretText(Uint8Array.from('12345678901234567890', (c) => c.charCodeAt(0)));
const VECTORS: [number, string][] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
];

test.each(VECTORS)('RFC 6238 at %i s', (seconds, code) => {
  const step = Math.floor(seconds / 30);
  expect(totpStep(SECRET, code, seconds * 1000)).toBe(step);
  expect(totpStep(SECRET, code, (seconds + 30) * 1000)).toBe(step);
  expect(totpStep(SECRET, code, (seconds - 30) * 1000)).toBe(step);
  expect(totpStep(SECRET, code, (seconds + 60) * 1000)).toBeUndefined();
  expect(totpStep(SECRET, code, (seconds - 60) * 1000)).toBeUndefined();
});

test('a secret has 160 bits at least', () => {
  expect(SECRET).toHaveLength(32);
  expect(() => totpSecretText(new Uint8Array(16))).toThrow(RangeError);
});

test('what apps are shown', async () => {
  const shown = await totpEnrolment(SECRET, 'Lake: side', 'ama@clinic.example.org');
  const uri = new URL(shown.uri);
  expect(uri.protocol).toBe('otpauth:');
  expect(Object.fromEntries(uri.searchParams)).toMatchObject({
    secret: SECRET,
    digits: '6',
    period: '30',
    algorithm: 'SHA1',
  });
  expect(uri.searchParams.get('issuer')).toBe('Careseal Lake  side');
  expect(shown.key).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
  expect(shown.qrSvg).toMatch(/^<svg[^]*<\/svg>\s*$/);
});

describe('recovery codes', () => {
  test('ten of 120 bits, as they are typed from paper', () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) {
      expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);
      const plain = code.replaceAll('-', '');
      expect(wire.RecoveryCode.parse(` ${code.toLowerCase()} `)).toBe(plain);
      expect(recoveryCodeHash('u' as UserId, plain)).toEqual(recoveryCodeHash('u' as UserId, code));
    }
  });
  test('I, L and O are read as 1 and 0', () => {
    expect(wire.RecoveryCode.parse('OIL0-0000-0000-0000')).toBe('0110000000000000');
  });
  test('are one person’s own', () => {
    expect(recoveryCodeHash('a' as UserId, 'X')).not.toEqual(recoveryCodeHash('b' as UserId, 'X'));
  });
});

describe('what is typed', () => {
  test.each(['ａma@clinic.org', 'аma@clinic.org', 'ama@clíníc.org', 'ama', 'ama@', 'a b@c.org', '"x"@y'])(
    '%s is no e-mail address',
    (text) => {
      expect(wire.EmailAddress.safeParse(text).success).toBe(false);
    },
  );
  test.each(['Ama\u202eMensah', 'Ama\u0000', 'Ama\nMensah', '\u200b', ''])('%j is no name', (text) => {
    expect(wire.PersonName.safeParse(text).success).toBe(false);
  });
  test.each([
    'Ama Mensah',
    "O'Brien",
    'محمد',
    '山田 太郎',
    '<script>alert(1)</script>',
    "Robert'); DROP TABLE users;--",
  ])('%s is one', (text) => {
    expect(wire.PersonName.parse(text)).toBe(text);
  });
  test('codes are six digits, however grouped', () => {
    expect(wire.TotpCode.parse(' 123 456')).toBe('123456');
    for (const wrong of ['12345', '1234567', '１２３４５６', '12345a'])
      expect(wire.TotpCode.safeParse(wrong).success).toBe(false);
  });
  test('roles: known ones, one at least, none twice', () => {
    for (const wrong of [[], ['root'], ['auditor', 'auditor']])
      expect(wire.RoleList.safeParse(wrong).success).toBe(false);
  });
});
