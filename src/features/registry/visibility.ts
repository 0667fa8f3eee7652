/**
 * Whose clients one sees. A golden record is seen by the organisations one of whose domains fed it, and by those it was shared
 * with; a source record by the organisation of its domain; everything by the central organisation and by nodes. This file and
 * the search token of each organisation are all there is to it: every read goes through `seenBy`.
 * decisions/whose-clients.md says what is shown of others' records, and why.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Permission } from '../../kernel/access.ts';
import type { Principal, Reach } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { StoredResource } from '../../store/model.ts';
import type { DomainTable } from './deps.ts';
import { matchPatient, rankMatches } from './match.ts';
import type { RoundDeps } from './round-loading.ts';
import { searchRegistry } from './search.ts';
import { organisationTerm, type Within } from './within.ts';
import type { RegistryCore } from './service.ts';
import { readFigures } from './store.ts';

/** Undefined: everything is in reach, and nothing need be asked. */
export async function withinReach(
  deps: Pick<RoundDeps, 'domains'>,
  principal: Principal,
  permission: Permission,
): Promise<Within | undefined> {
  const reach = reachOf(principal, permission);
  return reach === 'all' ? undefined : within(await deps.domains.table(), reach);
}

function within(domains: DomainTable, organisations: Exclude<Reach, 'all'>): Within {
  const domainIds = domains.all().flatMap((one) => (organisations.includes(one.organisationId) ? [one.id] : []));
  return { organisations, domainIds };
}

const visible = statement<{ id: ResourceId; golden: boolean }>(
  'registry.visible',
  `SELECT golden_id AS id, true AS golden FROM registry.golden WHERE golden_id = ANY($1::uuid[]) AND organisations && $2::uuid[]
   UNION ALL
   SELECT source_id, false FROM registry.source WHERE source_id = ANY($1::uuid[]) AND domain_id = ANY($3::int[])`,
);

/** Which of these records, golden or source, are in reach; true for golden ones. */
export async function visibleAmong(
  sql: Sql,
  ids: readonly ResourceId[],
  within: Within,
): Promise<ReadonlyMap<ResourceId, boolean>> {
  if (ids.length === 0 || within.organisations.length === 0) return new Map();
  const rows = await sql.rows(visible, [ids, within.organisations, within.domainIds]);
  return new Map(rows.map((row) => [row.id, row.golden]));
}

/** The registry as somebody of bounded reach sees it. What is out of reach is not there, for counts and paging too. */
export function boundedReads(deps: RoundDeps, all: RegistryCore, principal: Principal): RegistryCore {
  const { database } = deps;
  const reach = () => withinReach(deps, principal, 'client.read');
  const see = async (ids: readonly ResourceId[]): Promise<ReadonlyMap<ResourceId, boolean>> => {
    const bounds = await reach();
    return bounds === undefined ? new Map() : await visibleAmong(database, ids, bounds);
  };
  const seenIds = async (ids: readonly ResourceId[]) => new Set((await see(ids)).keys());
  const keep = async (records: readonly StoredResource[]): Promise<StoredResource[]> => {
    const seen = await see(records.map((record) => record.id));
    return records.filter((record) => seen.has(record.id));
  };
  // Function by function, so that a new one does not compile until somebody has thought of what it shows.
  return {
    submit: all.submit,
    replace: all.replace,
    // Shows what the caller just wrote of its own; others' records are refused before.
    applyTogether: all.applyTogether,
    related: {
      idFor: all.related.idFor,
      write: all.related.write,
      async ofSources(sourceIds) {
        return await all.related.ofSources([...(await see(sourceIds)).keys()]);
      },
      async read(id) {
        const found = await all.related.read(id);
        return found !== undefined && (await see([found.sourceId])).has(found.sourceId) ? found : undefined;
      },
    },
    async read(id) {
      return (await see([id])).has(id) ? await all.read(id) : undefined;
    },
    async readMany(ids) {
      return await all.readMany([...(await see(ids)).keys()]);
    },
    /** Of golden records the present version only: a former one may hold what has been taken out since. */
    async readVersion(id, version) {
      const golden = (await see([id])).get(id);
      if (golden === undefined) return undefined;
      if (!golden) return await all.readVersion(id, version);
      const present = await all.read(id);
      return present?.version === version ? present : undefined;
    },
    async history(id, page) {
      const golden = (await see([id])).get(id);
      if (golden === undefined) return [];
      if (!golden) return await all.history(id, page);
      const present = await all.read(id);
      return present === undefined || present.version >= (page.beforeVersion ?? Infinity) ? [] : [present];
    },
    async search(search) {
      const bounds = await reach();
      if (bounds === undefined) return await all.search(search);
      const found = await searchRegistry(deps, search, bounds);
      // 64 bits of a token may collide: what is handed out is in reach by the plain columns as well.
      return { ...found, records: await keep(found.records) };
    },
    match: (patient, options) => matchPatient(deps, patient, { ...options, see: seenIds }),
    rank: (patient, options) => rankMatches(deps, patient, { ...options, see: seenIds }),
    async goldenOf(sourceIds) {
      return await all.goldenOf([...(await see(sourceIds)).keys()]);
    },
    async findByKey(system, value) {
      const id = await all.findByKey(system, value);
      return id !== undefined && (await see([id])).has(id) ? id : undefined;
    },
  };
}

/** How many clients and source records are in reach. */
export async function clientFigures(
  deps: Pick<RoundDeps, 'database' | 'keyRing' | 'resources'>,
  bounds: Within | undefined,
): Promise<{ readonly clients: number; readonly sources: number }> {
  if (bounds === undefined) return await readFigures(deps.database);
  const tokens = bounds.organisations.flatMap((id) => {
    const { parameter, value } = organisationTerm(id);
    return deps.keyRing.blindAll(parameter, value);
  });
  if (tokens.length === 0) return { clients: 0, sources: 0 };
  const [clients, rows] = await Promise.all([
    deps.resources.count(deps.database, { type: 'Patient', allOf: [tokens] }),
    deps.database.rows(sourcesWithin, [bounds.domainIds]),
  ]);
  return { clients, sources: rows[0]?.sources ?? 0 };
}

const sourcesWithin = statement<{ sources: number }>(
  'registry.sources-within',
  'SELECT count(*)::int AS sources FROM registry.source WHERE domain_id = ANY($1::int[])',
);
