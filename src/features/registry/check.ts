/**
 * Goes over the whole registry while it serves, and says what does not hold together: rows that do not fit their binding, contents that
 * do not open, records that belong to nobody. Changes nothing; repair.ts mends what it finds.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import { examine, type PersonFaults } from './examine.ts';
import { MEMBERS } from './golden-binding.ts';
import type { RoundDeps } from './round-loading.ts';
import { readGoldens, REGISTRY_LOCK, type StoredGolden } from './store.ts';

const BATCH_ROWS = 500;
const NIL = '00000000-0000-0000-0000-000000000000' as ResourceId;

const nextGoldens = statement<StoredGolden>(
  'registry.check-goldens',
  `SELECT golden_id, version, updated_at, replaced_by, deleted, organisations, shared_with, binding, ${MEMBERS}
   FROM registry.golden AS g WHERE golden_id > $1 ORDER BY golden_id LIMIT $2`,
);
const lostSources = statement<{ id: ResourceId; golden_id: ResourceId }>(
  'registry.check-lost-sources',
  `SELECT source_id AS id, golden_id FROM registry.source AS s
   WHERE source_id > $1 AND NOT EXISTS (SELECT FROM registry.golden AS g WHERE g.golden_id = s.golden_id)
   ORDER BY source_id LIMIT $2`,
);
const lostContents = statement<{ id: ResourceId }>(
  'registry.check-lost-contents',
  `SELECT id FROM store.resource AS r WHERE type = 'Patient' AND sealed IS NOT NULL AND id > $1
     AND NOT EXISTS (SELECT FROM registry.golden AS g WHERE g.golden_id = r.id)
     AND NOT EXISTS (SELECT FROM registry.source AS s WHERE s.source_id = r.id)
   ORDER BY id LIMIT $2`,
);

export interface CheckOptions {
  readonly signal?: AbortSignal;
  /** Clients looked at so far. */
  readonly onProgress?: (clients: number) => void;
}

export interface CheckReport {
  /** Clients looked at, merged and deleted ones included. */
  readonly clients: number;
  readonly records: number;
  readonly persons: readonly PersonFaults[];
  /** Domains whose row was changed, by their name. */
  readonly domains: readonly string[];
  /** False when it was interrupted: what is here is true, and not all. */
  readonly finished: boolean;
}

export async function checkRegistry(deps: RoundDeps, options: CheckOptions = {}): Promise<CheckReport> {
  const persons: PersonFaults[] = [];
  let [clients, records] = [0, 0];
  for await (const rows of walk(deps.database, nextGoldens, (row) => row.golden_id, options.signal)) {
    clients += rows.length;
    records += rows.reduce((sum, row) => sum + row.members.length, 0);
    persons.push(...(await certainly(deps, await examine(deps, deps.database, rows))));
    options.onProgress?.(clients);
  }
  persons.push(...(await lost(deps, options.signal)));
  const table = await deps.domains.table();
  return {
    ...{ clients, records, persons },
    domains: table.all().flatMap(({ system, altered }) => (altered ? [system] : [])),
    finished: options.signal?.aborted !== true,
  };
}

/** Looked at once more under the registry's lock: what was a change under way holds together then. */
async function certainly(deps: RoundDeps, found: readonly PersonFaults[]): Promise<PersonFaults[]> {
  if (found.length === 0) return [];
  const ids = found.map(({ goldenId }) => goldenId);
  return await deps.database.transaction(async (tx) => await examine(deps, tx, await readGoldens(tx, ids)), {
    lock: REGISTRY_LOCK,
  });
}

/** Records and contents that no row of a client leads to. */
async function lost(deps: RoundDeps, signal: AbortSignal | undefined): Promise<PersonFaults[]> {
  const persons = new Map<ResourceId, PersonFaults>();
  for await (const rows of walk(deps.database, lostSources, (row) => row.id, signal)) {
    for (const { id, golden_id: goldenId } of rows) {
      const faults = [...(persons.get(goldenId)?.faults ?? []), { kind: 'record-lost' as const, id }];
      persons.set(goldenId, { goldenId, faults });
    }
  }
  for await (const rows of walk(deps.database, lostContents, (row) => row.id, signal)) {
    for (const { id } of rows) {
      const faults = [...(persons.get(id)?.faults ?? []), { kind: 'row-missing' as const, id }];
      persons.set(id, { goldenId: id, faults });
    }
  }
  return [...persons.values()];
}

async function* walk<Row>(
  sql: Sql,
  page: ReturnType<typeof statement<Row>>,
  idOf: (row: Row) => ResourceId,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Row[]> {
  let after: ResourceId | undefined = NIL;
  while (after !== undefined && signal?.aborted !== true) {
    const rows: readonly Row[] = await sql.rows(page, [after, BATCH_ROWS]);
    if (rows.length > 0) yield rows;
    const last: Row | undefined = rows.at(-1);
    after = rows.length < BATCH_ROWS || last === undefined ? undefined : idOf(last);
  }
}
