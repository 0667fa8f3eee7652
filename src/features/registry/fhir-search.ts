/** FHIR searches: PDQm ITI-78, by GET and POST, in pages with sealed links. */
import type { Patient } from '@medplum/fhirtypes';
import type { AnswerEntry, BundleAnswer, FormPairs, ParsedSearch } from '../../fhir/index.ts';
import {
  parseForm,
  parseSearch,
  parseStoredJson,
  printForm,
  selfQuery,
  subset,
  withIdentifiersOf,
} from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { StoredResource } from '../../store/model.ts';
import type { AuditInput } from '../audit/index.ts';
import { kindOf, patientOf } from './content.ts';
import { openPage, sealPage } from './fhir-cursor.ts';
import { type Exchange, type FhirDeps, principalKey } from './fhir-exchange.ts';
import { aliasesOf, queryWithSystems } from './fhir-identities.ts';
import { includedWith, isRevinclude } from './fhir-related.ts';
import type { Cursor } from './model.ts';
import type { RegistrySearchResult } from './service.ts';

export interface SearchAnswer {
  readonly answer: BundleAnswer;
  readonly audits: readonly AuditInput[];
}

const ANSWER_NAMES = ['_format', '_pretty'];
const isAboutAnswer = ([name]: readonly [string, string]): boolean => ANSWER_NAMES.includes(name);

/** Carries a search out. What leaves must be recorded first: the caller writes `audit` and then sends `answer`. */
export async function search(deps: FhirDeps, exchange: Exchange, pairs: FormPairs): Promise<SearchAnswer> {
  const { actor, base, preferences } = exchange;
  const page = pageOf(deps, exchange, pairs);
  const withRelated = page.pairs.filter(isRevinclude);
  const plain = page.pairs.filter((pair) => !isRevinclude(pair));
  const asked = queryWithSystems(plain, await aliasesOf(deps));
  const parsed = parseSearch(asked, { nowMs: deps.clock.nowMs(), strict: preferences.strict });
  await assertDomainsKnown(deps, parsed);
  const found = parsed.ids
    ? await findByIds(deps, parsed, parsed.ids)
    : await find(deps, parsed, { actor, after: page.after });
  const self = [selfQuery(parsed), printForm(withRelated.slice(0, 1))].filter((part) => part !== '').join('&');
  const ids = withRelated.length === 0 ? [] : found.records.map(({ id }) => id);
  const included = await includedWith(deps, { base, actor, ids });
  const next =
    found.next === undefined ? undefined : nextLink(deps, exchange, { pairs: page.pairs, after: found.next });
  return {
    answer: {
      type: 'searchset',
      ...(found.total === undefined ? {} : { total: found.total }),
      links: [
        { relation: 'self', url: page.self ?? `${base}/Patient${self === '' ? '' : `?${self}`}` },
        ...(next === undefined ? [] : [{ relation: 'next', url: next }]),
      ],
      entries: [...found.records.map((stored) => entryOf(stored, parsed, base)), ...included.entries],
    },
    audits: [
      {
        actor,
        event: 'client.search',
        action: 'E',
        outcome: 'success',
        interaction: 'search-type',
        query: `Patient?${printForm(page.pairs)}`,
        patients: found.records.map(({ id }) => `Patient/${id}`),
      },
      ...included.audit,
    ],
  };
}

/** Throws what `search` would throw before it asks the registry. */
export async function assertSearchable(deps: FhirDeps, exchange: Exchange, pairs: FormPairs): Promise<void> {
  const page = pageOf(deps, exchange, pairs);
  const context = { nowMs: deps.clock.nowMs(), strict: exchange.preferences.strict };
  const plain = page.pairs.filter((pair) => !isRevinclude(pair));
  await assertDomainsKnown(deps, parseSearch(queryWithSystems(plain, await aliasesOf(deps)), context));
}

interface Page {
  readonly pairs: FormPairs;
  readonly after: Cursor | undefined;
  /** The page's own address, where it was reached by a link. */
  readonly self: string | undefined;
}

/** The query of a first page, or the one that a page link carries on. */
function pageOf(deps: FhirDeps, { actor, base }: Exchange, pairs: FormPairs): Page {
  const cursor = pairs.find(([name]) => name === '_cursor')?.[1];
  if (cursor === undefined) return { pairs, after: undefined, self: undefined };
  if (pairs.some((pair) => pair[0] !== '_cursor' && !isAboutAnswer(pair))) {
    throw new Problem('invalid', 'bad-cursor', 'A page link is used as it was given, without other parameters.');
  }
  const [raw, after] = openPage(deps, searchPurpose(actor), cursor);
  // Only registry.search makes and opens these.
  return { pairs: parseForm(String(raw)), after: String(after) as Cursor, self: `${base}/Patient?${printForm(pairs)}` };
}

const searchPurpose = ({ principal }: Actor): string => `search ${principalKey(principal)}`;

