/** Searches: the database narrows by blind tokens, what comes back is opened and tested exactly. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { StoredResource } from '../../store/model.ts';
import { QUICK_COUNT_ROWS_MAX, SEARCH_ROWS_MAX } from './bounds.ts';
import { patientOf } from './content.ts';
import { openCursor, type Position, sealCursor } from './cursor.ts';
import type { RegistryDeps } from './deps.ts';
import { searchTooBroad } from './problems.ts';
import type { RegistrySearch, RegistrySearchResult } from './service.ts';
import { organisationTerm, type Within } from './within.ts';
import { countLiveGoldens, listGoldens, listSources, readSourcesOfGoldens } from './store.ts';

type SearchDeps = Pick<RegistryDeps, 'database' | 'keyRing' | 'resources' | 'longWalks'>;

export async function searchRegistry(
  deps: SearchDeps,
  asked: RegistrySearch,
  within?: SearchWithin,
): Promise<RegistrySearchResult> {
  const search: BoundedSearch = within === undefined ? asked : { ...asked, within };
  const after = search.after === undefined ? undefined : openCursor(deps.keyRing, purposeOf(search), search.after);
  if (search.kind === 'golden') {
    if (search.everything) return within === undefined ? listAll(deps, search, after) : listWithin(deps, search, after);
    const byTerms = search.terms.length > 0 || within !== undefined;
    return walk(deps, search, { after, candidates: byTerms ? goldensByTerms : allGoldens });
  }
  if (search.terms.length > 0 || within !== undefined) return searchSources(deps, search, after);
  if (search.order !== 'id') throw searchTooBroad(SEARCH_ROWS_MAX);
  return walk(deps, search, { after, candidates: allSources });
}

/** A search with its bounds: records of other organisations are not there. */
interface BoundedSearch extends RegistrySearch {
  readonly within?: SearchWithin;
}

/** `keep`: of these records those in reach, in their order. */
export interface SearchWithin extends Within {
  keep(records: readonly StoredResource[]): Promise<readonly StoredResource[]>;
}

const purposeOf = (search: RegistrySearch) => `${search.kind}:${search.order}`;

function page(
  deps: SearchDeps,
  search: RegistrySearch,
  found: Pick<RegistrySearchResult, 'records' | 'atLeast'> & {
    readonly more: boolean;
    readonly total: number | undefined;
  },
): RegistrySearchResult {
  const last = found.records.at(-1);
  const total = found.total === undefined ? {} : { total: found.total };
  const position: Position | undefined =
    found.more && last ? { lastUpdatedMs: last.lastUpdatedMs, id: last.id, ...total } : undefined;
  return {
    records: found.records,
    ...total,
    ...(found.atLeast === undefined ? {} : { atLeast: found.atLeast }),
    ...(position ? { next: sealCursor(deps.keyRing, purposeOf(search), position) } : {}),
  };
}

/** Every client, without opening more than the page. */
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
  let atLeast: number | undefined;
  if (total === undefined && search.total !== 'none') {
    const max = search.total === 'accurate' ? Number.MAX_SAFE_INTEGER : SEARCH_ROWS_MAX;
    const counted = await countLiveGoldens(deps.database, search.lastUpdated ?? {}, max + 1);
    if (counted <= max) total = counted;
    else atLeast = max;
  }
  return page(deps, search, { records, more: rows.length > search.limit, total, ...(atLeast ? { atLeast } : {}) });
}

/** Every client of some organisations, without opening more than the page. */
async function listWithin(
  deps: SearchDeps,
  search: BoundedSearch,
  after: Position | undefined,
): Promise<RegistrySearchResult> {
  const { rows, exhausted } = await goldensByTerms(deps, search, { from: after, limit: search.limit + 1 });
  let total = after?.total;
  if (total === undefined && search.total !== 'none') {
    const counted = await deps.resources.count(deps.database, {
      type: 'Patient',
      allOf: blindTerms(deps, search),
      ...(search.lastUpdated ? { lastUpdated: search.lastUpdated } : {}),
    });
    total = counted;
  }
  return page(deps, search, { records: rows.slice(0, search.limit), more: !exhausted, total });
}

