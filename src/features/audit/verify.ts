import { equalBytes, toBase64 } from '../../kernel/bytes.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import { type CompactRange, createCompactRange, TILE_WIDTH } from '../../verifier/index.ts';
import { newestIdAt } from './event-id.ts';
import { readEvent } from './event-query.ts';
import type { AuditVerification, RootHash } from './model.ts';
import { createProblemList, type ProblemList } from './problem-list.ts';
import { checkSetAside } from './set-aside.ts';
import { readSigner, type Signer } from './signer.ts';
import { merkle } from './tile-reader.ts';
import { type Edge, EMPTY_EDGE, grow, split } from './tree-edge.ts';
import { type CheckpointRow, readHead, readTiles } from './tree-store.ts';
import { type BatchOrder, createBatchOrder } from './verify-batches.ts';
import { type CheckpointCheck, createCheckpointCheck } from './verify-checkpoints.ts';
import { createPageVerifier, type PageFindings, type PageVerifier, PROBLEMS_MAX, VERIFY_PAGE } from './verify-page.ts';
import * as rows from './verify-store.ts';

export interface VerifyDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  /** Starts threads that check pages of a large log. Default: none, all is done here. */
  readonly verifyThreads?: (() => readonly PageVerifier[]) | undefined;
}

export interface VerifyOptions {
  /** Checkpoints somebody outside has kept: the log must still contain them. */
  readonly knownCheckpoints?: readonly string[];
  readonly onProgress?: (done: number, size: number) => void;
}

/** Below this many leaves threads would take longer to start than to work. */
const THREADS_FROM = 20_000;
/** A tile of 256 hashes is eight levels of the tree. */
const TILE_LEVELS = Math.log2(TILE_WIDTH);
/** An event that is older and still has no leaf is not merely waiting. */
const WAITING_MS_MAX = 60_000;
const OUTSIDE_MAX = 10_000;

/**
 * Recomputes the log from its events: opens every event, computes its commitment, leaf, tiles and roots, and compares them with
 * what is stored and signed. Keeps a few pages and the tree's right edge in memory, however long the log is.
 */
export async function verifyLog(deps: VerifyDeps, options: VerifyOptions = {}): Promise<AuditVerification> {
  const { database } = deps;
  const problems = createProblemList(PROBLEMS_MAX);
  const signer = await signerOf(deps, problems);
  const head = await readHead(database);
  const size = head?.size ?? 0;
  const known = options.knownCheckpoints ?? [];
  const checkpoints = createCheckpointCheck({ database, signer, problems, known });
  const order = createBatchOrder(problems);
  const given: Walk = { database, problems, checkpoints, order, size, onProgress: options.onProgress };
  const { root, eventsChecked, erased } = await withVerifiers(deps, size, (verifiers) => walk(given, verifiers));
  checkpoints.finish(size);
  const pending = await checkOutside(deps, problems, { head, batchesMet: order.met() });
  const setAside = await checkSetAside(deps, problems);
  return {
    size,
    // The brand is put on here, where the root has just been computed.
    rootHash: toBase64(root) as RootHash,
    ok: problems.list.length === 0,
    problems: problems.list,
    more: problems.more(),
    eventsChecked,
    erased,
    checkpointsChecked: checkpoints.checked(),
    pending,
    setAside,
  };
}

/** Threads where there are some and the log is worth it, else this one. */
async function withVerifiers<T>(
  deps: VerifyDeps,
  size: number,
  work: (verifiers: readonly PageVerifier[]) => Promise<T>,
): Promise<T> {
  const alone = deps.verifyThreads === undefined || size < THREADS_FROM;
  const verifiers = alone ? [createPageVerifier(deps)] : deps.verifyThreads();
  try {
    return await work(verifiers);
  } finally {
    await Promise.all(verifiers.map((verifier) => verifier.end()));
  }
}

interface Walk {
  readonly database: Database;
  readonly problems: ProblemList;
  readonly checkpoints: CheckpointCheck;
  readonly order: BatchOrder;
  readonly size: number;
  readonly onProgress: VerifyOptions['onProgress'];
}

