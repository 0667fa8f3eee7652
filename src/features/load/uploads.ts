import { newId } from '../../crypto/index.ts';
import { type Branded, uuidV7 } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import { type LoadDeps, today } from './deps.ts';
import { loadProblem } from './errors.ts';
import { type FileHead, HEAD_BYTES, inspect } from './file-format.ts';
import type { MapDocument } from './map-document.ts';
import { type Preview, previewRows } from './preview.ts';
import { openJson, sealJson, uploadContext } from './sealing.ts';
import { createSpool, type Spool } from './spool.ts';
import { deleteOrphans, deleteUpload, expiredUploads, insertUpload, readUpload, type UploadRow } from './store.ts';
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
  /** Forgets what nobody loaded within a day. */
  clean(): Promise<void>;
}

interface UploadDetail {
  readonly fileName: string;
}

const KEPT_MS = 24 * 3_600_000;

export function createUploads(deps: LoadDeps): Uploads {
  const { database, keyRing, clock } = deps;
  const spool = createSpool(deps, HEAD_BYTES);

  async function receive(
    actor: Actor,
    file: { readonly fileName: string; readonly body: AsyncIterable<Uint8Array> },
  ): Promise<Audited<UploadView>> {
    const uploadId = newId<Branded<'UploadId'>>();
    const { sizeBytes, head } = await spool.write(uploadId, file.body);
    try {
      const found = inspect({ bytes: head, isWhole: sizeBytes <= head.length, fileName: file.fileName }, today(clock));
      const nowMs = clock.nowMs();
      const detail = sealJson(keyRing, { fileName: file.fileName } satisfies UploadDetail, uploadContext(uploadId));
      const times = [new Date(nowMs), new Date(nowMs + KEPT_MS)];
      const audited = await database.transaction(async (tx) => {
        await tx.run(insertUpload, [uploadId, sizeBytes, found.reading.format, ...times, detail]);
        return await deps.audit.record(tx, [
          {
            actor,
            event: 'load.upload',
            action: 'C',
            outcome: 'success',
            entities: [{ reference: `Upload/${uploadId}`, role: 'job' }],
          },
        ]);
      });
      return {
        value: viewOf({ uploadId, fileName: file.fileName, sizeBytes, expiresAtMs: nowMs + KEPT_MS }, found),
        audited,
      };
    } catch (error) {
      await spool.remove(database, uploadId);
      throw error;
    }
  }

  async function headOf(row: UploadRow): Promise<FileHead> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of spool.read(row.upload_id)) {
      pieces.push(piece);
      length += piece.length;
      if (length >= HEAD_BYTES) break;
    }
    const { fileName } = openJson<UploadDetail>(keyRing, row.detail, uploadContext(row.upload_id));
    const bytes = Buffer.concat(pieces).subarray(0, HEAD_BYTES);
    return { bytes, isWhole: Number(row.size_bytes) <= bytes.length, fileName };
  }

  async function found(uploadId: string): Promise<UploadRow> {
    const [row] = await database.rows(readUpload, [uploadId]);
    if (row === undefined) throw uploadNotFound();
    return row;
  }

  /** Samples are people's data: looking at them is an event like any other. */
  const looked = (actor: Actor, uploadId: string): Promise<AuditReceipt> =>
    deps.audit.recordNow([
      {
        actor,
        event: 'load.read',
        action: 'R',
        outcome: 'success',
        entities: [{ reference: `Upload/${uploadId}`, role: 'job' }],
      },
    ]);

  return {
    spool,
    receive,
    async view(actor, uploadId) {
      const row = await found(uploadId);
      const head = await headOf(row);
      const about = {
        uploadId,
        fileName: head.fileName,
        sizeBytes: Number(row.size_bytes),
        expiresAtMs: row.expires_at.getTime(),
      };
      return { value: viewOf(about, inspect(head, today(clock))), audited: await looked(actor, uploadId) };
    },
    async preview(actor, uploadId, request) {
      const head = await headOf(await found(uploadId));
      return { value: previewRows(head, request, today(clock)), audited: await looked(actor, uploadId) };
    },
    async clean() {
      for (const { upload_id } of await database.rows(expiredUploads, [new Date(clock.nowMs())])) {
        await database.transaction(async (tx) => {
          await spool.remove(tx, upload_id);
          await tx.run(deleteUpload, [upload_id]);
        });
      }
      // The smallest id of a day ago: everything below it is older.
      await database.run(deleteOrphans, [uuidV7(clock.nowMs() - KEPT_MS, new Uint8Array(10))]);
    },
  };
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