function nextLink(deps: FhirDeps, exchange: Exchange, position: { pairs: FormPairs; after: Cursor }): string {
  const sealed = sealPage(deps, searchPurpose(exchange.actor), [printForm(position.pairs), position.after]);
  const form: FormPairs = [['_cursor', sealed], ...position.pairs.filter(isAboutAnswer)];
  return `${exchange.base}/Patient?${printForm(form)}`;
}

function find(
  deps: FhirDeps,
  parsed: ParsedSearch,
  { actor, after }: { readonly actor: Actor; readonly after: Cursor | undefined },
): Promise<RegistrySearchResult> {
  const totalOnly = parsed.count === 0 || parsed.summary === 'count';
  const total = totalOnly || parsed.total === 'accurate' ? 'accurate' : parsed.total === 'none' ? 'none' : 'quick';
  const asked = deps.registry.search({
    kind: parsed.kind ?? 'golden',
    terms: parsed.terms,
    accepts: (patient) => parsed.accepts(patient),
    everything: parsed.everything,
    lastUpdated: parsed.lastUpdated,
    order: parsed.order,
    limit: totalOnly ? 1 : parsed.count,
    total,
    caller: principalKey(actor.principal),
    ...(after === undefined ? {} : { after }),
  });
  return totalOnly ? asked.then(({ total }) => ({ records: [], ...(total === undefined ? {} : { total }) })) : asked;
}

/** `_id`: looked up, then tested like anything else. A record of either kind is found by its own id. */
async function findByIds(deps: FhirDeps, parsed: ParsedSearch, ids: readonly string[]): Promise<RegistrySearchResult> {
  const known = ids.map((id) => parseId<ResourceId>(id)).filter((id) => id !== undefined);
  const stored = await deps.registry.readMany(known);
  const records = known
    .flatMap((id) => stored.get(id) ?? [])
    .filter((record) => {
      const patient = record.content ? patientOf(record.content) : undefined;
      if (!patient || isRedirect(patient)) return false;
      return (parsed.kind === undefined || kindOf(patient) === parsed.kind) && parsed.accepts(patient);
    });
  records.sort(comparison(parsed.order));
  if (records.length > parsed.count && parsed.count > 0) {
    throw new Problem('invalid', 'fhir-search-too-costly', '_id names more records than _count allows on a page.', {
      fhirCode: 'too-costly',
    });
  }
  const shown = parsed.count === 0 || parsed.summary === 'count' ? [] : records;
  return { records: shown, ...(parsed.total === 'none' ? {} : { total: records.length }) };
}

/** A merged golden record only points on to the one that stands for the person; searches leave it out (PDQm §2:3.78.4.1.3). */
function isRedirect(patient: Patient): boolean {
  return patient.link?.some(({ type }) => type === 'replaced-by') === true && kindOf(patient) === 'golden';
}

function comparison(order: ParsedSearch['order']): (a: StoredResource, b: StoredResource) => number {
  if (order === 'id') return (a, b) => (a.id < b.id ? -1 : 1);
  const sign = order === 'last-updated' ? 1 : -1;
  return (a, b) => sign * (a.lastUpdatedMs - b.lastUpdatedMs) || (a.id < b.id ? -1 : 1);
}

function entryOf(stored: StoredResource, parsed: ParsedSearch, base: string): AnswerEntry {
  const content = stored.content ?? new Uint8Array(0);
  const whole = parsed.summary === 'false' && !parsed.elements && !parsed.domains;
  return {
    fullUrl: `${base}/Patient/${stored.id}`,
    // What the store holds is a Patient that was valid when it was written.
    resource: whole ? { stored: content } : partOf(parseStoredJson(content) as Patient, parsed),
    search: { mode: 'match' },
  };
}

function partOf(patient: Patient, { domains, summary, elements }: ParsedSearch): Patient {
  return subset(withIdentifiersOf(patient, domains), summary, elements);
}

/** ITI-78: identifiers of a domain that nobody knows are asked for: 404. */
async function assertDomainsKnown(deps: FhirDeps, parsed: ParsedSearch): Promise<void> {
  for (const system of parsed.domains ?? []) {
    if (await isDomainKnown(deps, system)) continue;
    throw new Problem('not-found', 'fhir-domain-unknown', 'targetSystem not found', { fhirCode: 'not-found' });
  }
}

/** Known is what has an owner, or a record. */
export async function isDomainKnown(
  { domains, registry }: Pick<FhirDeps, 'domains' | 'registry'>,
  system: string,
): Promise<boolean> {
  if ((await domains.table()).bySystem(system)) return true;
  const { records } = await registry.search({
    kind: 'golden',
    terms: [[{ parameter: 'identifier', value: `${system}|` }]],
    accepts: (patient) => patient.identifier?.some((identifier) => identifier.system === system) ?? false,
    everything: false,
    order: 'id',
    limit: 1,
    total: 'none',
  });
  return records.length > 0;
}
