import { equalBytes, toBase64 } from '../../kernel/bytes.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import { createCompactRange, encodeLeaf } from '../../verifier/index.ts';
import type { AuditVerification, RootHash } from './model.ts';
import { createProblemList } from './problem-list.ts';
import { openRow } from './sealed-event.ts';
import { type Signer, readSigner } from './signer.ts';
import { merkle } from './tile-reader.ts';
import { type Edge, EMPTY_EDGE, grow, split } from './tree-edge.ts';
import { readHead, readTiles } from './tree-store.ts';
import { createCheckpointCheck } from './verify-checkpoints.ts';
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
const PAGE = 8 * 256;
/** An event that is older and still has no leaf is not merely waiting. */
const WAITING_MS_MAX = 60_000;
const LISTED = 100;

/**
 * Recomputes the log from its events: opens every event, computes its commitment, leaf, tiles and roots, and compares them with
 * what is stored and signed. Reads in order and keeps one page and the tree's right edge in memory.
 */
export async function verifyLog(deps: VerifyDeps, options: VerifyOptions = {}): Promise<AuditVerification> {
  const { database, keyRing, clock } = deps;
  const problems = createProblemList(LISTED);
  const signer = await signerOf(deps, problems);
  const size = (await readHead(database))?.size ?? 0;
  const checkpoints = createCheckpointCheck({ database, signer, problems, known: options.knownCheckpoints ?? [] });
  const range = createCompactRange(merkle);
  let edge: Edge = EMPTY_EDGE;
  let [eventsChecked, erased] = [0, 0];
  const page = (from: number) => rows.leafPage(database, from, Math.min(from + PAGE, size));
  let next = page(0);

  for (let from = 0; from < size; from += PAGE) {
    const below = Math.min(from + PAGE, size);
    const [leaves, stored] = await Promise.all([next, storedHashes(database, from, below)]);
    // The next page travels while this one is computed.
    next = below < size ? page(below) : Promise.resolve([]);
    const hashes: Uint8Array[] = [];
    let at = 0;
    for (let index = from; index < below; index++) {
      const leaf = leaves[at]?.index === index ? leaves[at++] : undefined;
      const checked = checkLeaf(index, leaf, stored[index - from]);
      hashes.push(checked.hash);
      range.append(checked.hash);
      checkpoints.atLeaf(index, checked.recordedMs);
      if (checkpoints.isDue(index + 1)) await checkpoints.atSize(index + 1, merkle.foldPeaks(range.peaks()));
    }
    edge = await checkTiles(edge, hashes);
    options.onProgress?.(below, size);
  }

  checkpoints.finish(size);
  const pending = await checkOutside();
  const root = merkle.foldPeaks(range.peaks());
  return {
    size,
    // The brand is put on here, where the root has just been computed.
    rootHash: toBase64(root) as RootHash,
    ok: problems.list.length === 0,
    problems: problems.list,
    more: problems.more(),
    eventsChecked,
    checkpointsChecked: checkpoints.checked(),
    pending,
    erased,
  };

  /** The leaf's hash: computed, or where that is not what the tile has, the tile's, so that one bad event is one finding. */
  function checkLeaf(index: number, leaf: rows.LeafRow | undefined, inTree: Uint8Array | undefined): CheckedLeaf {
    const fallback = { hash: inTree ?? NO_HASH, recordedMs: undefined };
    if (leaf === undefined) {
      problems.add({ code: 'leaf-missing', index, detail: 'There is no leaf of this number.' });
      return fallback;
    }
    const at = { index, eventId: leaf.eventId };
    const { event } = leaf;
    if (event === undefined) {
      problems.add({ code: 'event-missing', ...at, detail: 'The event of this leaf is gone.' });
      return fallback;
    }
    eventsChecked++;
    checkContent(event, leaf.erasedBecause, at);
    const { recordedMs } = event;
    const hash = merkle.leafHash(encodeLeaf({ index, recordedMs, event: event.event, commitment: event.commitment }));
    if (inTree !== undefined && !equalBytes(hash, inTree)) {
      problems.add({ code: 'leaf-wrong', ...at, detail: 'The event is not the one that was put into the tree here.' });
      return fallback;
    }
    return { hash, recordedMs };
  }

  function checkContent(event: Parameters<typeof openRow>[1], because: string | null, at: Place): void {
    if (event.sealed === null) {
      erased++;
      if (because === null) {
        problems.add({ code: 'event-erased', ...at, detail: 'The content is gone, and no erasure was recorded.' });
      }
      return;
    }
    try {
      const opened = openRow(keyRing, event);
      if (opened !== undefined && equalBytes(opened.commitment, event.commitment)) return;
      problems.add({ code: 'commitment-wrong', ...at, detail: 'The commitment is not of this content.' });
    } catch {
      problems.add({
        code: 'event-changed',
        ...at,
        detail: 'The content or a column was changed: the seal is broken.',
      });
    }
  }

  async function checkTiles(before: Edge, hashes: readonly Uint8Array[]): Promise<Edge> {
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

  async function checkOutside(): Promise<number> {
    const { leaves, size: headSize } = await rows.extent(database);
    if (leaves !== headSize) {
      problems.add({
        code: 'checkpoint-wrong',
        detail: `There are ${leaves} leaves, and the newest head has ${headSize}.`,
      });
    }
    for (const eventId of await rows.unfoundedErasures(database, LISTED)) {
      problems.add({ code: 'event-erased', eventId, detail: 'The erasure names no event that says why.' });
    }
    const outside = await rows.eventsOutsideTree(database, clock.nowMs() - WAITING_MS_MAX, 10_000);
    for (const { id, old } of outside) {
      if (old) problems.add({ code: 'not-in-tree', eventId: id, detail: 'The event is old and in no leaf.' });
    }
    return outside.filter(({ old }) => !old).length;
  }
}

interface CheckedLeaf {
  readonly hash: Uint8Array;
  readonly recordedMs: number | undefined;
}

interface Place {
  readonly index: number;
  readonly eventId: string;
}

/** Stands for a hash nobody has any more; no root with it in verifies. */
const NO_HASH = new Uint8Array(32);

async function signerOf(deps: VerifyDeps, problems: ReturnType<typeof createProblemList>): Promise<Signer | undefined> {
  try {
    return await readSigner(deps.database, deps.keyRing);
  } catch {
    problems.add({ code: 'signer-wrong', detail: 'The key that signs checkpoints was changed or cannot be opened.' });
    return undefined;
  }
}

/** Leaf hashes from … below-1 as the stored tiles have them; undefined at the right edge, where no tile is complete. */
async function storedHashes(database: Database, from: number, below: number): Promise<(Uint8Array | undefined)[]> {
  const hashes: (Uint8Array | undefined)[] = [];
  for (const tile of await readTiles(database, 0, from / 256, Math.ceil(below / 256))) {
    split(tile.hashes).forEach((hash, i) => {
      hashes[tile.number * 256 + i - from] = hash;
    });
  }
  return hashes;
}
