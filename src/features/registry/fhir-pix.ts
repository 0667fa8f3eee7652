/** PIXm ITI-83: which other identifiers has the person with this one? `GET` and `POST /fhir/Patient/$ihe-pix`. */
import type { Identifier, Parameters, ParametersParameter, Patient } from '@medplum/fhirtypes';
import { type FormPairs, parseForm, parseToken, plainTerm } from '../../fhir/index.ts';
import { utf8Decode } from '../../kernel/bytes.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import { Problem } from '../../kernel/problem.ts';
import { event, permission, type RouteReply, route } from '../../platform/http/route.ts';
import { kindOf, patientOf } from './content.ts';
import { type Exchange, type FhirDeps, type FhirRouteDeps, rawQuery, resourceReply, seenBy } from './fhir-exchange.ts';
import { aliasesOf } from './fhir-identities.ts';
import { A_FORM, bodyOf, doors, exchangeOf, type FhirRoute, type Incoming, NO_BODY, none } from './fhir-route.ts';
import { isDomainKnown } from './fhir-search.ts';
import { successorOf } from './replacement.ts';

interface PixQuestion {
  readonly system: string;
  readonly value: string;
  readonly targets: readonly string[];
  /** As it was asked, for the audit log. */
  readonly raw: string;
}

export function pixRoutes(deps: FhirRouteDeps): FhirRoute[] {
  const common = {
    doors,
    path: '/fhir/Patient/$ihe-pix',
    access: permission('client.read', { scope: 'pix' }),
    audit: event('client.pix'),
    output: 'fhir',
  } as const;
  return [
    {
      interactions: ['$ihe-pix'],
      route: route({
        ...common,
        method: 'GET',
        input: { params: none, query: 'raw', body: 'none' },
        limits: NO_BODY,
        handle: (request) => answerPix(seenBy(deps, request.actor), exchangeOf(request)),
      }),
    },
    {
      interactions: ['$ihe-pix'],
      route: route({
        ...common,
        method: 'POST',
        input: { params: none, query: 'raw', body: 'bytes' },
        limits: A_FORM,
        handle: (request) => answerPix(seenBy(deps, request.actor), exchangeOf(withBody(request))),
      }),
    },
  ];
}

/** A POST brings Parameters, or the query as a form. */
function withBody(request: Incoming): Incoming {
  const type = request.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  const pairs =
    type === 'application/x-www-form-urlencoded'
      ? parseForm(formText(request.body))
      : pairsOf(bodyOf(request) as Parameters | undefined);
  const form = new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();
  const query = [rawQuery(request), form].filter((part) => part !== '').join('&');
  return { actor: request.actor, baseUrl: request.baseUrl, query, header: (name) => request.header(name) };
}

function formText(body: Uint8Array = new Uint8Array(0)): string {
  try {
    return utf8Decode(body);
  } catch (cause) {
    throw new Problem('invalid', 'fhir-operation', 'The form is not UTF-8.', { cause, fhirCode: 'value' });
  }
}

function pairsOf(body: Parameters | undefined): FormPairs {
  if (body?.resourceType !== 'Parameters' || !Array.isArray(body.parameter ?? []))
    throw refused('Parameters were expected.', 'structure');
  return (body.parameter ?? []).map((parameter) => [String(parameter.name ?? ''), textOf(parameter)]);
}

function textOf(parameter: ParametersParameter): string {
  const { valueIdentifier } = parameter;
  if (valueIdentifier) return `${valueIdentifier.system ?? ''}|${valueIdentifier.value ?? ''}`;
  const text: unknown = parameter.valueString ?? parameter.valueUri ?? parameter.valueUrl ?? parameter.valueCanonical;
  if (typeof text === 'string') return text;
  throw refused('sourceIdentifier is a string or an Identifier, targetSystem a uri.', 'value');
}

async function answerPix(deps: FhirDeps, exchange: Exchange): Promise<RouteReply<never>> {
  const question = await questionOf(deps, exchange);
  const golden = await personOf(deps, exchange, question);
  for (const target of question.targets) {
    if (!(await isDomainKnown(deps, target))) throw targetUnknown();
  }
  const audited = await deps.audit.recordNow([
    {
      actor: exchange.actor,
      event: 'client.pix',
      action: 'E',
      outcome: 'success',
      interaction: '$ihe-pix',
      query: `Patient/$ihe-pix?${question.raw}`,
      patients: [`Patient/${golden.id}`],
    },
  ]);
  return resourceReply(answerOf(golden.patient, golden.id, question, deps.identityRules === 'openhie'), exchange, {
    audited,
  });
}

async function questionOf(deps: FhirDeps, { query, preferences }: Exchange): Promise<PixQuestion> {
  const aliases = await aliasesOf(deps);
  const known = ['sourceIdentifier', 'targetSystem', '_format', '_pretty'];
  if (preferences.strict && query.some(([name]) => !known.includes(name)))
    throw refused('$ihe-pix takes sourceIdentifier and targetSystem.', 'not-supported');
  const sources = query.filter(([name]) => name === 'sourceIdentifier').map(([, value]) => value);
  const [source = ''] = sources;
  if (sources.length !== 1 || source === '') throw refused('One sourceIdentifier is needed.', 'required');
  const token = parseToken(source);
  if (!token?.system || !token.value)
    throw refused('sourceIdentifier names the assigning authority and the identifier: system|value.', 'value');
  const targets = query.filter(([name]) => name === 'targetSystem').map(([, value]) => value);
  if (targets.some((target) => target === '')) throw refused('A targetSystem is empty.', 'value');
  return {
    system: aliases.get(token.system) ?? token.system,
    value: token.value,
    targets: [...new Set(targets.map((target) => aliases.get(target) ?? target))],
    raw: new URLSearchParams(query.map(([name, value]) => [name, value])).toString(),
  };
}

