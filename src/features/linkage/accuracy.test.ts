import { describe, expect, test } from 'vitest';
import { evaluationSets } from '../../../bench/evaluation-sets.ts';
import { setsArePresent } from '../../../bench/linkage-sets.ts';
import { evaluate } from './index.ts';

if (!setsArePresent()) {
  console.warn(
    'SKIPPED: the labelled sets (../shared/data/linkage) are not here, so the accuracy of linkage is NOT checked.',
  );
}

const clock = { today: '2026-01-01', nowMs: () => performance.now() };

describe.skipIf(!setsArePresent())('batch linkage without labels', { timeout: 300_000 }, () => {
  test.each(setsArePresent() ? evaluationSets() : [])(
    '$name: groups as good as asked for, hardly an automatic link wrong',
    async ({ name, goal, ...set }) => {
      const found = await evaluate({ ...set, ...clock, seed: 1 });
      expect(found.clusters.f1).toBeGreaterThanOrEqual(goal);
      expect(found.linked.precision).toBeGreaterThanOrEqual(name.startsWith('historical') ? 0.95 : 0.99);
      expect(found.model.converged).toBe(true);
    },
  );

  test('the seed decides nothing that matters, and the same seed gives the same answer', async () => {
    const [set] = evaluationSets().filter(({ name }) => name === 'febrl2');
    if (set === undefined) throw new Error('the set is gone');
    const runs = [];
    for (const seed of [1, 2, 2]) runs.push(await evaluate({ ...set, ...clock, seed }));
    for (const { clusters, linked } of runs) {
      expect(clusters.f1).toBeGreaterThanOrEqual(set.goal);
      expect(linked.precision).toBeGreaterThanOrEqual(0.99);
    }
    expect(runs[1]?.worst).toEqual(runs[2]?.worst);
    expect(runs[1]?.clusters).toEqual(runs[2]?.clusters);
  });
});
