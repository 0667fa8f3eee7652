import { equalBytes } from '../../kernel/bytes.ts';
import type { Database } from '../../platform/db/sql.ts';
import { type Checkpoint, parseCheckpoint, signatureBy } from '../../verifier/index.ts';
import type { ProblemList } from './problem-list.ts';
import type { Signer } from './signer.ts';
import { type CheckpointRow, checkpointsAfter } from './tree-store.ts';

/** Compares heads, those stored and those somebody kept, with the roots recomputed while `verify` walks over the leaves. */
export interface CheckpointCheck {
  /** Called for every leaf in order; `recordedMs` is missing where the event is. */
  atLeaf(index: number, recordedMs: number | undefined): void;
  /** The next size beyond this one that `atSize` wants to see; may come early, never late. */
  nextDue(after: number): number;
  atSize(size: number, root: Uint8Array): Promise<void>;
  /** After the last leaf. */
  finish(size: number): void;
  checked(): number;
}

interface CheckDeps {
  readonly database: Database;
  readonly signer: Signer | undefined;
  readonly problems: ProblemList;
  readonly known: readonly string[];
}

export function createCheckpointCheck(deps: CheckDeps): CheckpointCheck {
  const { problems } = deps;
  const kept = parseKept(deps);
  const times = createTimeWindow(problems);
  const queue = createCheckpointQueue(deps.database);
  let checked = 0;
  let diverged = false;

  return {
    atLeaf: times.add,
    nextDue(after) {
      let next = Math.max(after + 1, queue.nextSize());
      for (const { size } of kept) if (size > after && size < next) next = size;
      return next;
    },
    async atSize(size, root) {
      for (const checkpoint of kept) {
        if (checkpoint.size === size && !equalBytes(checkpoint.root, root)) {
          problems.add({ code: 'head-lost', detail: `The log differs from the head of ${size} that was kept.` });
        }
      }
      for (const row of await queue.through(size)) {
        checked++;
        const signedAtMs = checkNote(row, deps);
        // Once a root is wrong all later ones are; the first says where to look.
        if (row.size === size && !equalBytes(row.root, root) && !diverged) {
          diverged = true;
          problems.add({ code: 'root-wrong', detail: `The events do not give the root that was signed for ${size}.` });
        }
        times.close(signedAtMs);
      }
    },
    finish(size) {
      for (const checkpoint of kept) {
        if (checkpoint.size > size) {
          problems.add({
            code: 'head-lost',
            detail: `A head of ${checkpoint.size} was kept; the log has only ${size}.`,
          });
        }
      }
    },
    checked: () => checked,
  };
}

function isSigned(checkpoint: Checkpoint, signer: Signer | undefined): boolean {
  const signature = signer === undefined ? undefined : signatureBy(checkpoint, signer.key);
  return signature !== undefined && signer?.verify(checkpoint.message, signature) === true;
}

/** Answers the time it was signed at. */
function checkNote(row: CheckpointRow, { signer, problems }: CheckDeps): number {
  const checkpoint = parseCheckpoint(row.note);
  const where = `The checkpoint of ${row.size}`;
  if (checkpoint?.signedAt === undefined) {
    problems.add({ code: 'checkpoint-wrong', detail: `${where} cannot be read.` });
    return row.signedAtMs;
  }
  const signedAtMs = Date.parse(checkpoint.signedAt);
  const same = checkpoint.size === row.size && equalBytes(checkpoint.root, row.root);
  if (!same || signedAtMs !== row.signedAtMs) {
    problems.add({ code: 'checkpoint-wrong', detail: `${where} says something else than its row.` });
  }
  if (!isSigned(checkpoint, signer)) {
    problems.add({ code: 'signature-wrong', detail: `${where} is not signed by this log.` });
  }
  return signedAtMs;
}

function parseKept({ known, signer, problems }: CheckDeps): Checkpoint[] {
  return known.flatMap((note) => {
    const checkpoint = parseCheckpoint(note.endsWith('\n') ? note : `${note}\n`);
    if (checkpoint !== undefined && isSigned(checkpoint, signer)) return [checkpoint];
    problems.add({ code: 'signature-wrong', detail: 'The checkpoint that was kept is not signed by this log.' });
    return [];
  });
}

const PAGE = 500;

/** Stored checkpoints by size, a page at a time. */
function createCheckpointQueue(database: Database) {
  let page: CheckpointRow[] = [];
  let loadedThrough = 0;
  let exhausted = false;
  let loaded = false;

  async function load(): Promise<void> {
    if (page.length > 0 || exhausted) return;
    page = await checkpointsAfter(database, loadedThrough, PAGE);
    loaded = true;
    exhausted = page.length < PAGE;
    loadedThrough = page.at(-1)?.size ?? loadedThrough;
  }

  return {
    /** Size of the next one; 0, so due at once, before the first page was read. */
    nextSize: (): number => (loaded ? (page[0]?.size ?? Number.POSITIVE_INFINITY) : 0),
    /** Takes those up to this size. */
    async through(size: number): Promise<CheckpointRow[]> {
      const taken: CheckpointRow[] = [];
      await load();
      for (let row = page[0]; row !== undefined && row.size <= size; row = page[0]) {
        taken.push(row);
        page.shift();
        await load();
      }
      return taken;
    },
  };
}

/** A transaction may be open for hours, and clocks get corrected; more than a day is neither. */
const TIME_TOLERANCE_MS = 24 * 3_600_000;

interface Moment {
  readonly index: number;
  readonly ms: number;
}

/** Finds events that were given a false time: recorded long before the previous head was signed, or after the next. */
function createTimeWindow(problems: ProblemList) {
  let earliest: Moment | undefined;
  let latest: Moment | undefined;
  let previousMs = Number.NEGATIVE_INFINITY;
  return {
    add(index: number, ms: number | undefined): void {
      if (ms === undefined) return;
      if (earliest === undefined || ms < earliest.ms) earliest = { index, ms };
      if (latest === undefined || ms > latest.ms) latest = { index, ms };
    },
    close(signedAtMs: number): void {
      const tooEarly = earliest !== undefined && earliest.ms < previousMs - TIME_TOLERANCE_MS ? earliest : undefined;
      const tooLate = latest !== undefined && latest.ms > signedAtMs + TIME_TOLERANCE_MS ? latest : undefined;
      const index = tooEarly?.index ?? tooLate?.index;
      if (index !== undefined) {
        problems.add({ code: 'time-wrong', index, detail: 'The time of the event does not fit the heads around it.' });
      }
      [earliest, latest] = [undefined, undefined];
      previousMs = signedAtMs;
    },
  };
}
