/** SQL of this feature's tables. */
import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { JobId } from '../../platform/jobs/index.ts';
import type { ActivationId } from '../registry/index.ts';
import type { ModelId, ModelOrigin, StudyId, StudyKind } from './model.ts';

export const CHANNEL = 'careseal_models';

export interface ModelRow {
  readonly model_id: ModelId;
  readonly version: string;
  readonly origin: ModelOrigin;
  readonly content_hash: Buffer;
  readonly document: Buffer;
  readonly detail: Buffer;
  readonly created_at: Date;
  readonly created_by: UserId | null;
  readonly proposed_by: UserId | null;
}
const MODEL = 'model_id, version, origin, content_hash, document, detail, created_at, created_by, proposed_by';

const listModels = statement<ModelRow>(
  'models.list',
  `SELECT ${MODEL} FROM models.model ORDER BY created_at DESC, model_id DESC LIMIT 200`,
);
const readModel = statement<ModelRow>('models.read', `SELECT ${MODEL} FROM models.model WHERE model_id = $1`);
const readModelLocked = statement<ModelRow>(
  'models.read-locked',
  `SELECT ${MODEL} FROM models.model WHERE model_id = $1 FOR UPDATE`,
);
const readModels = statement<ModelRow>(
  'models.read-many',
  `SELECT ${MODEL} FROM models.model WHERE model_id = ANY($1::uuid[])`,
);
const byVersion = statement<{ readonly model_id: ModelId; readonly content_hash: Buffer }>(
  'models.by-version',
  'SELECT model_id, content_hash FROM models.model WHERE version = $1',
);
const insertModel = statement(
  'models.insert',
  `INSERT INTO models.model (model_id, version, origin, content_hash, document, detail, created_at, created_by)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (version) DO NOTHING`,
);
const proposeModel = statement(
  'models.propose',
  'UPDATE models.model SET proposed_by = $2, proposed_at = $3, detail = $4 WHERE model_id = $1',
);

export interface InForceRow {
  readonly active: ModelId;
  readonly former: readonly ModelId[];
  readonly shadow: ModelId | null;
  /** The way the records' blocking keys were made; see KEY_SCHEME in features/matching. */
  readonly key_scheme: number;
  /** The row names another model than Careseal wrote: the program's own decides. */
  readonly altered?: true;
}
/** As it stands in the database; read through in-force-binding.ts. */
export interface BoundInForce extends Omit<InForceRow, 'altered'> {
  readonly binding: Buffer | null;
}
const IN_FORCE = 'active, former, shadow, key_scheme, binding';
const readInForce = statement<BoundInForce>('models.in-force', `SELECT ${IN_FORCE} FROM models.in_force`);
const lockInForce = statement<BoundInForce>(
  'models.in-force-locked',
  `SELECT ${IN_FORCE} FROM models.in_force FOR UPDATE`,
);
/** Whoever works by it shares the lock: a change waits for the batch under way, and the next batch sees it. */
const shareInForce = statement<BoundInForce>(
  'models.in-force-shared',
  `SELECT ${IN_FORCE} FROM models.in_force FOR SHARE`,
);
/** Records that are there before any model was in force have keys of the first way. */
const insertInForce = statement(
  'models.insert-in-force',
  `INSERT INTO models.in_force (active, changed_at, key_scheme, binding)
   SELECT $1, $2, CASE WHEN EXISTS (SELECT FROM registry.source) THEN 1 ELSE $3 END, $4 ON CONFLICT DO NOTHING`,
);
const writeKeyScheme = statement(
  'models.write-key-scheme',
  'UPDATE models.in_force SET key_scheme = $1, changed_at = $2',
);
const writeInForce = statement<{ readonly told: string }>(
  'models.write-in-force',
  `WITH changed AS (UPDATE models.in_force SET active = $1, former = $2::uuid[], shadow = $3, changed_at = $4, binding = $5 RETURNING 1)
   SELECT pg_notify('${CHANNEL}', '')::text AS told FROM changed`,
);

