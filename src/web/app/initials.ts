/** Shortened titles (Dr., Prof., Jr.) are no names; a single letter with a full stop is. */
const TITLE = /^\p{L}{2,}[\p{L}.]*\.$/u;

/** The first letters of the first and the last name, to tell people apart at a glance; of one name one letter. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const names = words.filter((word) => !TITLE.test(word));
  const kept = names.length === 0 ? words : names;
  const letters = [kept[0], kept.length > 1 ? kept.at(-1) : undefined].map((word) => (word ? [...word][0] : ''));
  return letters.join('').toUpperCase();
}
