/** Batch linkage without labels: `npm run bench -- linkage-batch` judges every labelled set (../shared/data/linkage). */
import { evaluate } from '../src/features/linkage/index.ts';
import type { Evaluation } from '../src/features/linkage/wire.ts';
import { evaluationSets } from './evaluation-sets.ts';
import { setsArePresent } from './linkage-sets.ts';

const percent = (value: number): string => (value * 100).toFixed(2).padStart(6);
const cells = ({ precision, recall, f1 }: Evaluation['linked']): string =>
  `${percent(precision)} ${percent(recall)} ${percent(f1)}`;

if (setsArePresent()) {
  console.log(
    `${''.padEnd(30)} linked: P R F1       | linked or reviewed   | groups: P R F1       | goal F1 | Splink F1 | pairs`,
  );
  for (const { name, goal, splink, ...set } of evaluationSets()) {
    const found = await evaluate({ ...set, seed: 1, today: '2026-01-01', nowMs: () => performance.now() });
    console.log(
      `${name.padEnd(30)} ${cells(found.linked)} | ${cells(found.linkedOrReviewed)} | ${cells(found.clusters)} | ${percent(goal)}  | ` +
        `${splink === undefined ? '      ' : percent(splink)}    | ${found.truePairs}`,
    );
  }
} else {
  console.error('The labelled sets are not here (../shared/data/linkage): nothing to measure.');
  process.exitCode = 1;
}
