/**
 * Whose clients one sees. A golden record is seen by the organisations one of whose domains fed it, and by those it was shared
 * with; a source record by the organisation of its domain; everything by the central organisation and by nodes. This file and
 * the search token of each organisation are all there is to it: every read goes through `seenBy`.
 * decisions/whose-clients.md says what is shown of others' records, and why.
 */
import type { RelatedPerson } from '@medplum/fhirtypes';
import { parseStoredJson } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Permission } from '../../kernel/access.ts';
import type { Principal, Reach } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import { statement } from '../../platform/db/sql.ts';
import type { StoredResource } from '../../store/model.ts';
import type { DomainTable } from './deps.ts';
import { matchPatient, rankMatches } from './match.ts';
import type { RoundDeps } from './round-loading.ts';
import { searchRegistry } from './search.ts';
import { keepSeen, type Seen, visibleAmong } from './seen.ts';
import { organisationTerm, type Within } from './within.ts';
import type { MatchResult, RegistryCore, StoredRelated } from './service.ts';
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
  const domainIds = domains
    .all()
    .flatMap((one) => (!one.altered && organisations.includes(one.organisationId) ? [one.id] : []));
  return { organisations, domainIds };
}

/** A relative is of the record that its own content names. */
const isOwnRelative = ({ sourceId, content }: StoredRelated): boolean =>
  content === null || (parseStoredJson(content) as RelatedPerson).patient?.reference === `Patient/${sourceId}`;

/** What is in reach, and the content of that, of the version in reach. */
function createEyes(deps: RoundDeps, all: RegistryCore, principal: Principal) {
  const reach = () => withinReach(deps, principal, 'client.read');
  const see = async (ids: readonly ResourceId[]): Promise<ReadonlyMap<ResourceId, Seen>> => {
    const bounds = await reach();
    return bounds === undefined ? new Map() : await visibleAmong(deps, deps.database, { ids, within: bounds });
  };
  const keep = async (records: readonly StoredResource[]): Promise<StoredResource[]> => {
    const bounds = await reach();
    return bounds === undefined ? [] : await keepSeen(deps, records, bounds);
  };
  return {
    reach,
    see,
    keep,
    async readMany(ids: readonly ResourceId[]): Promise<ReadonlyMap<ResourceId, StoredResource>> {
      const seen = await see(ids);
      if (seen.size === 0) return new Map();
      const found = await all.readMany([...seen.keys()]);
      if ([...found.values()].every(({ id, version }) => seen.get(id)?.version === version)) return found;
      return new Map((await keep([...found.values()])).map((record) => [record.id, record]));
    },
  };
}

/** The registry as somebody of bounded reach sees it. What is out of reach is not there, for counts and paging too. */
export function boundedReads(deps: RoundDeps, all: RegistryCore, principal: Principal): RegistryCore {
  const { reach, see, keep, readMany } = createEyes(deps, all, principal);
  const seenIds = async (ids: readonly ResourceId[]) => new Set((await see(ids)).keys());
  const readOne = async (id: ResourceId) => (await readMany([id])).get(id);
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
        return (await all.related.ofSources([...(await see(sourceIds)).keys()])).filter(isOwnRelative);
      },
      async read(id) {
        const found = await all.related.read(id);
        if (found === undefined || !isOwnRelative(found)) return undefined;
        return (await see([found.sourceId])).has(found.sourceId) ? found : undefined;
      },
    },
    read: readOne,
    readMany,
    /** Of golden records the present version only: a former one may hold what has been taken out since. */
    async readVersion(id, version) {
      const seen = (await see([id])).get(id);
      if (seen === undefined) return undefined;
      if (!seen.golden) return await all.readVersion(id, version);
      const present = await readOne(id);
      return present?.version === version ? present : undefined;
    },
    async history(id, page) {
      const seen = (await see([id])).get(id);
      if (seen === undefined) return [];
      if (!seen.golden) return await all.history(id, page);
      const present = await readOne(id);
      return present === undefined || present.version >= (page.beforeVersion ?? Infinity) ? [] : [present];
    },
    async search(search) {
      const bounds = await reach();
      if (bounds === undefined) return await all.search(search);
      // Tokens are not bound, and 64 bits of one may collide: what is tested, counted and handed out is in reach by its row.
      return await searchRegistry(deps, search, { ...bounds, keep });
    },
    match: async (patient, options) =>
      keptMatches(await matchPatient(deps, patient, { ...options, see: seenIds }), keep),
    rank: (patient, options) => rankMatches(deps, patient, { ...options, see: seenIds }),
    async goldenOf(sourceIds) {
      const seen = [...(await see(sourceIds))].filter(([, one]) => !one.golden);
      return new Map(seen.map(([id, { goldenId }]) => [id, goldenId]));
    },
    async findByKey(system, value) {
      const id = await all.findByKey(system, value);
      return id !== undefined && (await see([id])).has(id) ? id : undefined;
    },
  };
}

async function keptMatches(
  found: MatchResult,
  keep: (records: readonly StoredResource[]) => Promise<readonly StoredResource[]>,
): Promise<MatchResult> {
  const kept = new Map((await keep(found.candidates.map(({ golden }) => golden))).map((one) => [one.id, one]));
  const candidates = found.candidates.flatMap((one) => {
    const golden = kept.get(one.goldenId);
    return golden ? [{ ...one, golden }] : [];
  });
  return { ...found, candidates };
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