const setInForceBinding = statement('models.bind-in-force', 'UPDATE models.in_force SET binding = $1');

export interface ActivationRow {
  readonly activation_id: ActivationId;
  readonly from_model: ModelId;
  readonly to_model: ModelId;
  readonly kind: 'promote' | 'roll-back' | 're-link' | 're-key';
  readonly at: Date;
  readonly by_user: UserId | null;
  readonly undoes: ActivationId | null;
  readonly job_id: JobId;
  readonly finished_at: Date | null;
  readonly undone_at: Date | null;
}
const ACTIVATION = 'activation_id, from_model, to_model, kind, at, by_user, undoes, job_id, finished_at, undone_at';
const insertActivation = statement(
  'models.insert-activation',
  `INSERT INTO models.activation (activation_id, from_model, to_model, kind, at, by_user, undoes, job_id)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
);
const listActivations = statement<ActivationRow>(
  'models.list-activations',
  `SELECT ${ACTIVATION} FROM models.activation ORDER BY at DESC, activation_id DESC LIMIT $1`,
);
const readActivation = statement<ActivationRow>(
  'models.read-activation',
  `SELECT ${ACTIVATION} FROM models.activation WHERE activation_id = $1`,
);
const finishActivation = statement(
  'models.finish-activation',
  'UPDATE models.activation SET finished_at = $2 WHERE activation_id = $1 AND finished_at IS NULL',
);
const undoActivation = statement(
  'models.undo-activation',
  'UPDATE models.activation SET undone_at = $2 WHERE activation_id = $1',
);

export interface StudyRow {
  readonly study_id: StudyId;
  readonly kind: StudyKind;
  readonly model_id: ModelId | null;
  readonly created_at: Date;
  readonly created_by: UserId | null;
  readonly request: Buffer;
  readonly report: Buffer | null;
  readonly finished_at: Date | null;
}
const STUDY = 'study_id, kind, model_id, created_at, created_by, request, report, finished_at';
const insertStudy = statement(
  'models.insert-study',
  'INSERT INTO models.study (study_id, kind, model_id, created_at, created_by, request) VALUES ($1, $2, $3, $4, $5, $6)',
);
const readStudy = statement<StudyRow>('models.read-study', `SELECT ${STUDY} FROM models.study WHERE study_id = $1`);
/** Without what is large. */
const listStudies = statement<StudyRow>(
  'models.list-studies',
  `SELECT study_id, kind, model_id, created_at, created_by, request, NULL::bytea AS report, finished_at
   FROM models.study ORDER BY created_at DESC LIMIT $1`,
);
const finishStudy = statement(
  'models.finish-study',
  'UPDATE models.study SET report = $2, model_id = coalesce($3, model_id), finished_at = $4 WHERE study_id = $1',
);
const expireStudies = statement('models.expire-studies', 'DELETE FROM models.study WHERE created_at < $1');
const simulated = statement<{ readonly model_id: ModelId; readonly at: Date }>(
  'models.simulated',
  `SELECT model_id, max(finished_at) AS at FROM models.study
   WHERE kind = 'simulation' AND finished_at IS NOT NULL AND model_id IS NOT NULL GROUP BY model_id`,
);

export const store = {
  models: (sql: Sql) => sql.rows(listModels),
  async model(sql: Sql, id: ModelId): Promise<ModelRow | undefined> {
    return (await sql.rows(readModel, [id]))[0];
  },
  async lockModel(tx: Transaction, id: ModelId): Promise<ModelRow | undefined> {
    return (await tx.rows(readModelLocked, [id]))[0];
  },
  modelsOf: (sql: Sql, ids: readonly ModelId[]) => sql.rows(readModels, [ids]),
  async versionOf(sql: Sql, version: string) {
    return (await sql.rows(byVersion, [version]))[0];
  },
  /** False when a model of that name is there. */
  async insertModel(
    sql: Sql,
    row: Omit<ModelRow, 'proposed_by' | 'content_hash' | 'document' | 'detail'> & {
      readonly content_hash: Uint8Array;
      readonly document: Uint8Array;
      readonly detail: Uint8Array;
    },
  ): Promise<boolean> {
    const values = [row.model_id, row.version, row.origin, row.content_hash, row.document, row.detail, row.created_at];
    return (await sql.run(insertModel, [...values, row.created_by])) === 1;
  },
  /** `detail` is what decides; the columns are what lists show. */
  propose: (tx: Transaction, id: ModelId, of: { by: UserId | null; at: Date | null; detail: Uint8Array }) =>
    tx.run(proposeModel, [id, of.by, of.at, of.detail]),

  async inForce(sql: Sql): Promise<BoundInForce | undefined> {
    return (await sql.rows(readInForce))[0];
  },
  async lockInForce(tx: Transaction): Promise<BoundInForce> {
    return whole((await tx.rows(lockInForce))[0]);
  },
  async shareInForce(tx: Transaction): Promise<BoundInForce> {
    return whole((await tx.rows(shareInForce))[0]);
  },
  begin: (
    sql: Sql,
    active: ModelId,
    { keyScheme, at, binding }: { readonly keyScheme: number; readonly at: Date; readonly binding: Uint8Array },
  ) => sql.run(insertInForce, [active, at, keyScheme, binding]),
  bindInForce: (tx: Transaction, binding: Uint8Array) => tx.run(setInForceBinding, [binding]),
  writeKeyScheme: (tx: Transaction, scheme: number, at: Date) => tx.run(writeKeyScheme, [scheme, at]),
  /** Tells every process. */
  async writeInForce(
    tx: Transaction,
    row: Pick<InForceRow, 'active' | 'former' | 'shadow'> & { readonly binding: Uint8Array },
    at: Date,
  ): Promise<void> {
    await tx.rows(writeInForce, [row.active, row.former, row.shadow, at, row.binding]);
  },

  async insertActivation(tx: Transaction, row: Omit<ActivationRow, 'finished_at' | 'undone_at'>): Promise<void> {
    const { activation_id, from_model, to_model, kind, at, by_user, undoes, job_id } = row;
    await tx.run(insertActivation, [activation_id, from_model, to_model, kind, at, by_user, undoes, job_id]);
  },
  /** Newest first. */
  activations: (sql: Sql, limit: number) => sql.rows(listActivations, [limit]),
  async activation(sql: Sql, id: ActivationId): Promise<ActivationRow | undefined> {
    return (await sql.rows(readActivation, [id]))[0];
  },
  finishActivation: (tx: Transaction, id: ActivationId, at: Date) => tx.run(finishActivation, [id, at]),
  undoActivation: (tx: Transaction, id: ActivationId, at: Date) => tx.run(undoActivation, [id, at]),

  async insertStudy(
    tx: Transaction,
    row: Omit<StudyRow, 'report' | 'finished_at' | 'request'> & { readonly request: Uint8Array },
  ): Promise<void> {
    const { study_id, kind, model_id, created_at, created_by, request } = row;
    await tx.run(insertStudy, [study_id, kind, model_id, created_at, created_by, request]);
  },
  async study(sql: Sql, id: StudyId): Promise<StudyRow | undefined> {
    return (await sql.rows(readStudy, [id]))[0];
  },
  studies: (sql: Sql, limit: number) => sql.rows(listStudies, [limit]),
  finishStudy: (
    tx: Transaction,
    id: StudyId,
    done: { readonly report: Uint8Array; readonly modelId: ModelId | null; readonly at: Date },
  ) => tx.run(finishStudy, [id, done.report, done.modelId, done.at]),
  expireStudies: (sql: Sql, before: Date) => sql.run(expireStudies, [before]),
  simulated: (sql: Sql) => sql.rows(simulated),
} as const;

function whole(row: BoundInForce | undefined): BoundInForce {
  if (row === undefined) throw new Error('no matching model is in force');
  return row;
}
