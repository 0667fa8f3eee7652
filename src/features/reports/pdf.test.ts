import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { printPdf } from './pdf.ts';

interface Written {
  readonly texts: readonly string[];
  /** The same with where each begins, in points from the left and from the foot. */
  readonly places: readonly { readonly text: string; readonly x: number; readonly y: number }[];
  readonly boxes: number;
  /** How far the lowest writing is above the foot of its page, in points. */
  readonly lowest: number;
  readonly pages: number;
}

/** What stands on paper, in the order it is written: one string per writing, and how many letters no font had. */
function written(pdf: Uint8Array): Written {
  const raw = Buffer.from(pdf).toString('latin1');
  const objects = new Map(
    [...raw.matchAll(/(\d+) 0 obj\n([\s\S]*?)\nendobj/g)].map(([, id = '', body = '']) => [id, body]),
  );
  const streamOf = (body: string): string => {
    const found = /stream\r?\n([\s\S]*?)\r?\nendstream/.exec(body)?.[1];
    return found === undefined ? '' : inflateSync(Buffer.from(found, 'latin1')).toString('latin1');
  };
  const fonts = new Map<string, readonly string[]>();
  for (const [, name = '', id = ''] of raw.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
    const map = /\/ToUnicode (\d+) 0 R/.exec(objects.get(id) ?? '')?.[1];
    if (map !== undefined) fonts.set(name, lettersOf(streamOf(objects.get(map) ?? '')));
  }
  const places: { text: string; x: number; y: number }[] = [];
  const feet: number[] = [];
  let [x, y] = [0, 0];
  let boxes = 0;
  for (const body of objects.values()) {
    if (!/\/Filter \/FlateDecode/.test(body)) continue;
    let letters: readonly string[] = [];
    const acts = /\/(F\d+) [\d.]+ Tf|\[([^\]]*)\] TJ|1 0 0 1 ([\d.]+) (-?[\d.]+) Tm/g;
    for (const [, font, glyphs = '', left, foot] of streamOf(body).matchAll(acts)) {
      if (foot !== undefined) {
        [x, y] = [Number(left), Number(foot)];
        feet.push(y);
      } else if (font !== undefined) letters = fonts.get(font) ?? [];
      else {
        const ids = [...glyphs.matchAll(/<([0-9a-f]*)>/g)].flatMap(([, hex = '']) => hex.match(/.{4}/g) ?? []);
        boxes += ids.filter((id) => id === '0000').length;
        places.push({ text: ids.map((id) => letters[Number.parseInt(id, 16)] ?? '?').join(''), x, y });
      }
    }
  }
  const texts = places.map(({ text }) => text);
  return { texts, places, boxes, lowest: Math.min(...feet), pages: raw.match(/\/Type \/Page\n/g)?.length ?? 0 };
}

/** Letters by the number of their glyph, of a ToUnicode map as the library writes it. */
function lettersOf(map: string): string[] {
  return [...map.matchAll(/<[0-9a-f]{4}> <[0-9a-f]{4}> \[([^\]]*)\]/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/<([0-9a-f ]*)>/g)].map(([, hex = '']) =>
      Buffer.from(hex.replaceAll(' ', ''), 'hex').swap16().toString('utf16le'),
    ),
  );
}

const COLUMNS = [
  { header: 'Who', share: 1 },
  { header: 'Client', share: 1 },
];

async function onPaper(...rows: readonly (readonly string[])[]) {
  return written(await printPdf({ title: 'A title', about: ['For whom'], columns: COLUMNS, rows, end: ['The end'] }));
}

test('names in Amharic are letters and no boxes, beside Latin ones in the same cell', async () => {
  const { texts, boxes } = await onPaper(['በቀለ ተስፋዬ (Bekele)', 'Zoë Müller'], ['Ίρις Łukasz Дарья', 'ሰላም']);
  expect(boxes).toBe(0);
  for (const text of [
    'A title',
    'For whom',
    'Who',
    'በቀለ',
    'ተስፋዬ',
    ' (Bekele)',
    'Zoë Müller',
    'Ίρις Łukasz Дарья',
    'ሰላም',
    'The end',
  ])
    expect(texts).toContain(text);
});

test('Arabic words stand from right to left, their letters joined and turned, with Latin words where they were', async () => {
  const { texts, boxes } = await onPaper(['Dr محمد علي Otto', 'x']);
  expect(boxes).toBe(0);
  const turned = (word: string): string => [...word].toReversed().join('');
  const at = ['Dr ', turned('علي'), turned('محمد')].map((text) => texts.indexOf(text));
  expect(at.every((place) => place >= 0)).toBe(true);
  expect(at).toEqual(at.toSorted((a, b) => a - b));
  expect(texts.slice(at[2])).toContain(' Otto');
});

test('a cell that begins at the right ends at the right, and names under the title stand line by line', async () => {
  const about = ['For محمد علي (Otto)', 'Of the clinic'];
  const rows = [['Otto'], ['علي']];
  const { places } = written(await printPdf({ title: 'T', about, columns: COLUMNS.slice(0, 1), rows, end: [] }));
  const at = (text: string) => places.find((one) => one.text === text);
  expect(at('Otto')?.x).toBeLessThan(60);
  expect(places.filter(({ text }) => text === 'يلع').at(-1)?.x).toBeGreaterThan(400);
  const [first = 0, second = 0] = ['For ', 'Of the clinic'].map((text) => at(text)?.y);
  expect(first - second).toBeGreaterThan(9);
  expect(first - second).toBeLessThan(14);
});

test('letters of a script that no font has are boxes, which the test would see', async () => {
  expect((await onPaper(['अमीना', 'x'])).boxes).toBeGreaterThan(0);
});

test('what is longer than its column is broken into lines, at spaces, hyphens, and in the middle where there is neither', async () => {
  const id = '0198f3a0-0000-7000-8000-0000000000c1';
  const long = 'ሀ'.repeat(200);
  const { texts } = await onPaper([`${id} ${id} ${id}`, long], ['', ' \n ']);
  expect(texts.join('').replaceAll(' ', '')).toContain(id.repeat(3));
  expect(texts.filter((text) => text.startsWith('ሀ')).length).toBeGreaterThan(3);
  expect(texts.filter((text) => text.startsWith('ሀ')).join('')).toBe(long);
});

test('a row that is taller than a page goes on on the next ones, with nothing lost below the foot', async () => {
  const ids = Array.from({ length: 200 }, (_, at) => `0198f3a0-0000-7000-8000-${String(at).padStart(12, '0')}`);
  const { texts, lowest, pages } = await onPaper(['a', 'b'], [ids.join(' '), 'c'], ['d', 'e']);
  expect(pages).toBeGreaterThan(2);
  expect(lowest).toBeGreaterThan(15);
  const pieces = texts.filter((text) => /^[\da-f -]{3,}$/.test(text));
  expect(pieces.join('').replaceAll(' ', '')).toContain(ids.join(''));
  expect(texts).toEqual(expect.arrayContaining(['c', 'd', 'e']));
});
