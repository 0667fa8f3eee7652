import { expect, test } from 'vitest';
import { ordered } from './pdf-order.ts';

/** What stands on paper from left to right, letter by letter: words that the shaper turns are turned here. */
function onPaper(text: string): string {
  const runs = ordered(text).line(0, text.length);
  return runs.map((run) => (run.turned ? [...run.text].toReversed().join('') : run.text)).join('');
}

/** As GNU FriBidi orders them: `fribidi --nopad --nobreak --noshape`. */
const FRIBIDI = [
  ['Dr محمد علي (Otto) 12/3', 'Dr يلع دمحم (Otto) 12/3'],
  ['محمد علي (Otto) 12 آذار 2026', '2026 راذآ 12 (Otto) يلع دمحم'],
  ['שלום (אבג) abc 123, דהו', 'והד ,abc 123 (גבא) םולש'],
  ['علي: 12:30, 10.5%، ٣٤٥ ۱۲۳', '۱۲۳ ٣٤٥ ،%10.5 ,12:30 :يلع'],
  ['الاسم: Zoë Müller [رقم 42]', '[42 مقر] Zoë Müller :مسالا'],
  ['name: אברהם "בן" דוד, id A-17', 'name: דוד "ןב" םהרבא, id A-17'],
  ['Zoë Müller (Lake) 7', 'Zoë Müller (Lake) 7'],
] as const;

test.each(FRIBIDI)('%s', (text, paper) => {
  expect(onPaper(text)).toBe(paper);
});

test('a text begins at the side its first letter begins at, whatever follows', () => {
  expect(['شارع 15 (North)', '12 שלום', 'Dr محمد', '12', ''].map((text) => ordered(text).fromRight)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('a line of a text is ordered by itself, with the directions that the whole text gave it', () => {
  const text = 'محمد (Otto) علي';
  expect(ordered(text).line(5, 11)).toEqual([{ text: '(Otto)', turned: false }]);
  expect(ordered(text).line(0, 6)).toEqual([
    { text: ') ', turned: false },
    { text: 'محمد', turned: true },
  ]);
});

test('signs that only say how text runs change the order and are not printed', () => {
  expect(onPaper('\u202eabc\u202c \u2067x\u2069')).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
});

test('marks stay with their letters, and pairs of code units together', () => {
  expect(ordered('مُحَمَّد').line(0, 8)).toEqual([{ text: 'مُحَمَّد', turned: true }]);
  expect(onPaper('שלום 😀 אב')).toBe('בא 😀 םולש');
});
