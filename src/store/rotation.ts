import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '../crypto/index.ts';
import { Problem } from '../kernel/problem.ts';
import type { Database, Transaction } from '../platform/db/sql.ts';
import { addKey, onlyCurrent, rootSealingKey, type UnwrappedKey, wrapKey } from './key-hierarchy.ts';
import { KEY_FAMILIES, type KeyFamily } from './key-ring.ts';
import {
  announceKeyChange,
  type KeyPurpose,
  type KeyRow,
  lockKeys,
  readKeys,
  rewrapKey,
  setKeyState,
} from './key-table.ts';
import type { KeyVault } from './key-vault.ts';
import type { ResealParticipant, RotationKind } from './model.ts';
import type { RootKeySource } from './root-key.ts';
import {
  addRotationPart,
  advanceRotationPart,
  beginRotation,
  countSealsUnder,
  finishRotation,
  lockRotationPart,
  nextTransaction,
  oldestWriter,
  type RotationId,
  type RotationPart,
  type RotationRow,
  rotationParts,
  runningRotation,
  sealedColumns,
} from './rotation-table.ts';

/** Replaces keys while the server serves. Each act may be stopped at any moment and be called again. */
export interface KeyRotation {
  /** Wraps the key-encryption keys under a new root key. Seconds; nothing is re-sealed. */
  rotateRoot(): Promise<void>;
  /** Makes a new key-encryption key and wraps data and index keys under it. Seconds; nothing is re-sealed. */
  rotateKeyEncryption(): Promise<void>;
  /**
   * Makes a new data or index key for each family and makes every participant's rows new; then the old key of the record
   * family is destroyed. Goes on with a rotation of this kind that was interrupted.
   * Throws Problem('conflict', 'rotation-running') while one of the other kind is unfinished.
   */
  reseal(kind: RotationKind, options?: ResealOptions): Promise<ResealReport>;
  /** Goes on with whatever rotation was interrupted; undefined when there is none. For the server's start. */
  resume(options?: ResealOptions): Promise<ResealReport | undefined>;
  status(): Promise<RotationStatus>;
}

export interface ResealOptions {
  readonly onProgress?: (part: RotationPart) => void;
  /** Stops between two batches; a later call goes on. */
  readonly signal?: AbortSignal;
}

export interface ResealReport {
  readonly kind: RotationKind;
  /** Rows made new by this and earlier runs of the rotation. */
  readonly rows: number;
  /** False when stopped by the signal. */
  readonly finished: boolean;
  /** Columns in which seals under the old key were left; it is kept for them. A participant is missing or at fault. */
  readonly left: readonly string[];
}

export interface RotationStatus {
  readonly keys: readonly { id: number; purpose: KeyPurpose; family: string; state: string; sinceMs: number }[];
  readonly running?: {
    readonly kind: RotationKind;
    readonly startedMs: number;
    readonly parts: readonly RotationPart[];
  };
}

export interface KeyRotationDeps {
  readonly database: Database;
  readonly vault: KeyVault;
  readonly rootKey: RootKeySource;
  readonly participants: readonly ResealParticipant[];
  /**
   * How long every process is given to learn of a new key before it is used, and of its use before old rows are visited.
   * Notifications take milliseconds; the default of 5 s lets a connection that broke be made again.
   */
  readonly graceMs?: number;
}

const BATCH_ROWS = 200;
const LOCKED_ROW_PAUSE_MS = 20;

export function createKeyRotation(deps: KeyRotationDeps): KeyRotation {
  return {
    rotateRoot: () => rotateRoot(deps),
    rotateKeyEncryption: () => rotateKeyEncryption(deps),
    async reseal(kind, options = {}) {
      const running = await runningRotation(deps.database);
      if (running !== undefined && running.kind !== kind) throw otherRunning(running.kind);
      return await run(deps, running ?? (await announce(deps, kind)), options);
    },
    async resume(options = {}) {
      const running = await runningRotation(deps.database);
      return running === undefined ? undefined : await run(deps, running, options);
    },
    status: () => status(deps.database),
  };
}

