import { equalBytes, toBase64 } from '../../kernel/bytes.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import { createCompactRange, TILE_WIDTH } from '../../verifier/index.ts';
import { newestIdAt } from './event-id.ts';
import { readEvent } from './event-query.ts';
import type { IndexedEvent } from './event-store.ts';
import type { AuditVerification, RootHash } from './model.ts';
import { createProblemList, type ProblemList } from './problem-list.ts';
import { readSigner, type Signer } from './signer.ts';
import { merkle } from './tile-reader.ts';
import { type Edge, EMPTY_EDGE, grow, split } from './tree-edge.ts';
import { type CheckpointRow, readHead, readTiles } from './tree-store.ts';
import { type BatchCheck, createBatchCheck } from './verify-batches.ts';
import { type CheckpointCheck, createCheckpointCheck } from './verify-checkpoints.ts';
import { createLeafCheck, type LeafCheck } from './verify-leaf.ts';
import * as rows from './verify-store.ts';

export interface VerifyDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
}

export interface VerifyOptions {
  /** Checkpoints somebody outside has kept: the log must still contain them. */
  readonly knownCheckpoints?: readonly string[];
  readonly onProgress?: (done: number, size: number) => void;
}

/** Leaves per page: whole tiles, and few enough to be small in memory. */
const PAGE = 8 * TILE_WIDTH;
/** An event that is older and still has no leaf is not merely waiting. */
const WAITING_MS_MAX = 60_000;
const PROBLEMS_MAX = 100;
const OUTSIDE_MAX = 10_000;

/**
 * Recomputes the log from its events: opens every event, computes its commitment, leaf, tiles and roots, and compares them with
 * what is stored and signed. Reads in order and keeps one page and the tree's right edge in memory.
 */
export async function verifyLog(deps: VerifyDeps, options: VerifyOptions = {}): Promise<AuditVerification> {
  const { database, keyRing } = deps;
  const problems = createProblemList(PROBLEMS_MAX);
  const signer = await signerOf(deps, problems);
  const head = await readHead(database);
  const size = head?.size ?? 0;
  const known = options.knownCheckpoints ?? [];
  const checkpoints = createCheckpointCheck({ database, signer, problems, known });
  const leaves = createLeafCheck(keyRing, problems);
  const batches = createBatchCheck({ database, keyRing, problems });
  const root = await walk({ database, problems, checkpoints, leaves, batches, size, onProgress: options.onProgress });
  checkpoints.finish(size);
  const pending = await checkOutside(deps, problems, { head, batchesMet: batches.met() });
  return {
    size,
    // The brand is put on here, where the root has just been computed.
    rootHash: toBase64(root) as RootHash,
    ok: problems.list.length === 0,
    problems: problems.list,
    more: problems.more(),
    ...leaves.counts(),
    checkpointsChecked: checkpoints.checked(),
    pending,
  };
}

interface Walk {
  readonly database: Database;
  readonly problems: ProblemList;
  readonly checkpoints: CheckpointCheck;
  readonly leaves: LeafCheck;
  readonly batches: BatchCheck;
  readonly size: number;
  readonly onProgress: VerifyOptions['onProgress'];
}

/** From the first leaf to the last; answers the root. */
async function walk(given: Walk): Promise<Uint8Array> {
  const { database, checkpoints, leaves, batches, size } = given;
  const range = createCompactRange(merkle);
  const page = (from: number) => rows.eventPage(database, from, Math.min(from + PAGE, size));
  let edge: Edge = EMPTY_EDGE;
  let next = page(0);
  for (let from = 0; from < size; from += PAGE) {
    const below = Math.min(from + PAGE, size);
    const [found, stored] = await Promise.all([next, storedHashes(database, from, below)]);
    // The next page travels while this one is computed.
    next = below < size ? page(below) : Promise.resolve([]);
    const contents = await batches.contents(found);
    const hashes: Uint8Array[] = [];
    let at = 0;
    for (let index = from; index < below; index++) {
      const row = found[at]?.index === index ? found[at] : undefined;
      const content = contents[at];
      batches.atEvent(index, row);
      const event = row === undefined || content === undefined ? undefined : { row, content };
      if (row !== undefined) at = skipDoubles(found, at + 1, given.problems);
      const { hash, recordedMs } = leaves.check(index, event, stored[index - from]);
      hashes.push(hash);
      range.append(hash);
      checkpoints.atLeaf(index, recordedMs);
      if (checkpoints.isDue(index + 1)) await checkpoints.atSize(index + 1, merkle.foldPeaks(range.peaks()));
    }
    edge = await checkTiles(given, edge, hashes);
    given.onProgress?.(below, size);
  }
  return merkle.foldPeaks(range.peaks());
}

