/** RelatedPersons: read by id, searched by patient, and beside the Patients of a search (`_revinclude=RelatedPerson:patient`). */
import type { RelatedPerson } from '@medplum/fhirtypes';
import { type AnswerEntry, type FormPairs, parseStoredJson, printForm } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import { Problem } from '../../kernel/problem.ts';
import { event, permission, type RouteReply, route } from '../../platform/http/route.ts';
import type { AuditInput } from '../audit/index.ts';
import { kindOf, patientOf } from './content.ts';
import {
  bundleReply,
  type Exchange,
  type FhirDeps,
  type FhirRouteDeps,
  resourceId,
  seenBy,
  storedReply,
  versionHeaders,
} from './fhir-exchange.ts';
import { byId, doors, exchangeOf, NO_BODY, none, plainExchange, type ServedRoute } from './fhir-route.ts';
import { clientNotFound } from './problems.ts';
import type { StoredRelated } from './service.ts';

export function relatedRoutes(deps: FhirRouteDeps): ServedRoute[] {
  const common = { doors, method: 'GET', output: 'fhir', limits: NO_BODY } as const;
  return [
    {
      type: 'RelatedPerson',
      interaction: 'read',
      route: route({
        ...common,
        path: '/fhir/RelatedPerson/:id',
        access: permission('client.read', { scope: 'read' }),
        audit: event('related.read'),
        input: { params: byId, query: 'raw', body: 'none' },
        handle: (request) => answerRead(seenBy(deps, request.actor), plainExchange(request), request.params.id),
      }),
    },
    {
      type: 'RelatedPerson',
      interaction: 'search-type',
      route: route({
        ...common,
        path: '/fhir/RelatedPerson',
        access: permission('client.read', { scope: 'search' }),
        audit: event('related.search'),
        input: { params: none, query: 'raw', body: 'none' },
        handle: (request) => answerSearch(seenBy(deps, request.actor), exchangeOf(request)),
      }),
    },
  ];
}

async function answerRead(deps: FhirDeps, exchange: Exchange, text: string): Promise<RouteReply<never>> {
  const found = await deps.registry.related.read(resourceId(text));
  if (!found?.content) throw clientNotFound();
  const audited = await deps.audit.recordNow([
    {
      actor: exchange.actor,
      event: 'related.read',
      action: 'R',
      outcome: 'success',
      patients: [`Patient/${found.sourceId}`],
      entities: [{ reference: `RelatedPerson/${found.id}`, role: 'domain-resource' }],
    },
  ]);
  return storedReply(found.content, exchange, { headers: versionHeaders(found), audited });
}

/** `patient=` is asked for: relatives are found through those they belong to. `identifier=` narrows them. */
async function answerSearch(deps: FhirDeps, exchange: Exchange): Promise<RouteReply<never>> {
  const { query, base, actor } = exchange;
  const used = query.filter(([name]) => name === 'patient' || name === 'identifier');
  const patients = used.filter(([name]) => name === 'patient').flatMap(([, value]) => value.split(','));
  if (patients.length === 0) throw needsPatient();
  const ids = patients.flatMap((one) => parseId<ResourceId>(one.replace(/^Patient\//, '')) ?? []);
  const found = (await relatedOf(deps, ids)).filter((one) => carries(one, used));
  const audited = await deps.audit.recordNow([
    {
      actor,
      event: 'related.search',
      action: 'E',
      outcome: 'success',
      interaction: 'search-type',
      query: `RelatedPerson?${printForm(query)}`,
      patients: [...new Set(found.map(({ sourceId }) => `Patient/${sourceId}`))],
    },
  ]);
  const entries = found.map((one) => ({ ...relatedEntry(one, base), search: { mode: 'match' as const } }));
  const links = [{ relation: 'self' as const, url: `${base}/RelatedPerson?${printForm(used)}` }];
  return bundleReply({ type: 'searchset', total: found.length, links, entries }, exchange, { audited });
}

function carries({ content }: StoredRelated, used: FormPairs): boolean {
  const person = content ? (parseStoredJson(content) as RelatedPerson) : undefined;
  return used
    .filter(([name]) => name === 'identifier')
    .every(
      ([, value]) => person?.identifier?.some((one) => `${one.system ?? ''}|${one.value ?? ''}` === value) === true,
    );
}

/** Of golden and source records alike. */
async function relatedOf(deps: FhirDeps, ids: readonly ResourceId[]): Promise<readonly StoredRelated[]> {
  const stored = await deps.registry.readMany(ids);
  const sources = ids.flatMap((id) => {
    const content = stored.get(id)?.content;
    if (!content) return [];
    const patient = patientOf(content);
    if (kindOf(patient) === 'source') return [id];
    return (patient.link ?? []).flatMap(
      ({ other }) => parseId<ResourceId>(other.reference?.replace(/^Patient\//, '') ?? '') ?? [],
    );
  });
  return deps.registry.related.ofSources([...new Set(sources)]);
}

function relatedEntry({ id, content }: StoredRelated, base: string): AnswerEntry {
  return { fullUrl: `${base}/RelatedPerson/${id}`, resource: { stored: content ?? new Uint8Array(0) } };
}

/** `_revinclude=RelatedPerson:patient` in a search of Patients. */
export const isRevinclude = ([name, value]: readonly [string, string]): boolean =>
  name === '_revinclude' && value === 'RelatedPerson:patient';

/** What a search of Patients brings along. */
export async function includedWith(
  deps: FhirDeps,
  {
    base,
    actor,
    ids,
  }: { readonly base: string; readonly actor: Exchange['actor']; readonly ids: readonly ResourceId[] },
): Promise<{ readonly entries: readonly AnswerEntry[]; readonly audit: readonly AuditInput[] }> {
  if (ids.length === 0) return { entries: [], audit: [] };
  const related = await relatedOf(deps, ids);
  return {
    entries: related.map((one) => ({ ...relatedEntry(one, base), search: { mode: 'include' as const } })),
    audit: related.map(
      ({ id, sourceId }): AuditInput => ({
        actor,
        event: 'related.read',
        action: 'R',
        outcome: 'success',
        patients: [`Patient/${sourceId}`],
        entities: [{ reference: `RelatedPerson/${id}`, role: 'domain-resource' }],
      }),
    ),
  };
}

const needsPatient = (): Problem =>
  new Problem('invalid', 'fhir-search', 'RelatedPersons are searched by patient=.', { fhirCode: 'required' });
