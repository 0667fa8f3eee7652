import { Problem } from '../../kernel/problem.ts';
import { type FileReading, findReading, HEAD_BYTES } from '../load/reading.ts';
import type { MapDocument } from '../load/wire.ts';
import type { CompiledModel } from '../matching/index.ts';
import { fileNameOf, type FileSource, forEachPart, sizeOf } from './file-source.ts';
import { planOf } from './plan.ts';
import { readHeader, type ReadColumn } from './read-columns.ts';
import { type FileTable, tableOf } from './table.ts';
import type { Team } from './team.ts';
import type { ReadOrder } from './work.ts';

export interface FileOrder {
  readonly path: FileSource;
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

export function deservesThreads(path: FileSource): boolean {
  return typeof path === 'string' && sizeOf(path) >= THREADED_FROM_BYTES;
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
  let head: Uint8Array = new Uint8Array();
  forEachPart(path, Math.max(1, Math.min(size, HEAD_BYTES)), (part) => {
    head = part;
    return false;
  });
  const reading = findReading({ bytes: head, isWhole: head.length === size, fileName: fileNameOf(path) }, map.csv);
  if (reading.format === 'csv') return reading;
  throw new Problem('invalid', 'file-not-csv', 'Linkage reads CSV files. Nothing was changed.');
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
