/**
 * CSV as spreadsheets read it: RFC 4180 with a byte order mark. Cells that a spreadsheet would take for a formula get an
 * apostrophe in front, since their text may come from anybody (CWE-1236).
 */
const FORMULA = /^[=+\-@\t\r]/;

export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const CSV_START = '\ufeff';
