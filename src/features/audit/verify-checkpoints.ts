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
  isDue(size: number): boolean;
  atSize(size: number, root: Uint8Array): Promise<void>;
  /** After the last leaf. */
  finish(size: number): void;
  checked(): number;
}

interface Moment {
  readonly index: number;
  readonly ms: number;
}

interface CheckDeps {
  readonly database: Database;
  readonly signer: Signer | undefined;
  readonly problems: ProblemList;
  readonly known: readonly string[];
}

const PAGE = 500;
/** A transaction may be open for hours, and clocks get corrected; more than a day is neither. */
const TIME_TOLERANCE_MS = 24 * 3_600_000;

export function createCheckpointCheck({ database, signer, problems, known }: CheckDeps): CheckpointCheck {
  const kept = parseKept(known);
  let page: CheckpointRow[] = [];
  let loadedThrough = 0;
  let exhausted = false;
  let checked = 0;
  let previousMs = Number.NEGATIVE_INFINITY;
  let earliest: Moment | undefined;
  let latest: Moment | undefined;
  let due = 0;
  let diverged = false;

  /** A checkpoint's size is known only once its row is read, so rows are read ahead. */
  async function load(): Promise<void> {
    if (page.length > 0 || exhausted) return;
    page = await checkpointsAfter(database, loadedThrough, PAGE);
    exhausted = page.length < PAGE;
    loadedThrough = page.at(-1)?.size ?? loadedThrough;
    due = page[0]?.size ?? Number.POSITIVE_INFINITY;
  }

  function checkNote(row: CheckpointRow): Checkpoint | undefined {
    const checkpoint = parseCheckpoint(row.note);
    const where = `The checkpoint of ${row.size}`;
    if (checkpoint === undefined) {
      problems.add({ code: 'checkpoint-wrong', detail: `${where} cannot be read.` });
      return undefined;
    }
    const same = checkpoint.size === row.size && equalBytes(checkpoint.root, row.root);
    if (!same || Date.parse(checkpoint.signedAt) !== row.signedAtMs) {
      problems.add({ code: 'checkpoint-wrong', detail: `${where} says something else than its row.` });
    }
    if (!isSigned(checkpoint)) problems.add({ code: 'signature-wrong', detail: `${where} is not signed by this log.` });
    return checkpoint;
  }

  function isSigned(checkpoint: Checkpoint): boolean {
    const signature = signer === undefined ? undefined : signatureBy(checkpoint, signer.key);
    return signature !== undefined && signer?.verify(checkpoint.message, signature) === true;
  }

  /** An event recorded long before the previous head was signed, or after this one, was given a false time. */
  function checkTimes(signedAtMs: number): void {
    const tooEarly = earliest !== undefined && earliest.ms < previousMs - TIME_TOLERANCE_MS ? earliest : undefined;
    const tooLate = latest !== undefined && latest.ms > signedAtMs + TIME_TOLERANCE_MS ? latest : undefined;
    const index = tooEarly?.index ?? tooLate?.index;
    if (index !== undefined) {
      problems.add({ code: 'time-wrong', index, detail: 'The time of the event does not fit the heads around it.' });
    }
    [earliest, latest] = [undefined, undefined];
    previousMs = signedAtMs;
  }

  function parseKept(notes: readonly string[]): Checkpoint[] {
    return notes.flatMap((note) => {
      const checkpoint = parseCheckpoint(note.endsWith('\n') ? note : `${note}\n`);
      if (checkpoint !== undefined && isSigned(checkpoint)) return [checkpoint];
      problems.add({ code: 'signature-wrong', detail: 'The checkpoint that was kept is not signed by this log.' });
      return [];
    });
  }

  return {
    atLeaf(index, ms) {
      if (ms === undefined) return;
      if (earliest === undefined || ms < earliest.ms) earliest = { index, ms };
      if (latest === undefined || ms > latest.ms) latest = { index, ms };
    },
    isDue: (size) => size >= due || kept.some((checkpoint) => checkpoint.size === size),
    async atSize(size, root) {
      for (const checkpoint of kept) {
        if (checkpoint.size === size && !equalBytes(checkpoint.root, root)) {
          problems.add({ code: 'head-lost', detail: `The log differs from the head of ${size} that was kept.` });
        }
      }
      await load();
      while (page[0] !== undefined && page[0].size <= size) {
        const row = page.shift() as CheckpointRow;
        checked++;
        const checkpoint = checkNote(row);
        // Once a root is wrong all later ones are; the first says where to look.
        if (row.size === size && !equalBytes(row.root, root) && !diverged) {
          diverged = true;
          problems.add({ code: 'root-wrong', detail: `The events do not give the root that was signed for ${size}.` });
        }
        checkTimes(checkpoint === undefined ? row.signedAtMs : Date.parse(checkpoint.signedAt));
        await load();
        due = page[0]?.size ?? Number.POSITIVE_INFINITY;
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
