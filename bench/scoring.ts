/**
 * Pairs scored per second on one core, beside two libraries on the same pairs in the same run:
 * `npm run bench -- scoring [--people 2000] [--pairs 300000] [--seed 7] [--times 3]`. A pair is compared in six fields (given and family
 * name, birth date, sex, telephone, city), weighed and graded; the libraries only compare the two names and add nothing up.
 */
import { parseArgs } from 'node:util';
import { distance } from 'fastest-levenshtein';
import jaroWinkler from 'talisman/metrics/jaro-winkler.js';
import {
  compileModel,
  DEFAULT_MODEL,
  type MatchRecord,
  type PreparedRecord,
  prepare,
  score,
} from '../src/features/matching/index.ts';
import { people, randomNumbers, type SyntheticRecord } from './people.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '2000' },
    pairs: { type: 'string', default: '300000' },
    seed: { type: 'string', default: '7' },
    times: { type: 'string', default: '3' },
  },
});
const seed = Number(values.seed);

function recordOf(person: SyntheticRecord): MatchRecord {
  return {
    given: [person.given],
    family: [person.family],
    gender: person.gender,
    phones: person.phone === '' ? [] : [person.phone],
    emails: [],
    identifiers: [],
    ...(person.birthDate !== '' && { birthDate: person.birthDate }),
    ...(person.city !== '' && { address: { line: [], city: person.city } }),
  };
}

interface Pair {
  readonly a: number;
  readonly b: number;
}

/** As blocking brings them: half share the given name, a quarter the family name, a quarter are records of one person. */
function pairsOf(records: readonly SyntheticRecord[], count: number): Pair[] {
  const random = randomNumbers(seed);
  const groups = [byKey(records, ({ given }) => given), byKey(records, ({ family }) => family)] as const;
  const people = [...byKey(records, ({ person }) => String(person)).values()].filter(({ length }) => length > 1);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  return Array.from({ length: count }, (_, at): Pair => {
    if (at % 4 === 3) {
      const [a = 0, b = 0] = pick(people);
      return { a, b };
    }
    const a = Math.floor(random() * records.length);
    const own = records[a] as SyntheticRecord;
    const group = at % 4 === 2 ? groups[1].get(own.family) : groups[0].get(own.given);
    return { a, b: pick(group ?? [a]) };
  });
}

function byKey(
  records: readonly SyntheticRecord[],
  key: (record: SyntheticRecord) => string,
): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, number[]>();
  for (const [at, record] of records.entries()) {
    const group = groups.get(key(record));
    if (group === undefined) groups.set(key(record), [at]);
    else group.push(at);
  }
  return groups;
}

const records = [...people({ count: Number(values.people), seed, duplicates: 0.3 })];
const pairs = pairsOf(records, Number(values.pairs));
const model = compileModel(DEFAULT_MODEL);
const prepared = records.map((record) => prepare(model, recordOf(record)));

const contestants: Readonly<Record<string, (pair: Pair) => number>> = {
  'Careseal, six fields, score and grade': ({ a, b }) =>
    score(model, prepared[a] as PreparedRecord, prepared[b] as PreparedRecord).score,
  'talisman, Jaro-Winkler of both names': ({ a, b }) => {
    const [one, other] = [records[a] as SyntheticRecord, records[b] as SyntheticRecord];
    return jaroWinkler(one.given, other.given) + jaroWinkler(one.family, other.family);
  },
  'fastest-levenshtein of both names': ({ a, b }) => {
    const [one, other] = [records[a] as SyntheticRecord, records[b] as SyntheticRecord];
    return distance(one.given, other.given) + distance(one.family, other.family);
  },
};

// In turns, so that a busy machine is busy for everybody; of each the best time counts, by processor time.
const best = new Map<string, number>();
for (let time = 0; time <= Number(values.times); time++) {
  for (const [name, run] of Object.entries(contestants)) {
    const before = process.cpuUsage();
    let sum = 0;
    for (const pair of pairs) sum += run(pair);
    const { user, system } = process.cpuUsage(before);
    if (!Number.isFinite(sum)) throw new Error(`${name} gave no number`);
    // The first round is for the compiler.
    if (time > 0) best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, (user + system) / 1e6));
  }
}
for (const [name, seconds] of best) {
  console.log(`${name.padEnd(40)} ${(pairs.length / seconds / 1e6).toFixed(2).padStart(6)} M pairs/s`);
}
