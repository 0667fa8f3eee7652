import { createRequire } from 'node:module';

/** A table on paper. Texts in scripts the font lacks show as boxes; the page and the CSV have them. */
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
  document.registerFont('plain', resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'));
  document.registerFont('bold', resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'));
  document.font('bold').fontSize(16).text(table.title);
  document.moveDown(0.4).font('plain').fontSize(9).fillColor(GREY);
  for (const line of table.about) document.text(line);
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

function drawTable(document: Document, { columns, rows }: PaperTable): void {
  const width = document.page.width - 2 * MARGIN;
  const all = columns.reduce((sum, { share }) => sum + share, 0);
  const widths = columns.map(({ share }) => (share / all) * width);
  const headers = columns.map(({ header }) => header);
  drawRow(document, headers, widths, 'bold');
  for (const row of rows) {
    const height = heightOf(document, row, widths);
    if (document.y + height > document.page.height - MARGIN - 20) {
      document.addPage();
      drawRow(document, headers, widths, 'bold');
    }
    drawRow(document, row, widths, 'plain');
  }
  if (rows.length === 0)
    document
      .font('plain')
      .fontSize(SIZE)
      .text('Nothing.', MARGIN, document.y + PADDING);
}

function heightOf(document: Document, cells: readonly string[], widths: readonly number[]): number {
  document.fontSize(SIZE);
  const heights = cells.map((text, at) => document.heightOfString(text, { width: (widths[at] ?? 0) - 2 * PADDING }));
  return Math.max(...heights) + 2 * PADDING;
}

function drawRow(
  document: Document,
  cells: readonly string[],
  widths: readonly number[],
  font: 'plain' | 'bold',
): void {
  document.font(font);
  const height = heightOf(document, cells, widths);
  const top = document.y;
  let left = MARGIN;
  for (const [at, text] of cells.entries()) {
    const width = widths[at] ?? 0;
    document.fontSize(SIZE).text(text, left + PADDING, top + PADDING, { width: width - 2 * PADDING });
    left += width;
  }
  document
    .moveTo(MARGIN, top + height)
    .lineTo(left, top + height)
    .lineWidth(font === 'bold' ? 1 : 0.4)
    .stroke(font === 'bold' ? 'black' : LINE);
  document.x = MARGIN;
  document.y = top + height;
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
