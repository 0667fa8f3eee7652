import { guardCell } from '../../kernel/spreadsheet.ts';

/** CSV as spreadsheets read it: RFC 4180 with a byte order mark; no cell is a formula there. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(text: string): string {
  const safe = guardCell(text);
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Small print at the end of a table: below an empty line, each line of it a row of one cell. */
export function csvEnd(texts: readonly string[]): string {
  if (texts.length === 0) return '';
  return ['', ...texts.flatMap((text) => text.split('\n'))].map((line) => csvLine([line])).join('');
}

export const CSV_START = '\ufeff';
