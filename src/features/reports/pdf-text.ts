import { ordered, type Run } from './pdf-order.ts';

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
  /** How far from the left edge it begins, in points: text that begins at the right ends at the other edge. */
  readonly indent: number;
}

type Document = Pick<PDFKit.PDFDocument, 'font' | 'fontSize' | 'widthOfString' | 'text'>;

/** How far lines are apart, in sizes of the letters. */
const LINE = 1.3;
/** From the top of a line to the feet of its letters. */
const BASE = 1;

const ETHIOPIC = /\p{Script=Ethiopic}/u;
/** Spaces, and words up to and with their hyphens: lines are broken before any but spaces. */
const WORDS = / |[^ -]+-*|-+/gu;
const RUNS = /\p{Script=Ethiopic}+|\P{Script=Ethiopic}+/gu;

interface Room {
  readonly width: number;
  readonly size: number;
}

/** Breaks a text into lines no wider than this, in points; each of them in the order in which it stands on paper. */
export function linesOf(document: Document, text: string, room: Room): TextLine[] {
  const paragraph = text.replaceAll(/\s+/gu, ' ');
  const { fromRight, line } = ordered(paragraph);
  return broken(document, paragraph, room).map(([start, end]) => {
    // A space that a line ends with would stand at its beginning where it runs from the right.
    const trimmed = start + paragraph.slice(start, end).trimEnd().length;
    const pieces = piecesOf(document, line(start, trimmed), room.size);
    return { pieces, indent: fromRight ? Math.max(0, room.width - widthOf(pieces)) : 0 };
  });
}

/** Where lines begin and end. */
function broken(document: Document, text: string, { width, size }: Room): [number, number][] {
  const lines: [number, number][] = [[0, 0]];
  let left = width;
  const add = (start: number, end: number, wide: number): void => {
    const last = lines.at(-1);
    if (last === undefined || (wide > left && left < width)) {
      lines.push([start, end]);
      left = width - wide;
      return;
    }
    if (left === width) last[0] = start;
    last[1] = end;
    left -= wide;
  };
  for (const { 0: part, index } of text.matchAll(WORDS)) {
    const wide = measured(document, part, size);
    // A space that the line has no room for is not written.
    if (part === ' ' && wide > left) continue;
    if (wide <= width) add(index, index + part.length, wide);
    else for (const [from, to, some] of sliced(document, part, { width, size })) add(index + from, index + to, some);
  }
  return lines;
}

/** In points. */
export const heightOfLines = (lines: number, size: number): number => lines * LINE * size;

/** Writes lines, the first one's top at y. */
export function writeLines(
  document: Document,
  lines: readonly TextLine[],
  { x, y, size }: { readonly x: number; readonly y: number; readonly size: number },
): void {
  for (const [at, { pieces, indent }] of lines.entries()) {
    let left = x + indent;
    for (const { text, font, width } of pieces) {
      const base = y + (at * LINE + BASE) * size;
      document.font(font).fontSize(size).text(text, left, base, { lineBreak: false, baseline: 'alphabetic' });
      left += width;
    }
  }
}

const measured = (document: Document, text: string, size: number): number =>
  widthOf((text.match(RUNS) ?? []).map((run) => piece(document, run, size)));

const widthOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { width }) => sum + width, 0);

function piece(document: Document, text: string, size: number): Piece {
  const font = ETHIOPIC.test(text) ? 'ethiopic' : 'plain';
  return { text, font, width: document.font(font).fontSize(size).widthOfString(text) };
}

/** A word that fits no line, cut where the line ends: from, to, width. */
function sliced(document: Document, text: string, { width, size }: Room): [number, number, number][] {
  const slices: [number, number, number][] = [];
  let [from, wide] = [0, 0];
  for (const { segment, index } of new Intl.Segmenter().segment(text)) {
    const more = measured(document, text.slice(from, index + segment.length), size);
    if (more > width && index > from) {
      slices.push([from, index, wide]);
      from = index;
      wide = measured(document, segment, size);
    } else wide = more;
  }
  return [...slices, [from, text.length, wide]];
}

/** Runs as pieces of one font each, so that readers find phrases in the file; words that the shaper turns stay by themselves. */
function piecesOf(document: Document, runs: readonly Run[], size: number): Piece[] {
  return runs.flatMap(({ text, turned }) => {
    const parts = turned ? [text] : (text.match(RUNS) ?? []);
    return parts.map((part) => piece(document, part, size));
  });
}
