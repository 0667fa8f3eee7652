/** What the registry lets the keeper of models do: which one decides, and going over all records with it. */
import type { Sql } from '../../platform/db/sql.ts';
import type { BuiltCore } from './core.ts';
import type { ModelsInForce } from './matching-seat.ts';
import { type RelinkBatch, relinkBatch, type RelinkDone } from './relink.ts';
import { type ActivationId, relinkStore } from './relink-store.ts';
import { type UndoBatch, type UndoDone, undoRelinkBatch } from './relink-undo.ts';
import { readSecondPerson } from './second-person.ts';
import { readFigures } from './store.ts';

export type { ActivationId } from './relink-store.ts';

export interface RegistryModels {
  /** From now on these decide in this process; what is under way ends with the former. */
  use(models: ModelsInForce): void;
  /** Version of the model that decides in this process. */
  version(): string;
  /** One batch of going over all records; one transaction under the registry's lock. */
  relink(batch: RelinkBatch): Promise<RelinkDone>;
  /** One batch of taking back what a re-link moved. */
  takeBack(batch: UndoBatch): Promise<UndoDone>;
  /** Moves of a re-link that stand. */
  standingMoves(id: ActivationId): Promise<number>;
  /** Whether decisions need two people here. */
  twoPeople(sql: Sql): Promise<boolean>;
  /** Source records there are. */
  sources(sql: Sql): Promise<number>;
}

export function registryModels({ roundDeps, seat }: BuiltCore): RegistryModels {
  return {
    use: (models) => seat.use(models),
    version: () => seat.current().matcher.modelVersion,
    relink: (batch) => relinkBatch(roundDeps, batch),
    takeBack: (batch) => undoRelinkBatch(roundDeps, batch),
    standingMoves: (id) => relinkStore.count(roundDeps.database, id),
    twoPeople: async (sql) => (await readSecondPerson(sql)) !== 'never',
    sources: async (sql) => (await readFigures(sql)).sources,
  };
}
