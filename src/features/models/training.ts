/** Training on the registry's own records, without labels or with what people decided besides. */
import type { Transaction } from '../../platform/db/sql.ts';
import { type RecordsTrained, startRecordsTrainer } from '../linkage/index.ts';
import { compileModel, type MatchingModel, prepare, score } from '../matching/index.ts';
import type { LabelledPair } from '../registry/index.ts';
import type { ModelsDeps } from './deps.ts';
import { tooFewLabels, tooFewRecords } from './errors.ts';
import { addModel } from './library.ts';
import type { StudyRun, StudyWork } from './studies.ts';
import type { LabelCounts, ModelDetail, TrainRequest } from './wire.ts';

/** Fewer hold too few pairs of one person to learn anything from. */
const RECORDS_MIN = 500;
/** Of each kind. */
export const LABELS_NEEDED = 50;
const PAGE = 500;

export interface TrainingReport {
  readonly version: string;
  readonly records: number;
  readonly drawn: number;
  readonly converged: boolean;
  readonly rounds: number;
  readonly matchesExpected: number;
  readonly householdsExpected: number;
  readonly labels: Omit<LabelCounts, 'needed'> | undefined;
}

export function training(deps: ModelsDeps): StudyWork {
  return async (run) => {
    // Parsed by the route that asked.
    const asked = run.asked.what as TrainRequest;
    const records = await deps.registry.sources(deps.database);
    if (records < RECORDS_MIN) throw tooFewRecords(RECORDS_MIN);
    const labels = asked.labels ? await deps.registry.labels() : [];
    if (asked.labels) assertEnough(labels);
    const trained = await train(deps, run, { asked, records, labels });
    const version = trained.model.version;
    const notes = asked.notes;
    const document = labels.length > 0 ? withLabelledThreshold(trained.model, labels) : trained.model;
    const actor = {
      principal: { kind: 'system' as const, permissions: new Set<never>() },
      origin: { door: 'background' as const, requestId: run.id },
    };
    const keep = async (tx: Transaction) => {
      const row = await addModel(deps, tx, { document, origin: 'trained', notes, actor, createdBy: run.asked.by });
      await deps.audit.record(tx, [
        {
          actor,
          event: 'model.add',
          action: 'C',
          outcome: 'success',
          detail: { model: version, origin: 'trained', study: run.id },
        },
      ]);
      return row.model_id;
    };
    const { model: _, records: drawn, ...told } = trained;
    const counted = labels.length > 0 ? countsOf(labels) : undefined;
    const report: TrainingReport = { version, records, drawn, ...told, labels: counted };
    return { report, keep };
  };
}

function countsOf(labels: readonly LabelledPair[]) {
  const same = labels.filter((pair) => pair.same).length;
  return { same, different: labels.length - same };
}

function assertEnough(labels: readonly LabelledPair[]): void {
  const { same, different } = countsOf(labels);
  if (Math.min(same, different) < LABELS_NEEDED) throw tooFewLabels(LABELS_NEEDED);
}

async function train(
  deps: ModelsDeps,
  run: StudyRun,
  what: { readonly asked: TrainRequest; readonly records: number; readonly labels: readonly LabelledPair[] },
): Promise<RecordsTrained> {
  const { asked, records, labels } = what;
  const wanted = Math.min(records, asked.recordsMax);
  const trainer = startRecordsTrainer();
  const stop = (): void => void trainer.end();
  run.signal.addEventListener('abort', stop, { once: true });
  try {
    let given = 0;
    for await (const page of deps.registry.drawRecords({ seed: asked.seed, share: wanted / records }, PAGE)) {
      run.signal.throwIfAborted();
      await trainer.add(page);
      given += page.length;
      await run.tell('reading records', given, wanted);
    }
    await run.tell('training', 0, 1);
    const decided = labels.length > 0 ? ` and ${labels.length} pairs that people decided` : ', without labels';
    return await trainer.train({
      version: asked.version,
      description: `Trained on ${given} of the registry's own records${decided}.`,
      seed: asked.seed,
      // As careful as the shipped one: a record that arrives is compared with few, not with the whole registry.
      thresholds: deps.shipped.thresholds,
      labelled: labels,
    });
  } finally {
    run.signal.removeEventListener('abort', stop);
    await trainer.end();
  }
}

/** Links are made from where at most one in a hundred decided pairs were two people; never lower than before. */
function withLabelledThreshold(document: MatchingModel, labels: readonly LabelledPair[]): MatchingModel {
  const model = compileModel(document);
  const scored = labels.map(({ a, b, same }) => ({
    same,
    score: score(model, prepare(model, a), prepare(model, b)).score,
  }));
  scored.sort((x, y) => y.score - x.score);
  let wrong = 0;
  let match = document.thresholds.match;
  for (const [at, one] of scored.entries()) {
    if (one.score < document.thresholds.match) break;
    if (!one.same) wrong++;
    if (wrong > (at + 1) / 100) match = Math.max(match, Math.min(0.999_999, (one.score + 1) / 2));
  }
  return { ...document, thresholds: { ...document.thresholds, match } };
}

/** How a model would have decided what people decided. */
export function judgedBy(document: MatchingModel, labels: readonly LabelledPair[]): NonNullable<ModelDetail['judged']> {
  const model = compileModel(document);
  const none = () => ({ link: 0, review: 0, none: 0 });
  const judged = { same: none(), different: none() };
  for (const { a, b, same } of labels) {
    const { decision } = score(model, prepare(model, a), prepare(model, b));
    const of = same ? judged.same : judged.different;
    of[decision === 'match' ? 'link' : decision]++;
  }
  return judged;
}