export interface Person {
  readonly id: ResourceId;
  readonly patient: Patient;
}

function personOf(deps: FhirDeps, { base }: Exchange, question: PixQuestion): Promise<Person> {
  const { system, value } = question;
  const byId = /^Patient\/(.+)$/.exec(value)?.[1];
  if (byId !== undefined && (system === base || system === `${base}/`)) return byLogicalId(deps, byId);
  return personByIdentifier(deps, question);
}

/** The person with this identifier. Throws Problem `pix-source-unknown`, `pix-authority-unknown` or `pix-ambiguous`. */
export async function personByIdentifier(
  deps: Pick<FhirDeps, 'registry' | 'domains' | 'identityRules'>,
  { system, value }: { readonly system: string; readonly value: string },
): Promise<Person> {
  const own = await deps.registry.findByKey(system, value);
  if (own !== undefined) return byLogicalId(deps, own);
  if (!(await isDomainKnown(deps, system))) throw authorityUnknown();
  // What others say of an identifier in a domain that somebody owns is information, not the owner's word.
  const owned = (await deps.domains.table()).bySystem(system)?.ownerNodeId !== undefined;
  const { records } = await deps.registry.search({
    kind: 'golden',
    terms: [[{ parameter: 'identifier', value: plainTerm(value) }]],
    accepts: (patient) => patient.identifier?.some((one) => one.system === system && one.value === value) ?? false,
    everything: false,
    order: 'id',
    limit: 2,
    total: 'none',
  });
  const [found, another] = records;
  if (found?.content === undefined || found.content === null || (owned && deps.identityRules === 'openhie'))
    throw sourceUnknown();
  if (another) throw severalPeople();
  return { id: found.id, patient: patientOf(found.content) };
}

/** A chain of merged golden records is followed to the one that stands for the person now. */
const REDIRECTS_MAX = 50;

async function byLogicalId(deps: Pick<FhirDeps, 'registry'>, text: string): Promise<Person> {
  let id = parseId<ResourceId>(text);
  for (let step = 0; id !== undefined && step < REDIRECTS_MAX; step += 1) {
    const stored = await deps.registry.read(id);
    if (!stored?.content) break;
    const patient = patientOf(stored.content);
    if (kindOf(patient) === 'source') id = (await deps.registry.goldenOf([id])).get(id);
    else if (successorOf(patient) === undefined) return { id, patient };
    else id = parseId<ResourceId>(successorOf(patient) ?? '');
  }
  throw sourceUnknown();
}

function answerOf(patient: Patient, id: ResourceId, question: PixQuestion, withSource: boolean): Parameters {
  const { system, value, targets } = question;
  const isSource = (one: Identifier): boolean => one.system === system && one.value === value;
  const wanted = (patient.identifier ?? []).filter(
    (one) =>
      one.system !== undefined &&
      one.value !== undefined &&
      (withSource || !isSource(one)) &&
      (targets.length === 0 || targets.includes(one.system)),
  );
  const distinct = new Map(wanted.map((one) => [JSON.stringify([one.system, one.value]), one]));
  const identifiers = [...distinct.values()].map(
    (one): ParametersParameter => ({
      name: 'targetIdentifier',
      valueIdentifier: { system: one.system ?? '', value: one.value ?? '' },
    }),
  );
  const parameter: ParametersParameter[] = [
    ...identifiers,
    ...(targets.length === 0 || identifiers.length > 0
      ? [{ name: 'targetId', valueReference: { reference: `Patient/${id}` } }]
      : []),
  ];
  return { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) };
}

const refused = (detail: string, fhirCode: string): Problem =>
  new Problem('invalid', 'fhir-operation', detail, { fhirCode, expression: ['Parameters.parameter'] });

/** The error cases of §2:3.83.4.2.2, word for word where it gives words. */
const sourceUnknown = (): Problem =>
  new Problem('not-found', 'pix-source-unknown', 'sourceIdentifier Patient Identifier not found', {
    fhirCode: 'not-found',
  });
const authorityUnknown = (): Problem =>
  new Problem('invalid', 'pix-authority-unknown', 'sourceIdentifier Assigning Authority not found', {
    fhirCode: 'code-invalid',
  });
const targetUnknown = (): Problem =>
  new Problem('forbidden', 'pix-target-unknown', 'targetSystem not found', { fhirCode: 'code-invalid' });
const severalPeople = (): Problem =>
  new Problem(
    'conflict',
    'pix-ambiguous',
    'Several people carry this identifier, and nobody has decided whether they are one. Ask with an identifier of the system that assigned it.',
    { fhirCode: 'multiple-matches' },
  );
