/**
 * Texts of others in files that people open in spreadsheets (CWE-1236): a cell that would be taken for a formula gets an apostrophe in
 * front. So does what follows a semicolon, a tab or a line's end within a cell: where numbers have decimal commas, spreadsheets part
 * cells at semicolons, quoted or not.
 */
// What follows is looked at first: it is rare, and looking back passes over spaces, of which there may be a million.
const FORMULA = /(?=[=+\-@\t\r\n＝＋－＠])(?<=(?:^|[;\t\r\n])[^\S\t\r\n]*)/g;
const GUARDED = /(?='[=+\-@\t\r\n＝＋－＠])(?<=(?:^|[;\t\r\n])[^\S\t\r\n]*)'/g;

/** The text, safe to open. */
export function guardCell(text: string): string {
  return text.replaceAll(FORMULA, "'");
}

/** The text as it was before; what was never guarded comes back as it is, but for an apostrophe that stood before a formula already. */
export function unguardCell(text: string): string {
  return text.includes("'") ? text.replaceAll(GUARDED, '') : text;
}
