/** Searches: the database narrows by blind tokens, what comes back is opened and tested exactly. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { StoredResource } from '../../store/model.ts';
import { QUICK_COUNT_ROWS_MAX, SEARCH_ROWS_MAX } from './bounds.ts';
import { patientOf } from './content.ts';
import { openCursor, type Position, sealCursor } from './cursor.ts';
import type { RegistryDeps } from './deps.ts';
import { searchTooBroad } from './problems.ts';
import type { RegistrySearch, RegistrySearchResult } from './service.ts';
import { countLiveGoldens, listGoldens, listSources, readSourcesOfGoldens } from './store.ts';

type SearchDeps = Pick<RegistryDeps, 'database' | 'keyRing' | 'resources'>;

export async function searchRegistry(deps: SearchDeps, search: RegistrySearch): Promise<RegistrySearchResult> {
  const after = search.after === undefined ? undefined : openCursor(deps.keyRing, purposeOf(search), search.after);
  if (search.kind === 'source') return searchSources(deps, search, after);
  return search.terms.length === 0 ? listAll(deps, search, after) : searchGoldens(deps, search, after);
}

const purposeOf = (search: RegistrySearch) => `${search.kind}:${search.order}`;

function page(
  deps: SearchDeps,
  search: RegistrySearch,
  found: { readonly records: readonly StoredResource[]; readonly more: boolean; readonly total: number | undefined },
): RegistrySearchResult {
  const last = found.records.at(-1);
  const total = found.total === undefined ? {} : { total: found.total };
  const position: Position | undefined =
    found.more && last ? { lastUpdatedMs: last.lastUpdatedMs, id: last.id, ...total } : undefined;
  return {
    records: found.records,
    ...total,
    ...(position ? { next: sealCursor(deps.keyRing, purposeOf(search), position) } : {}),
  };
}

async function listAll(
  deps: SearchDeps,
  search: RegistrySearch,
  after: Position | undefined,
): Promise<RegistrySearchResult> {
  const rows = await listGoldens(deps.database, {
    order: search.order,
    ...search.lastUpdated,
    ...(after ? { after } : {}),
    limit: search.limit + 1,
  });
  const ids = rows.slice(0, search.limit).map((row) => row.golden_id);
  const records = await readInOrder(deps, ids);
  let total = after?.total;
  if (total === undefined && search.total !== 'none') {
    const max = search.total === 'accurate' ? Number.MAX_SAFE_INTEGER : SEARCH_ROWS_MAX;
    const counted = await countLiveGoldens(deps.database, search.lastUpdated ?? {}, max);
    if (counted < max) total = counted;
  }
  return page(deps, search, { records, more: rows.length > search.limit, total });
}

async function readInOrder(deps: SearchDeps, ids: readonly ResourceId[]): Promise<StoredResource[]> {
  const found = await deps.resources.read(deps.database, 'Patient', ids);
  return ids.flatMap((id) => {
    const stored = found.get(id);
    return stored?.content ? [stored] : [];
  });
}

/** Walks the candidates in order; stops when the page is full, unless it also counts. */
async function searchGoldens(
  deps: SearchDeps,
  search: RegistrySearch,
  after: Position | undefined,
): Promise<RegistrySearchResult> {
  const counting = after === undefined && search.total !== 'none';
  const rowsMax = search.total === 'accurate' ? SEARCH_ROWS_MAX : QUICK_COUNT_ROWS_MAX;
  const records: StoredResource[] = [];
  let matched = 0;
  let opened = 0;
  let from: Position | undefined = after;
  let exhausted = false;
  while (!exhausted && (records.length <= search.limit || (counting && opened < rowsMax))) {
    if (opened >= SEARCH_ROWS_MAX) throw searchTooBroad(SEARCH_ROWS_MAX);
    const limit = Math.min(1_000, Math.max(100, search.limit * 2));
    const rows = await deps.resources.search(deps.database, {
      type: 'Patient',
      allOf: blindTerms(deps, search),
      order: search.order,
      limit,
      ...(search.lastUpdated ? { lastUpdated: search.lastUpdated } : {}),
      ...(from ? { after: { lastUpdatedMs: from.lastUpdatedMs, id: from.id } } : {}),
    });
    opened += rows.length;
    exhausted = rows.length < limit;
    for (const row of rows) {
      if (!row.content || !search.accepts(patientOf(row.content))) continue;
      matched += 1;
      if (records.length <= search.limit) records.push(row);
    }
    const last = rows.at(-1);
    if (last) from = { lastUpdatedMs: last.lastUpdatedMs, id: last.id };
  }
  if (counting && !exhausted && search.total === 'accurate') throw searchTooBroad(SEARCH_ROWS_MAX);
  const total = counting ? (exhausted ? matched : undefined) : after?.total;
  return page(deps, search, { records: records.slice(0, search.limit), more: records.length > search.limit, total });
}

