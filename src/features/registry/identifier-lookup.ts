/**
 * Searches for a client by one identifier, which are most of what systems ask. Those of concurrent callers share one statement,
 * as reads do; what makes other searches costly (order, pages, bounds of time) is not needed where a handful is found.
 */
import type { StoredResource } from '../../store/model.ts';
import { patientOf } from './content.ts';
import type { RegistryDeps } from './deps.ts';
import { createReadBatcher } from './read-batcher.ts';
import { comparisonBy } from './search.ts';
import type { RegistrySearch, RegistrySearchResult, SearchTerm } from './service.ts';

/** An identifier that more clients carry is a search like any other. */
const FOUND_MAX = 10;
const TOKENS_MAX = 64;

export interface IdentifierLookup {
  /** Undefined: not a search of this kind, or too many are found; then it is for `searchRegistry`. */
  find(search: RegistrySearch): Promise<RegistrySearchResult | undefined>;
}

export function createIdentifierLookup({
  database,
  keyRing,
  resources,
}: Pick<RegistryDeps, 'database' | 'keyRing' | 'resources'>): IdentifierLookup {
  const lookups = createReadBatcher<bigint, readonly StoredResource[]>(
    (tokens) => resources.findByTokens(database, { type: 'Patient', tokens, limit: FOUND_MAX + 1 }),
    { inFlightMax: 1, keysMax: TOKENS_MAX },
  );

  /** More than one token only while index keys rotate; then a record may be found under each. */
  async function candidates({ parameter, value }: SearchTerm): Promise<readonly StoredResource[] | undefined> {
    const tokens = keyRing.blindAll(parameter, value);
    const groups = await Promise.all(tokens.map((token) => lookups.read(token)));
    if (groups.some((group) => group !== undefined && group.length > FOUND_MAX)) return undefined;
    if (groups.length === 1) return groups[0] ?? [];
    const found = groups.flatMap((group) => group ?? []);
    return [...new Map(found.map((one) => [one.id, one])).values()];
  }

  return {
    async find(search) {
      const term = identifierOf(search);
      const found = term === undefined ? undefined : await candidates(term);
      if (found === undefined) return undefined;
      const records = found.filter(({ content }) => content !== null && search.accepts(patientOf(content)));
      if (records.length > search.limit) return undefined;
      if (records.length > 1) records.sort(comparisonBy(search.order));
      return search.total === 'none' ? { records } : { records, total: records.length };
    },
  };
}

/** The one identifier that a search asks for: `identifier=system|value` and nothing else. */
function identifierOf(search: RegistrySearch): SearchTerm | undefined {
  const { terms, kind, after, lastUpdated } = search;
  if (kind !== 'golden' || after !== undefined || terms.length !== 1) return undefined;
  if (lastUpdated?.fromMs !== undefined || lastUpdated?.beforeMs !== undefined) return undefined;
  const [first, other] = terms[0] ?? [];
  // `system|` asks for everybody of a domain.
  if (first === undefined || other !== undefined || first.value.endsWith('|')) return undefined;
  return first.parameter === 'identifier' ? first : undefined;
}
