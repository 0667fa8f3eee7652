/** Makes this process decide by what the database says is in force: at the start, and whenever somebody changes it. */
import type { Database } from '../../platform/db/sql.ts';
import { type CompiledModel, compileModel, KEY_SCHEME, type MatchingModel } from '../matching/index.ts';
import type { ShadowListener } from '../registry/index.ts';
import { bindEarlierInForce, bindInForce, readInForce } from './in-force-binding.ts';
import type { ModelsDeps } from './deps.ts';
import { documentOf, ensureShipped } from './library.ts';
import type { ModelId } from './model.ts';
import { CHANNEL, type InForceRow, store } from './store.ts';

export interface InForce {
  /** Reads what is in force; resolves when this process decides by it. */
  reload(): Promise<InForceRow>;
  stop(): Promise<void>;
}

/** `listenerFor`: who is told what a model tried beside the active one would have done. */
export async function keepInForce(
  deps: ModelsDeps,
  listenerFor: (shadow: ModelId, active: ModelId) => ShadowListener,
): Promise<InForce> {
  const { database } = deps;
  await begin(deps, await ensureShipped(deps));
  await bindEarlierInForce(deps);
  let last = Promise.resolve();
  async function read(): Promise<InForceRow> {
    const row = await readInForce(deps, database);
    if (!row) throw new Error('no matching model is in force');
    const ids = [row.active, ...row.former, ...(row.shadow ? [row.shadow] : [])];
    const documents = new Map(
      (await store.modelsOf(database, ids)).map((one) => [one.model_id, documentOf(deps, one)]),
    );
    const compiled = async (id: ModelId) => compiledFor(deps, documents.get(id));
    const active = await compiled(row.active);
    const former = await Promise.all(row.former.map(compiled));
    const shadow = row.shadow
      ? { model: await compiled(row.shadow), listener: listenerFor(row.shadow, row.active) }
      : undefined;
    deps.registry.use({ active, former, shadow });
    return row;
  }
  /** One after the other: an older answer must not overwrite a newer one. */
  function reload(): Promise<InForceRow> {
    const next = last.then(read, read);
    last = next.then(
      () => undefined,
      () => undefined,
    );
    return next;
  }
  await reload();
  const stop = await database.listen(CHANNEL, () => void reload().catch(deps.onReloadFailed));
  return { reload, stop };
}

/** The program's own model decides where none does yet. */
async function begin(deps: ModelsDeps, shipped: ModelId | undefined): Promise<void> {
  if (shipped === undefined) return;
  const binding = bindInForce(deps, { active: shipped, former: [], shadow: null });
  const at = new Date(deps.clock.nowMs());
  await store.begin(deps.database, shipped, { keyScheme: KEY_SCHEME, at, binding });
}

/** Two records are less likely to be one person, the more people there are; never fewer than the model was made for. */
async function compiledFor(deps: ModelsDeps, document: MatchingModel | undefined): Promise<CompiledModel> {
  if (!document) throw new Error('a model in force is not kept');
  return compileModel(document, { population: await populationFor(deps, document) });
}

export async function populationFor(
  deps: { readonly database: Database } & Pick<ModelsDeps, 'registry'>,
  document: MatchingModel,
): Promise<number> {
  return Math.max(document.prior.population, await deps.registry.estimate(deps.database));
}
