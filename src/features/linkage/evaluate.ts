import { type CompiledModel, compileModel, DEFAULT_MODEL, levelNames, probabilityOf } from '../matching/index.ts';
import { Problem } from '../../kernel/problem.ts';
import type { MapDocument } from '../load/wire.ts';
import { forEachRun } from './blocks.ts';
import type { FileSource } from './file-source.ts';
import { textOf } from './fields.ts';
import { blockingReport, pairsBroughtTogether } from './blocking-report.ts';
import { judgeClusters, judgePairs, type WrongPair, worstLinks, worstMisses } from './judge.ts';
import { linkTable, type Linkage, type Thresholds, TRAINED_THRESHOLDS, weightOf } from './link-table.ts';
import { type MemoryBound, watchMemory } from './memory-bound.ts';
import type { MatchingModel } from '../matching/index.ts';
import { parametersOf } from './model-parameters.ts';
import { fieldNames } from './parameters.ts';
import { refuseTruthInMap } from './plan.ts';
import { sortByKey } from './radix-sort.ts';
import { deservesThreads, readFile, type ReadFile } from './read-file.ts';
import { teamOfOne, teamOfThreads } from './team.ts';
import { type Truth, truthOfColumn, truthOfPairs } from './truth.ts';
import type { Evaluation } from './wire.ts';

export interface EvaluationOrder {
  readonly path: FileSource;
  readonly map: MapDocument;
  /** One of both: a column that names the person, or a file of pairs of record ids. */
  readonly truth?: string | undefined;
  readonly truthPairs?: string | undefined;
  /** A model document; without one a model is trained on the file, labels unseen. */
  readonly model?: MatchingModel | undefined;
  readonly seed: number;
  /** FHIR date. */
  readonly today: string;
  readonly nowMs: () => number;
  /** Rows that are taken at most. */
  readonly rowsMax?: number | undefined;
  /** The worst pairs with what their records hold. */
  readonly values?: boolean | undefined;
  readonly onProgress?: ((step: string, share: number) => void) | undefined;
  /** Stops the work within a second or so; the call rejects with Problem `evaluation-interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the work once it is passed; the call rejects with Problem `memory-bound`. */
  readonly memory?: MemoryBound | undefined;
}

const WORST = 10;

/** Links a file and judges the result by its truth. Loads nothing, changes nothing. Throws Problem for what cannot be read. */
export async function evaluate(order: EvaluationOrder): Promise<Evaluation> {
  const started = order.nowMs();
  const steps = stopwatch(order.nowMs);
  const onProgress = (step: string, share: number): void => {
    steps.begin(step);
    order.onProgress?.(step, share);
  };
  refuseTruthInMap(order.map, order.truth);
  const model = compileModel(order.model ?? DEFAULT_MODEL);
  const watch = watchMemory(order.memory, order.signal);
  const team = deservesThreads(order.path) ? teamOfThreads(watch.signal) : teamOfOne(watch.signal);
  try {
    onProgress('reading', 0);
    const file = await readFile(team, { ...order, model });
    if (file.rows > (order.rowsMax ?? file.rows)) throw tooManyRows(file.rows, order.rowsMax);
    const truth = truthOf(order, file);
    const thresholds: Thresholds = order.model?.thresholds ?? TRAINED_THRESHOLDS;
    const linkage = await linkTable(team, {
      table: file.table,
      model,
      seed: order.seed,
      parameters: order.model === undefined ? undefined : parametersOf(model, file.table),
      thresholds,
      onProgress,
    });
    const seconds = (order.nowMs() - started) / 1000;
    const values = order.values ?? false;
    return report({ file, truth, linkage, thresholds, model, seconds, steps: steps.seconds(), values });
  } catch (error) {
    if (order.signal?.aborted === true) throw interrupted(error);
    watch.signal?.throwIfAborted();
    throw error;
  } finally {
    watch.end();
    await team.end();
  }
}

function tooManyRows(rows: number, most = 0): Problem {
  return new Problem(
    'invalid',
    'file-too-large',
    `The file has ${rows} rows; at most ${most} are evaluated here. The command line takes larger files. Nothing was changed.`,
  );
}

function interrupted(cause: unknown): Problem {
  return new Problem(
    'unavailable',
    'evaluation-interrupted',
    'The evaluation was interrupted. Nothing was changed; start it again to begin from the start.',
    { cause },
  );
}

/** How long each step took; a step ends when the next begins. */
function stopwatch(nowMs: () => number): { begin(step: string): void; seconds(): Record<string, number> } {
  const took: Record<string, number> = {};
  let current: { readonly step: string; readonly since: number } | undefined;
  const end = (): void => {
    if (current !== undefined) took[current.step] = (took[current.step] ?? 0) + (nowMs() - current.since) / 1000;
  };
  return {
    begin(step) {
      if (current?.step === step) return;
      end();
      current = { step, since: nowMs() };
    },
    seconds() {
      end();
      current = undefined;
      return took;
    },
  };
}

function truthOf({ truthPairs }: EvaluationOrder, { table, ids, truth }: ReadFile): Truth {
  if (truthPairs !== undefined) return truthOfPairs(truthPairs, table.size, ids);
  return truth === undefined
    ? { person: Uint32Array.from({ length: table.size }, (_, at) => at), pairs: 0 }
    : truthOfColumn(truth);
}

