import type { Blocks } from './blocks.ts';
import type { BlockingRule } from './blocking-rules.ts';
import type { RuleReport } from './wire.ts';

/** What a rule costs; part of every report, so that nothing is left out silently. What it finds is known after scoring. */
export type RuleCost = Omit<RuleReport, 'links' | 'linksAlone' | 'linksMissed'>;

export interface ChosenRules {
  readonly blocks: readonly Blocks[];
  readonly reports: readonly RuleCost[];
}

/** Applying rules to a table, by whoever has it: this thread or several. */
export interface RuleRunner {
  estimates(rules: readonly BlockingRule[]): Promise<readonly number[]>;
  blocks(rules: readonly BlockingRule[]): Promise<readonly Blocks[]>;
}

/** In small files everybody is compared with everybody. */
const ALL_PAIRS_MAX = 600_000;

/** Pairs that are compared at most: plenty per record in small files, where it costs a second; few in large ones, where narrow rules suffice. */
function budgetOf(size: number): number {
  return Math.max(500_000, Math.min(100 * size, 3_000_000), 4 * size);
}

/** Below this rules are applied at once instead of estimated first. */
const ESTIMATED_FROM = 100_000;

/** Takes rules from narrow to wide while the budget of pairs lasts; each with pairs at all. */
export async function chooseRules(
  size: number,
  rules: readonly BlockingRule[],
  runner: RuleRunner,
): Promise<ChosenRules> {
  if ((size * (size - 1)) / 2 <= ALL_PAIRS_MAX) return everybody(size);
  const budget = budgetOf(size);
  const estimates = size < ESTIMATED_FROM ? rules.map(() => 0) : await runner.estimates(rules);
  const left: RuleCost[] = [];
  const tried: BlockingRule[] = [];
  let expected = 0;
  for (const [at, rule] of rules.entries()) {
    const estimate = estimates[at] ?? 0;
    if (expected + estimate > budget) left.push(leftOut(rule, estimate));
    else tried.push(rule);
    if (expected + estimate <= budget) expected += estimate;
  }
  return withinBudget(await runner.blocks(tried), left, budget);
}

function withinBudget(made: readonly Blocks[], left: RuleCost[], budget: number): ChosenRules {
  const blocks: Blocks[] = [];
  const reports: RuleCost[] = [];
  let spent = 0;
  for (const one of made) {
    const used = (one.pairs > 0 || one.overfull.length > 0) && spent + one.pairs <= budget * 1.25;
    if (!used) {
      left.push(leftOut(one.rule, one.pairs));
      continue;
    }
    spent += one.pairs;
    blocks.push(one);
    reports.push({
      rule: one.rule.name,
      used,
      pairs: one.pairs,
      largestBlock: one.largest,
      overfullBlocks: one.overfull.length,
      pairsNotCompared: one.overfull.reduce((sum, { records }) => sum + notCompared(records.length), 0),
      overfull: largestOverfull(one),
    });
  }
  return { blocks, reports: [...reports, ...left] };
}

function leftOut(rule: BlockingRule, pairs: number): RuleCost {
  return { rule: rule.name, used: false, pairs, largestBlock: 0, overfullBlocks: 0, pairsNotCompared: 0, overfull: [] };
}

/** How many neighbours in an over-full block a record is compared with. */
export const WINDOW = 40;

function notCompared(records: number): number {
  const beyond = Math.max(0, records - 1 - WINDOW);
  return (beyond * (beyond + 1)) / 2;
}

const OVERFULL_TOLD = 10;

function largestOverfull({ overfull }: Blocks): RuleCost['overfull'] {
  const sizes = overfull.map(({ records }) => records.length).toSorted((a, b) => b - a);
  return sizes.slice(0, OVERFULL_TOLD).map((records) => ({ records, pairsNotCompared: notCompared(records) }));
}

/** One block of all records. */
function everybody(size: number): ChosenRules {
  const keys = new Uint32Array(size).fill(1);
  const order = Uint32Array.from({ length: size }, (_, at) => at);
  const pairs = (size * (size - 1)) / 2;
  const rule = { name: EVERYBODY, parts: [] };
  return {
    blocks: [{ rule, keys, order, starts: Uint32Array.of(0, size), pairs, largest: size, overfull: [], cuts: [0, 1] }],
    reports: [
      {
        rule: EVERYBODY,
        used: true,
        pairs,
        largestBlock: size,
        overfullBlocks: 0,
        pairsNotCompared: 0,
        overfull: [],
      },
    ],
  };
}
export const EVERYBODY = 'everybody';
