import { evaluate as evaluateFile } from '../features/linkage/index.ts';
import type { Evaluation } from '../features/linkage/wire.ts';
import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';
import { readMapFile } from './map-file.ts';
import { readModelFile } from './model-file.ts';

export const evaluate: Command = {
  name: 'evaluate',
  summary: 'Link a file and judge the result by its known truth',
  positional: ['FILE'],
  options: {
    map: { kind: 'value', valueName: 'MAP', required: true, description: 'Mapping document (JSON), as for load' },
    truth: { kind: 'value', valueName: 'COLUMN', description: 'Column that says who is the same person' },
    'truth-pairs': { kind: 'value', valueName: 'PAIRS', description: 'CSV file of pairs of record ids instead' },
    model: { kind: 'value', valueName: 'MODEL', description: 'Model document; without it one is trained on the file' },
    memory: { kind: 'value', valueName: 'MEGABYTES', description: 'End rather than take more memory than this' },
    seed: { kind: 'value', valueName: 'NUMBER', description: 'Seed of the training samples (default 1)' },
  },
  json: true,
  help: `Nothing is loaded and nothing is changed: no server and no database are needed. The truth is looked at only to judge; training
does not see it. The same file, mapping and seed always give the same answer.
--json prints {truePairs, linked: {precision, recall, f1}, linkedOrReviewed: {…}, clusters: {…}, seconds, worst, …}: pairs linked
automatically, pairs linked or sent to review, and pairs implied by the groups.`,
  async run({ argument, required, value, out, signal }) {
    const truth = value('truth');
    const truthPairs = value('truth-pairs');
    if ((truth === undefined) === (truthPairs === undefined)) {
      throw new Problem(
        'invalid',
        'usage',
        'Say who is the same person: either --truth COLUMN or --truth-pairs PAIRS.',
      );
    }
    const modelFile = value('model');
    const found = await evaluateFile({
      path: argument(0),
      map: readMapFile(required('map')),
      truth,
      truthPairs,
      model: modelFile === undefined ? undefined : readModelFile(modelFile),
      seed: seedOf(value('seed')),
      today: new Date().toISOString().slice(0, 10),
      nowMs: () => performance.now(),
      onProgress: (step) => out.progress(`${step} …`),
      signal,
      memory: memoryBound(value('memory')),
    });
    out.progress('');
    out.json(found);
    for (const line of describe(found)) out.line(line);
  },
};

function seedOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const seed = Number(text);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new Problem('invalid', 'usage', 'The seed must be a whole number.');
}

/** A program that has started holds about this much. */
const MEGABYTES_MIN = 200;

function memoryBound(text: string | undefined) {
  if (text === undefined) return undefined;
  const megabytes = Number(text);
  if (Number.isSafeInteger(megabytes) && megabytes >= MEGABYTES_MIN) {
    return { maxBytes: megabytes * 1e6, usedBytes: () => process.memoryUsage.rss() };
  }
  throw new Problem('invalid', 'usage', `The memory must be a whole number of megabytes, ${MEGABYTES_MIN} or more.`);
}

const percent = (share: number): string => `${(share * 100).toFixed(2).padStart(6)} %`;

/** What blocking brings together, and what it cannot find. */
function comparedLine({ truePairs, blocking: { truePairsCompared, rules } }: Evaluation): string[] {
  if (truePairsCompared === undefined || truePairs === 0) return [];
  const full = rules.filter(({ used, overfullBlocks }) => used && overfullBlocks > 0);
  const words = full.map(({ rule, overfull }) => `${rule} (${overfull[0]?.records ?? 0} records share one value)`);
  return [
    `Of the true pairs ${percent(truePairsCompared / truePairs).trim()} were brought together by some rule.`,
    ...(words.length > 0 ? [`Rules with over-full blocks: ${words.join(', ')}.`] : []),
  ];
}

function describe(found: Evaluation): string[] {
  const row = (name: string, { pairs, precision, recall, f1 }: Evaluation['linked']): string =>
    `${name.padEnd(22)} ${String(pairs).padStart(9)}   ${percent(precision)}   ${percent(recall)}   ${percent(f1)}`;
  const wrong = found.worst.falseLinks.slice(0, 3).map(({ records }) => records.join(' and '));
  const missed = found.worst.misses.slice(0, 3).map(({ records }) => records.join(' and '));
  return [
    `${found.records} records, ${found.rejected} rows left out, ${found.truePairs} true pairs; ${found.blocking.pairsCompared} pairs compared in ${found.seconds.toFixed(1)} s.`,
    ...comparedLine(found),
    '',
    `${''.padEnd(22)} ${'pairs'.padStart(9)}   precision     recall         F1`,
    row('linked', found.linked),
    row('linked or reviewed', found.linkedOrReviewed),
    row('groups', found.clusters),
    ...(wrong.length > 0 ? ['', `Linked wrongly, worst first: ${wrong.join('; ')}`] : []),
    ...(missed.length > 0 ? ['', `Missed, worst first: ${missed.join('; ')}`] : []),
    ...found.warnings.map((warning) => `\n${warning}`),
  ];
}
