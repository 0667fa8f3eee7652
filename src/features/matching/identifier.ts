import { isRepeatedOrCounted } from './placeholders.ts';

/**
 * Identifiers: upper case, without separators and leading zeros. A value that stands for "none" is dropped.
 * What agreement means depends on the system's kind, which the model document says by pattern:
 * `national` one per person for life · `local` given by one institution, a person may have several · `shared` by a household.
 */
export function normaliseIdentifier(value: string): string {
  const upper = isClean(value) ? value : cleaned(value);
  return isPlaceholder(upper) ? '' : upper;
}

/** Most are written so already: capital letters and digits, no zero in front. */
function isClean(value: string): boolean {
  if (value.length > 200 || value.charCodeAt(0) === 48) return false;
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    if (!((unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90))) return false;
  }
  return true;
}

function cleaned(value: string): string {
  let out = '';
  for (const letter of value.length > 200 ? value.slice(0, 200) : value) {
    if (/[\p{L}\p{N}]/u.test(letter)) out += letter;
  }
  return out.toUpperCase().replace(/^0+(?=.)/, '');
}

const WORDS_FOR_NONE = new Set(
  'UNKNOWN UNK NONE NULL NA NIL NOTKNOWN NOTAVAILABLE PENDING TEMP TEST UNDEFINED NAN TBD XX XXX 0'.split(' '),
);

function isPlaceholder(value: string): boolean {
  if (value === '' || isRepeatedOrCounted(value)) return true;
  // No such word has a digit in its second place, nearly every number has.
  const second = value.charCodeAt(1);
  return !(second >= 48 && second <= 57) && WORDS_FOR_NONE.has(value);
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
