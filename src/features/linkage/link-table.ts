import type { CompiledModel } from '../matching/index.ts';
import { rulesFor } from './blocking-rules.ts';
import type { Blocks } from './blocks.ts';
import { blockSet } from './candidates.ts';
import { chooseRules, type RuleCost } from './choose-rules.ts';
import { type Clusters, clusterPairs } from './clusters.ts';
import { type Labels, train, type TrainingResult } from './expectation.ts';
import { identifierColumns, systemOf, type Table } from './fields.ts';
import { type Checks, createPairLevels } from './pair-levels.ts';
import { createPairScorer, type PairScorer } from './pair-scorer.ts';
import type { Parameters } from './parameters.ts';
import { frequencyChanges } from './shares.ts';
import { startingPoint } from './starting-point.ts';
import type { Team } from './team.ts';
import type { Aspects } from './value-hashes.ts';
import { OVERFULL_PORTION, type ScoredPairs, type Tasks } from './work.ts';

/** Scores at or above which a pair is linked, and at or above which a steward should see it. */
export interface Thresholds {
  readonly match: number;
  readonly review: number;
}

/**
 * The thresholds of a model trained on the data it judges. Its scores are calibrated on that very data (the share of true pairs among
 * those with score .8 to .9 is found to be just that), so that .85 leaves one wrong link in some hundred.
 */
export const TRAINED_THRESHOLDS: Thresholds = { match: 0.85, review: 0.15 };

export interface LinkOrder {
  readonly table: Table;
  readonly model: CompiledModel;
  readonly seed: number;
  /** What a model document says; trained on the table where it is not given. */
  readonly parameters?: Parameters | undefined;
  readonly thresholds: Thresholds;
  readonly onProgress?: ((step: string, share: number) => void) | undefined;
}

export interface Linkage {
  readonly rules: readonly RuleCost[];
  /** Of the rules used. */
  readonly blocks: readonly Blocks[];
  /** Undefined when the parameters were given. */
  readonly training: TrainingResult | undefined;
  readonly parameters: Parameters;
  /** Pairs with a score of at least the review threshold. */
  readonly pairs: ScoredPairs;
  readonly clusters: Clusters;
  readonly scorer: PairScorer;
}

/** log2 of the odds that a score stands for. */
export function weightOf(score: number): number {
  return Math.log2(score / (1 - score));
}

/** Blocks, trains, scores and clusters a table. */
export async function linkTable(team: Team, order: LinkOrder): Promise<Linkage> {
  const { table, thresholds } = order;
  const tell = order.onProgress ?? (() => undefined);
  const checks = checksOf(order.model, table);
  await team.share({ table, checks });
  tell('blocking', 0);
  const { blocks, reports } = await chosenRules(team, table);
  await team.share({ blocks: blockSet(blocks, table.size) });
  tell('training', 0);
  const training = order.parameters === undefined ? await trained(team, order) : undefined;
  const parameters = order.parameters ?? training?.parameters ?? startingPoint(order.model, table);
  const changes = frequencyChanges(table, parameters);
  await team.share({ trained: { parameters, changes } });
  tell('comparing', 0);
  const pairs = await score(team, blocks, weightOf(thresholds.review));
  tell('clustering', 0);
  const scorer = createPairScorer(table, { parameters, changes }, createPairLevels(table, undefined, checks));
  const clusters = clusterPairs(table.size, pairs, weightOf(thresholds.match), scorer);
  return { rules: reports, blocks, training, parameters, pairs, clusters, scorer };
}

type TrainOrder = Pick<LinkOrder, 'table' | 'model' | 'seed'> & { readonly labelled?: Labels | undefined };

/** Blocks and trains only. `labelled`: pairs whose truth is known. */
export async function trainTable(team: Team, order: TrainOrder): Promise<TrainingResult> {
  const { table } = order;
  const checks = checksOf(order.model, table);
  await team.share({ table, checks });
  const { blocks } = await chosenRules(team, table);
  await team.share({ blocks: blockSet(blocks, table.size) });
  return await trained(team, order);
}

