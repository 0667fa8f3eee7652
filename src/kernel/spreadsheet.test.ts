import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guardCell, unguardCell } from './spreadsheet.ts';

test.each([
  ['=1+1', "'=1+1"],
  ['+256 772', "'+256 772"],
  ['-7', "'-7"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['＝1', "'＝1"],
  ['\t=1', "'\t'=1"],
  ['Okello;=HYPERLINK("x")', `Okello;'=HYPERLINK("x")`],
  ['Okello; \t=1', "Okello; '\t'=1"],
  ['two\r\n=lines', "two\r'\n'=lines"],
  ['Anne-Marie O’Brien', 'Anne-Marie O’Brien'],
])('%j is written as %j', (text, safe) => {
  expect(unguardCell(guardCell(text))).toBe(text);
  // Wherever a spreadsheet parts cells, none begins like a formula.
  for (const piece of guardCell(text).split(';')) expect(piece.trimStart()).not.toMatch(/^[=+\-@＝＋－＠]/);
  expect(guardCell(text)).toBe(safe);
});

test('no text becomes a formula at any place, and each comes back', () => {
  const letters = fc.constantFrom('=', '+', '-', '@', ';', '\t', '\n', ' ', 'a', ',', '"', '＝');
  fc.assert(
    fc.property(fc.string({ unit: letters, maxLength: 12 }), (text) => {
      for (const piece of guardCell(text).split(/[;\t\r\n]/)) expect(piece.trim()).not.toMatch(/^[=+\-@＝]/);
      expect(unguardCell(guardCell(text))).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

/** Looked at in square time, a million spaces take a quarter of an hour; as they should, hundredths of a second. */
test('long runs of spaces, tabs and semicolons are gone through once', () => {
  for (const text of [' '.repeat(1e6), `;${' '.repeat(1e6)}=`, '\t'.repeat(1e4), '; '.repeat(1e5)]) {
    expect(unguardCell(guardCell(text))).toBe(text);
  }
}, 60_000);
