import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import type { LoadDeps } from './deps.ts';
import { loadProblem } from './errors.ts';
import { openJson, uploadContext } from './sealing.ts';
import type { Spool } from './spool.ts';
import { deleteUpload, isLoading, lockUpload, waitingUploads } from './store.ts';
import { type Audited, isOwnUpload, uploadNotFound } from './uploads.ts';
import type { WaitingUpload } from './wire.ts';

type WaitingDeps = LoadDeps & { readonly spool: Spool };

/** Files that were sent and are not forgotten yet: those that are there for this person. */
export async function listWaiting(deps: LoadDeps, actor: Actor): Promise<Audited<WaitingUpload[]>> {
  const { database, keyRing, clock, audit } = deps;
  const rows = await database.rows(waitingUploads, [new Date(clock.nowMs())]);
  const value = rows
    .filter((row) => isOwnUpload(keyRing, actor.principal, row))
    .map((row) => ({
      uploadId: row.upload_id,
      fileName: openJson<{ fileName: string }>(keyRing, row.detail, uploadContext(row.upload_id)).fileName,
      sizeBytes: Number(row.size_bytes),
      uploadedAt: instant(row.created_at.getTime()),
      expiresAt: instant(row.expires_at.getTime()),
      busy: row.busy,
    }));
  return { value, audited: await audit.recordNow([{ actor, event: 'load.list', action: 'R', outcome: 'success' }]) };
}

/**
 * Deletes a file that was sent by mistake, at once and whole. Throws Problem `upload-not-found`, and `upload-in-use` while it is being
 * loaded.
 */
export async function discard(deps: WaitingDeps, actor: Actor, uploadId: string): Promise<AuditReceipt> {
  return await deps.database.transaction(async (tx) => {
    const [row] = await tx.rows(lockUpload, [uploadId]);
    if (row === undefined || !isOwnUpload(deps.keyRing, actor.principal, row)) throw uploadNotFound();
    if (row.load_id !== null && (await tx.rows(isLoading, [row.load_id])).length > 0) throw inUse();
    await deps.spool.remove(tx, uploadId);
    await tx.run(deleteUpload, [uploadId]);
    const entities = [{ reference: `Upload/${uploadId}`, role: 'job' }] as const;
    return await deps.audit.record(tx, [{ actor, event: 'load.discard', action: 'D', outcome: 'success', entities }]);
  });
}

const inUse = () =>
  loadProblem('conflict', 'upload-in-use', 'This file is being loaded. Cancel the load first, then delete the file.');
