import { newId } from '../../crypto/index.ts';
import { type Branded, uuidV7 } from '../../kernel/ids.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import type { KeyRing } from '../../store/index.ts';
import { type LoadDeps, today } from './deps.ts';
import { loadProblem } from './errors.ts';
import { type FileHead, HEAD_BYTES, inspect } from './file-format.ts';
import type { MapDocument } from './map-document.ts';
import { type Preview, previewRows } from './preview.ts';
import { openJson, sealJson, uploadContext } from './sealing.ts';
import { createSpool, full, type Spool, WAITING_BYTES_EACH } from './spool.ts';
import { isOwn, ownerOf } from './owner.ts';
import {
  deleteOrphans,
  deleteUpload,
  expiredUploads,
  insertUpload,
  readUpload,
  type UploadRow,
  waitingBytesOf,
} from './store.ts';
import type { UploadView } from './wire.ts';

export interface Audited<T> {
  readonly value: T;
  readonly audited: AuditReceipt;
}

/** Uploaded files waiting to be loaded. */
export interface Uploads {
  readonly spool: Spool;
  receive(
    actor: Actor,
    file: { readonly fileName: string; readonly body: AsyncIterable<Uint8Array> },
  ): Promise<Audited<UploadView>>;
  view(actor: Actor, uploadId: string): Promise<Audited<UploadView>>;
  preview(
    actor: Actor,
    uploadId: string,
    request: { readonly map: MapDocument; readonly domain?: string | undefined },
  ): Promise<Audited<Preview>>;
  /** A file that somebody uploaded, for other features that read it whole. Throws Problem `upload-not-found`. */
  own(actor: Actor, uploadId: string): Promise<{ readonly sizeBytes: number; readonly format: string }>;
  /** Its bytes in memory shared between threads; undefined when it was forgotten. */
  held(uploadId: string): Promise<{ readonly fileName: string; readonly bytes: SharedArrayBuffer } | undefined>;
  forget(uploadId: string): Promise<void>;
  /** Forgets what nobody loaded within a day. */
  clean(): Promise<void>;
}

interface UploadDetail {
  readonly fileName: string;
  /** Whose it is, under the seal: the row's column is for lists. Absent in uploads of earlier versions, which are gone after a day. */
  readonly owner?: string | null;
}

const KEPT_MS = 24 * 3_600_000;

export function createUploads(deps: LoadDeps): Uploads {
  const spool = createSpool(deps, HEAD_BYTES);
  const look = { ...deps, spool, arriving: new Map<string, number>() };
  return {
    spool,
    receive: (actor, file) => receive(look, actor, file),
    async view(actor, uploadId) {
      const row = await found(deps, actor, uploadId);
      const head = await headOf(look, row);
      const sizeBytes = Number(row.size_bytes);
      const about = { uploadId, fileName: head.fileName, sizeBytes, expiresAtMs: row.expires_at.getTime() };
      return { value: viewOf(about, inspect(head, today(deps.clock))), audited: await looked(deps, actor, uploadId) };
    },
    async preview(actor, uploadId, request) {
      const head = await headOf(look, await found(deps, actor, uploadId));
      return { value: previewRows(head, request, today(deps.clock)), audited: await looked(deps, actor, uploadId) };
    },
    async own(actor, uploadId) {
      const row = await found(deps, actor, uploadId);
      return { sizeBytes: Number(row.size_bytes), format: row.format };
    },
    held: (uploadId) => held(look, uploadId),
    async forget(uploadId) {
      await deps.database.transaction(async (tx) => {
        await spool.remove(tx, uploadId);
        await tx.run(deleteUpload, [uploadId]);
      });
    },
    clean: () => clean(look),
  };
}

type UploadDeps = LoadDeps & { readonly spool: Spool; readonly arriving: Map<string, number> };

/** Files that arrive at once for one organisation: none of them is counted before it is whole. */
const ARRIVING_MAX = 2;

/** Hands on how many bytes the sender's organisation may still have waiting. Throws `uploads-full`. */
async function withShare<T>(
  { database, arriving }: UploadDeps,
  principal: Principal,
  work: (roomBytes: number) => Promise<T>,
): Promise<T> {
  const owner = ownerOf(principal);
  const name = owner ?? '';
  const now = arriving.get(name) ?? 0;
  if (now >= ARRIVING_MAX) throw full();
  arriving.set(name, now + 1);
  try {
    const [row] = await database.rows(waitingBytesOf, [owner]);
    const room = WAITING_BYTES_EACH - Number(row?.bytes ?? 0);
    if (room <= 0) throw full();
    return await work(room);
  } finally {
    const left = (arriving.get(name) ?? 1) - 1;
    if (left > 0) arriving.set(name, left);
    else arriving.delete(name);
  }
}

