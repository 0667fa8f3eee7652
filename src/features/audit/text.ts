/** The inside of a JSON string, escaped as canonical JSON asks; lone surrogates become U+FFFD, since UTF-8 has none. */
export function inner(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text.toWellFormed()).slice(1, -1);
}

/** Ids, addresses and most names need no escaping; testing is cheaper than escaping. */
const PLAIN = /^[ !#-[\]-~]*$/;
