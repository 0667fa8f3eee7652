import type { Database } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import { createCompactRange, HASH_BYTES, TILE_WIDTH } from '../../verifier/index.ts';
import type { IndexedEvent } from './event-store.ts';
import type { AuditProblem } from './model.ts';
import { createProblemList, type ProblemList } from './problem-list.ts';
import type { BatchId } from './sealed-event.ts';
import { merkle } from './tile-reader.ts';
import { split } from './tree-edge.ts';
import { readTiles } from './tree-store.ts';
import { type BatchRun, readPageContents } from './verify-batches.ts';
import { createLeafCheck } from './verify-leaf.ts';
import { eventPage } from './verify-store.ts';

/** Leaves per page: whole tiles, and few enough to be small in memory. */
export const VERIFY_PAGE = 8 * TILE_WIDTH;
export const PROBLEMS_MAX = 100;

/** What the leaves from … below-1 came to. Made of plain values and bytes, so that it can come from another thread. */
export interface PageFindings {
  readonly from: number;
  readonly below: number;
  /** 32 bytes per leaf: its hash, or the stored tile's where the event is not the one of this leaf. */
  readonly hashes: Uint8Array;
  /** One per leaf, Unix ms; NaN where the event is gone. */
  readonly recordedMs: Float64Array;
  /** 32 bytes per complete tile of this page: the root over its hashes. */
  readonly tileRoots: Uint8Array;
  readonly runs: readonly BatchRun[];
  readonly problems: readonly AuditProblem[];
  readonly more: boolean;
  readonly eventsChecked: number;
  readonly erased: number;
}

/** Checks pages of the log: `from` is a multiple of VERIFY_PAGE, `below` at most one page further. */
export interface PageVerifier {
  check(from: number, below: number): Promise<PageFindings>;
  end(): Promise<void>;
}

interface PageDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
}

/**
 * Opens the events of a page, computes their commitments and leaves, and compares them with their columns and the stored tiles. Pages
 * know nothing of each other, so that several can be checked at once; what spans them is checked by whoever puts them together.
 */
export function createPageVerifier({ database, keyRing }: PageDeps): PageVerifier {
  const leaves = createLeafCheck(keyRing);

  async function check(from: number, below: number): Promise<PageFindings> {
    const problems = createProblemList(PROBLEMS_MAX);
    const tally = { problems, eventsChecked: 0, erased: 0 };
    const [found, stored] = await Promise.all([
      eventPage(database, from, below),
      storedHashes({ database, problems }, from, below),
    ]);
    const { contents, sizes } = await readPageContents({ database, keyRing }, found);
    const page = emptyPage(from, below);
    const runs = createRuns(sizes);
    let at = 0;
    for (let index = from; index < below; index++) {
      const row = found[at]?.index === index ? found[at] : undefined;
      const content = contents[at];
      const event = row === undefined || content === undefined ? undefined : { row, content };
      if (row !== undefined) {
        runs.add(row);
        at = skipDoubles(found, at + 1, problems);
      }
      const leaf = leaves.check(tally, index, event, stored[index - from]);
      page.hashes.set(leaf.hash, (index - from) * HASH_BYTES);
      page.recordedMs[index - from] = leaf.recordedMs ?? Number.NaN;
    }
    return {
      ...page,
      tileRoots: rootsOf(page.hashes),
      runs: runs.list,
      problems: problems.list,
      more: problems.more(),
      eventsChecked: tally.eventsChecked,
      erased: tally.erased,
    };
  }

  return { check, end: () => Promise.resolve() };
}

const emptyPage = (from: number, below: number) => ({
  from,
  below,
  hashes: new Uint8Array((below - from) * HASH_BYTES),
  recordedMs: new Float64Array(below - from),
});

/** Roots of the complete tiles these hashes make up. */
function rootsOf(hashes: Uint8Array): Uint8Array {
  const tile = TILE_WIDTH * HASH_BYTES;
  const roots = new Uint8Array(Math.floor(hashes.length / tile) * HASH_BYTES);
  for (let at = 0; (at + 1) * tile <= hashes.length; at++) {
    const range = createCompactRange(merkle);
    for (const hash of split(hashes.subarray(at * tile, (at + 1) * tile))) range.append(hash);
    roots.set(merkle.foldPeaks(range.peaks()), at * HASH_BYTES);
  }
  return roots;
}

function createRuns(sizes: ReadonlyMap<BatchId, number>) {
  const list: { -readonly [K in keyof BatchRun]: BatchRun[K] }[] = [];
  return {
    list,
    add({ index, batch, place }: IndexedEvent): void {
      const last = list.at(-1);
      const next = last !== undefined && last.batch === batch && last.index + last.count === index;
      if (next && last.place + last.count === place) last.count++;
      else list.push({ index, count: 1, batch, place, events: sizes.get(batch) });
    },
  };
}

/** Rows that claim the number of the row before them; answers where the next number begins. */
function skipDoubles(found: readonly IndexedEvent[], from: number, problems: ProblemList): number {
  let at = from;
  for (let row = found[at]; row !== undefined && row.index === found[from - 1]?.index; row = found[++at]) {
    problems.add({ code: 'leaf-wrong', index: row.index, eventId: row.id, detail: 'Two events claim this leaf.' });
  }
  return at;
}

interface TileDeps {
  readonly database: Database;
  readonly problems: ProblemList;
}

/** Leaf hashes from … below-1 as the stored tiles have them; undefined at the right edge, where no tile is complete. */
async function storedHashes(
  { database, problems }: TileDeps,
  from: number,
  below: number,
): Promise<(Uint8Array | undefined)[]> {
  const hashes: (Uint8Array | undefined)[] = [];
  const complete = Math.floor(below / TILE_WIDTH);
  let next = from / TILE_WIDTH;
  for (const tile of await readTiles(database, 0, next, Math.ceil(below / TILE_WIDTH))) {
    for (; next < tile.number; next++) tileMissing(problems, next);
    next = tile.number + 1;
    split(tile.hashes).forEach((hash, i) => {
      hashes[tile.number * TILE_WIDTH + i - from] = hash;
    });
  }
  for (; next < complete; next++) tileMissing(problems, next);
  return hashes;
}

function tileMissing(problems: ProblemList, number: number): void {
  problems.add({ code: 'tile-missing', detail: `There is no tile 0/${number}.` });
}
