import { instant } from '../../kernel/time.ts';
import type { JobState } from '../../platform/jobs/index.ts';
import type { MapDocument } from './map-document.ts';
import type { LoadRow } from './store.ts';
import type { LoadView } from './wire.ts';

export type { LoadView } from './wire.ts';

export interface StartLoad {
  readonly uploadId: string;
  readonly domain: string;
  readonly map?: MapDocument | undefined;
  readonly dryRun: boolean;
}

export interface ViewInput {
  readonly detail: { readonly fileName: string; readonly startedBy: string };
  /** State of the job that runs it; `undefined` for a load from the command line. */
  readonly jobState: JobState | undefined;
  readonly nowMs: number;
}

/** A command that has not moved for so long was killed: only it could have gone on. */
const SILENT_MS = 120_000;

export function viewOfLoad(row: LoadRow, { detail, jobState, nowMs }: ViewInput): LoadView {
  const lost = isLost(row, jobState, nowMs);
  const state = lost ? 'failed' : row.state;
  const code = lost ? 'load-interrupted' : row.error_code;
  return {
    id: row.load_id,
    state,
    fileName: detail.fileName,
    format: row.format,
    domain: row.domain,
    dryRun: row.dry_run,
    bytesTotal: Number(row.bytes_total),
    bytesDone: Number(row.bytes_done),
    ...(state === 'running' &&
      row.registry_read !== null && {
        reading: { done: Number(row.registry_read), of: Number(row.registry_total ?? row.registry_read) },
      }),
    counts: countsOf(row),
    seconds: Number(row.work_ms) / 1000,
    ...(code !== null && { error: { code, text: errorText(code) } }),
    startedBy: detail.startedBy,
    startedAt: instant(row.started_at.getTime()),
    ...(row.finished_at !== null && { finishedAt: instant(row.finished_at.getTime()) }),
    rejectedAvailable: row.count_rejected > 0n,
    warningsAvailable: row.count_warnings > 0n,
  };
}

export function countsOf(row: LoadRow): LoadView['counts'] {
  return {
    read: Number(row.count_read),
    created: Number(row.count_created),
    updated: Number(row.count_updated),
    unchanged: Number(row.count_unchanged),
    linked: Number(row.count_linked),
    reviews: Number(row.count_reviews),
    rejected: Number(row.count_rejected),
    warnings: Number(row.count_warnings),
  };
}

function isLost(row: LoadRow, jobState: JobState | undefined, nowMs: number): boolean {
  if (row.state !== 'waiting' && row.state !== 'running') return false;
  if (row.upload_id === null) return nowMs - row.touched_at.getTime() > SILENT_MS;
  return jobState === 'failed' || jobState === 'cancelled' || jobState === undefined;
}

const TEXTS: Readonly<Record<string, string>> = {
  'load-interrupted':
    'It was interrupted. What was committed stays; load the file again to go on, nothing is registered twice.',
  'access-ended':
    'The access of who started it has ended. What was committed before stays; somebody else can load the file again.',
  'map-columns-missing': 'The file does not have the columns that the mapping names. Nothing was loaded.',
  'map-incomplete': 'The mapping does not say which column names a record. Nothing was loaded.',
  'file-empty': 'The file is empty. Nothing was loaded.',
  'domain-owned': 'The domain belongs to somebody else. Nothing was loaded.',
};

function errorText(code: string): string {
  return (
    TEXTS[code] ?? 'It stopped because of an error. What was committed before stays; load the file again to go on.'
  );
}
