import { setImmediate as nextTurn } from 'node:timers/promises';
import { equalBytes } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import { encodeLeaf } from '../../verifier/index.ts';
import { createColumnMaker } from './event-columns.ts';
import { ensureMonth, insertEvents, type NumberedEvent } from './event-store.ts';
import type { EventColumns } from './sealed-event.ts';
import { BatchDamaged } from './set-aside.ts';
import { isSetAside } from './set-aside-store.ts';
import type { Signer } from './signer.ts';
import { merkle, readEdge, TreeDamaged } from './tile-reader.ts';
import { type Edge, EMPTY_EDGE, grow, rootOfEdge } from './tree-edge.ts';
import * as store from './tree-store.ts';

/** What one round did. `busy`: another process is sequencing. `waiting`: committed events are left for a later round. */
export type Round =
  | { readonly kind: 'busy' }
  | { readonly kind: 'done'; readonly added: number; readonly waiting: boolean };

export interface RoundDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly signer: () => Promise<Signer>;
}

/** Events per statement, about: as many as are hashed without holding up the requests of this process for long. */
const CHUNK = 1024;
/** Events per transaction and checkpoint, about. */
const ROUND_MAX = 16 * CHUNK;

/**
 * Makes the function that takes the next events into the tree. A round is one transaction: leaves, complete tiles and the
 * signed checkpoint are there together or not at all, so a crash at any point leaves no gap. The advisory lock lets one round
 * run at a time in the whole cluster, and the primary keys of leaf, tile and checkpoint would refuse a second one: no fork.
 */
export function createRound({ database, keyRing, clock, signer }: RoundDeps): () => Promise<Round> {
  // What the last committed round left; read anew whenever another process has been at work since.
  let known: Edge | undefined;
  const months = createMonths(database);
  const columnsOf = createColumnMaker(keyRing);

  return async () => {
    // Before the transaction: it may need a connection of its own, and must be there even if this round comes to nothing.
    const signing = await signer();
    await months.ensureAround(clock.nowMs());
    for (;;) {
      try {
        return await oneRound(signing);
      } catch (error) {
        if (!(error instanceof MonthMissing)) throw error;
        await months.ensure(error.recordedMs);
      }
    }
  };

  async function oneRound(signing: Signer): Promise<Round> {
    let grown: Edge | undefined;
    const round = await database.transaction<Round>(async (tx) => {
      if (!(await store.tryLock(tx))) return { kind: 'busy' };
      const head = await store.readHead(tx);
      const edge = await edgeAt(tx, head, known);
      const start = await positionAfter(tx, head);
      const taken = await takeAll({ tx, months, columnsOf }, edge, start);
      grown = taken.edge;
      const added = taken.edge.size - edge.size;
      if (added > 0) await sign(tx, signing, { ...taken, previous: edge.size });
      return { kind: 'done', added, waiting: await store.anyPending(tx, taken.position) };
    });
    if (grown !== undefined) known = grown;
    return round;
  }

  async function sign(
    tx: Transaction,
    signing: Signer,
    { edge, position, previous }: Taken & { readonly previous: number },
  ): Promise<void> {
    const signedAtMs = clock.nowMs();
    const root = rootOfEdge(merkle, edge);
    const note = signing.sign({ size: edge.size, root, signedAt: instant(signedAtMs) });
    await store.insertCheckpoint(tx, {
      size: edge.size,
      root,
      note,
      signedAtMs,
      throughXid: position.xid,
      throughSeq: position.seq,
      eraSeq: position.eraSeq,
      previous,
    });
  }
}

/** A transaction that has already written does not see partitions made after its beginning: it has to begin again. */
class MonthMissing extends Error {
  readonly recordedMs: number;
  constructor(recordedMs: number) {
    super('There is no partition for this month yet');
    this.recordedMs = recordedMs;
  }
}

/** Months whose partitions this process knows to be there. */
interface Months {
  /** This month and the next, so that the first event of a month need not wait. */
  ensureAround(nowMs: number): Promise<void>;
  covers(recordedMs: number): boolean;
  ensure(recordedMs: number): Promise<void>;
}

const THREE_WEEKS_MS = 21 * 24 * 3_600_000;

