import { setTimeout as wait } from 'node:timers/promises';
import { newId } from '../../crypto/index.ts';
import type { LoadId } from '../../kernel/ids.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { DomainRef } from '../registry/index.ts';
import { type LoadDeps, today } from './deps.ts';
import { loadProblem } from './errors.ts';
import { findReading, HEAD_BYTES } from './file-format.ts';
import { actorName, keepActor } from './kept-actor.ts';
import { domainFor, finish, headerOf, type LoadDetail, runRow, startEvent } from './loads.ts';
import type { MapDocument } from './map-document.ts';
import { isPassing } from './runner.ts';
import { loadContext, sealJson } from './sealing.ts';
import * as sql from './store.ts';
import { firstBytes, type Uploads } from './uploads.ts';
import { countsOf } from './views.ts';
import type { LoadSummary } from './wire.ts';

/** A file that this process can read itself, from its beginning as often as it likes. */
export interface LocalFile {
  readonly fileName: string;
  readonly sizeBytes: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface DirectLoad {
  readonly file: LocalFile;
  readonly domain: string;
  /** May be missing for NDJSON. */
  readonly map?: MapDocument | undefined;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Told while the registry is read before a large load: records read, of about how many. */
  readonly onReading?: (done: number, of: number) => void;
  readonly onProgress?: (progress: {
    readonly rows: number;
    readonly rejected: number;
    readonly bytesDone: number;
  }) => void;
}

const ATTEMPTS_MAX = 6;
const RETRY_MS = 500;

/** Loads a file without spooling it: the command line's way. Throws Problem; what was committed before stays. */
export async function loadDirectly(
  deps: LoadDeps,
  uploads: Uploads,
  { actor, load }: { readonly actor: Actor; readonly load: DirectLoad },
): Promise<LoadSummary> {
  const startedMs = deps.clock.nowMs();
  const { row, detail, domain } = await begin(deps, actor, load);
  try {
    await runWithRetries(deps, row.load_id, (current) =>
      runRow(deps, current, {
        detail,
        actor,
        domain,
        source: load.file.open(),
        signal: load.signal,
        ...(load.onReading && { onReading: load.onReading }),
        onBatch: (counts, bytesDone) => load.onProgress?.({ rows: counts.read, rejected: counts.rejected, bytesDone }),
      }),
    );
    await finish(deps, row, { actor, uploads, state: 'done' });
  } catch (error) {
    await finish(deps, row, { actor, uploads, state: 'failed', errorCode: isProblem(error) ? error.code : 'internal' });
    throw error;
  }
  const [ended] = await deps.database.rows(sql.readLoad, [row.load_id]);
  if (ended === undefined) throw loadProblem('not-found', 'load-not-found', 'The load is gone.');
  const counts = countsOf(ended);
  return { ...counts, seconds: (deps.clock.nowMs() - startedMs) / 1000, loadId: row.load_id, dryRun: load.dryRun };
}

interface Begun {
  readonly row: sql.LoadRow;
  readonly detail: LoadDetail;
  readonly domain: DomainRef;
}

async function begin(deps: LoadDeps, actor: Actor, load: DirectLoad): Promise<Begun> {
  const { file, map, dryRun } = load;
  const bytes = await firstBytes(file.open(), HEAD_BYTES);
  const reading = findReading({ bytes, isWhole: file.sizeBytes <= bytes.length, fileName: file.fileName }, map?.csv);
  const header = headerOf({ reading, map, domain: load.domain, bytes, today: today(deps.clock) });
  const domain = await domainFor(deps, actor, { system: load.domain, dryRun });
  const loadId = newId<LoadId>();
  const detail: LoadDetail = {
    fileName: file.fileName,
    startedBy: actorName(actor),
    actor: keepActor(actor),
    reading,
    header,
    ...(map !== undefined && { map }),
  };
  const now = new Date(deps.clock.nowMs());
  const sealed = sealJson(deps.keyRing, detail, loadContext(loadId));
  const row = await deps.database.transaction(async (tx) => {
    await tx.run(sql.insertLoad, [
      loadId,
      'running',
      null,
      reading.format,
      domain.system,
      dryRun,
      file.sizeBytes,
      now,
      sealed,
    ]);
    await deps.audit.record(tx, [startEvent(actor, loadId, { domain: domain.system, dryRun })]);
    return (await tx.rows(sql.readLoad, [loadId]))[0];
  });
  if (row === undefined) throw loadProblem('not-found', 'load-not-found', 'The load could not be begun.');
  return { row, detail, domain };
}

/** When the database is away for a moment the file is read again and rows that are done are passed over. */
async function runWithRetries(deps: LoadDeps, loadId: string, run: (row: sql.LoadRow) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const [row] = await deps.database.rows(sql.readLoad, [loadId]);
    if (row === undefined) throw loadProblem('not-found', 'load-not-found', 'The load is gone.');
    try {
      return await run(row);
    } catch (error) {
      const wasInterrupted = isProblem(error) && error.code === 'load-interrupted';
      if (!isPassing(error) || wasInterrupted || attempt >= ATTEMPTS_MAX) throw error;
      await wait(RETRY_MS * 2 ** attempt);
    }
  }
}