function blindTerms(deps: SearchDeps, search: RegistrySearch): bigint[][] {
  return search.terms.map((anyOf) => anyOf.flatMap((term) => deps.keyRing.blindAll(term.parameter, term.value)));
}

/** Source records are found through their golden record, whose tokens are the union of theirs. */
async function searchSources(
  deps: SearchDeps,
  search: RegistrySearch,
  after: Position | undefined,
): Promise<RegistrySearchResult> {
  if (search.terms.length === 0 && search.order === 'id') return listAllSources(deps, search, after);
  const goldens: ResourceId[] = [];
  if (search.terms.length === 0) throw searchTooBroad(SEARCH_ROWS_MAX);
  let from: { lastUpdatedMs: number; id: ResourceId } | undefined;
  for (;;) {
    const rows = await deps.resources.search(deps.database, {
      type: 'Patient',
      allOf: blindTerms(deps, search),
      order: 'id',
      limit: 1_000,
      ...(from ? { after: from } : {}),
    });
    goldens.push(...rows.map((row) => row.id));
    if (goldens.length > SEARCH_ROWS_MAX) throw searchTooBroad(SEARCH_ROWS_MAX);
    const last = rows.at(-1);
    if (rows.length < 1_000 || !last) break;
    from = { lastUpdatedMs: last.lastUpdatedMs, id: last.id };
  }
  const sources = await readSourcesOfGoldens(deps.database, goldens);
  const stored = await readInOrder(
    deps,
    sources.map((row) => row.source_id),
  );
  const matching = stored.filter(
    (one) => one.content && inRange(search, one) && search.accepts(patientOf(one.content)),
  );
  matching.sort(compareBy(search.order));
  const start = after ? matching.findIndex((one) => compareBy(search.order)(one, after) > 0) : 0;
  const rest = start < 0 ? [] : matching.slice(start);
  const total = search.total === 'none' ? undefined : (after?.total ?? matching.length);
  return page(deps, search, { records: rest.slice(0, search.limit), more: rest.length > search.limit, total });
}

async function listAllSources(
  deps: SearchDeps,
  search: RegistrySearch,
  after: Position | undefined,
): Promise<RegistrySearchResult> {
  const rows = await listSources(deps.database, after?.id, search.limit + 1);
  const ids = rows.slice(0, search.limit).map((row) => row.source_id);
  const records = (await readInOrder(deps, ids)).filter((one) => inRange(search, one));
  return page(deps, search, { records, more: rows.length > search.limit, total: undefined });
}

function inRange(search: RegistrySearch, stored: StoredResource): boolean {
  const { fromMs = -Infinity, beforeMs = Infinity } = search.lastUpdated ?? {};
  return stored.lastUpdatedMs >= fromMs && stored.lastUpdatedMs < beforeMs;
}

function compareBy(order: RegistrySearch['order']): (x: Position, y: Position) => number {
  const byId = (x: Position, y: Position) => (x.id < y.id ? -1 : x.id > y.id ? 1 : 0);
  if (order === 'id') return byId;
  const sign = order === 'last-updated' ? 1 : -1;
  return (x, y) => sign * (x.lastUpdatedMs - y.lastUpdatedMs || byId(x, y));
}
