import { compileModel, DEFAULT_MODEL, type MatchingModel } from '../matching/index.ts';
import type { MapDocument } from '../load/wire.ts';
import { linkTable, TRAINED_THRESHOLDS } from './link-table.ts';
import { modelDocument } from './model-parameters.ts';
import { deservesThreads, readFile } from './read-file.ts';
import { teamOfOne, teamOfThreads } from './team.ts';

export interface ModelOrder {
  readonly path: string;
  readonly map: MapDocument;
  /** What the model is called in every explanation. */
  readonly version: string;
  readonly seed: number;
  /** FHIR date. */
  readonly today: string;
  readonly onProgress?: ((step: string, share: number) => void) | undefined;
}

export interface TrainedModel {
  readonly model: MatchingModel;
  readonly records: number;
  readonly converged: boolean;
  /** Pairs of one person, and of one household, that the file is expected to hold. */
  readonly matchesExpected: number;
  readonly householdsExpected: number;
}

/** Trains a model on a file, without labels. The document holds chances and the shares of common names, and no record. */
export async function trainModel(order: ModelOrder): Promise<TrainedModel> {
  const model = compileModel(DEFAULT_MODEL);
  const team = deservesThreads(order.path) ? teamOfThreads() : teamOfOne();
  try {
    order.onProgress?.('reading', 0);
    const { table } = await readFile(team, { ...order, model });
    const linkage = await linkTable(team, {
      table,
      model,
      seed: order.seed,
      thresholds: TRAINED_THRESHOLDS,
      onProgress: order.onProgress,
    });
    const pairs = (table.size * (table.size - 1)) / 2;
    return {
      model: modelDocument(table, linkage, {
        version: order.version,
        description: `Trained without labels on ${table.size} records.`,
        thresholds: TRAINED_THRESHOLDS,
      }),
      records: table.size,
      converged: linkage.training?.converged ?? false,
      matchesExpected: linkage.parameters.matchShare * pairs,
      householdsExpected: linkage.parameters.householdShare * pairs,
    };
  } finally {
    await team.end();
  }
}
