/**
 * Values that stand for "not known". They are treated as missing: neither agreement nor disagreement, and no blocking key.
 * The model document lists the words; the patterns that are no words are here.
 */

/** True for given names of children not yet named: "Baby", "Baby Boy", "BB of Mary", "Newborn twin 2". */
export function isUnnamedChild(foldedGiven: string): boolean {
  return UNNAMED.test(foldedGiven);
}
const UNNAMED =
  /^(?:(?:twin|trip(?:let)?)s? ?[0-9abc]? ?)?(?:baby|babies|babyboy|babygirl|bb|bebe|newborn|new born|neonate|infant|infante|nourrisson|neugeborenes|recien nacid[oa]|rn|male infant|female infant)(?: (?:boy|girl|male|female|child|infant|twin|nino|nina|garcon|fille|of|de|son|daughter|unknown|[abc]|[0-9])\b.*)?$/;

/** True for whole names that stand for somebody nobody could name: Jane Doe, Fulano de Tal. Each word alone may be a real name. */
export function isUnknownPerson(given: readonly string[], family: readonly string[]): boolean {
  const family0 = family[0] ?? '';
  return family.length === 1 && given.length === 1 && UNKNOWN_PERSONS.has(`${given[0] ?? ''} ${family0}`);
}
const UNKNOWN_PERSONS = new Set(
  'john doe,jane doe,jon doe,johnny doe,janie doe,baby doe,john roe,jane roe,richard roe,joe bloggs,fred bloggs,max mustermann,erika mustermann,fulano tal,fulana tal'.split(
    ',',
  ),
);

/** One letter or digit repeated, or counted up: 000000, 99999, xxxxx, 123456789. Too short to tell below five. */
export function isRepeatedOrCounted(value: string): boolean {
  if (value.length < 5) return false;
  let repeated = true;
  let counted = true;
  for (let i = 1; i < value.length; i++) {
    if (value.charCodeAt(i) !== value.charCodeAt(0)) repeated = false;
    if (value.charCodeAt(i) !== value.charCodeAt(i - 1) + 1) counted = false;
  }
  return repeated || counted || value === '1234567890' || value === '0123456789';
}
