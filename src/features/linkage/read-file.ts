import { openSync, readSync, closeSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Problem } from '../../kernel/problem.ts';
import { type FileReading, findReading, HEAD_BYTES } from '../load/reading.ts';
import type { MapDocument } from '../load/wire.ts';
import type { CompiledModel } from '../matching/index.ts';
import { planOf } from './plan.ts';
import { readHeader, type ReadColumn } from './read-columns.ts';
import { type FileTable, tableOf } from './table.ts';
import type { Team } from './team.ts';
import type { ReadOrder } from './work.ts';

export interface FileOrder {
  readonly path: string;
  readonly map: MapDocument;
  readonly truth?: string | undefined;
  readonly model: CompiledModel;
  /** FHIR date. */
  readonly today: string;
}

export interface ReadFile extends FileTable {
  readonly rows: number;
  readonly rejected: number;
}

/** Below this a file is read faster than threads are started. */
const THREADED_FROM_BYTES = 4_000_000;

export function deservesThreads(path: string): boolean {
  return sizeOf(path) >= THREADED_FROM_BYTES;
}

/** Reads a CSV file into columns. Throws Problem for what cannot be read, and for columns that are not there. */
export async function readFile(team: Team, order: FileOrder): Promise<ReadFile> {
  const reading = readingOf(order);
  const header = readHeader(order.path, reading);
  const plans = planOf({ ...order, header });
  const task: ReadOrder = {
    path: order.path,
    reading,
    map: order.map,
    header,
    truth: order.truth,
    today: order.today,
    model: order.model.document,
  };
  const shares = divided(
    plans.map(({ columns }) => costOf(columns[0]?.key ?? 'id')),
    team.size,
  );
  const results = await team.perform(
    'read',
    shares.map((own) => ({ order: task, plans: own })),
  );
  const [first] = results;
  if (first === undefined || first.rows === 0) {
    throw new Problem('invalid', 'file-empty', 'The file has no rows that can be read. Nothing was changed.');
  }
  return {
    ...tableOf(
      first.rows,
      results.flatMap(({ columns }) => columns),
    ),
    rows: first.rows,
    rejected: first.rejected,
  };
}

function readingOf({ path, map }: FileOrder): FileReading {
  const size = sizeOf(path);
  const file = openSync(path, 'r');
  try {
    const head = new Uint8Array(Math.min(size, HEAD_BYTES));
    const length = readSync(file, head, 0, head.length, 0);
    const reading = findReading(
      { bytes: head.subarray(0, length), isWhole: length === size, fileName: basename(path) },
      map.csv,
    );
    if (reading.format === 'csv') return reading;
  } finally {
    closeSync(file);
  }
  throw new Problem('invalid', 'file-not-csv', 'Linkage reads CSV files. Nothing was changed.');
}

function sizeOf(path: string): number {
  try {
    const found = statSync(path);
    if (found.isFile()) return found.size;
  } catch (cause) {
    throw new Problem('invalid', 'file-unreadable', `The file ${path} cannot be read. Nothing was changed.`, { cause });
  }
  throw new Problem('invalid', 'file-unreadable', `${path} is no file. Nothing was changed.`);
}

/** Columns with many different values cost most: they go to different threads. */
function costOf(key: ReadColumn['key']): number {
  if (key === 'line') return 8;
  if (key === 'phone' || key === 'email' || key.startsWith('identifier:')) return 5;
  if (key === 'id' || key === 'truth') return 4;
  return key === 'given' || key === 'family' || key === 'mother' ? 3 : 1;
}

/** The dearest first, each to who has least so far. */
function divided(costs: readonly number[], hands: number): number[][] {
  const shares = Array.from({ length: Math.min(hands, costs.length) }, () => ({ plans: [] as number[], cost: 0 }));
  const order = [...costs.keys()].sort((a, b) => (costs[b] ?? 0) - (costs[a] ?? 0));
  for (const plan of order) {
    const least = shares.reduce((best, share) => (share.cost < best.cost ? share : best));
    least.plans.push(plan);
    least.cost += costs[plan] ?? 0;
  }
  return shares.map(({ plans }) => plans);
}
