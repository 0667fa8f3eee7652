/** Whether a load is worth an image of the registry, and making one. */
import type { Actor } from '../../kernel/principal.ts';
import { fillImage, hasDecisions, IMAGE_BYTES_PER_RECORD } from './image-filling.ts';
import type { Intake } from './intake.ts';
import { createMaker } from './load-making.ts';
import { createLoadSession, type LoadSession } from './load-session.ts';
import type { Submission } from './model.ts';
import type { RoundDeps } from './round-loading.ts';
import { estimateSources, readSourcesByKey, takeTurn } from './store.ts';
import { prepareWork } from './work.ts';

export interface LargeLoad {
  readonly actor: Actor;
  /** The first records: where one of them is there, the file was loaded before, and each is asked about anyway. */
  readonly first: readonly Submission[];
  /** About how many records will come. */
  readonly records: number;
  /** Memory that the image may take. Beyond it the load goes on the ordinary way. */
  readonly bytesMax: number;
  readonly signal?: AbortSignal;
  /** Told how many records of the registry have been read so far, of about how many. */
  readonly onReading?: (done: number, of: number) => void;
}

/** Below this many the ordinary way has done it before an image is worth its while. */
const RECORDS_MIN = 500;
/** Opening a record for the image costs a fifth of what registering one the ordinary way costs more. */
const THERE_PER_NEW_MAX = 2;

/** `undefined`: the ordinary way does as well, or alone is right here. */
export async function openLoad(live: RoundDeps, intake: Intake, load: LargeLoad): Promise<LoadSession | undefined> {
  const deps = { ...live };
  const recordsMax = Math.floor(load.bytesMax / IMAGE_BYTES_PER_RECORD);
  if (load.records < RECORDS_MIN || !isPlain(deps)) return undefined;
  const thereMax = Math.min(recordsMax, load.records * THERE_PER_NEW_MAX);
  if ((await estimateSources(deps.database)) > thereMax || (await hasDecisions(deps.database))) return undefined;
  if (await isThere(deps, load)) return undefined;
  const turn = await deps.database.transaction((tx) => takeTurn(tx, null));
  const { signal, onReading } = load;
  const image = await fillImage(deps, {
    recordsMax: thereMax,
    ...(signal && { signal }),
    ...(onReading && { onReading }),
  });
  if (image === undefined) return undefined;
  const maker = deps.roundMaker?.() ?? createMaker(deps);
  return createLoadSession({ live, deps, intake, image, maker, turn, bytesMax: load.bytesMax });
}

/** One model, one index key, nothing tried beside: what an image is made for. */
function isPlain({ matcher, records, keyRing }: RoundDeps): boolean {
  return matcher.beside === undefined && !records.hasFormer && keyRing.blindAll('registry.blocking', '').length === 1;
}

async function isThere(deps: RoundDeps, { actor, first }: LargeLoad): Promise<boolean> {
  const domains = await deps.domains.table();
  const tokens = first.flatMap(
    (submission) => prepareWork(deps, { actor, submission, options: {} }, domains).keyTokens,
  );
  return (await readSourcesByKey(deps.database, tokens)).length > 0;
}