async function readInOrder(deps: SearchDeps, ids: readonly ResourceId[]): Promise<StoredResource[]> {
  const found = await deps.resources.read(deps.database, 'Patient', ids);
  return ids.flatMap((id) => {
    const stored = found.get(id);
    return stored?.content ? [stored] : [];
  });
}

interface Candidates {
  readonly rows: readonly StoredResource[];
  readonly exhausted: boolean;
  /** Where the next ones begin. */
  readonly last: Position | undefined;
}

/** Reads the next records in the search's order that may fit it. */
type NextCandidates = (
  deps: SearchDeps,
  search: BoundedSearch,
  at: { readonly from: Position | undefined; readonly limit: number },
) => Promise<Candidates>;

const goldensByTerms: NextCandidates = async (deps, search, { from, limit }) => {
  const rows = await deps.resources.search(deps.database, {
    type: 'Patient',
    allOf: blindTerms(deps, search),
    order: search.order,
    limit,
    ...(search.lastUpdated ? { lastUpdated: search.lastUpdated } : {}),
    ...(from ? { after: { lastUpdatedMs: from.lastUpdatedMs, id: from.id } } : {}),
  });
  const last = rows.at(-1);
  return {
    rows: (await search.within?.keep(rows)) ?? rows,
    exhausted: rows.length < limit,
    last: last && { lastUpdatedMs: last.lastUpdatedMs, id: last.id },
  };
};

/** No index helps (`gender:not=male`, `family:contains=kat`): the clients one after the other. */
const allGoldens: NextCandidates = async (deps, search, { from, limit }) => {
  const listed = await listGoldens(deps.database, {
    order: search.order,
    ...search.lastUpdated,
    ...(from ? { after: from } : {}),
    limit,
  });
  const last = listed.at(-1);
  return {
    rows: await readInOrder(
      deps,
      listed.map((row) => row.golden_id),
    ),
    exhausted: listed.length < limit,
    last: last && { lastUpdatedMs: last.updated_at.getTime(), id: last.golden_id },
  };
};

const allSources: NextCandidates = async (deps, search, { from, limit }) => {
  const listed = (await listSources(deps.database, from?.id, limit)).map((row) => row.source_id);
  const last = listed.at(-1);
  return {
    rows: (await readInOrder(deps, listed)).filter((one) => inRange(search, one)),
    exhausted: listed.length < limit,
    last: last && { lastUpdatedMs: 0, id: last },
  };
};

/** Opened between two questions. */
const CANDIDATES_AT_ONCE = 1_000;

/** What goes beyond the first thousand records waits for its turn. */
const inTurn = <T>({ longWalks }: SearchDeps, { caller }: RegistrySearch, walk: () => Promise<T>): Promise<T> =>
  longWalks?.run(walk, caller) ?? walk();

/** Walks the candidates in order; stops when the page is full, unless it also counts. */
async function walk(
  deps: SearchDeps,
  search: BoundedSearch,
  { after, candidates }: { readonly after: Position | undefined; readonly candidates: NextCandidates },
): Promise<RegistrySearchResult> {
  const counting = after === undefined && search.total !== 'none';
  const rowsMax = search.total === 'accurate' ? SEARCH_ROWS_MAX : QUICK_COUNT_ROWS_MAX;
  const records: StoredResource[] = [];
  let matched = 0;
  let opened = 0;
  let from = after;
  let exhausted = false;
  const goesOn = () => !exhausted && (records.length <= search.limit || (counting && opened < rowsMax));
  const step = async (): Promise<void> => {
    if (opened >= SEARCH_ROWS_MAX) throw searchTooBroad(SEARCH_ROWS_MAX);
    // All that may be counted at once: each further question finds and sorts everything anew, a tenth of all clients for one letter.
    const limit = counting ? CANDIDATES_AT_ONCE : Math.min(CANDIDATES_AT_ONCE, Math.max(100, search.limit * 2));
    const next = await candidates(deps, search, { from, limit });
    opened += limit;
    exhausted = next.exhausted;
    for (const row of next.rows) {
      if (!row.content || !(search.everything || search.accepts(patientOf(row.content)))) continue;
      matched += 1;
      if (records.length <= search.limit) records.push(row);
    }
    from = next.last ?? from;
  };
  while (goesOn() && opened < CANDIDATES_AT_ONCE) await step();
  if (goesOn())
    await inTurn(deps, search, async () => {
      while (goesOn()) await step();
    });
  if (counting && !exhausted && search.total === 'accurate') throw searchTooBroad(SEARCH_ROWS_MAX);
  const total = counting ? (exhausted ? matched : undefined) : after?.total;
  const shown = records.slice(0, search.limit);
  const atLeast = counting && !exhausted ? { atLeast: matched } : {};
  return page(deps, search, { records: shown, more: records.length > search.limit, total, ...atLeast });
}