function createMonths(database: Database): Months {
  const known = new Map<number, number>();
  const covers = (atMs: number): boolean => {
    for (const [fromMs, belowMs] of known) if (atMs >= fromMs && atMs < belowMs) return true;
    return false;
  };
  async function ensure(atMs: number): Promise<void> {
    if (covers(atMs)) return;
    await ensureMonth(database, atMs);
    const at = new Date(atMs);
    const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
    known.set(Date.UTC(year, month), Date.UTC(year, month + 1));
  }
  return {
    covers,
    ensure,
    async ensureAround(nowMs) {
      await ensure(nowMs);
      await ensure(nowMs + THREE_WEEKS_MS);
    },
  };
}

/** The edge at the head, from memory if this process made it, and always checked against the root that was signed. */
async function edgeAt(tx: Transaction, head: store.CheckpointRow | undefined, known: Edge | undefined): Promise<Edge> {
  if (head === undefined) return EMPTY_EDGE;
  const edge = known?.size === head.size ? known : await readEdge(tx, head.size);
  if (!equalBytes(rootOfEdge(merkle, edge), head.root))
    throw new TreeDamaged(`the head of ${head.size} has another root`);
  return edge;
}

interface Start {
  readonly position: store.Position;
  /** After a restore: the events of the old cluster that had no leaf yet come first, whatever their transaction numbers. */
  readonly leftOver: boolean;
}

const BEGINNING: store.Position = { xid: '0', seq: 0n, eraSeq: 0n };

async function positionAfter(tx: Transaction, head: store.CheckpointRow | undefined): Promise<Start> {
  if (head === undefined) return { position: BEGINNING, leftOver: false };
  const position = { xid: head.throughXid, seq: head.throughSeq, eraSeq: head.eraSeq };
  return { position, leftOver: await store.wasRestored(tx, head.throughXid) };
}

interface Taken {
  readonly edge: Edge;
  readonly position: store.Position;
}

interface Taking {
  readonly tx: Transaction;
  readonly months: Months;
  readonly columnsOf: ReturnType<typeof createColumnMaker>;
}

async function takeAll(taking: Taking, from: Edge, start: Start): Promise<Taken> {
  const { tx } = taking;
  let { edge, position } = { edge: from, position: start.position };
  let { leftOver } = start;
  while (edge.size - from.size < ROUND_MAX) {
    const batches = await store.takeBatches(tx, { after: position, events: CHUNK, leftOver });
    const last = batches.at(-1);
    if (last === undefined) {
      if (!leftOver) break;
      // The old cluster's events are all in; from here on the new one's transactions count, from its beginning.
      leftOver = false;
      position = { xid: '0', seq: 0n, eraSeq: await store.lastSequencedSeq(tx) };
      continue;
    }
    edge = await number(taking, edge, batches);
    position = { ...position, xid: last.xid, seq: last.seq };
    await nextTurn();
  }
  return { edge, position };
}

/** Spreads batches into events, one leaf each, and grows the tree by them. */
async function number(
  { tx, months, columnsOf }: Taking,
  edge: Edge,
  batches: readonly store.TakenBatch[],
): Promise<Edge> {
  const rows: NumberedEvent[] = [];
  for (const [batchAt, batch] of batches.entries()) {
    const opened = openedOf(columnsOf, batch);
    if (opened instanceof BatchDamaged) {
      if (await isSetAside(tx, batch.id)) continue;
      throw opened;
    }
    for (const [place, columns] of opened.entries()) rows.push({ ...columns, batchAt, place });
  }
  const outside = rows.find(({ recordedMs }) => !months.covers(recordedMs));
  if (outside !== undefined) throw new MonthMissing(outside.recordedMs);
  const inserted = insertEvents(
    tx,
    edge.size,
    rows,
    batches.map(({ id }) => id),
  );
  // PostgreSQL writes while the hashes are computed.
  const hashes = rows.map(({ recordedMs, event, commitment }, i) =>
    merkle.leafHash(encodeLeaf({ index: edge.size + i, recordedMs, event, commitment })),
  );
  const growth = grow(merkle, edge, hashes);
  await inserted;
  for (const tile of growth.tiles) await store.insertTile(tx, tile);
  return growth.edge;
}

/** A batch that was changed stops numbering until an operator sets it aside; a key that has not come yet is waited for. */
function openedOf(columnsOf: Taking['columnsOf'], batch: store.TakenBatch): EventColumns[] | BatchDamaged {
  try {
    return columnsOf(batch);
  } catch (error) {
    if (isProblem(error) && error.kind === 'unavailable') throw error;
    return new BatchDamaged(batch.id, error);
  }
}
