/**
 * Combining marks that are kept in a row, as the Stream-Safe Text Format of UAX #15 has it: no word of any language needs more.
 * Putting marks into their order takes time that grows with the square of how many there are, and a text of a megabyte may be nothing else.
 */
const MARKS_MAX = 30;
const LONG_RUN = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, 'gu');

/** `text.normalize(form)` for texts of any length that somebody else wrote. Of more than 30 combining marks in a row the first 30 count. */
export function normalised(text: string, form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): string {
  return text.replace(LONG_RUN, '$1').normalize(form);
}
