/** What the registry lets the keeper of models do: which one decides, and going over all records with it. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Sql } from '../../platform/db/sql.ts';
import type { CompiledModel, MatchRecord } from '../matching/index.ts';
import { pairView } from './client-pages.ts';
import type { BuiltCore } from './core.ts';
import { checkGroups } from './group-check.ts';
import type { ModelsInForce } from './matching-seat.ts';
import { type ClearedKeys, type ClearKeysBatch, clearKeys } from './clear-keys.ts';
import { type RelinkBatch, relinkBatch, type RelinkDone } from './relink.ts';
import { type ActivationId, relinkStore } from './relink-store.ts';
import { type UndoBatch, type UndoDone, undoRelinkBatch } from './relink-undo.ts';
import { readSecondPerson } from './second-person.ts';
import { simulateBatch, type SimulationBatch } from './simulate.ts';
import { countLabels, type Draw, drawRecords, type LabelledPair, labelledPairs } from './study-reads.ts';
import { estimateSources, readFigures } from './store.ts';

export { type GroupTally, newGroupTally } from './group-check.ts';
export { HISTOGRAM, newTally, type SimulationTally } from './simulate.ts';
export type { ShadowListener, ShadowNote } from './shadow-note.ts';
export type { LabelledPair } from './study-reads.ts';
export type { ActivationId } from './relink-store.ts';

export interface RegistryModels {
  /** From now on these decide in this process; what is under way ends with the former. */
  use(models: ModelsInForce): void;
  /** Version of the model that decides in this process. */
  version(): string;
  /** That model itself, once `use` was called. */
  active(): CompiledModel;
  /** One batch of going over all records; one transaction under the registry's lock. */
  relink(batch: RelinkBatch): Promise<RelinkDone>;
  /** One batch of removing keys that no record has any more, once every record has its present ones. */
  clearKeys(batch: ClearKeysBatch): Promise<ClearedKeys>;
  /** One batch of taking back what a re-link moved. */
  takeBack(batch: UndoBatch): Promise<UndoDone>;
  /** Moves of a re-link that stand. */
  standingMoves(id: ActivationId): Promise<number>;
  /** Records drawn by chance, page by page. */
  drawRecords(draw: Draw, pageSize: number): AsyncGenerator<readonly MatchRecord[]>;
  /** Pairs that people decided. */
  labels(): Promise<readonly LabelledPair[]>;
  countLabels(): Promise<{ readonly same: number; readonly different: number }>;
  /** Adds a page of records to a simulation; answers where it ended, undefined at the end. */
  simulate(batch: SimulationBatch): Promise<ResourceId | undefined>;
  /** Adds a page of people of several records to a check of groups. */
  checkGroups(batch: Parameters<typeof checkGroups>[1]): Promise<ResourceId | undefined>;
  /** Two records side by side, as pages show them. */
  pair(a: ResourceId, b: ResourceId): ReturnType<typeof pairView>;
  /** Whether decisions need two people here. */
  twoPeople(sql: Sql): Promise<boolean>;
  /** Source records there are, counted. */
  sources(sql: Sql): Promise<number>;
  /** The same, about, at no cost. */
  estimate(sql: Sql): Promise<number>;
}

export function registryModels({ roundDeps, seat }: BuiltCore): RegistryModels {
  return {
    use: (models) => seat.use(models),
    version: () => seat.current().matcher.modelVersion,
    active: () => seat.active(),
    relink: (batch) => relinkBatch(roundDeps, batch),
    clearKeys: (batch) => clearKeys(roundDeps, batch),
    takeBack: (batch) => undoRelinkBatch(roundDeps, batch),
    standingMoves: (id) => relinkStore.count(roundDeps.database, id),
    drawRecords: (draw, pageSize) => drawRecords(roundDeps, draw, pageSize),
    labels: () => labelledPairs(roundDeps),
    countLabels: () => countLabels(roundDeps.database),
    simulate: (batch) => simulateBatch(roundDeps, batch),
    checkGroups: (batch) => checkGroups(roundDeps, batch),
    pair: (a, b) => pairView(roundDeps, a, b),
    twoPeople: async (sql) => (await readSecondPerson(roundDeps, sql)) !== 'never',
    estimate: estimateSources,
    sources: async (sql) => (await readFigures(sql)).sources,
  };
}