interface Judged {
  readonly file: ReadFile;
  readonly truth: Truth;
  readonly linkage: Linkage;
  readonly thresholds: Thresholds;
  readonly model: CompiledModel;
  readonly seconds: number;
  readonly steps: Readonly<Record<string, number>>;
  readonly values: boolean;
}

function report(judged: Judged): Evaluation {
  const { file, truth, linkage, thresholds, seconds } = judged;
  const { pairs, clusters, training } = linkage;
  const least = weightOf(thresholds.match);
  // A link that the group check refused is no link: it waits for a steward.
  const isLinked = (at: number): boolean =>
    (pairs.weights[at] as number) >= least &&
    clusters.of[pairs.first[at] as number] === clusters.of[pairs.second[at] as number];
  return {
    records: file.rows,
    rejected: file.rejected,
    truePairs: truth.pairs,
    linked: judgePairs(pairs, truth, isLinked),
    linkedOrReviewed: judgePairs(pairs, truth, () => true),
    clusters: {
      ...judgeClusters(clusters, truth),
      groups: clusters.groups.length,
      conflicts: clusters.conflicts.length,
    },
    seconds,
    steps: judged.steps,
    worst: {
      falseLinks: worstLinks(pairs, truth, WORST, isLinked).map((pair) => wrongPair(judged, pair)),
      misses: worstMisses(clusters, truth, WORST, (a, b) => linkage.scorer.weight(a, b)).map((pair) =>
        wrongPair(judged, pair),
      ),
    },
    thresholds: { match: thresholds.match, review: thresholds.review },
    model: {
      version: training === undefined ? judged.model.version : 'trained-on-this-file',
      trained: training !== undefined,
      ...(training !== undefined && {
        converged: training.converged,
        rounds: training.rounds,
        pairsExpected: training.matchesExpected,
      }),
    },
    blocking: blockingOf(judged, isLinked),
    warnings: warningsOf(linkage),
  };
}

function blockingOf({ file, truth, linkage }: Judged, isLinked: (at: number) => boolean): Evaluation['blocking'] {
  const { pairs, blocks } = linkage;
  const linked = [...pairs.weights.keys()].filter(isLinked);
  const found = blockingReport({
    size: file.table.size,
    compared: pairs.compared,
    costs: linkage.rules,
    blocks,
    a: Uint32Array.from(linked, (at) => pairs.first[at] as number),
    b: Uint32Array.from(linked, (at) => pairs.second[at] as number),
  });
  if (truth.pairs > TRUE_PAIRS_MAX) return found;
  const people = sortByKey(truth.person.map((person) => person + 1));
  let met = 0;
  forEachRun(people, (from, to) => {
    met += pairsBroughtTogether(blocks, people.records.subarray(from, to));
  });
  return { ...found, truePairsCompared: met };
}

/** Of more true pairs nobody counts which were compared: a column that calls everybody one person would take hours. */
const TRUE_PAIRS_MAX = 3_000_000;

function warningsOf({ training, rules }: Linkage): string[] {
  const warnings: string[] = [];
  if (training !== undefined && !training.converged) {
    warnings.push('Training did not settle; the scores are less certain than they look.');
  }
  if (training !== undefined && training.matchesExpected < 1) {
    warnings.push(
      'Training found hardly any records of one person; the shipped model was kept for what they look like.',
    );
  }
  const missed = rules.reduce((sum, rule) => sum + rule.pairsNotCompared, 0);
  if (missed > 0) {
    warnings.push(
      `Some values are so common that ${missed} pairs of records which share them were not compared by that rule, only neighbours in it.`,
    );
  }
  return warnings;
}

function wrongPair(
  { file, linkage, values }: Judged,
  { first, second, weight }: WrongPair,
): Evaluation['worst']['misses'][number] {
  const { pairLevels } = linkage.scorer;
  linkage.scorer.weight(first, second);
  const { match, stranger, matchShare } = linkage.parameters;
  const names = fieldNames(file.table);
  const fields = names.flatMap((field, at) => {
    const level = pairLevels.levels[at] as number;
    if (level < 0) return [];
    const [m, u] = [match[at]?.[level] ?? 0, stranger[at]?.[level] ?? 0];
    const said = m > 0 && u > 0 ? Math.log2(m / u) : 0;
    return [{ field, level: levelNames(at)[level] ?? 'different', weight: said }];
  });
  return {
    records: [nameOf(file, first), nameOf(file, second)],
    score: probabilityOf(weight),
    weight,
    priorWeight: Math.log2(Math.max(matchShare, Number.MIN_VALUE)),
    fields,
    ...(values ? { values: valuesOf(file, first, second) } : {}),
  };
}

/** What two records hold, column by column, as comparison sees it; columns that both lack are left out. */
function valuesOf({ table }: ReadFile, first: number, second: number) {
  return table.columns.flatMap(({ key, ids, texts }) => {
    const of = (record: number): string =>
      textOf(texts, ids[record] as number)
        .replaceAll('\u001f', ' ')
        .slice(0, 200);
    const [a, b] = [of(first), of(second)];
    return a === '' && b === '' ? [] : [{ field: key, a, b }];
  });
}

/** The record's id, or its row where the mapping names no id. */
function nameOf({ ids }: ReadFile, record: number): string {
  return ids === undefined ? `row ${record + 1}` : textOf(ids.texts, ids.ids[record] as number);
}
