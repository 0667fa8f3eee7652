/**
 * Persons that somebody has changed in the database, past Careseal: their rows do not fit their binding. Nothing is decided about
 * them and nothing of them is shown to people of bounded reach, until the rows are as they were.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Sql } from '../../platform/db/sql.ts';
import { clientAltered } from './altered-problem.ts';
import type { GoldenState, RoundState } from './batch-state.ts';
import type { DomainTable, RegistryDeps } from './deps.ts';
import { goldenFits, memberOf } from './golden-binding.ts';
import { readGoldens, type StoredGolden } from './store.ts';
import { UNMADE } from './within.ts';

export type BindingDeps = Pick<RegistryDeps, 'keyRing' | 'goldensBound' | 'domains'> & {
  /** Told of every person found changed; what is told again and again is written once an hour. */
  readonly onAltered: (id: ResourceId) => void;
};

/** Whether a stored row fits, with the records that stand for it. */
export function storedFits(deps: BindingDeps, row: StoredGolden, domains: DomainTable): boolean {
  const facts = {
    ...{ goldenId: row.golden_id, version: row.version },
    ...{ organisations: row.organisations, sharedWith: row.shared_with, members: row.members.map(memberOf) },
  };
  return goldenFits(deps, facts, { binding: row.binding, domains });
}

/** A domain that another process made a moment ago is not in a table a second old: then it is read anew. */
export async function domainsOf(
  deps: Pick<RegistryDeps, 'domains'>,
  domainIds: Iterable<number>,
): Promise<DomainTable> {
  const table = await deps.domains.table();
  for (const id of domainIds) {
    if (id === UNMADE || table.byId(id) !== undefined) continue;
    deps.domains.forget?.();
    return await deps.domains.table();
  }
  return table;
}

const domainIdsIn = (rows: readonly StoredGolden[]): number[] =>
  rows.flatMap(({ members }) => members.map((text) => memberOf(text).domainId));

/** Those of the rows that fit; of the others the listener is told. */
export async function fitting(deps: BindingDeps, rows: readonly StoredGolden[]): Promise<StoredGolden[]> {
  const domains = await domainsOf(deps, domainIdsIn(rows));
  return rows.filter((row) => {
    const fits = storedFits(deps, row, domains);
    if (!fits) deps.onAltered(row.golden_id);
    return fits;
  });
}

/** Throws Problem `client-altered` when one of these does not fit, or has records and no row of its own. */
export async function assertWhole(
  deps: BindingDeps,
  sql: Sql,
  state: RoundState,
  ids: readonly ResourceId[],
): Promise<void> {
  const rows = await readGoldens(sql, ids);
  const whole = new Set((await fitting(deps, rows)).map((row) => row.golden_id));
  if (whole.size < rows.length) throw clientAltered();
  for (const { id, members } of state.goldens.values()) {
    if (members.size === 0 || whole.has(id)) continue;
    deps.onAltered(id);
    throw clientAltered();
  }
}

/** Whether a person of a round is as it was written: asked before anything about it changes. */
export function isWhole(deps: BindingDeps, state: RoundState, golden: GoldenState, domains: DomainTable): boolean {
  if (!golden.loaded || golden.whole === true) return true;
  const members = [...golden.members].flatMap((id) => {
    const source = state.sources.get(id);
    return source === undefined ? [] : [{ id, domainId: source.domainId, version: source.storedVersion }];
  });
  const { id: goldenId, storedVersion: version, organisations, sharedWith, binding } = golden;
  const facts = { goldenId, version, organisations, sharedWith, members };
  const fits = golden.known && goldenFits(deps, facts, { binding, domains });
  if (fits) golden.whole = true;
  else deps.onAltered(goldenId);
  return fits;
}

/** For work over all records: persons that somebody has changed are not there. */
export async function leaveOutAltered(deps: BindingDeps, state: RoundState): Promise<void> {
  const domains = await domainsOf(
    deps,
    [...state.sources.values()].map((source) => source.domainId),
  );
  for (const golden of [...state.goldens.values()]) {
    if (isWhole(deps, state, golden, domains)) continue;
    for (const id of golden.members) state.sources.delete(id);
    state.goldens.delete(golden.id);
  }
}
