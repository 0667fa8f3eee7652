import { newId } from '../../crypto/index.ts';
import { type LoadId, parseId } from '../../kernel/ids.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import type { JobId, RunningJob } from '../../platform/jobs/index.ts';
import type { DomainRef } from '../registry/index.ts';
import { type LoadDeps, today } from './deps.ts';
import { loadNotFound, loadProblem } from './errors.ts';
import { isOwn, ownerOf } from './owner.ts';
import { type FileReading, findReading } from './file-format.ts';
import { actorName, type KeptActor, keepActor, restoreActor } from './kept-actor.ts';
import type { MapDocument } from './map-document.ts';
import { createRowReader } from './row-reader.ts';
import { isPassing, runLoad, type Run } from './runner.ts';
import { loadContext, openJson, sealJson } from './sealing.ts';
import * as sql from './store.ts';
import { type Audited, headOf, isOwnUpload, uploadNotFound, type Uploads } from './uploads.ts';
import type { LoadView, StartLoad } from './views.ts';
import { viewOfLoad } from './views.ts';

export const JOB_KIND = 'load.run';

/** What is kept sealed about a load. */
export interface LoadDetail {
  readonly fileName: string;
  readonly startedBy: string;
  readonly actor: KeptActor;
  /** Which file, under the seal; absent in loads of earlier versions and of the command line. */
  readonly uploadId?: string;
  readonly map?: MapDocument;
  readonly reading: FileReading;
  /** The CSV header, for the file of rejected rows; empty for NDJSON. */
  readonly header: readonly string[];
}

export interface Loads {
  start(actor: Actor, request: StartLoad): Promise<Audited<LoadView>>;
  /** Those of the actor's organisations; a load of another one is not there for them. */
  list(actor: Actor): Promise<LoadView[]>;
  read(actor: Actor, loadId: string): Promise<LoadView>;
  detail(actor: Actor, loadId: string): Promise<LoadDetail>;
  cancel(actor: Actor, loadId: string): Promise<Audited<LoadView>>;
  /** The job's handler: runs a load, or goes on with one. */
  work(job: RunningJob): Promise<void>;
}

const LISTED_MAX = 200;

export function createLoads(deps: LoadDeps, uploads: Uploads): Loads {
  return {
    start: (actor, request) => start(deps, uploads, { actor, request }),
    async list({ principal }) {
      const reach = reachOf(principal, 'client.load');
      const rows = await deps.database.rows(sql.listLoads, [LISTED_MAX, reach === 'all' ? null : reach]);
      const own = rows.filter((row) => isOwnLoad(deps, principal, row));
      return await Promise.all(own.map((row) => view(deps, row)));
    },
    read: async (actor, loadId) => await view(deps, await rowFor(deps, actor, loadId)),
    detail: async (actor, loadId) => detailOf(deps, await rowFor(deps, actor, loadId)),
    cancel: (actor, loadId) => cancel(deps, actor, loadId),
    work: (job) => work(deps, uploads, job),
  };
}

async function view(deps: LoadDeps, row: sql.LoadRow): Promise<LoadView> {
  const job = parseId<JobId>(row.load_id);
  const going = row.state === 'waiting' || row.state === 'running';
  const state =
    going && row.upload_id !== null && job !== undefined
      ? (await deps.jobs.read(deps.database, job))?.state
      : undefined;
  return viewOfLoad(row, { detail: detailOf(deps, row), jobState: state, nowMs: deps.clock.nowMs() });
}

async function rowOf(deps: LoadDeps, loadId: string): Promise<sql.LoadRow> {
  const [row] = await deps.database.rows(sql.readLoad, [loadId]);
  if (row === undefined) throw loadNotFound();
  return row;
}

async function rowFor(deps: LoadDeps, { principal }: Actor, loadId: string): Promise<sql.LoadRow> {
  const row = await rowOf(deps, loadId);
  if (!isOwnLoad(deps, principal, row)) throw loadNotFound();
  return row;
}

/** Whose the load is, by its seal: whoever writes to the database could give it to another organisation. */
function isOwnLoad(deps: Pick<LoadDeps, 'keyRing'>, principal: Principal, row: sql.LoadRow): boolean {
  return isOwn(principal, ownerOf(restoreActor(detailOf(deps, row).actor).principal));
}

export function detailOf(deps: Pick<LoadDeps, 'keyRing'>, row: sql.LoadRow): LoadDetail {
  return openJson<LoadDetail>(deps.keyRing, row.detail, loadContext(row.load_id));
}

/**
 * The domain's number. A dry run claims nothing: a domain that does not exist yet has the number 0, which no domain has, and
 * the registry undoes what was filed under it.
 */
export async function domainFor(
  deps: LoadDeps,
  actor: Actor,
  what: { readonly system: string; readonly dryRun: boolean },
): Promise<DomainRef> {
  const known = what.dryRun ? await deps.domains.resolve(what.system) : undefined;
  if (what.dryRun && known === undefined) return { id: 0, system: what.system };
  // Also for a dry run in a domain that exists: it refuses what is not the actor's own.
  const { id, system } = await deps.domains.ensureForUsers(what.system, actor);
  return { id, system };
}

