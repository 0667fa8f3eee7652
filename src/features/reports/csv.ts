/**
 * CSV as spreadsheets read it: RFC 4180 with a byte order mark. Cells that a spreadsheet would take for a formula get an
 * apostrophe in front, since their text may come from anybody (CWE-1236). So does what follows a semicolon or a tab within a cell:
 * where numbers have decimal commas, spreadsheets part cells there, quoted or not.
 */
const FORMULA = /(^|[;\t\r\n]\s*)(?=[=+\-@\t\r\n＝＋－＠])/g;

export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(text: string): string {
  const safe = text.replaceAll(FORMULA, "$1'");
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Small print at the end of a table: below an empty line, each line of it a row of one cell. */
export function csvEnd(texts: readonly string[]): string {
  if (texts.length === 0) return '';
  return ['', ...texts.flatMap((text) => text.split('\n'))].map((line) => csvLine([line])).join('');
}

export const CSV_START = '\ufeff';
