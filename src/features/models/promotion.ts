/** Which model decides: taking over in one step, and back in one step. */
import { newId, sha256 } from '../../crypto/index.ts';
import { canonicalJsonBytes } from '../../kernel/canonical-json.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { JobId } from '../../platform/jobs/index.ts';
import type { ActivationId } from '../registry/index.ts';
import { KEY_SCHEME, type MatchingModel } from '../matching/index.ts';
import { lockInForce, writeInForce } from './in-force-binding.ts';
import type { ModelsDeps } from './deps.ts';
import {
  modelActive,
  modelNotFound,
  modelsBusy,
  nothingToRollBack,
  secondPersonNeeded,
  simulateFirst,
} from './errors.ts';
import { detailOf, documentOf, userOf } from './library.ts';
import type { ModelDetailKept, ModelId } from './model.ts';
import { sealJson } from './sealing.ts';
import { type ActivationRow, type InForceRow, type ModelRow, store } from './store.ts';

export const RELINK_JOB = 'models.re-link';

export type Promoted =
  | { readonly activationId: ActivationId; readonly audited: AuditReceipt }
  | { readonly waitsForSecond: true; readonly audited: AuditReceipt };

/** Throws Problem `model-active`, `models-busy`, `simulate-first` or `second-person-needed`. */
export async function promote(deps: ModelsDeps, actor: Actor, id: ModelId): Promise<Promoted> {
  return await deps.database.transaction(async (tx) => {
    const inForce = await lockInForce(deps, tx);
    const model = await store.lockModel(tx, id);
    if (!model) throw modelNotFound();
    // One that somebody has put in force past us is put in force by this.
    if (inForce.active === id && inForce.altered !== true) throw modelActive();
    await assertQuiet(tx);
    await assertSimulated(tx, model);
    if (!(await agreedByTwo(deps, tx, actor, model))) {
      return {
        waitsForSecond: true,
        audited: await record(deps, tx, actor, 'model.promote', { to: model.version, proposed: 'yes' }),
      };
    }
    const from = await named(tx, inForce.active);
    const activationId = await activate(deps, tx, actor, { inForce, to: model, kind: 'promote' });
    await proposedBy(deps, tx, model, undefined);
    const audited = await record(deps, tx, actor, 'model.promote', { from: from.version, to: model.version });
    return { activationId, audited };
  });
}

/**
 * The model before decides again, and what the re-link moved is taken back. Needs no second person, no simulation and no patience: it
 * is the way out.
 */
export async function rollBack(
  deps: ModelsDeps,
  actor: Actor,
): Promise<{ readonly activationId: ActivationId; readonly audited: AuditReceipt }> {
  return await deps.database.transaction(async (tx) => {
    const inForce = await lockInForce(deps, tx);
    const last = standing(await store.activations(tx, 100), inForce.active);
    if (!last) throw nothingToRollBack();
    for (const running of await unfinished(tx)) {
      await deps.jobs.cancel(tx, running.job_id);
      await store.finishActivation(tx, running.activation_id, new Date(deps.clock.nowMs()));
    }
    const [from, to] = [await named(tx, inForce.active), await named(tx, last.from_model)];
    await store.undoActivation(tx, last.activation_id, new Date(deps.clock.nowMs()));
    const activationId = await activate(deps, tx, actor, {
      inForce,
      to,
      kind: 'roll-back',
      undoes: last.activation_id,
    });
    const audited = await record(deps, tx, actor, 'model.roll-back', { from: from.version, to: to.version });
    return { activationId, audited };
  });
}

/** Goes over all records once more with the model that decides: after a cancelled re-link, or when records came meanwhile. */
export async function relinkAgain(
  deps: ModelsDeps,
  actor: Actor,
): Promise<{ readonly activationId: ActivationId; readonly audited: AuditReceipt }> {
  return await deps.database.transaction(async (tx) => {
    const inForce = await lockInForce(deps, tx);
    await assertQuiet(tx);
    const to = await named(tx, inForce.active);
    const kind = inForce.key_scheme === KEY_SCHEME ? 're-link' : 're-key';
    const activationId = await activate(deps, tx, actor, { inForce, to, kind });
    return { activationId, audited: await record(deps, tx, actor, 'model.re-link', { model: to.version }) };
  });
}

/** Stops going over records. What was moved stays until it is rolled back. */
export async function cancelRelink(deps: ModelsDeps, actor: Actor, id: ActivationId): Promise<AuditReceipt> {
  return await deps.database.transaction(async (tx) => {
    await lockInForce(deps, tx);
    const row = await store.activation(tx, id);
    if (!row) throw modelNotFound();
    await deps.jobs.cancel(tx, row.job_id);
    await store.finishActivation(tx, id, new Date(deps.clock.nowMs()));
    const model = await named(tx, row.to_model);
    return await record(deps, tx, actor, 'model.re-link-cancel', { model: model.version });
  });
}