async function receive(
  deps: UploadDeps,
  actor: Actor,
  file: { readonly fileName: string; readonly body: AsyncIterable<Uint8Array> },
): Promise<Audited<UploadView>> {
  const { database, keyRing, clock, spool } = deps;
  const { fileName } = file;
  const uploadId = newId<Branded<'UploadId'>>();
  const { sizeBytes, head } = await withShare(deps, actor.principal, (room) => spool.write(uploadId, file.body, room));
  try {
    const inspected = inspect({ bytes: head, isWhole: sizeBytes <= head.length, fileName }, today(clock));
    const nowMs = clock.nowMs();
    const owner = ownerOf(actor.principal);
    const detail = sealJson(keyRing, { fileName, owner } satisfies UploadDetail, uploadContext(uploadId));
    const times = [new Date(nowMs), new Date(nowMs + KEPT_MS)];
    const entities = [{ reference: `Upload/${uploadId}`, role: 'job' }] as const;
    const audited = await database.transaction(async (tx) => {
      await tx.run(insertUpload, [uploadId, sizeBytes, inspected.reading.format, ...times, detail, owner]);
      return await deps.audit.record(tx, [{ actor, event: 'load.upload', action: 'C', outcome: 'success', entities }]);
    });
    return { value: viewOf({ uploadId, fileName, sizeBytes, expiresAtMs: nowMs + KEPT_MS }, inspected), audited };
  } catch (error) {
    await spool.remove(database, uploadId);
    throw error;
  }
}

async function found({ database, keyRing }: LoadDeps, { principal }: Actor, uploadId: string): Promise<UploadRow> {
  const [row] = await database.rows(readUpload, [uploadId]);
  if (row === undefined || !isOwnUpload(keyRing, principal, row)) throw uploadNotFound();
  return row;
}

/** Whose the file is, by its seal: whoever writes to the database could give it to another organisation. */
export function isOwnUpload(keyRing: KeyRing, principal: Principal, row: UploadRow): boolean {
  const { owner } = openJson<UploadDetail>(keyRing, row.detail, uploadContext(row.upload_id));
  return isOwn(principal, owner === undefined ? row.organisation_id : owner);
}

async function held({ database, keyRing, spool }: UploadDeps, uploadId: string) {
  const [row] = await database.rows(readUpload, [uploadId]);
  if (row === undefined) return undefined;
  const { fileName } = openJson<UploadDetail>(keyRing, row.detail, uploadContext(uploadId));
  const bytes = new SharedArrayBuffer(Number(row.size_bytes));
  const whole = new Uint8Array(bytes);
  let at = 0;
  for await (const piece of spool.read(uploadId)) {
    whole.set(piece, at);
    at += piece.length;
  }
  return { fileName, bytes };
}

/** The beginning of an uploaded file, opened again. */
export async function headOf(deps: Pick<UploadDeps, 'keyRing' | 'spool'>, row: UploadRow): Promise<FileHead> {
  const { fileName } = openJson<UploadDetail>(deps.keyRing, row.detail, uploadContext(row.upload_id));
  const bytes = await firstBytes(deps.spool.read(row.upload_id), HEAD_BYTES);
  return { bytes, isWhole: Number(row.size_bytes) <= bytes.length, fileName };
}

export async function firstBytes(pieces: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    held.push(piece);
    length += piece.length;
    if (length >= most) break;
  }
  return Buffer.concat(held).subarray(0, most);
}

/** Samples are people's data: looking at them is an event like any other. */
function looked({ audit }: LoadDeps, actor: Actor, uploadId: string): Promise<AuditReceipt> {
  const entities = [{ reference: `Upload/${uploadId}`, role: 'job' }] as const;
  return audit.recordNow([{ actor, event: 'load.read', action: 'R', outcome: 'success', entities }]);
}

async function clean({ database, clock, spool }: UploadDeps): Promise<void> {
  for (const { upload_id } of await database.rows(expiredUploads, [new Date(clock.nowMs())])) {
    await database.transaction(async (tx) => {
      await spool.remove(tx, upload_id);
      await tx.run(deleteUpload, [upload_id]);
    });
  }
  // The smallest id of a day ago: everything below it is older.
  await database.run(deleteOrphans, [uuidV7(clock.nowMs() - KEPT_MS, new Uint8Array(10))]);
}

interface About {
  readonly uploadId: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly expiresAtMs: number;
}

function viewOf({ uploadId, fileName, sizeBytes, expiresAtMs }: About, found: ReturnType<typeof inspect>): UploadView {
  const { reading } = found;
  return {
    uploadId,
    fileName,
    sizeBytes,
    format: reading.format,
    ...(reading.format === 'csv' && { delimiter: reading.delimiter }),
    encoding: reading.encoding,
    columns: [...found.columns],
    rowsPreviewed: found.rowsPreviewed,
    guess: found.guess,
    problems: [...found.problems],
    expiresAt: instant(expiresAtMs),
  };
}

export function uploadNotFound() {
  return loadProblem(
    'not-found',
    'upload-not-found',
    'This upload does not exist any more. Files that nobody loads are forgotten after a day; upload it again.',
  );
}
