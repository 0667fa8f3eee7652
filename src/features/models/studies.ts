/** Long work that reads and reports: training, simulation, evaluation, checks of groups. Nothing is written but the sealed report. */
import { newId } from '../../crypto/index.ts';
import { parseId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { JobData, JobId, RunningJob } from '../../platform/jobs/index.ts';
import type { ModelsDeps } from './deps.ts';
import { studyNotFound, studyRunning } from './errors.ts';
import { actorName, userOf } from './library.ts';
import type { ModelId, StudyId, StudyKind } from './model.ts';
import { openJson, sealJson } from './sealing.ts';
import { store, type StudyRow } from './store.ts';
import type { StudyView } from './wire.ts';

export const STUDY_JOB = 'models.study';
const KEPT_MS = 90 * 86_400_000;

/** What was asked, kept sealed. */
export interface StudyAsked {
  readonly by: string;
  readonly actor: { readonly userId: string | undefined };
  readonly what: unknown;
}

export interface StudyRun {
  readonly id: StudyId;
  readonly asked: StudyAsked;
  readonly signal: AbortSignal;
  /** Shown to whoever waits; counts only. */
  tell(step: string, done: number, total: number): Promise<void>;
}

/** What a kind of study does. A killed one begins again from the start, so whatever it keeps is written with its report. */
export type StudyWork = (run: StudyRun) => Promise<StudyFound>;

export interface StudyFound {
  readonly report: unknown;
  /** The model it is about. */
  readonly modelId?: ModelId;
  /** Writes the model it made, in the transaction that ends the study. */
  readonly keep?: (tx: Transaction) => Promise<ModelId>;
}

export interface Studies {
  begin(
    actor: Actor,
    what: { readonly kind: StudyKind; readonly modelId?: ModelId; readonly request: unknown; readonly model?: string },
  ): Promise<{ readonly study: StudyView; readonly audited: AuditReceipt }>;
  cancel(actor: Actor, id: StudyId): Promise<AuditReceipt>;
  list(): Promise<StudyView[]>;
  view(id: StudyId): Promise<StudyView>;
  /** By the id as text. Throws Problem `study-not-found`. */
  find(id: string): Promise<{ readonly studyId: StudyId; readonly view: StudyView }>;
  /** Throws Problem `study-not-found` while there is no report. */
  report(id: StudyId): Promise<{ readonly row: StudyRow; readonly report: unknown }>;
  work(job: RunningJob): Promise<void>;
}

export function createStudies(deps: ModelsDeps, works: Readonly<Record<StudyKind, StudyWork>>): Studies {
  const view = (row: StudyRow) => viewOf(deps, row);
  const rowOf = async (id: StudyId): Promise<StudyRow> => {
    const row = await store.study(deps.database, id);
    if (!row) throw studyNotFound();
    return row;
  };
  return {
    async begin(actor, { kind, modelId, request, model }) {
      const running = (await store.studies(deps.database, 50)).filter((row) => row.kind === kind && !row.finished_at);
      for (const row of running) {
        const { state } = await view(row);
        if (state === 'waiting' || state === 'running') throw studyRunning();
      }
      const id = newId<StudyId>();
      const asked: StudyAsked = { by: actorName(actor), actor: { userId: userOf(actor) }, what: request };
      const audited = await deps.database.transaction(async (tx) => {
        await store.expireStudies(tx, new Date(deps.clock.nowMs() - KEPT_MS));
        await store.insertStudy(tx, {
          study_id: id,
          kind,
          model_id: modelId ?? null,
          created_at: new Date(deps.clock.nowMs()),
          created_by: userOf(actor) ?? null,
          request: sealJson(deps.keyRing, 'study.request', id, asked),
        });
        // The id of the study is a new one of ours: it names its job as well.
        await deps.jobs.enqueue(tx, STUDY_JOB, { study: id }, parseId<JobId>(id));
        const detail = { kind, study: id, ...(model ? { model } : {}) };
        return await deps.audit.record(tx, [{ actor, event: 'model.study', action: 'C', outcome: 'success', detail }]);
      });
      return { study: await view(await rowOf(id)), audited };
    },
    async cancel(actor, id) {
      const row = await rowOf(id);
      return await deps.database.transaction(async (tx) => {
        const jobId = parseId<JobId>(row.study_id);
        if (jobId) await deps.jobs.cancel(tx, jobId);
        const detail = { kind: row.kind, study: id };
        return await deps.audit.record(tx, [
          { actor, event: 'model.study-cancel', action: 'U', outcome: 'success', detail },
        ]);
      });
    },
    list: async () => await Promise.all((await store.studies(deps.database, 20)).map(view)),
    view: async (id) => await view(await rowOf(id)),
    async find(text) {
      const id = parseId<StudyId>(text);
      if (!id) throw studyNotFound();
      return { studyId: id, view: await view(await rowOf(id)) };
    },
    async report(id) {
      const row = await rowOf(id);
      if (!row.report) throw studyNotFound();
      return { row, report: openJson(deps.keyRing, 'study.report', row.study_id, row.report) };
    },
    work: (job) => workOn(deps, works, job),
  };
}

async function viewOf(deps: ModelsDeps, row: StudyRow): Promise<StudyView> {
  const jobId = parseId<JobId>(row.study_id);
  const job = jobId && (await deps.jobs.read(deps.database, jobId));
  const asked = openJson<StudyAsked>(deps.keyRing, 'study.request', row.study_id, row.request);
  const model = row.model_id ? await store.model(deps.database, row.model_id) : undefined;
  const state = row.finished_at ? 'done' : (job?.state ?? 'failed');
  return {
    id: row.study_id,
    kind: row.kind,
    state: state === 'done' && !row.finished_at ? 'failed' : state,
    ...(model ? { model: model.version } : {}),
    createdAt: row.created_at.toISOString(),
    ...(row.finished_at ? { finishedAt: row.finished_at.toISOString() } : {}),
    by: asked.by,
    ...shown(job?.progress ?? null),
    ...(job?.errorCode ? { error: ERRORS[job.errorCode] ?? ERROR } : {}),
  };
}

async function workOn(deps: ModelsDeps, works: Readonly<Record<StudyKind, StudyWork>>, job: RunningJob): Promise<void> {
  const id = parseId<StudyId>(job.payload['study']);
  const row = id && (await store.study(deps.database, id));
  if (!row || row.finished_at) return;
  const asked = openJson<StudyAsked>(deps.keyRing, 'study.request', row.study_id, row.request);
  let told = 0;
  const run: StudyRun = {
    id: row.study_id,
    asked,
    signal: job.signal,
    async tell(step, done, total) {
      job.signal.throwIfAborted();
      const now = performance.now();
      if (now - told < 500 && done < total) return;
      told = now;
      await job.saveProgress(deps.database, { step, done: Math.floor(done), total: Math.floor(total) });
    },
  };
  const { report, modelId, keep } = await works[row.kind](run);
  job.signal.throwIfAborted();
  await deps.database.transaction(async (tx) => {
    const sealed = sealJson(deps.keyRing, 'study.report', row.study_id, report);
    const at = new Date(deps.clock.nowMs());
    const about = (await keep?.(tx)) ?? modelId ?? null;
    await store.finishStudy(tx, row.study_id, { report: sealed, modelId: about, at });
    await job.saveProgress(tx, { step: 'done', done: 1, total: 1 });
  });
}

function shown(progress: JobData | null): Pick<StudyView, 'step' | 'done' | 'total'> {
  const { step, done, total } = progress ?? {};
  return {
    ...(typeof step === 'string' ? { step } : {}),
    done: typeof done === 'number' ? done : 0,
    total: typeof total === 'number' ? total : 0,
  };
}

const ERROR = 'It could not be ended; the server’s log says more. Nothing of the registry was changed. Begin it again.';
const ERRORS: Readonly<Record<string, string>> = {
  'too-few-records': 'There are too few records to train on. The shipped model works without training.',
  'map-columns-missing':
    'The file lacks a column that the mapping or the truth names. Nothing was kept. Upload it again.',
  'truth-in-map':
    'The mapping uses the column of the truth: then every model would be perfect. Leave it out, and upload again.',
  'file-too-large': 'The file has more than 100,000 rows. Use `careseal evaluate` on the command line.',
  'file-empty': 'The file has no rows that can be read.',
  'upload-not-found': 'The file is not here any more. Upload it again.',
  'too-few-labels': 'There are too few decided pairs to train on. Train without them.',
  'model-exists': 'A model of this name was added meanwhile. Begin again with another name.',
  'model-unsound': 'What training found would link strangers: the records are too few or too alike. Nothing was added.',
};