function otherRunning(kind: RotationKind): Problem<'rotation-running'> {
  return new Problem('conflict', 'rotation-running', `A rotation of the ${kind} keys is unfinished. Finish it first.`);
}

/** Changes keys under the lock, and has this process and all others load them afterwards. */
async function changeKeys<T>(
  { database, vault }: KeyRotationDeps,
  change: (tx: Transaction, rows: readonly KeyRow[]) => Promise<T>,
): Promise<T> {
  const result = await database.transaction(async (tx) => {
    await lockKeys(tx);
    const changed = await change(tx, await readKeys(tx));
    await announceKeyChange(tx);
    return changed;
  });
  await vault.reload();
  return result;
}

async function rotateRoot(deps: KeyRotationDeps): Promise<void> {
  const settle = async (rows: readonly KeyRow[]) => await deps.rootKey.settle((await deps.vault.root(rows)).key);
  await changeKeys(deps, async (tx, rows) => {
    await settle(rows);
    const wrapping = (await deps.vault.unwrap(rows)).filter((key) => key.purpose === 'key-encryption');
    const root = rootSealingKey(await deps.rootKey.prepare());
    for (const key of wrapping) await rewrapKey(tx, key.id, wrapKey(root, key, key.key));
  });
  await changeKeys(deps, (_, rows) => settle(rows));
}

async function rotateKeyEncryption(deps: KeyRotationDeps): Promise<void> {
  await changeKeys(deps, async (tx, rows) => {
    const keys = await deps.vault.unwrap(rows);
    const root = await deps.vault.root(rows);
    for (const old of keys.filter((key) => key.purpose === 'key-encryption'))
      await setKeyState(tx, old.id, 'destroyed');
    const made = await addKey(tx, root, { purpose: 'key-encryption', family: 'all', state: 'current' });
    for (const key of keys) {
      if (key.purpose !== 'key-encryption') await rewrapKey(tx, key.id, wrapKey(made, key, key.key));
    }
  });
}

/** The current key of a purpose in one family. */
function currentKey(keys: readonly UnwrappedKey[], purpose: KeyPurpose, family: KeyFamily | 'all'): UnwrappedKey {
  return onlyCurrent(keys.filter((key) => key.purpose === purpose && key.family === family));
}

/** First step: every process gets to know the new keys before anything is sealed or written with them. */
async function announce(deps: KeyRotationDeps, kind: RotationKind): Promise<RotationRow> {
  return await changeKeys(deps, async (tx, rows) => {
    // Another process may have begun one since it was looked; there is one at a time.
    const running = await runningRotation(tx);
    if (running !== undefined && running.kind !== kind) throw otherRunning(running.kind);
    if (running !== undefined) return running;
    const keys = await deps.vault.unwrap(rows);
    const wrapping = currentKey(keys, 'key-encryption', 'all');
    const made = new Map<KeyFamily, UnwrappedKey>();
    for (const family of KEY_FAMILIES) {
      made.set(family, await addKey(tx, wrapping, { purpose: kind, family, state: 'announced' }));
    }
    const row = {
      id: newId<RotationId>(),
      kind,
      old_key: currentKey(keys, kind, 'record').id,
      new_key: made.get('record')?.id ?? 0,
    };
    await beginRotation(tx, row);
    return { ...row, started_at: new Date() };
  });
}

async function run(deps: KeyRotationDeps, rotation: RotationRow, options: ResealOptions): Promise<ResealReport> {
  await useNewKeys(deps, rotation, options.signal);
  const participants = deps.participants.filter((participant) => participant.kinds.includes(rotation.kind));
  for (const participant of participants) {
    const total = await participant.count(deps.database, rotation.kind);
    await addRotationPart(deps.database, rotation.id, participant.name, total);
  }
  for (const participant of participants) await resealAll(deps.database, { rotation, participant, options });
  const finished = options.signal?.aborted !== true;
  const left = finished ? await finish(deps, rotation) : [];
  const parts = await rotationParts(deps.database, rotation.id);
  return { kind: rotation.kind, rows: parts.reduce((sum, part) => sum + part.done, 0), finished, left };
}