function blindTerms(deps: SearchDeps, search: BoundedSearch): bigint[][] {
  const organisations = search.within && [search.within.organisations.map(organisationTerm)];
  return [...search.terms, ...(organisations ?? [])].map((anyOf) =>
    anyOf.flatMap((term) => deps.keyRing.blindAll(term.parameter, term.value)),
  );
}

/** Records opened at once; what does not fit is let go before the next ones. */
const SOURCES_AT_ONCE = 500;

/** Source records are found through their golden record, whose tokens are the union of theirs. */
async function searchSources(
  deps: SearchDeps,
  search: BoundedSearch,
  after: Position | undefined,
): Promise<RegistrySearchResult> {
  const ids = await sourcesOfFoundGoldens(deps, search);
  const openMatching = async () => {
    const matching: StoredResource[] = [];
    for (let at = 0; at < ids.length; at += SOURCES_AT_ONCE) {
      const opened = await readInOrder(deps, ids.slice(at, at + SOURCES_AT_ONCE));
      for (const one of (await search.within?.keep(opened)) ?? opened) {
        if (one.content && inRange(search, one) && search.accepts(patientOf(one.content))) matching.push(one);
      }
    }
    return matching;
  };
  const matching = ids.length > CANDIDATES_AT_ONCE ? await inTurn(deps, search, openMatching) : await openMatching();
  matching.sort(comparisonBy(search.order));
  const start = after ? matching.findIndex((one) => comparisonBy(search.order)(one, after) > 0) : 0;
  const rest = start < 0 ? [] : matching.slice(start);
  const total = search.total === 'none' ? undefined : (after?.total ?? matching.length);
  return page(deps, search, { records: rest.slice(0, search.limit), more: rest.length > search.limit, total });
}

async function sourcesOfFoundGoldens(deps: SearchDeps, search: BoundedSearch): Promise<ResourceId[]> {
  const sources: ResourceId[] = [];
  let from: Position | undefined;
  let opened = 0;
  let exhausted = false;
  const step = async (): Promise<void> => {
    // When the person changed says nothing about when each record did.
    const { lastUpdated: _when, ...anyTime } = search;
    const found = await goldensByTerms(deps, { ...anyTime, order: 'id' }, { from, limit: CANDIDATES_AT_ONCE });
    opened += found.rows.length;
    const goldens = found.rows.map((row) => row.id);
    const members = (await readSourcesOfGoldens(deps.database, goldens)).filter(
      (row) => search.within?.domainIds.includes(row.domain_id) ?? true,
    );
    sources.push(...members.map((row) => row.source_id));
    if (opened > SEARCH_ROWS_MAX || sources.length > SEARCH_ROWS_MAX) throw searchTooBroad(SEARCH_ROWS_MAX);
    exhausted = found.exhausted || !found.last;
    from = found.last;
  };
  await step();
  if (!exhausted)
    await inTurn(deps, search, async () => {
      while (!exhausted) await step();
    });
  return sources;
}

function inRange(search: RegistrySearch, stored: StoredResource): boolean {
  const { fromMs = -Infinity, beforeMs = Infinity } = search.lastUpdated ?? {};
  return stored.lastUpdatedMs >= fromMs && stored.lastUpdatedMs < beforeMs;
}

/** The order of a search, as a comparison. */
export function comparisonBy(order: RegistrySearch['order']): (x: Position, y: Position) => number {
  const byId = (x: Position, y: Position) => (x.id < y.id ? -1 : x.id > y.id ? 1 : 0);
  if (order === 'id') return byId;
  const sign = order === 'last-updated' ? 1 : -1;
  return (x, y) => sign * (x.lastUpdatedMs - y.lastUpdatedMs || byId(x, y));
}
