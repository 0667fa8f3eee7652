import { hostname } from 'node:os';
import type { Audit } from '../features/audit/index.ts';
import { createUserDirectory } from '../features/identity/index.ts';
import type { Load } from '../features/load/index.ts';
import { DEFAULT_MODEL } from '../features/matching/index.ts';
import { createModels, type Models } from '../features/models/index.ts';
import type { Registry } from '../features/registry/index.ts';
import { boundMark } from './bound-mark.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config/index.ts';
import type { Database } from '../platform/db/index.ts';
import { createJobs, type Jobs } from '../platform/jobs/index.ts';
import type { Logger } from '../platform/log/index.ts';
import type { KeyRing } from '../store/index.ts';

export interface ComposedModels extends Models {
  /** Started where background work is done; loads have theirs, so that neither waits for the other. */
  readonly jobs: Jobs;
}

interface ModelsInput {
  readonly config: Config;
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: Audit;
  readonly registry: Registry;
  readonly uploads: Load['uploads'];
  readonly log: Logger;
}

/** Tells who reads the log that links may be missed, and begins what ends that. */
export async function keepKeys(models: Pick<Models, 'keepKeys' | 'oldKeys'>, log: Logger): Promise<void> {
  await models.keepKeys();
  const old = await models.oldKeys();
  if (!old) return;
  log.warn('An earlier version made the blocking keys: until every record has new ones, links may be missed', {
    ...{ keyScheme: old.scheme, records: old.total, done: old.visited },
  });
}

/** The life of matching models; from here on this process decides by the active one. */
export async function composeModels({
  config,
  database,
  keyRing,
  audit,
  registry,
  uploads,
  log,
}: ModelsInput): Promise<ComposedModels> {
  const jobs = createJobs({ database, log, runner: `${hostname()}:${config.home}:models` });
  const people = createUserDirectory({ database, keyRing });
  const models = await createModels({
    ...{ database, keyRing, audit, jobs, clock: systemClock },
    registry: registry.models,
    uploads,
    shipped: DEFAULT_MODEL,
    userNames: people.names,
    inForceBound: boundMark(config.home, 'model-bound'),
    onReloadFailed: (error) => log.error('The matching model in force could not be read again', { error }),
  });
  return { ...models, jobs };
}
