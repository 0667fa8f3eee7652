import { createRequire } from 'node:module';
import { FONTS, heightOfLines, linesOf, type TextLine, writeLines } from './pdf-text.ts';

/** A table on paper. Texts in scripts the fonts lack show as boxes; the page and the CSV have them. */
export interface PaperTable {
  readonly title: string;
  /** Lines under the title: what this is, for whom, of which time. */
  readonly about: readonly string[];
  readonly columns: readonly { readonly header: string /** Share of the width. */; readonly share: number }[];
  readonly rows: readonly (readonly string[])[];
  /** Small print at the end, for example the signed head of the log. */
  readonly end: readonly string[];
  readonly landscape?: boolean;
}

const MARGIN = 40;
const SIZE = 8.5;
const PADDING = 3;
const GREY = '#666666';
const LINE = '#cccccc';

/** Makes an A4 PDF with embedded fonts, a header row on each page and page numbers. The library is loaded at first use. */
export async function printPdf(table: PaperTable): Promise<Uint8Array> {
  const { default: PDFDocument } = await import('pdfkit');
  const resolve = createRequire(import.meta.url).resolve;
  const document = new PDFDocument({
    size: 'A4',
    layout: table.landscape === true ? 'landscape' : 'portrait',
    margin: MARGIN,
    bufferPages: true,
    // The title shows in window bars and lists of files: it names nobody.
    info: { Title: table.title, Creator: 'Careseal', Producer: 'Careseal' },
    lang: 'en',
  });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const done = new Promise<void>((end) => document.on('end', end));
  for (const [name, file] of Object.entries(FONTS)) document.registerFont(name, resolve(file));
  document.font('bold').fontSize(16).text(table.title);
  document.moveDown(0.4).font('plain').fontSize(9).fillColor(GREY);
  for (const line of table.about) drawLine(document, line);
  document.fillColor('black').moveDown(0.8);
  drawTable(document, table);
  document.moveDown(1).font('plain').fontSize(7).fillColor(GREY);
  for (const line of table.end) document.text(line, MARGIN);
  numberPages(document);
  document.end();
  await done;
  return Buffer.concat(chunks);
}

type Document = PDFKit.PDFDocument;

/** Under the title; names stand in it. */
function drawLine(document: Document, text: string): void {
  const size = 9;
  const lines = linesOf(document, text, { width: document.page.width - 2 * MARGIN, size });
  const top = document.y;
  writeLines(document, lines, { x: MARGIN, y: top, size });
  [document.x, document.y] = [MARGIN, top + heightOfLines(lines.length, size)];
}

function drawTable(document: Document, { columns, rows }: PaperTable): void {
  const width = document.page.width - 2 * MARGIN;
  const all = columns.reduce((sum, { share }) => sum + share, 0);
  const widths = columns.map(({ share }) => (share / all) * width);
  const headers = columns.map(({ header }) => header);
  drawHeaders(document, headers, widths);
  const end = document.page.height - MARGIN - 20;
  const linesMax = Math.floor((end - document.y - 2 * PADDING) / heightOfLines(1, SIZE));
  for (const row of rows) {
    const cells = row.map((text, at) =>
      linesOf(document, text, { width: (widths[at] ?? 0) - 2 * PADDING, size: SIZE }),
    );
    for (const part of parts(cells, linesMax)) {
      const height = heightOfLines(Math.max(...part.map((lines) => lines.length)), SIZE) + 2 * PADDING;
      if (document.y + height > end) {
        document.addPage();
        drawHeaders(document, headers, widths);
      }
      drawRow(document, part, { widths, height });
    }
  }
  if (rows.length === 0)
    document
      .font('plain')
      .fontSize(SIZE)
      .text('Nothing.', MARGIN, document.y + PADDING);
}

/** A row that is taller than a page, as several. */
function parts(cells: readonly (readonly TextLine[])[], linesMax: number): (readonly TextLine[])[][] {
  const most = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: Math.max(1, Math.ceil(most / linesMax)) }, (_, at) =>
    cells.map((lines) => lines.slice(at * linesMax, (at + 1) * linesMax)),
  );
}

function drawHeaders(document: Document, headers: readonly string[], widths: readonly number[]): void {
  document.font('bold').fontSize(SIZE);
  const cells = headers.map((text, at) => ({ text, width: (widths[at] ?? 0) - 2 * PADDING }));
  const height = Math.max(...cells.map(({ text, width }) => document.heightOfString(text, { width }))) + 2 * PADDING;
  const top = document.y;
  let left = MARGIN;
  for (const { text, width } of cells) {
    document.text(text, left + PADDING, top + PADDING, { width });
    left += width + 2 * PADDING;
  }
  endRow(document, { top: top + height, right: left, lineWidth: 1, colour: 'black' });
}

interface RowSize {
  readonly widths: readonly number[];
  readonly height: number;
}

function drawRow(document: Document, cells: readonly (readonly TextLine[])[], { widths, height }: RowSize): void {
  const top = document.y;
  let left = MARGIN;
  for (const [at, lines] of cells.entries()) {
    writeLines(document, lines, { x: left + PADDING, y: top + PADDING, size: SIZE });
    left += widths[at] ?? 0;
  }
  endRow(document, { top: top + height, right: left, lineWidth: 0.4, colour: LINE });
}

interface RowEnd {
  readonly top: number;
  readonly right: number;
  readonly lineWidth: number;
  readonly colour: string;
}

/** A line under a row, and the place where the next one begins. */
function endRow(document: Document, { top, right, lineWidth, colour }: RowEnd): void {
  document.moveTo(MARGIN, top).lineTo(right, top).lineWidth(lineWidth).stroke(colour);
  document.x = MARGIN;
  document.y = top;
}

function numberPages(document: Document): void {
  const { start, count } = document.bufferedPageRange();
  for (let page = start; page < start + count; page++) {
    document.switchToPage(page);
    const { bottom } = document.page.margins;
    // Text below the margin would begin a new page.
    document.page.margins.bottom = 0;
    document
      .font('plain')
      .fontSize(7)
      .fillColor(GREY)
      .text(`${page - start + 1} / ${count}`, MARGIN, document.page.height - 28, {
        width: document.page.width - 2 * MARGIN,
        align: 'right',
        lineBreak: false,
      });
    document.page.margins.bottom = bottom;
  }
}
