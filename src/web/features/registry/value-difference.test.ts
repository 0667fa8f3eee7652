import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differences } from './value-difference.ts';

const marked = (mine: string, other: string): string =>
  differences(mine, other)
    .map((part) => (part.differs ? `[${part.text}]` : part.text))
    .join('');

describe('differences between two values', () => {
  it.each([
    ['Okello', 'Okelo', /^Oke(\[l\]l|l\[l\])o$/],
    ['1984-05-31', '1984-05-13', /^1984-05-(\[3\]1|3\[1\])$/],
    ['Amina', 'amina', /^Amina$/],
    ['محمد', 'محمود', /^محمد$/],
  ])('%s beside %s', (mine, other, expected) => {
    expect(marked(mine, other)).toMatch(expected);
  });

  it('lose and reorder nothing, and never cut a letter in two', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        (a, b) => {
          const parts = differences(a, b);
          expect(parts.map((part) => part.text).join('')).toBe(a);
          if (a === b) expect(parts.every((part) => !part.differs)).toBe(true);
        },
      ),
    );
  });
});
