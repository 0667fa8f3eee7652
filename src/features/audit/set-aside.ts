import { sha256 } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import { type AuditEventId, parseId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { isProblem, Problem } from '../../kernel/problem.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import type { AuditDeps } from './deps.ts';
import { readContents } from './event-contents.ts';
import { readEvent } from './event-query.ts';
import type { LogReader } from './log-reader.ts';
import type { AuditInput, SetAsideBatch } from './model.ts';
import type { ProblemList } from './problem-list.ts';
import { type BatchRow, jsonOf, openBatch } from './sealed-event.ts';
import * as store from './set-aside-store.ts';

/** A batch that cannot be opened stands in the way of all that came after it. */
export class BatchDamaged extends Error {
  constructor(id: string, cause: unknown) {
    super(
      `The audit batch ${id} cannot be opened, so nothing after it is numbered. Restore it from a backup, or enter the damage into the log: ` +
        `careseal audit set-aside --batch ${id} --reason "…"`,
      { cause },
    );
    this.name = 'BatchDamaged';
  }
}

export interface SetAsideAct {
  readonly actor: Actor;
  /** Why, in plain words; goes into the log. */
  readonly reason: string;
  /** The database as its owner. */
  readonly owner: Database;
  readonly batch: string;
}

interface SetAsideDeps extends Pick<AuditDeps, 'database' | 'keyRing'> {
  readonly reader: LogReader;
  recordNow(inputs: readonly AuditInput[]): Promise<unknown>;
  sequence(): Promise<void>;
}

/**
 * Lets numbering go on behind a batch that was damaged before it was numbered. The damage goes into the log first, with the batch's id,
 * length and hash; the batch stays where it is. Refused for whatever can still be opened or has its numbers.
 */
export function createSetAside(deps: SetAsideDeps): (act: SetAsideAct) => Promise<SetAsideBatch> {
  const { database, keyRing } = deps;

  return async ({ actor, reason, owner, batch }) => {
    const row = await store.readBatchRow(database, batch);
    if (row === undefined) throw batchNotFound();
    if (isSound(keyRing, row)) throw batchSound();
    if (await store.isNumbered(database, row.id)) throw batchNumbered();
    if (await store.isSetAside(database, row.id)) throw batchAside();
    const facts = factsOf(row);
    const detail = { batch: row.id, events: String(facts.events), bytes: String(facts.bytes), sha256: facts.sha256 };
    await deps.recordNow([
      { actor, event: 'audit.set-aside', action: 'E', outcome: 'serious-failure', reason, detail },
    ]);
    const { events } = await deps.reader.search({ events: ['audit.set-aside'], limit: 20 });
    const own = events.find(
      (event) => event.requestId === actor.origin.requestId && event.detail?.['batch'] === row.id,
    );
    const because = own === undefined ? undefined : parseId<AuditEventId>(own.id);
    if (because === undefined) throw notRecorded();
    await store.insertSetAside(owner, { batch: row.id, because });
    await deps.sequence();
    return { ...facts, because };
  };
}

function isSound(keyRing: KeyRing, row: BatchRow): boolean {
  try {
    openBatch(keyRing, row);
    return true;
  } catch (error) {
    if (isProblem(error) && error.kind === 'unavailable') throw error;
    return false;
  }
}

const factsOf = ({ id, events, sealed }: BatchRow): Omit<SetAsideBatch, 'because'> => {
  const bytes = sealed ?? new Uint8Array(0);
  return { batch: id, events, bytes: bytes.length, sha256: toHex(sha256(bytes)) };
};

/**
 * The batches that were set aside, for `verify` to tell. Each must be as its event says, and still not open: somebody with the owner's
 * rights could otherwise set aside what he wants to be rid of.
 */
export async function checkSetAside(
  { database, keyRing }: Pick<AuditDeps, 'database' | 'keyRing'>,
  problems: ProblemList,
): Promise<SetAsideBatch[]> {
  const found: SetAsideBatch[] = [];
  for (const { batch, because } of await store.allSetAside(database)) {
    const row = await store.readBatchRow(database, batch);
    const facts = row === undefined ? undefined : factsOf(row);
    const said = await saidOf({ database, keyRing }, because);
    const same =
      facts !== undefined &&
      said?.['batch'] === batch &&
      said['events'] === String(facts.events) &&
      said['sha256'] === facts.sha256;
    if (facts !== undefined && same && row !== undefined && !isSound(keyRing, row)) {
      found.push({ ...facts, because });
      continue;
    }
    const detail = 'A batch of events was set aside, and is not as the log says, or not damaged at all.';
    problems.add({ code: 'not-in-tree', eventId: batch, detail });
  }
  return found;
}

/** Details of the event that explains; undefined where there is none. Numbered, so that its leaf proves it. */
async function saidOf(
  { database, keyRing }: Pick<AuditDeps, 'database' | 'keyRing'>,
  because: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  const event = await readEvent(database, because);
  if (event?.event !== 'audit.set-aside') return undefined;
  const [content] = await readContents(database, keyRing, [event]);
  const json = content === undefined ? undefined : jsonOf(content);
  if (json === undefined) return undefined;
  // Canonical JSON that this feature wrote.
  const { entity = [] } = JSON.parse(json) as {
    readonly entity?: readonly { readonly detail?: readonly { type: string; valueString?: string }[] }[];
  };
  const details = entity.flatMap(({ detail = [] }) => detail);
  return Object.fromEntries(details.map(({ type, valueString = '' }) => [type, valueString]));
}

const batchNotFound = (): Problem =>
  new Problem('not-found', 'audit-batch-not-found', 'There is no such batch of audit events. Nothing was changed.');
const batchSound = (): Problem =>
  new Problem('conflict', 'audit-batch-sound', 'This batch can be opened, so numbering takes it. Nothing was changed.');
const batchNumbered = (): Problem =>
  new Problem(
    'conflict',
    'audit-batch-numbered',
    'The events of this batch are in the log already, and nothing waits for it. Nothing was changed; careseal audit verify says what is damaged.',
  );
const batchAside = (): Problem =>
  new Problem('conflict', 'audit-batch-set-aside', 'This batch is set aside already. Nothing was changed.');
const notRecorded = (): Problem =>
  new Problem('unavailable', 'audit-not-recorded', 'The damage could not be entered into the log. Nothing was done.');
