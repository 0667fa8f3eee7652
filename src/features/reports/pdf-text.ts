/** Text of table cells in several scripts: a font for each run of characters, lines of a width, words in the order they are read in. */

/** Files of the fonts by the names they are registered under. */
export const FONTS = {
  plain: 'dejavu-fonts-ttf/ttf/DejaVuSans.ttf',
  bold: 'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf',
  ethiopic: '@fontsource/noto-sans-ethiopic/files/noto-sans-ethiopic-ethiopic-400-normal.woff',
} as const;

/** A piece that is written at one place: of one font, and of one word where it runs from right to left. */
interface Piece {
  readonly text: string;
  readonly font: 'plain' | 'ethiopic';
  readonly width: number;
}

export interface TextLine {
  /** From left to right as they stand on paper. */
  readonly pieces: readonly Piece[];
}

type Document = Pick<PDFKit.PDFDocument, 'font' | 'fontSize' | 'widthOfString' | 'text'>;

/** How far lines are apart, in sizes of the letters. */
const LINE = 1.3;
/** From the top of a line to the feet of its letters. */
const BASE = 1;

const ETHIOPIC = /\p{Script=Ethiopic}/u;
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
/** Spaces, and words up to and with their hyphens: lines are broken before any but spaces. */
const WORDS = /\s+|[^\s-]+-*|-+/gu;
const RUNS = /\p{Script=Ethiopic}+|\P{Script=Ethiopic}+/gu;

interface Word {
  readonly pieces: readonly Piece[];
  readonly width: number;
  readonly space: boolean;
  readonly rightToLeft: boolean;
}

/** Breaks a text into lines no wider than this, in points. */
export function linesOf(
  document: Document,
  text: string,
  { width, size }: { width: number; size: number },
): TextLine[] {
  const lines: Word[][] = [[]];
  let left = width;
  const add = (word: Word): void => {
    lines.at(-1)?.push(word);
    left -= word.width;
  };
  for (const part of text.match(WORDS) ?? []) {
    const word = measured(document, part, size);
    if (word.width <= left) {
      add(word);
      continue;
    }
    if (word.space) continue;
    if (left < width) {
      lines.push([]);
      left = width;
    }
    for (const slice of word.width <= width ? [word] : sliced(document, part, { width, size })) {
      if (slice.width > left && left < width) {
        lines.push([]);
        left = width;
      }
      add(slice);
    }
  }
  return lines.map((words) => ({ pieces: joined(document, inOrder(words), size) }));
}

/** In points. */
export const heightOfLines = (lines: number, size: number): number => lines * LINE * size;

/** Writes lines, the first one's top at y. */
export function writeLines(
  document: Document,
  lines: readonly TextLine[],
  { x, y, size }: { readonly x: number; readonly y: number; readonly size: number },
): void {
  for (const [at, { pieces }] of lines.entries()) {
    let left = x;
    for (const { text, font, width } of pieces) {
      const base = y + (at * LINE + BASE) * size;
      document.font(font).fontSize(size).text(text, left, base, { lineBreak: false, baseline: 'alphabetic' });
      left += width;
    }
  }
}

function measured(document: Document, text: string, size: number): Word {
  const space = /^\s/u.test(text);
  const pieces = (space ? [' '] : (text.match(RUNS) ?? [])).map((run) => piece(document, run, size));
  const width = pieces.reduce((sum, one) => sum + one.width, 0);
  return { pieces, width, space, rightToLeft: RIGHT_TO_LEFT.test(text) };
}

function piece(document: Document, text: string, size: number): Piece {
  const font = ETHIOPIC.test(text) ? 'ethiopic' : 'plain';
  return { text, font, width: document.font(font).fontSize(size).widthOfString(text) };
}

/** A word that fits no line, cut where the line ends. */
function sliced(document: Document, text: string, { width, size }: { width: number; size: number }): Word[] {
  const slices: Word[] = [];
  let slice = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (slice !== '' && measured(document, slice + segment, size).width > width) {
      slices.push(measured(document, slice, size));
      slice = '';
    }
    slice += segment;
  }
  return [...slices, measured(document, slice, size)];
}

/** Words that run from right to left and follow each other stand in reverse; letters within a word are turned by the font's shaper. */
function inOrder(words: readonly Word[]): Word[] {
  const ordered: Word[] = [];
  let reversed: Word[] = [];
  const end = (): void => {
    const spaces: Word[] = [];
    while (reversed.at(-1)?.space === true) spaces.push(...reversed.splice(-1));
    ordered.push(...reversed.toReversed(), ...spaces);
    reversed = [];
  };
  for (const word of words) {
    if (word.rightToLeft || (word.space && reversed.length > 0)) {
      reversed.push(word);
      continue;
    }
    end();
    ordered.push(word);
  }
  end();
  return ordered;
}

/** Neighbours of one font become one piece, so that readers find phrases in the file; words from right to left stay by themselves. */
function joined(document: Document, words: readonly Word[], size: number): Piece[] {
  const pieces: { text: string; font: Piece['font']; alone: boolean }[] = [];
  for (const { pieces: own, rightToLeft } of words) {
    for (const { text, font } of own) {
      const last = pieces.at(-1);
      if (last === undefined || last.alone || rightToLeft || last.font !== font) {
        pieces.push({ text, font, alone: rightToLeft });
      } else last.text += text;
    }
  }
  return pieces.map(({ text }) => piece(document, text, size));
}
