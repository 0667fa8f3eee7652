import { isRepeatedOrCounted } from './placeholders.ts';

/**
 * Identifiers: upper case, without separators and leading zeros. A value that stands for "none" is dropped.
 * What agreement means depends on the system's kind, which the model document says by pattern:
 * `national` one per person for life · `local` given by one institution, a person may have several · `shared` by a household.
 */
export function normaliseIdentifier(value: string): string {
  let out = '';
  for (const letter of value.length > 200 ? value.slice(0, 200) : value) {
    if (/[\p{L}\p{N}]/u.test(letter)) out += letter;
  }
  const upper = out.toUpperCase().replace(/^0+(?=.)/, '');
  return isPlaceholder(upper) ? '' : upper;
}

const WORDS_FOR_NONE = new Set(
  'UNKNOWN UNK NONE NULL NA NIL NOTKNOWN NOTAVAILABLE PENDING TEMP TEST UNDEFINED NAN TBD XX XXX 0'.split(' '),
);

function isPlaceholder(value: string): boolean {
  return value === '' || WORDS_FOR_NONE.has(value) || isRepeatedOrCounted(value);
}

/** Compiles `*nin*`-like patterns, without regard to case. Only `*` is special, so that a pattern cannot be a costly expression. */
export function systemPattern(pattern: string): (system: string) => boolean {
  const pieces = pattern.toLowerCase().split('*');
  return (system) => matchesPieces(system.toLowerCase(), pieces);
}

function matchesPieces(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