interface Walked {
  readonly root: Uint8Array;
  readonly eventsChecked: number;
  readonly erased: number;
}

/** Two to each verifier: one is computed while the other's rows travel. */
const PAGES_AHEAD = 2;

/** Pages in their order, several being checked at once; never more than a few are in memory. */
async function* pagesInOrder(verifiers: readonly PageVerifier[], size: number): AsyncGenerator<PageFindings> {
  const ahead: Promise<PageFindings>[] = [];
  let from = 0;
  try {
    for (let turn = 0; from < size || ahead.length > 0; ) {
      while (from < size && ahead.length < verifiers.length * PAGES_AHEAD) {
        const verifier = verifiers[turn++ % verifiers.length];
        if (verifier === undefined) throw new RangeError('Somebody has to check');
        const page = verifier.check(from, Math.min(from + VERIFY_PAGE, size));
        // Whoever fails first is heard first; the others must not count as unhandled meanwhile.
        page.catch(() => undefined);
        ahead.push(page);
        from += VERIFY_PAGE;
      }
      const next = ahead.shift();
      if (next !== undefined) yield await next;
    }
  } finally {
    await Promise.allSettled(ahead);
  }
}

/** Puts the pages together, from the first leaf to the last. */
async function walk(given: Walk, verifiers: readonly PageVerifier[]): Promise<Walked> {
  const { problems, order, size } = given;
  const range = createCompactRange(merkle);
  let edge: Edge = EMPTY_EDGE;
  let [eventsChecked, erased] = [0, 0];
  for await (const page of pagesInOrder(verifiers, size)) {
    for (const problem of page.problems) problems.add(problem);
    if (page.more) problems.overflow();
    for (const run of page.runs) order.atRun(run);
    eventsChecked += page.eventsChecked;
    erased += page.erased;
    await growBy(given.checkpoints, range, page);
    edge = await checkTiles(given, edge, split(page.tileRoots));
    given.onProgress?.(page.below, size);
  }
  return { root: merkle.foldPeaks(range.peaks()), eventsChecked, erased };
}

/** Grows the tree by a page: whole tiles at once, leaf by leaf only where a checkpoint lies inside of one. */
async function growBy(checkpoints: CheckpointCheck, range: CompactRange, page: PageFindings): Promise<void> {
  const hashes = split(page.hashes);
  const roots = split(page.tileRoots);
  let due = checkpoints.nextDue(page.from);
  for (let at = 0; at < hashes.length; at += TILE_WIDTH) {
    const end = Math.min(at + TILE_WIDTH, hashes.length);
    const root = roots[at / TILE_WIDTH];
    const whole = root !== undefined && due >= page.from + end;
    for (let i = at; i < end; i++) {
      const ms = page.recordedMs[i] ?? Number.NaN;
      checkpoints.atLeaf(page.from + i, Number.isNaN(ms) ? undefined : ms);
      const hash = hashes[i];
      if (!whole && hash !== undefined) range.append(hash);
      else if (whole && i === end - 1) range.append(root, TILE_LEVELS);
      if (page.from + i + 1 < due) continue;
      await checkpoints.atSize(range.size, merkle.foldPeaks(range.peaks()));
      due = checkpoints.nextDue(range.size);
    }
  }
}

/** Tiles above the lowest, whose hashes are the roots of the tiles below; the lowest are compared page by page. */
async function checkTiles({ database, problems }: Walk, before: Edge, roots: readonly Uint8Array[]): Promise<Edge> {
  const growth = grow(merkle, before, roots);
  for (const tile of growth.tiles) {
    const level = tile.level + 1;
    const stored = (await readTiles(database, level, tile.number, tile.number + 1))[0];
    const name = `tile ${level}/${tile.number}`;
    if (stored === undefined) problems.add({ code: 'tile-missing', detail: `There is no ${name}.` });
    else if (!equalBytes(stored.hashes, tile.hashes)) {
      problems.add({ code: 'tile-wrong', detail: `The stored ${name} differs from the leaves below it.` });
    }
  }
  return growth.edge;
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