/** Second step: the announced keys become current. Old index keys are still searched by, old data keys still open. */
async function useNewKeys(deps: KeyRotationDeps, { kind, new_key }: RotationRow, signal?: AbortSignal): Promise<void> {
  const grace = async (): Promise<void> => {
    // Stopping is no error here: whoever is aborted does nothing more, and the next run waits again.
    await pause(deps.graceMs ?? 5_000, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  };
  const rows = await readKeys(deps.database);
  if (rows.find((row) => row.id === new_key)?.state === 'announced') {
    await grace();
    if (signal?.aborted === true) return;
    await changeKeys(deps, async (tx, locked) => {
      const keys = locked.filter((row) => row.purpose === kind);
      // Another process that goes on with the same rotation was first: once more would retire the new keys, and leave none.
      if (keys.find((row) => row.id === new_key)?.state !== 'announced') return;
      for (const row of keys.filter((key) => key.state === 'current')) await setKeyState(tx, row.id, 'retiring');
      for (const row of keys.filter((key) => key.state === 'announced')) await setKeyState(tx, row.id, 'current');
    });
  }
  // What was being written with the old keys has to be there when the rows are visited, however long its transaction takes.
  await grace();
  await olderWritersDone(deps.database, signal);
}

/** Rows of a transaction that has not committed are seen by nobody: they would be passed over, and their key destroyed. */
async function olderWritersDone(database: Database, signal?: AbortSignal): Promise<void> {
  const before = await nextTransaction(database);
  while (signal?.aborted !== true && (await oldestWriter(database)) < before) await pause(LOCKED_ROW_PAUSE_MS);
}

interface ResealRun {
  readonly rotation: RotationRow;
  readonly participant: ResealParticipant;
  readonly options: ResealOptions;
}

/** Third step, per participant: batch by batch, each in a transaction that also records how far it came. */
async function resealAll(database: Database, { rotation, participant, options }: ResealRun): Promise<void> {
  const part = { id: rotation.id, participant: participant.name };
  while (options.signal?.aborted !== true) {
    const batch = await database.transaction(async (tx) => {
      const { finished, cursor } = await lockRotationPart(tx, rotation.id, participant.name);
      if (finished) return undefined;
      const progress = await participant.resealBatch(tx, { kind: rotation.kind, cursor, limit: BATCH_ROWS });
      return { progress, part: await advanceRotationPart(tx, part, progress) };
    });
    if (batch === undefined) return;
    options.onProgress?.(batch.part);
    // Somebody is writing the very next row; it is visited when they have finished.
    if (batch.progress.visited === 0 && batch.progress.cursor !== undefined) await pause(LOCKED_ROW_PAUSE_MS);
  }
}

/** Last step: the old key is destroyed, unless a seal under it is left somewhere. */
async function finish(deps: KeyRotationDeps, rotation: RotationRow): Promise<string[]> {
  const left = rotation.kind === 'data' ? await columnsSealedUnder(deps.database, rotation.old_key) : [];
  await changeKeys(deps, async (tx) => {
    await finishRotation(tx, rotation.id);
    if (left.length === 0) await setKeyState(tx, rotation.old_key, 'destroyed');
  });
  return left;
}

/** A destroyed key cannot be brought back, so the whole database is asked, whatever the participants said. */
async function columnsSealedUnder(database: Database, keyId: number): Promise<string[]> {
  const found: string[] = [];
  for (const column of await sealedColumns(database)) {
    const seals = await countSealsUnder(database, column, keyId);
    if (seals > 0) found.push(`${column.schema}.${column.table}.${column.column}: ${seals}`);
  }
  return found;
}

async function status(database: Database): Promise<RotationStatus> {
  const keys = (await readKeys(database)).map(({ id, purpose, family, state, stateSince }) => ({
    id,
    purpose,
    family,
    state,
    sinceMs: stateSince.getTime(),
  }));
  const running = await runningRotation(database);
  if (running === undefined) return { keys };
  const parts = await rotationParts(database, running.id);
  return { keys, running: { kind: running.kind, startedMs: running.started_at.getTime(), parts } };
}
