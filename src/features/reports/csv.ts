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

export const CSV_START = '\ufeff';
