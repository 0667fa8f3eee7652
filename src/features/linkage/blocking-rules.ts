import { sharedNumbers, type Table } from './fields.ts';
import { type Aspects, mixed } from './value-hashes.ts';

/**
 * A rule brings together the records that agree in all of its parts. `pair-sound` is given and family name in either order, so that
 * exchanged names meet.
 */
export interface BlockingRule {
  readonly name: string;
  readonly parts: readonly string[];
}

const PAIRS: Readonly<Record<string, readonly [string, string]>> = {
  'pair-sound': ['given-sound', 'family-sound'],
  'pair-exact': ['given-exact', 'family-exact'],
  'pair-initial': ['given-initial', 'family-initial'],
  'joined-pair': ['given-sound', 'family-joined-sound'],
  'last-pair': ['given-sound', 'family-last-sound'],
  'second-pair': ['given-last-sound', 'family-sound'],
};

/** From narrow to wide. Which are used is decided by what they cost in the file at hand; see `choose-rules.ts`. */
const RULES: readonly string[] = [
  'phone',
  'email',
  'given-sound date',
  'family-sound date',
  'pair-sound year',
  'pair-sound month-day',
  'pair-sound city-sound',
  'pair-sound postalCode',
  'pair-exact',
  'date postalCode',
  'date city-sound',
  'line given-sound',
  'line family-sound',
  'line date',
  'joined-pair year',
  'last-pair year',
  'second-pair year',
  'email-name',
  'mother date',
  'mother given-sound year',
  'given-last-sound date',
  'family-last-sound date',
  'family-joined-sound date',
  'given-start family-start',
  'given-exact family-start year',
  'given-start family-exact year',
  'pair-initial date',
  'pair-initial month-day',
  'pair-initial postalCode',
  'given-sound postalCode',
  'family-sound postalCode',
  'given-sound family-initial city-sound',
  'given-initial family-sound city-sound',
  'given-sound phone-end',
  'date gender',
  'line',
  'date',
  'pair-sound',
  'given-sound year',
  'family-sound year',
  'family-sound city-sound',
  'given-sound city-sound',
  'year postalCode',
  'month-day city-sound',
  'postalCode',
  'pair-initial year',
  'year city-sound',
  'family-sound',
  'given-sound',
  'city-sound gender',
];

/** The rules that the table's columns allow. */
export function rulesFor(table: Table, aspects: Aspects): readonly BlockingRule[] {
  const identifiers = table.columns.filter(({ key }) => key.startsWith('identifier:'));
  const all = [
    ...identifiers.map(({ key }) => ({ name: key, parts: [key] })),
    ...RULES.map((name) => ({ name, parts: name.split(' ') })),
  ];
  return all.filter(({ parts }) =>
    parts.every((part) => (PAIRS[part] ?? [part]).every((aspect) => aspects.has(aspect))),
  );
}

/** The key of every record by a rule; 0 where a part is missing, and for all but every `step`th record. */
export function keysOf(rule: BlockingRule, aspects: Aspects, size: number, step = 1): Uint32Array {
  const keys = sharedNumbers(size);
  for (let at = 0; at < size; at += step) keys[at] = 1;
  for (const part of rule.parts) {
    const pair = PAIRS[part];
    if (pair === undefined) addPart(keys, aspects, part, step);
    else addPair(keys, aspects, pair, step);
  }
  return keys;
}

function addPart(keys: Uint32Array, aspects: Aspects, name: string, step: number): void {
  const aspect = aspects.get(name);
  if (aspect === undefined) return;
  const { ids, hashes } = aspect;
  for (let at = 0; at < keys.length; at += step) {
    const hash = hashes[ids[at] as number] as number;
    keys[at] = hash === 0 || keys[at] === 0 ? 0 : mixed(Math.imul(keys[at] as number, 31) ^ hash) || 1;
  }
}

function addPair(keys: Uint32Array, aspects: Aspects, [first, second]: readonly [string, string], step: number): void {
  const one = aspects.get(first);
  const other = aspects.get(second);
  if (one === undefined || other === undefined) return;
  for (let at = 0; at < keys.length; at += step) {
    const a = one.hashes[one.ids[at] as number] as number;
    const b = other.hashes[other.ids[at] as number] as number;
    const known = keys[at] as number;
    // Sum and exclusive or do not depend on the order of the two.
    keys[at] =
      a === 0 || b === 0 || known === 0 ? 0 : mixed(Math.imul(known, 31) ^ mixed((a + b) >>> 0) ^ (a ^ b)) || 1;
  }
}
