import { serveThread } from '../../platform/threads/index.ts';
import { compileModel, DEFAULT_MODEL, type MatchRecord } from '../matching/index.ts';
import { trainTable } from './link-table.ts';
import { modelDocument } from './model-parameters.ts';
import { createPairLevels } from './pair-levels.ts';
import { PatternCounter } from './patterns.ts';
import { createRecordsTable } from './records-table.ts';
import { teamOfOne } from './team.ts';
import type { Labelled, RecordsOrder, RecordsTrained } from './train-records.ts';

/** A thread that keeps records in memory, trains on them and ends. */
type Message = { readonly add: readonly MatchRecord[] } | { readonly train: RecordsOrder };

const model = compileModel(DEFAULT_MODEL);
const records = createRecordsTable(model);
serveThread(async (message) => {
  // Only train-records.ts sends messages here, and only of this shape.
  const asked = message as Message;
  if ('train' in asked) return await train(asked.train);
  for (const record of asked.add) records.add(record);
  return records.size;
});

async function train(order: RecordsOrder): Promise<RecordsTrained> {
  const systems = records.systems();
  const table = records.table(systems);
  const labelled = labelledPatterns(order.labelled, systems);
  const training = await trainTable(teamOfOne(), { table, model, seed: order.seed, labelled });
  const pairs = (table.size * (table.size - 1)) / 2;
  const { parameters, converged, rounds } = training;
  const { version, description, thresholds } = order;
  const document = modelDocument(table, { parameters }, { version, description, thresholds });
  return {
    model: { ...document, thresholds },
    records: table.size,
    converged,
    rounds,
    matchesExpected: parameters.matchShare * pairs,
    householdsExpected: parameters.householdShare * pairs,
  };
}

/** The pairs stand in a table of their own, with the same columns: a record that is in both must not look like a duplicate of itself. */
function labelledPatterns(pairs: readonly Labelled[], systems: readonly string[]) {
  const own = createRecordsTable(model);
  for (const { a, b } of pairs) {
    own.add(a);
    own.add(b);
  }
  const levels = createPairLevels(own.table(systems));
  const match = new PatternCounter(levels.width);
  const stranger = new PatternCounter(levels.width);
  for (const [at, { same }] of pairs.entries()) {
    levels.compare(2 * at, 2 * at + 1);
    (same ? match : stranger).add(levels.levels, 1);
  }
  return { match: match.patterns(), stranger: stranger.patterns() };
}
