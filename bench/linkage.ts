/**
 * Links the labelled sets with the shipped default model and prints how well: `node bench/linkage.ts [set …] [--misses] [--frequencies]`.
 * Not product code: it holds a whole set in memory and compares every pair that shares a blocking key.
 */
import { pathToFileURL } from 'node:url';
import {
  blockingKeys,
  type CompiledModel,
  compileModel,
  countedFrequencies,
  type Decision,
  DEFAULT_MODEL,
  explain,
  type PreparedRecord,
  prepare,
  score,
} from '../src/features/matching/index.ts';
import { type Grade, type GradedCase, gradedCases } from './graded-cases.ts';
import {
  cdcRecord,
  fake1000,
  febrl,
  historical,
  type LabelledSet,
  readRows,
  setsArePresent,
  uganda,
} from './linkage-sets.ts';

export interface Accuracy {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly pairs: number;
}
export interface LinkageResult {
  readonly name: string;
  readonly records: number;
  readonly truePairs: number;
  readonly candidates: number;
  readonly blockingRecall: number;
  readonly keysPerRecord: number;
  readonly largestBlock: number;
  readonly linked: Accuracy;
  readonly linkedOrReviewed: Accuracy;
  readonly clusters: Accuracy;
  readonly pairsPerSecond: number;
  readonly falseLinks: readonly (readonly [number, number])[];
  readonly misses: readonly (readonly [number, number])[];
}

/** The default model with frequencies counted in the set itself, as a registry could count them in its own records. */
export function withOwnFrequencies(set: LabelledSet): CompiledModel {
  const plain = compileModel(DEFAULT_MODEL);
  const counts = { given: new Map<string, number>(), family: new Map<string, number>() };
  for (const record of set.records) {
    const prepared = prepare(plain, record);
    for (const field of ['given', 'family'] as const) {
      const name = prepared[field]?.joined.text;
      if (name !== undefined) counts[field].set(name, (counts[field].get(name) ?? 0) + 1);
    }
  }
  return compileModel(DEFAULT_MODEL, { frequencies: countedFrequencies(counts) });
}

interface Blocks {
  readonly pairs: Set<number>;
  readonly keysPerRecord: number;
  readonly largestBlock: number;
}

export function link(set: LabelledSet, model: CompiledModel = compileModel(DEFAULT_MODEL)): LinkageResult {
  const prepared = set.records.map((record) => prepare(model, record));
  const blocks = candidatePairs(model, prepared);
  const size = prepared.length;
  const linked: [number, number][] = [];
  const reviewed: [number, number][] = [];
  const started = performance.now();
  for (const pair of blocks.pairs) {
    const a = Math.floor(pair / size);
    const b = pair % size;
    const { decision } = score(model, prepared[a] as PreparedRecord, prepared[b] as PreparedRecord);
    if (decision === 'match') linked.push([a, b]);
    else if (decision === 'review') reviewed.push([a, b]);
  }
  const seconds = (performance.now() - started) / 1000;
  const accepted = new Set(linked.map(([a, b]) => a * size + b));
  const met = set.truePairs.filter(([a, b]) => blocks.pairs.has(Math.min(a, b) * size + Math.max(a, b))).length;
  return {
    name: set.name,
    records: size,
    truePairs: set.truePairs.length,
    candidates: blocks.pairs.size,
    blockingRecall: met / set.truePairs.length,
    keysPerRecord: blocks.keysPerRecord,
    largestBlock: blocks.largestBlock,
    linked: accuracy(set, linked),
    linkedOrReviewed: accuracy(set, [...linked, ...reviewed]),
    clusters: clusterAccuracy(set, linked),
    pairsPerSecond: blocks.pairs.size / seconds,
    falseLinks: linked.filter(([a, b]) => !set.same(a, b)),
    misses: set.truePairs.filter(([a, b]) => !accepted.has(Math.min(a, b) * size + Math.max(a, b))),
  };
}

function candidatePairs(model: CompiledModel, prepared: readonly PreparedRecord[]): Blocks {
  const blocks = new Map<string, number[]>();
  let keys = 0;
  for (const [index, record] of prepared.entries()) {
    for (const key of blockingKeys(model, record)) {
      keys++;
      const block = blocks.get(key);
      if (block === undefined) blocks.set(key, [index]);
      else block.push(index);
    }
  }
  const pairs = new Set<number>();
  let largestBlock = 0;
  for (const block of blocks.values()) {
    largestBlock = Math.max(largestBlock, block.length);
    for (let i = 0; i < block.length; i++) {
      for (let j = i + 1; j < block.length; j++) pairs.add((block[i] ?? 0) * prepared.length + (block[j] ?? 0));
    }
  }
  return { pairs, keysPerRecord: keys / prepared.length, largestBlock };
}

function accuracy(set: LabelledSet, pairs: readonly (readonly [number, number])[]): Accuracy {
  const right = pairs.filter(([a, b]) => set.same(a, b)).length;
  return measures(right, pairs.length, set.truePairs.length);
}

function measures(right: number, found: number, wanted: number): Accuracy {
  const precision = found === 0 ? 1 : right / found;
  const recall = right / wanted;
  return {
    precision,
    recall,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    pairs: found,
  };
}