interface Starting {
  readonly actor: Actor;
  readonly request: StartLoad;
}

async function start(deps: LoadDeps, uploads: Uploads, { actor, request }: Starting): Promise<Audited<LoadView>> {
  const { uploadId, map, dryRun } = request;
  const [upload] = await deps.database.rows(sql.readUpload, [uploadId]);
  if (upload === undefined || !isOwnUpload(deps.keyRing, actor.principal, upload)) throw uploadNotFound();
  const { reading, header, fileName } = await checkBeginning(deps, uploads, { upload, request });
  const domain = await domainFor(deps, actor, { system: request.domain, dryRun });
  const loadId = newId<LoadId>();
  const detail: LoadDetail = {
    fileName,
    startedBy: actorName(actor),
    actor: keepActor(actor),
    uploadId,
    reading,
    header,
    ...(map !== undefined && { map }),
  };
  const audited = await deps.database.transaction(async (tx) => {
    const [locked] = await tx.rows(sql.lockUpload, [uploadId]);
    if (locked === undefined) throw uploadNotFound();
    await refuseTaken(deps, locked);
    await tx.run(sql.claimUpload, [uploadId, loadId]);
    const sealed = sealJson(deps.keyRing, detail, loadContext(loadId));
    await tx.run(sql.insertLoad, [
      loadId,
      'waiting',
      uploadId,
      reading.format,
      domain.system,
      dryRun,
      upload.size_bytes,
      new Date(deps.clock.nowMs()),
      sealed,
    ]);
    await tx.run(sql.ownLoad, [loadId, ownerOf(actor.principal)]);
    await deps.jobs.enqueue(tx, JOB_KIND, {}, parseId<JobId>(loadId));
    return await deps.audit.record(tx, [startEvent(actor, loadId, { domain: domain.system, dryRun })]);
  });
  return { value: await view(deps, await rowOf(deps, loadId)), audited };
}

export function startEvent(actor: Actor, loadId: string, what: { readonly domain: string; readonly dryRun: boolean }) {
  return {
    actor,
    event: 'load.start',
    action: 'E',
    outcome: 'success',
    entities: [{ reference: `Load/${loadId}`, role: 'job' }],
    detail: { domain: what.domain, dryRun: String(what.dryRun) },
  } as const;
}

/** One upload, one load at a time: a dry run may be followed by the real one, two at once would count everything twice. */
async function refuseTaken(deps: LoadDeps, upload: sql.UploadRow): Promise<void> {
  if (upload.load_id === null) return;
  const { state } = await view(deps, await rowOf(deps, upload.load_id));
  if (state !== 'waiting' && state !== 'running') return;
  throw loadProblem(
    'conflict',
    'upload-in-use',
    'This file is being loaded already. Wait for that, or cancel it first.',
  );
}

/** Fails before anything is started when the mapping does not fit the header. */
async function checkBeginning(
  deps: LoadDeps,
  uploads: Uploads,
  { upload, request }: { readonly upload: sql.UploadRow; readonly request: StartLoad },
): Promise<{ reading: FileReading; header: readonly string[]; fileName: string }> {
  const head = await headOf({ keyRing: deps.keyRing, spool: uploads.spool }, upload);
  const { bytes, fileName } = head;
  const reading = findReading(head, request.map?.csv);
  return { reading, fileName, header: headerOf({ ...request, reading, bytes, today: today(deps.clock) }) };
}

export function headerOf(input: {
  readonly reading: FileReading;
  readonly map?: MapDocument | undefined;
  readonly domain: string;
  readonly bytes: Uint8Array;
  readonly today: string;
}): readonly string[] {
  const reader = createRowReader({ ...input, map: input.map });
  reader.push(input.bytes);
  if (reader.header.length === 0) reader.end();
  return reader.header;
}

async function cancel(deps: LoadDeps, actor: Actor, loadId: string): Promise<Audited<LoadView>> {
  const row = await rowFor(deps, actor, loadId);
  const job = parseId<JobId>(loadId);
  const audited: AuditReceipt = await deps.database.transaction(async (tx) => {
    const [ended] = await tx.rows(sql.finishLoad, [row.load_id, 'cancelled', null, new Date(deps.clock.nowMs())]);
    if (ended === undefined)
      throw loadProblem('conflict', 'load-over', 'This load is over already. What it registered stays.');
    if (row.upload_id !== null && job !== undefined) await deps.jobs.cancel(tx, job);
    return await deps.audit.record(tx, [
      {
        actor,
        event: 'load.cancel',
        action: 'U',
        outcome: 'success',
        entities: [{ reference: `Load/${loadId}`, role: 'job' }],
      },
    ]);
  });
  return { value: await view(deps, await rowOf(deps, loadId)), audited };
}

