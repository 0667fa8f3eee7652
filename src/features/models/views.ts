/** What pages and programs are shown of models. */
import type { Actor } from '../../kernel/principal.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { MatchingModel } from '../matching/index.ts';
import { readInForce } from './in-force-binding.ts';
import type { ModelsDeps } from './deps.ts';
import { detailOf, documentOf, userOf } from './library.ts';
import type { ModelId } from './model.ts';
import { standing } from './promotion.ts';
import { progressOf } from './relinking.ts';
import { oldKeys } from './stored-keys.ts';
import { type ActivationRow, type InForceRow, type ModelRow, store } from './store.ts';
import type { ActivationView, ModelDetail, ModelsReply, ModelSummary } from './wire.ts';

interface Seen {
  readonly inForce: InForceRow;
  readonly simulated: ReadonlyMap<ModelId, Date>;
  readonly names: ReadonlyMap<UserId, string>;
  readonly me: UserId | undefined;
}

async function seenBy(deps: ModelsDeps, actor: Actor, rows: readonly (ModelRow | ActivationRow)[]): Promise<Seen> {
  const inForce = await readInForce(deps, deps.database);
  if (!inForce) throw new Error('no matching model is in force');
  const simulated = new Map((await store.simulated(deps.database)).map((row) => [row.model_id, row.at]));
  const ids = rows.flatMap((row) => ('version' in row ? row.proposed_by : row.by_user) ?? []);
  const names = (await deps.userNames?.([...new Set(ids)])) ?? new Map<UserId, string>();
  return { inForce, simulated, names, me: userOf(actor) };
}

function summary(deps: ModelsDeps, row: ModelRow, seen: Seen): ModelSummary {
  const { notes, createdBy } = detailOf(deps, row);
  const { thresholds } = documentOf(deps, row);
  const simulatedAt = seen.simulated.get(row.model_id);
  const stored = row.model_id === seen.inForce.shadow ? 'shadow' : 'stored';
  return {
    id: row.model_id,
    version: row.version,
    origin: row.origin,
    createdAt: row.created_at.toISOString(),
    createdBy,
    notes,
    contentHash: row.content_hash.toString('hex'),
    thresholds,
    state: row.model_id === seen.inForce.active ? 'active' : stored,
    ...(simulatedAt ? { simulatedAt: simulatedAt.toISOString() } : {}),
    ...(row.proposed_by
      ? { proposedBy: { name: seen.names.get(row.proposed_by) ?? 'somebody', isMe: row.proposed_by === seen.me } }
      : {}),
  };
}

export async function summaryOf(deps: ModelsDeps, actor: Actor, row: ModelRow): Promise<ModelSummary> {
  return summary(deps, row, await seenBy(deps, actor, [row]));
}

/** Everything of the page but studies and labels. */
export async function overview(deps: ModelsDeps, actor: Actor): Promise<Omit<ModelsReply, 'studies' | 'labels'>> {
  const [models, activations] = await Promise.all([store.models(deps.database), store.activations(deps.database, 100)]);
  const seen = await seenBy(deps, actor, [...models, ...activations]);
  const [records, secondPerson, old] = await Promise.all([
    deps.registry.sources(deps.database),
    deps.registry.twoPeople(deps.database),
    oldKeys(deps),
  ]);
  const versions = new Map(models.map((row) => [row.model_id, row.version]));
  const back = standing(activations, seen.inForce.active);
  const rollBackTo = back && versions.get(back.from_model);
  const shown = activations.slice(0, 10);
  return {
    models: models.map((row) => summary(deps, row, seen)),
    activations: await Promise.all(
      shown.map((row) => activationView(deps, row, { versions, records, names: seen.names })),
    ),
    records,
    secondPerson,
    goingOver:
      old !== undefined || seen.inForce.former.length > 0 || activations.some((row) => row.finished_at === null),
    ...(rollBackTo ? { rollBackTo } : {}),
    ...(old ? { oldKeys: old } : {}),
  };
}

async function activationView(
  deps: ModelsDeps,
  row: ActivationRow,
  known: {
    readonly versions: ReadonlyMap<ModelId, string>;
    readonly records: number;
    readonly names: ReadonlyMap<UserId, string>;
  },
): Promise<ActivationView> {
  const job = await deps.jobs.read(deps.database, row.job_id);
  const { after: _, cleared: __, phase, ...counts } = progressOf(job?.progress ?? null);
  const going = row.finished_at === null && (job?.state === 'waiting' || job?.state === 'running');
  const ended =
    job?.state === 'done' ? 'done' : job?.state === 'failed' && job.errorCode !== 'job-lost' ? 'failed' : 'cancelled';
  return {
    id: row.activation_id,
    kind: row.kind,
    at: row.at.toISOString(),
    by: byOf(row, known.names),
    from: known.versions.get(row.from_model) ?? '?',
    to: known.versions.get(row.to_model) ?? '?',
    state: going ? (job?.state === 'waiting' ? 'waiting' : 'running') : ended,
    ...(going ? { phase } : {}),
    ...counts,
    total: known.records,
    undone: row.undone_at !== null,
  };
}

function byOf(row: ActivationRow, names: ReadonlyMap<UserId, string>): string {
  if (row.by_user) return names.get(row.by_user) ?? 'somebody';
  return row.kind === 're-key' ? 'Careseal, after an upgrade' : 'the command line';
}

type Levels = Readonly<Record<string, { readonly m: number; readonly u: number }>>;

/** A model as a table of weights. */
export function describe(document: MatchingModel): Omit<ModelDetail, 'model' | 'judged'> {
  const levels = (of: Levels) =>
    Object.entries(of).map(([level, { m, u }]) => ({ level, m, u, weight: Math.log2(m / u) }));
  const identifiers = document.identifiers.map(({ kind, systems, levels: of }) => {
    const more = systems.length > 2 ? ` and ${systems.length - 2} more` : '';
    return { field: `identifier, ${kind} (${systems.slice(0, 2).join(', ')}${more})`, levels: levels(of) };
  });
  return {
    description: document.description ?? '',
    population: document.prior.population,
    fields: [
      ...Object.entries(document.fields).map(([field, { levels: of }]) => ({ field, levels: levels(of) })),
      ...identifiers,
    ],
    blocking: document.blocking.rules.map(({ name, parts }) => ({ name, parts: [...parts] })),
    uniqueIdentifier: document.rules.uniqueIdentifier.enabled,
    names: {
      given: Object.keys(document.frequencies.given).length,
      family: Object.keys(document.frequencies.family).length,
    },
  };
}