/** The activation that brought the active model and was not undone: what a roll-back takes back. */
export function standing(rows: readonly ActivationRow[], active: ModelId): ActivationRow | undefined {
  return rows.find((row) => row.kind === 'promote' && row.to_model === active && row.undone_at === null);
}

type ActivateDeps = Pick<ModelsDeps, 'jobs' | 'clock' | 'keyRing'>;

interface Activating {
  readonly inForce: InForceRow;
  readonly to: ModelRow;
  readonly kind: ActivationRow['kind'];
  readonly undoes?: ActivationId;
}

export async function activate(
  deps: ActivateDeps,
  tx: Transaction,
  actor: Actor,
  what: Activating,
): Promise<ActivationId> {
  const { inForce, to } = what;
  const at = new Date(deps.clock.nowMs());
  const activationId = newId<ActivationId>();
  const jobId = newId<JobId>();
  await deps.jobs.enqueue(tx, RELINK_JOB, { activation: activationId }, jobId);
  await store.insertActivation(tx, {
    activation_id: activationId,
    from_model: inForce.active,
    to_model: to.model_id,
    kind: what.kind,
    at,
    by_user: userOf(actor) ?? null,
    undoes: what.undoes ?? null,
    job_id: jobId,
  });
  if (to.model_id === inForce.active && inForce.altered !== true) return activationId;
  const former = await formerAfter(deps, tx, { inForce, to });
  const shadow = inForce.shadow === to.model_id ? null : inForce.shadow;
  await writeInForce(deps, tx, { active: to.model_id, former, shadow }, at);
  return activationId;
}

/** Models whose keys records may still have. One whose keys are the same as the new one's need not be looked for. */
async function formerAfter(
  deps: Pick<ModelsDeps, 'keyRing'>,
  tx: Transaction,
  { inForce, to }: Pick<Activating, 'inForce' | 'to'>,
): Promise<ModelId[]> {
  const ids = [...new Set([inForce.active, ...inForce.former])].filter((id) => id !== to.model_id);
  const rows = new Map((await store.modelsOf(tx, ids)).map((row) => [row.model_id, row]));
  const next = keysOf(documentOf(deps, to));
  return ids.filter((id) => {
    const row = rows.get(id);
    return row !== undefined && keysOf(documentOf(deps, row)) !== next;
  });
}

/** What of a model decides the blocking keys of a record. */
function keysOf({ blocking, skip, frequencies, fields, identifiers }: MatchingModel): string {
  const shares = [fields.given.frequency, fields.family.frequency];
  return Buffer.from(sha256(canonicalJsonBytes({ blocking, skip, frequencies, shares, identifiers }))).toString('hex');
}

async function assertQuiet(tx: Transaction): Promise<void> {
  if ((await unfinished(tx)).length > 0) throw modelsBusy();
}

async function unfinished(tx: Transaction): Promise<ActivationRow[]> {
  return (await store.activations(tx, 20)).filter((row) => row.finished_at === null);
}

async function assertSimulated(tx: Transaction, model: ModelRow): Promise<void> {
  if (model.origin === 'shipped') return;
  const before = await store.activations(tx, 100);
  if (before.some((row) => row.from_model === model.model_id || row.to_model === model.model_id)) return;
  if (!(await store.simulated(tx)).some((row) => row.model_id === model.model_id)) throw simulateFirst();
}

async function agreedByTwo(deps: ModelsDeps, tx: Transaction, actor: Actor, model: ModelRow): Promise<boolean> {
  const user = userOf(actor);
  if (user === undefined || !(await deps.registry.twoPeople(tx))) return true;
  const first = detailOf(deps, model).proposedBy;
  if (first === user) throw secondPersonNeeded();
  if (first === undefined) await proposedBy(deps, tx, model, user);
  return first !== undefined;
}

/** Writes down who wants the model in force, under the seal; nobody: it is, or nobody does any more. */
async function proposedBy(deps: ModelsDeps, tx: Transaction, model: ModelRow, by: UserId | undefined): Promise<void> {
  const { notes, createdBy } = detailOf(deps, model);
  const kept: ModelDetailKept = { notes, createdBy, ...(by === undefined ? {} : { proposedBy: by }) };
  const detail = sealJson(deps.keyRing, 'model.detail', model.model_id, kept);
  const at = by === undefined ? null : new Date(deps.clock.nowMs());
  await store.propose(tx, model.model_id, { by: by ?? null, at, detail });
}

async function named(tx: Transaction, id: ModelId): Promise<ModelRow> {
  const row = await store.model(tx, id);
  if (!row) throw modelNotFound();
  return row;
}

type ModelEvent = 'model.promote' | 'model.roll-back' | 'model.re-link' | 'model.re-link-cancel' | 'model.shadow';

export function record(
  deps: Pick<ModelsDeps, 'audit'>,
  tx: Transaction,
  actor: Actor,
  name: ModelEvent,
  detail: Readonly<Record<string, string>>,
): Promise<AuditReceipt> {
  return deps.audit.record(tx, [{ actor, event: name, action: 'U', outcome: 'success', detail }]);
}
