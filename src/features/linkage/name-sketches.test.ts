import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareName } from '../matching/index.ts';
import { isPlainPair, sketchesOf, soundsEqual, surelyDifferent } from './name-sketches.ts';
import { nameOf } from './prepared-values.ts';
import { packTexts } from './read-columns.ts';
import { wordsDiffer } from './word-scan.ts';

const DIFFERENT = 8;
const word = fc
  .array(fc.constantFrom(...'aaabcdeehiiklmnoorstuz'), { minLength: 1, maxLength: 12 })
  .map((letters) => letters.join(''));
const typed = fc.tuple(word, fc.nat(20), fc.constantFrom(...'abeiost')).map(([text, at, letter]) => {
  const place = at % text.length;
  return [text, text.slice(0, place) + letter + text.slice(place + (at % 2))] as const;
});
const couple = fc.oneof(
  fc.tuple(word, word),
  typed,
  fc.constantFrom(['robert', 'bob'], ['x'.repeat(40), 'x'.repeat(39)]),
);

test('a name that is turned away by its letters is different by the whole comparison, too', () => {
  let turnedAway = 0;
  fc.assert(
    fc.property(couple, ([one, other]) => {
      const texts = packTexts([one, other]);
      const sketches = sketchesOf({ key: 'given', ids: new Uint32Array(0), texts });
      const level = compareName(nameOf(one), nameOf(other));
      if (surelyDifferent(sketches, 1, sketches, 2, true)) {
        turnedAway++;
        expect(level).toBe(DIFFERENT);
      }
      if (!isPlainPair(sketches, 1, sketches, 2, true)) return;
      const differ = wordsDiffer(texts, 1, texts, 2, soundsEqual(sketches, 1, sketches, 2));

      if (differ) expect(level).toBe(DIFFERENT);
    }),
    { numRuns: 5000 },
  );
  expect(turnedAway).toBeGreaterThan(500);
});
