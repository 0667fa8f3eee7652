import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECK_DIGITS, type CheckDigits, checkTest } from './check-digits.ts';

/** Numbers that their publishers give as examples, or that are known to be right. */
const RIGHT: readonly (readonly [CheckDigits, string])[] = [
  ['luhn', '79927398713'], // the example of Luhn's patent as it is usually told
  ['luhn', '8001015009087'], // South Africa's Department of Home Affairs
  ['verhoeff', '2363'],
  ['verhoeff', '123451'],
  ['mod-11-2', '21694233X'], // ORCID's example
  ['mod-11-2', '11010519491231002X'], // GB 11643-1999
  ['mod-97-10', '79444'], // ISO 7064: 794 with its check 44
  ['mod-97-10', '3214282912345698765432161182'], // an IBAN, rearranged
  ['mod-37-2', 'G123498654321H'], // ISBT 128
  ['nhs', '9434765919'], // NHS Data Dictionary
  ['cpf', '52998224725'],
];

describe('check digits', () => {
  test.each(RIGHT)('%s: %s is right', (kind, value) => {
    expect(checkTest(kind)(value)).toBe(true);
  });

  test.each(RIGHT)('%s: one other digit in %s is found', (kind, value) => {
    const isRight = checkTest(kind);
    for (let at = 0; at < value.length; at++) {
      if (!/\d/.test(value[at] ?? '')) continue;
      for (const digit of '0123456789') {
        if (digit === value[at]) continue;
        expect(isRight(value.slice(0, at) + digit + value.slice(at + 1))).toBe(false);
      }
    }
  });

  // Luhn misses 09 and 90; of the others each finds every exchange of two neighbours.
  test.each(RIGHT.filter(([kind]) => kind !== 'luhn' && kind !== 'cpf'))(
    '%s: two exchanged neighbours in %s are found',
    (kind, value) => {
      for (let at = 0; at + 1 < value.length; at++) {
        const [one = '', other = ''] = [value[at], value[at + 1]];
        if (one === other || !/\d\d/.test(one + other)) continue;
        expect(checkTest(kind)(value.slice(0, at) + other + one + value.slice(at + 2))).toBe(false);
      }
    },
  );

  test('zeros in front that normalisation took away are put back', () => {
    expect(checkTest('cpf', 11)('935411347')).toBe(checkTest('cpf')('00935411347'));
    expect(checkTest('nhs', 10)('12345678901234')).toBe(false);
  });

  test('whatever the text is, the answer is yes or no', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHECK_DIGITS), fc.string({ unit: 'binary' }), (kind, text) => {
        expect(typeof checkTest(kind)(text)).toBe('boolean');
      }),
    );
  });

  test('about as many numbers are right by chance as the digits allow', () => {
    for (const kind of CHECK_DIGITS) {
      const isRight = checkTest(kind);
      let right = 0;
      const base = kind === 'cpf' ? 10_000_000_000 : 1_000_000_000;
      for (let number = 0; number < 20_000; number++) if (isRight(String(base + number * 7919))) right++;
      expect(right / 20_000).toBeLessThan(0.12);
    }
  });
});
