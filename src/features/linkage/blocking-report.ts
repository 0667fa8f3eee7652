import type { Blocks } from './blocks.ts';
import type { RuleCost } from './choose-rules.ts';
import type { BlockingReport, RuleReport } from './wire.ts';

export interface BlockingFound {
  readonly size: number;
  readonly compared: number;
  readonly costs: readonly RuleCost[];
  /** Of the rules used. */
  readonly blocks: readonly Pick<Blocks, 'rule' | 'keys'>[];
  /** The links: a[i] with b[i]. */
  readonly a: Uint32Array;
  readonly b: Uint32Array;
}

/**
 * What every rule costs and what it is good for: links it brings together, links that nobody else does, links that it misses and
 * others find. What all rules miss nobody knows without a truth; rules that overlap little miss much (Chao 1987 on capture and
 * recapture). Records of an over-full block have no key in it: what only neighbours in such a block found counts for no rule.
 */
export function blockingReport({ size, compared, costs, blocks, a, b }: BlockingFound): BlockingReport {
  const links = new Float64Array(blocks.length);
  const alone = new Float64Array(blocks.length);
  for (let at = 0; at < a.length; at++) {
    let found = 0;
    let last = 0;
    for (let rule = 0; rule < blocks.length; rule++) {
      const { keys } = blocks[rule] as Blocks;
      const key = keys[a[at] as number];
      if (key === 0 || key !== keys[b[at] as number]) continue;
      found++;
      last = rule;
      links[rule] = (links[rule] as number) + 1;
    }
    if (found === 1) alone[last] = (alone[last] as number) + 1;
  }
  const place = new Map(blocks.map(({ rule }, at) => [rule.name, at]));
  return {
    pairsCompared: compared,
    pairsPossible: (size * (size - 1)) / 2,
    links: a.length,
    rules: costs.map((cost): RuleReport => {
      const at = cost.used ? place.get(cost.rule) : undefined;
      if (at === undefined) return { ...cost, links: 0, linksAlone: 0, linksMissed: 0 };
      const own = links[at] as number;
      return { ...cost, links: own, linksAlone: alone[at] as number, linksMissed: a.length - own };
    }),
  };
}

/** Of how many pairs of these records both are brought together by some rule: have an equal key. */
export function pairsBroughtTogether(blocks: readonly Pick<Blocks, 'keys'>[], records: Uint32Array): number {
  let met = 0;
  for (let i = 0; i < records.length; i++) {
    for (let j = i + 1; j < records.length; j++) if (meet(blocks, records[i] as number, records[j] as number)) met++;
  }
  return met;
}

function meet(blocks: readonly Pick<Blocks, 'keys'>[], a: number, b: number): boolean {
  for (const { keys } of blocks) if (keys[a] !== 0 && keys[a] === keys[b]) return true;
  return false;
}