async function work(deps: LoadDeps, uploads: Uploads, job: RunningJob): Promise<void> {
  const [row] = await deps.database.rows(sql.beginLoad, [job.id, new Date(deps.clock.nowMs())]);
  if (row === undefined || row.upload_id === null) return;
  const detail = detailOf(deps, row);
  // The row says which file; the seal says whether somebody has exchanged it for another organisation's.
  if (detail.uploadId !== undefined && detail.uploadId !== row.upload_id) throw uploadNotFound();
  const actor = restoreActor(detail.actor);
  const access = watchAccess(deps, actor);
  try {
    await access.check();
    const domain = await domainFor(deps, actor, { system: row.domain, dryRun: row.dry_run });
    const signal = AbortSignal.any([job.signal, access.ended]);
    await runRow(deps, row, { detail, actor, domain, source: uploads.spool.read(row.upload_id), signal });
    await finish(deps, row, { actor, uploads, state: 'done' });
  } catch (error) {
    if (access.ended.aborted) {
      // What was committed stays, under the name of who had the right then; nothing more comes in.
      return await finish(deps, row, { actor, uploads, state: 'failed', errorCode: 'access-ended' });
    }
    // What passes is tried again by the job; a cancelled load has said so itself.
    if (isPassing(error) || job.signal.aborted) throw error;
    await finish(deps, row, { actor, uploads, state: 'failed', errorCode: isProblem(error) ? error.code : 'internal' });
    throw error;
  } finally {
    access.stop();
  }
}

const ACCESS_EVERY_MS = 1_000;

/** Looks every second whether who the load acts for still may: ending their access ends it too. */
function watchAccess({ stillMay }: LoadDeps, { principal }: Actor) {
  const over = new AbortController();
  const check = async (): Promise<void> => {
    if (stillMay === undefined || (await stillMay(principal, 'client.load'))) return;
    over.abort();
    throw loadProblem('forbidden', 'access-ended', 'The access of who started this load has ended.');
  };
  const timer = setInterval(() => {
    // A database that does not answer ends nothing; the load itself meets it too.
    check().catch(() => undefined);
  }, ACCESS_EVERY_MS);
  timer.unref();
  return { ended: over.signal, check, stop: () => clearInterval(timer) };
}

interface RunRow extends Pick<Run, 'actor' | 'domain' | 'source' | 'signal' | 'onBatch' | 'onReading'> {
  readonly detail: LoadDetail;
}

/** Runs a load's row from where it stands. A dry run keeps nothing, so it begins anew. */
export async function runRow(deps: LoadDeps, row: sql.LoadRow, run: RunRow): Promise<void> {
  if (row.dry_run) {
    await deps.database.run(sql.resetCounts, [row.load_id]);
    await deps.database.run(sql.deleteNotices, [row.load_id]);
  }
  const { detail } = run;
  const reader = createRowReader({
    reading: detail.reading,
    map: detail.map,
    domain: row.domain,
    today: today(deps.clock),
  });
  const rowsDone = row.dry_run ? 0 : Number(row.rows_done);
  const bytesTotal = Number(row.bytes_total);
  const noted = noteReading(deps, row.load_id);
  const onReading = (done: number, of: number): void => {
    noted(done, of);
    run.onReading?.(done, of);
  };
  await runLoad(deps, { ...run, onReading, loadId: row.load_id, dryRun: row.dry_run, rowsDone, bytesTotal, reader });
}

const READING_NOTED_EVERY_MS = 1_000;

/** Writes down how far the registry is read, now and then: minutes of it would look like a load that nobody works at. */
function noteReading(deps: LoadDeps, loadId: string): (done: number, of: number) => void {
  let notedMs = 0;
  return (done, of) => {
    const nowMs = deps.clock.nowMs();
    if (nowMs - notedMs < READING_NOTED_EVERY_MS) return;
    notedMs = nowMs;
    // A note that is lost is no reason to stop.
    deps.database.run(sql.noteReading, [loadId, done, of, new Date(nowMs)]).catch(() => undefined);
  };
}

interface Finish {
  readonly actor: Actor;
  readonly uploads: Uploads;
  readonly state: 'done' | 'failed';
  readonly errorCode?: string;
}

/** Ends a load: its state, its event, and the uploaded file, which nobody needs after a real load. */
export async function finish(
  deps: LoadDeps,
  row: sql.LoadRow,
  { actor, uploads, state, errorCode }: Finish,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const [ended] = await tx.rows(sql.finishLoad, [
      row.load_id,
      state,
      errorCode ?? null,
      new Date(deps.clock.nowMs()),
    ]);
    if (ended === undefined) return; // cancelled meanwhile
    if (row.upload_id !== null && state === 'done' && !row.dry_run) {
      await uploads.spool.remove(tx, row.upload_id);
      await tx.run(sql.deleteUpload, [row.upload_id]);
    }
    await deps.audit.record(tx, [
      {
        actor,
        event: 'load.finish',
        action: 'E',
        outcome: state === 'done' ? 'success' : 'serious-failure',
        entities: [{ reference: `Load/${row.load_id}`, role: 'job' }],
        ...(errorCode !== undefined && { reason: errorCode }),
      },
    ]);
  });
}
