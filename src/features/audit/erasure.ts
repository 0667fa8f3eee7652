import type { AuditEventId } from '../../kernel/ids.ts';
import type { Database, Sql, Transaction } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import { eraseReasonMissing } from './errors.ts';
import { createBatchWriter, erasedEvent } from './event-batch.ts';
import { readEvent } from './event-query.ts';
import { type BatchId, type BatchRow, openBatch, sealBatch } from './sealed-event.ts';

/**
 * Destroys what events say: their contents and nonces. Their leaves stay, so the tree, every head and every proof stay valid,
 * and nobody can find out what was committed to. Only the owner of the database may; the application cannot.
 */
export interface Erasure {
  readonly events: readonly Erasable[];
  /** The `audit.erase` event that says why, recorded and numbered before. */
  readonly because: AuditEventId;
  /** Asked within the transaction: which of them may go now. All of them where it is absent. */
  readonly free?: (tx: Transaction) => Promise<readonly Erasable[]>;
}

/** A numbered event and the batch it rests in. */
export interface Erasable {
  readonly id: AuditEventId;
  readonly batch: BatchId;
}

const LOCK_BATCHES = statement<BatchRow>(
  'audit.erase-batches',
  'SELECT id, events, sealed, former FROM audit.batch WHERE id = ANY ($1::uuid[]) FOR UPDATE',
);
const INSERT_ERASURES = statement(
  'audit.insert-erasures',
  `INSERT INTO audit.erasure (event, batch, because)
   SELECT event, batch, $3 FROM unnest($1::uuid[], $2::uuid[]) AS row (event, batch) ON CONFLICT (event) DO NOTHING`,
);
const RESEAL = statement('audit.reseal-batch', 'UPDATE audit.batch SET sealed = $2, because = $3 WHERE id = $1');

/** Erases in one transaction; answers how many events lost their content. Events that have none any more are passed over. */
export async function eraseEvents(owner: Database, keyRing: KeyRing, erasure: Erasure): Promise<number> {
  const { because, free } = erasure;
  await assertReason(owner, because);
  return await owner.transaction(async (tx) => {
    const byBatch = groupByBatch(free === undefined ? erasure.events : await free(tx));
    const batches = await tx.rows(LOCK_BATCHES, [[...byBatch.keys()]]);
    let erased = 0;
    for (const batch of batches) {
      erased += await eraseFromBatch({ tx, keyRing, because }, batch, byBatch.get(batch.id) ?? new Set());
    }
    return erased;
  });
}

async function assertReason(owner: Sql, because: AuditEventId): Promise<void> {
  const reason = await readEvent(owner, because);
  if (reason?.event === 'audit.erase' && reason.outcome === 0) return;
  throw eraseReasonMissing();
}

function groupByBatch(events: readonly Erasable[]): Map<BatchId, Set<string>> {
  const byBatch = new Map<BatchId, Set<string>>();
  for (const { id, batch } of events) byBatch.set(batch, (byBatch.get(batch) ?? new Set()).add(id));
  return byBatch;
}

interface Erasing {
  readonly tx: Transaction;
  readonly keyRing: KeyRing;
  readonly because: AuditEventId;
}

async function eraseFromBatch(
  { tx, keyRing, because }: Erasing,
  batch: BatchRow,
  ids: ReadonlySet<string>,
): Promise<number> {
  const events = openBatch(keyRing, batch) ?? [];
  const gone = events.filter((event) => event.content !== undefined && ids.has(event.id));
  if (gone.length === 0) return 0;
  const left = events.map((event) => (ids.has(event.id) ? erasedEvent(event) : event));
  await tx.run(INSERT_ERASURES, [gone.map(({ id }) => id), gone.map(() => batch.id), because]);
  if (left.every((event) => event.content === undefined)) {
    await tx.run(RESEAL, [batch.id, null, because]);
    return gone.length;
  }
  const writer = createBatchWriter();
  for (const event of left) writer.addAgain(event);
  const { sealed } = sealBatch(keyRing, { id: batch.id, events: batch.events, payload: writer.take() });
  await tx.run(RESEAL, [batch.id, sealed, null]);
  return gone.length;
}