async function checkTiles({ database, problems }: Walk, before: Edge, hashes: readonly Uint8Array[]): Promise<Edge> {
  const growth = grow(merkle, before, hashes);
  for (const tile of growth.tiles) {
    const stored = (await readTiles(database, tile.level, tile.number, tile.number + 1))[0];
    const name = `tile ${tile.level}/${tile.number}`;
    if (stored === undefined) problems.add({ code: 'tile-missing', detail: `There is no ${name}.` });
    else if (!equalBytes(stored.hashes, tile.hashes)) {
      problems.add({ code: 'tile-wrong', detail: `The stored ${name} differs from the leaves below it.` });
    }
  }
  return growth.edge;
}

/** Rows that claim the number of the row before them; answers where the next number begins. */
function skipDoubles(found: readonly IndexedEvent[], from: number, problems: ProblemList): number {
  let at = from;
  for (let row = found[at]; row !== undefined && row.index === found[from - 1]?.index; row = found[++at]) {
    problems.add({ code: 'leaf-wrong', index: row.index, eventId: row.id, detail: 'Two events claim this leaf.' });
  }
  return at;
}

interface Seen {
  readonly head: CheckpointRow | undefined;
  readonly batchesMet: number;
}

/** What lies beside the tree: leaves beyond the head, erasures, events without a leaf. Answers how many merely wait. */
async function checkOutside(deps: VerifyDeps, problems: ProblemList, seen: Seen): Promise<number> {
  const { database, clock } = deps;
  const { leaves, size } = await rows.extent(database);
  if (leaves !== size) {
    problems.add({ code: 'checkpoint-wrong', detail: `There are ${leaves} leaves, and the newest head has ${size}.` });
  }
  await checkErasures(database, problems);
  const { head } = seen;
  const through = { xid: head?.throughXid ?? '0', seq: head?.throughSeq ?? 0n, eraSeq: head?.eraSeq ?? 0n };
  if (head !== undefined && (await rows.countBatchesThrough(database, through)) > seen.batchesMet) {
    for (const id of await rows.strayBatches(database, through, PROBLEMS_MAX)) {
      problems.add({ code: 'not-in-tree', eventId: id, detail: 'A batch of events is in no leaf.' });
    }
  }
  const oldBelowId = newestIdAt(clock.nowMs() - WAITING_MS_MAX);
  const outside = await rows.batchesOutsideTree(database, through, { oldBelowId, limit: OUTSIDE_MAX });
  for (const { id, old } of outside) {
    if (old) problems.add({ code: 'not-in-tree', eventId: id, detail: 'A batch of events is old and in no leaf.' });
  }
  return outside.filter(({ old }) => !old).reduce((sum, { events }) => sum + events, 0);
}

/** Every erasure names an `audit.erase` event that is there and was not erased itself. That it is sound, its leaf proves. */
async function checkErasures(database: Database, problems: ProblemList): Promise<void> {
  for (const { because, event } of await rows.erasureReasons(database)) {
    const reason = await readEvent(database, because);
    const sound = reason?.event === 'audit.erase' && reason.outcome === 0;
    if (sound && (await rows.erasuresOf(database, [because])).size === 0) continue;
    problems.add({ code: 'event-erased', eventId: event, detail: 'The erasure names no event that says why.' });
  }
}

async function signerOf({ database, keyRing }: VerifyDeps, problems: ProblemList): Promise<Signer | undefined> {
  try {
    return await readSigner(database, keyRing);
  } catch {
    problems.add({ code: 'signer-wrong', detail: 'The key that signs checkpoints was changed or cannot be opened.' });
    return undefined;
  }
}

/** Leaf hashes from … below-1 as the stored tiles have them; undefined at the right edge, where no tile is complete. */
async function storedHashes(database: Database, from: number, below: number): Promise<(Uint8Array | undefined)[]> {
  const hashes: (Uint8Array | undefined)[] = [];
  for (const tile of await readTiles(database, 0, from / TILE_WIDTH, Math.ceil(below / TILE_WIDTH))) {
    split(tile.hashes).forEach((hash, i) => {
      hashes[tile.number * TILE_WIDTH + i - from] = hash;
    });
  }
  return hashes;
}
