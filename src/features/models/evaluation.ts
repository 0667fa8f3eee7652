/** Judging a model by a file of which somebody knows the truth. The file lies in memory and sealed, and is forgotten afterwards. */
import { parseId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { startEvaluator } from '../linkage/index.ts';
import type { Evaluation } from '../linkage/wire.ts';
import type { ModelsDeps } from './deps.ts';
import { fileNotCsv, fileTooLarge, uploadGone } from './errors.ts';
import { documentOf, modelRow } from './library.ts';
import type { ModelId } from './model.ts';
import type { StudyRun, StudyWork } from './studies.ts';
import type { EvaluateRequest } from './wire.ts';

const FILE_BYTES_MAX = 20_000_000;
const ROWS_MAX = 100_000;
const TELL_EVERY_MS = 500;
const SEED = 1;

export interface EvaluationKept {
  readonly fileName: string;
  readonly truth: string;
  readonly found: Evaluation;
}

/** Only one's own upload, only CSV, only so large. Throws Problem before anything is begun. */
export async function assertEvaluable(
  { uploads }: Pick<ModelsDeps, 'uploads'>,
  actor: Actor,
  { uploadId }: EvaluateRequest,
): Promise<void> {
  const { sizeBytes, format } = await uploads.own(actor, uploadId);
  if (sizeBytes > FILE_BYTES_MAX) throw fileTooLarge();
  if (format !== 'csv') throw fileNotCsv();
}

export function evaluation(deps: ModelsDeps): StudyWork {
  return async (run) => {
    // Parsed by the route that asked.
    const asked = run.asked.what as EvaluateRequest;
    const file = await deps.uploads.held(asked.uploadId);
    if (!file) throw uploadGone();
    try {
      const found = await judged(deps, run, { asked, file });
      await deps.uploads.forget(asked.uploadId);
      const report: EvaluationKept = { fileName: file.fileName, truth: asked.truth, found };
      return { report };
    } catch (error) {
      // Interrupted work begins again and needs the file; nobody else does.
      if (!run.signal.aborted) await deps.uploads.forget(asked.uploadId);
      throw error;
    }
  };
}

interface Judging {
  readonly asked: EvaluateRequest;
  readonly file: { readonly fileName: string; readonly bytes: SharedArrayBuffer };
}

async function judged(deps: ModelsDeps, run: StudyRun, { asked, file }: Judging): Promise<Evaluation> {
  const id = parseId<ModelId>(asked.modelId);
  const model = id && documentOf(deps, await modelRow(deps.database, id));
  const evaluator = startEvaluator();
  const stop = (): void => void evaluator.end();
  run.signal.addEventListener('abort', stop, { once: true });
  const telling = setInterval(() => {
    const { name, at, of } = evaluator.step();
    // Told again with the next step; an abort ends the thread.
    run.tell(name, at, of).catch(() => undefined);
  }, TELL_EVERY_MS);
  try {
    return await evaluator.run({
      file,
      map: asked.map,
      truth: asked.truth,
      model,
      seed: SEED,
      today: new Date(deps.clock.nowMs()).toISOString().slice(0, 10),
      rowsMax: ROWS_MAX,
    });
  } finally {
    clearInterval(telling);
    run.signal.removeEventListener('abort', stop);
    await evaluator.end();
  }
}