/** The pairs implied by the connected groups of automatic links. */
function clusterAccuracy(set: LabelledSet, linked: readonly (readonly [number, number])[]): Accuracy {
  const parent = set.records.map((_record, index) => index);
  const root = (start: number): number => {
    let at = start;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] ?? at] ?? at;
      at = parent[at] ?? at;
    }
    return at;
  };
  for (const [a, b] of linked) parent[root(a)] = root(b);
  const groups = new Map<number, number[]>();
  for (const index of parent.keys()) {
    const group = groups.get(root(index));
    if (group === undefined) groups.set(root(index), [index]);
    else group.push(index);
  }
  let found = 0;
  let right = 0;
  for (const group of groups.values()) {
    for (const [at, a] of group.entries()) {
      for (const b of group.slice(at + 1)) {
        found++;
        if (set.same(a, b)) right++;
      }
    }
  }
  return measures(right, found, set.truePairs.length);
}

export interface Grading {
  readonly cases: number;
  readonly right: number;
  /** How many cases of an expected grade got which. */
  readonly table: Record<string, number>;
}

/** Every graded case of the CDC set against its seed; the share that lands in the expected grade. */
export function gradeCdc(model?: CompiledModel): Grading {
  const seeds = new Map(readRows('cdc_seed.csv').map((row) => [row['Match Id'], row]));
  const cases = readRows('cdc_graded_dev.csv').flatMap((row): GradedCase[] => {
    const seed = seeds.get(row['Match Id']);
    const expected = GRADES.find((grade) => grade === row['Expected Result']);
    return seed === undefined || expected === undefined
      ? []
      : [{ kind: row['Test Case #'] ?? '', expected, seed, row }];
  });
  return gradeMade(cases, model);
}

const GRADES: readonly Grade[] = ['match', 'possible_match', 'no_match'];
const GRADE_OF: Readonly<Record<Decision, Grade>> = { match: 'match', review: 'possible_match', none: 'no_match' };

export function gradeMade(made: readonly GradedCase[], model: CompiledModel = compileModel(DEFAULT_MODEL)): Grading {
  const table: Record<string, number> = {};
  let right = 0;
  for (const { expected, seed, row } of made) {
    const { decision } = score(model, prepare(model, cdcRecord(seed)), prepare(model, cdcRecord(row)));
    const got = GRADE_OF[decision];
    if (got === expected) right++;
    const cell = `${expected} → ${got}`;
    table[cell] = (table[cell] ?? 0) + 1;
  }
  return { cases: made.length, right, table };
}

const SETS: Readonly<Record<string, () => LabelledSet>> = {
  uganda: () => uganda(),
  'uganda-plain': () => uganda(false),
  febrl1: () => febrl(1),
  febrl2: () => febrl(2),
  febrl3: () => febrl(3),
  fake1000,
  historical,
};

function percent(value: number): string {
  return (value * 100).toFixed(2).padStart(6);
}

function show(result: LinkageResult): void {
  const cells = [result.linked, result.linkedOrReviewed, result.clusters].map(
    ({ precision, recall, f1 }) => `${percent(precision)} ${percent(recall)} ${percent(f1)}`,
  );
  console.log(
    `${result.name.padEnd(28)} ${cells.join(' | ')} | met ${percent(result.blockingRecall)} of ${result.truePairs}, ${result.candidates} pairs, ` +
      `${result.keysPerRecord.toFixed(1)} keys, largest block ${result.largestBlock}, ${(result.pairsPerSecond / 1e6).toFixed(2)} M pairs/s`,
  );
}

function showWorst(set: LabelledSet, result: LinkageResult, model: CompiledModel): void {
  for (const [title, pairs] of [
    ['FALSE LINK', result.falseLinks],
    ['MISS', result.misses],
  ] as const) {
    for (const [a, b] of pairs.slice(0, 25)) {
      const [left, right] = [set.records[a], set.records[b]];
      if (left === undefined || right === undefined) continue;
      const why = explain(model, prepare(model, left), prepare(model, right));
      const fields = why.fields
        .filter(({ level }) => level !== 'missing')
        .map((f) => `${f.field} ${f.level} ${f.weight.toFixed(1)}`);
      console.log(
        `${title} ${why.score.toFixed(4)} w=${why.weight.toFixed(1)} ${why.contradictions.join(',')}\n  ${JSON.stringify(left)}\n  ${JSON.stringify(right)}\n  ${fields.join('; ')}`,
      );
    }
  }
}

function showGrades(name: string, { cases, right, table }: Grading): void {
  console.log(`${name}: ${right} of ${cases} in the expected grade (${percent(right / cases)} %)`, table);
}

function main(args: readonly string[]): void {
  if (!setsArePresent()) {
    console.error('The labelled sets are not here (../shared/data/linkage): nothing to measure.');
    process.exitCode = 1;
    return;
  }
  const wanted = args.filter((arg) => !arg.startsWith('-'));
  const model = compileModel(DEFAULT_MODEL);
  console.log(`${''.padEnd(28)} linked: P R F1         | linked or reviewed: P R F1 | clusters: P R F1`);
  for (const [name, read] of Object.entries(SETS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const set = read();
    const used = args.includes('--frequencies') ? withOwnFrequencies(set) : model;
    const result = link(set, used);
    show(result);
    if (args.includes('--misses')) showWorst(set, result, used);
  }
  if (wanted.length === 0 || wanted.includes('cdc')) {
    showGrades('cdc_graded_dev', gradeCdc(model));
    showGrades('the same kinds, other people', gradeMade(gradedCases(7, 20, true), model));
    showGrades('the same with mistakes of writing', gradeMade(gradedCases(7, 20), model));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