/** Of the identifiers whose check digits the model knows. */
function checksOf(model: CompiledModel, table: Table): Checks {
  return new Map(
    identifierColumns(table).flatMap(({ key }) => {
      const rule = model.kindOf(systemOf(key)).checkRule;
      return rule === undefined ? [] : [[key, rule] as const];
    }),
  );
}

async function chosenRules(
  team: Team,
  table: Table,
): Promise<{ readonly blocks: readonly Blocks[]; readonly reports: readonly RuleCost[] }> {
  const made = await team.perform(
    'aspects',
    table.columns.map((column) => ({ column })),
  );
  const aspects: Aspects = new Map(made.flat());
  const names = table.columns.filter(({ key }) => key === 'given' || key === 'family' || key === 'mother');
  const sketches = await team.perform(
    'sketches',
    names.map((column) => ({ column })),
  );
  await team.share({ aspects, sketches: new Map(sketches) });
  return await chooseRules(table.size, rulesFor(table, aspects), {
    estimates: async (rules) =>
      await team.perform(
        'estimate',
        rules.map((rule) => ({ rule })),
      ),
    blocks: async (rules) =>
      await team.perform(
        'blocks',
        rules.map((rule) => ({ rule })),
      ),
  });
}

async function trained(team: Team, { table, model, seed, labelled }: TrainOrder): Promise<TrainingResult> {
  const [candidates, strangers] = await team.perform('sample', [
    { of: 'candidates', seed },
    { of: 'strangers', seed },
  ]);
  if (candidates === undefined || strangers === undefined) throw new Error('the samples were not drawn');
  const allPairs = Math.max(1, (table.size * (table.size - 1)) / 2);
  return train(startingPoint(model, table), { candidates, strangers, allPairs, labelled });
}

async function score(team: Team, blocks: readonly Blocks[], least: number): Promise<ScoredPairs> {
  const tasks: Tasks['score'][] = [];
  for (const [rule, { cuts, overfull }] of blocks.entries()) {
    for (let portion = 0; portion + 1 < cuts.length; portion++) tasks.push({ rule, portion, least });
    if (overfull.length > 0) tasks.push({ rule, portion: OVERFULL_PORTION, least });
  }
  const repeated = blocks.some(({ overfull }) => overfull.length > 0);
  const all = joined(await team.perform('score', tasks));
  return repeated ? withoutRepeats(all) : all;
}

function joined(parts: readonly ScoredPairs[]): ScoredPairs {
  const count = parts.reduce((sum, { weights }) => sum + weights.length, 0);
  const first = new Uint32Array(count);
  const second = new Uint32Array(count);
  const weights = new Float32Array(count);
  let compared = 0;
  let at = 0;
  for (const part of parts) {
    first.set(part.first, at);
    second.set(part.second, at);
    weights.set(part.weights, at);
    at += part.weights.length;
    compared += part.compared;
  }
  return { compared, first, second, weights };
}

/** Over-full blocks may bring pairs that another rule has, too. */
function withoutRepeats({ compared, first, second, weights }: ScoredPairs): ScoredPairs {
  const seen = new Set<number>();
  const kept: number[] = [];
  for (let at = 0; at < weights.length; at++) {
    const a = first[at] as number;
    const b = second[at] as number;
    const key = a < b ? a * 2 ** 26 + b : b * 2 ** 26 + a;
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(at);
  }
  const pick = <T extends Uint32Array | Float32Array>(from: T, into: T): T => {
    for (const [to, at] of kept.entries()) into[to] = from[at] as number;
    return into;
  };
  return {
    compared,
    first: pick(first, new Uint32Array(kept.length)),
    second: pick(second, new Uint32Array(kept.length)),
    weights: pick(weights, new Float32Array(kept.length)),
  };
}
