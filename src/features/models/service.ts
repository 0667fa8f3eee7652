import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { MatchingModel } from '../matching/index.ts';
import type { ModelsDeps } from './deps.ts';
import { modelNotFound } from './errors.ts';
import { addModel, documentOf, modelRow, parseUploaded } from './library.ts';
import type { ModelId, ModelOrigin } from './model.ts';
import { type ModelRow, store } from './store.ts';
import { judgedBy, LABELS_NEEDED } from './training.ts';
import { describe, overview, summaryOf } from './views.ts';
import type { Studies } from './studies.ts';
import type { ModelDetail, ModelsReply, ModelSummary } from './wire.ts';

/** What the user API and the command line do with models. */
export interface ModelsService {
  overview(actor: Actor): Promise<ModelsReply>;
  detail(actor: Actor, id: ModelId): Promise<ModelDetail>;
  document(id: ModelId): Promise<MatchingModel>;
  /** Keeps a document that somebody brings. Throws Problem `model-invalid`, `model-unsound` or `model-exists`. */
  add(
    actor: Actor,
    what: {
      readonly document: unknown;
      readonly version?: string | undefined;
      readonly notes: string;
      readonly origin: ModelOrigin;
    },
  ): Promise<{ readonly model: ModelSummary; readonly audited: AuditReceipt }>;
  /** The same model with other thresholds, under another name. */
  adjust(
    actor: Actor,
    id: ModelId,
    what: { readonly version: string; readonly notes: string; readonly match: number; readonly review: number },
  ): Promise<{ readonly model: ModelSummary; readonly audited: AuditReceipt }>;
  /** By its name. Throws Problem `model-not-found`. */
  named(version: string): Promise<ModelId>;
}

export function createModelsService(deps: ModelsDeps, studies: Pick<Studies, 'list'>): ModelsService {
  const keep = async (actor: Actor, what: { document: MatchingModel; notes: string; origin: ModelOrigin }) => {
    let row: ModelRow | undefined;
    const audited = await deps.database.transaction(async (tx) => {
      row = await addModel(deps, tx, { ...what, actor });
      const detail = { model: row.version, origin: row.origin, sha256: row.content_hash.toString('hex') };
      return await deps.audit.record(tx, [{ actor, event: 'model.add', action: 'C', outcome: 'success', detail }]);
    });
    if (!row) throw modelNotFound();
    return { model: await summaryOf(deps, actor, row), audited };
  };
  return {
    async overview(actor) {
      const [seen, list, labels] = await Promise.all([
        overview(deps, actor),
        studies.list(),
        deps.registry.countLabels(),
      ]);
      return { ...seen, studies: list, labels: { ...labels, needed: LABELS_NEEDED } };
    },
    async detail(actor, id) {
      const row = await modelRow(deps.database, id);
      const document = documentOf(deps, row);
      const labels = await deps.registry.labels();
      return {
        model: await summaryOf(deps, actor, row),
        ...describe(document),
        ...(labels.length > 0 ? { judged: judgedBy(document, labels) } : {}),
      };
    },
    document: async (id) => documentOf(deps, await modelRow(deps.database, id)),
    add: async (actor, { document, version, notes, origin }) =>
      await keep(actor, { document: parseUploaded(document, version), notes, origin }),
    async adjust(actor, id, { version, notes, match, review }) {
      const from = documentOf(deps, await modelRow(deps.database, id));
      const probable = Math.min(match, Math.max(review, from.thresholds.probable));
      const document = parseUploaded({ ...from, version, thresholds: { match, review, probable } });
      return await keep(actor, {
        document,
        notes: notes || `Thresholds of ${from.version} changed.`,
        origin: 'adjusted',
      });
    },
    async named(version) {
      const row = await store.versionOf(deps.database, version);
      if (!row) throw modelNotFound();
      return row.model_id;
    },
  };
}
