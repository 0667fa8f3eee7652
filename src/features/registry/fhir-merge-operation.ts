/**
 * `Patient/$merge` of R5 (informative there): source and target by reference and identifiers, what the target shall say, and a
 * preview. The source becomes inactive and `replaced-by` the target, the target `replaces` it: both or neither.
 */
import type { Identifier, Parameters, ParametersParameter, Patient, Reference } from '@medplum/fhirtypes';
import { parseStoredJson } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { Problem } from '../../kernel/problem.ts';
import { event, permission, type RouteReply, route } from '../../platform/http/route.ts';
import { patientOf } from './content.ts';
import { assertRegistrable } from './fhir-bounds.ts';
import {
  type Exchange,
  type FhirDeps,
  type FhirRouteDeps,
  informationOutcome,
  resourceReply,
  seenBy,
} from './fhir-exchange.ts';
import { incoming } from './fhir-identities.ts';
import { recordMeant } from './fhir-merge.ts';
import { readCurrent } from './fhir-reads.ts';
import { bodyOf, doors, type FhirRoute, none, ONE_PATIENT, plainExchange } from './fhir-route.ts';
import type { ValidPatient } from './model.ts';
import { successorOf } from './replacement.ts';

export function mergeRoute(deps: FhirRouteDeps): FhirRoute {
  return {
    interactions: ['$merge'],
    route: route({
      doors,
      method: 'POST',
      path: '/fhir/Patient/$merge',
      access: permission('client.write', { scope: 'feed' }),
      audit: event('client.merge'),
      input: { params: none, query: 'raw', body: 'bytes' },
      output: 'fhir',
      limits: ONE_PATIENT,
      handle: (request) =>
        answerMerge(seenBy(deps, request.actor), plainExchange(request), bodyOf(request) as Parameters),
    }),
  };
}

async function answerMerge(deps: FhirDeps, exchange: Exchange, body: Parameters): Promise<RouteReply<never>> {
  const asked = mergeAsked(body);
  const source = await sideMeant(deps, exchange, asked.source);
  const target = await sideMeant(deps, exchange, asked.target);
  if (asked.result?.id !== undefined && asked.result.id !== target) throw resultOfAnother();
  const before = patientOf((await readCurrent(deps, source)).content);
  const result =
    asked.result === undefined
      ? patientOf((await readCurrent(deps, target)).content)
      : await incoming(deps, exchange.actor, asked.result);
  const patient: ValidPatient = { ...replacing(result, before, source), id: target };
  const done = await deps.registry.applyTogether(exchange.actor, {
    steps: [
      { kind: 'merge', merge: { obsolete: source, survivor: target } },
      { kind: 'writes', submissions: [{ kind: 'update', id: target, patient }] },
    ],
    show: [target],
    ...(asked.preview ? { preview: true } : {}),
  });
  if (done.status === 'refused') throw done.problem;
  const audited = asked.preview ? await previewed(deps, exchange, [source, target]) : done.audited;
  const content = done.shown.get(target)?.content;
  if (!content || !audited) throw new Error('A merge was answered without its survivor or its event.');
  const said = asked.preview ? PREVIEW : successorOf(before) === target ? AGAIN : MERGED;
  const answer: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'input', resource: body },
      { name: 'outcome', resource: informationOutcome(said) },
      // What the store holds is a Patient that was valid when it was written.
      { name: 'result', resource: parseStoredJson(content) as ValidPatient },
    ],
  };
  return resourceReply(answer, exchange, { audited });
}

const MERGED = 'The records were merged.';
const AGAIN = 'The records had been merged before.';
const PREVIEW = 'Nothing was changed. The result is what the target would be after the merge.';

function previewed({ audit }: FhirDeps, { actor }: Exchange, ids: readonly ResourceId[]) {
  const patients = ids.map((id) => `Patient/${id}`);
  const detail = { preview: 'true' };
  return audit.recordNow([{ actor, event: 'client.merge', action: 'R', outcome: 'success', patients, detail }]);
}

/** What the target says of the merge: a link to what it replaces, and its identifiers as old ones (R5). */
function replacing(target: Patient, source: Patient, sourceId: ResourceId): ValidPatient {
  const { meta: _meta, ...said } = target;
  const reference = `Patient/${sourceId}`;
  const links = said.link ?? [];
  const isLinked = links.some(({ type, other }) => type === 'replaces' && other.reference === reference);
  const known = new Set((said.identifier ?? []).map(keyOf));
  const former = (source.identifier ?? []).filter((one) => !known.has(keyOf(one)));
  return {
    ...said,
    identifier: [...(said.identifier ?? []), ...former.map((one) => ({ ...one, use: 'old' as const }))],
    link: isLinked ? links : [...links, { other: { reference }, type: 'replaces' }],
  };
}

const keyOf = ({ system = '', value = '' }: Identifier): string => `${system}|${value}`;

interface Side {
  readonly name: 'source' | 'target';
  readonly references: readonly Reference[];
}

/** All that names a side must name one record (R5: else it SHALL be refused). */
async function sideMeant(deps: FhirDeps, exchange: Exchange, { name, references }: Side): Promise<ResourceId> {
  const ids = new Set<ResourceId>();
  for (const reference of references) ids.add(await recordMeant(deps, exchange, reference));
  const [only] = ids;
  if (ids.size === 1 && only !== undefined) return only;
  throw new Problem('unprocessable', 'merge-ambiguous', `What names the ${name} patient names several records.`, {
    fhirCode: 'multiple-matches',
    expression: ['Parameters.parameter'],
  });
}

interface MergeAsked {
  readonly source: Side;
  readonly target: Side;
  readonly result: ValidPatient | undefined;
  readonly preview: boolean;
}

const NAMED_MAX = 20;
const KNOWN: readonly (string | undefined)[] = [
  'source-patient',
  'source-patient-identifier',
  'target-patient',
  'target-patient-identifier',
  'result-patient',
  'preview',
];

function mergeAsked(body: Parameters | undefined): MergeAsked {
  if (body?.resourceType !== 'Parameters' || !Array.isArray(body.parameter))
    throw refused('Parameters were expected.', 'structure');
  const parameters: readonly ParametersParameter[] = body.parameter;
  if (parameters.some((one) => typeof one !== 'object' || one === null || !KNOWN.includes(one.name)))
    throw refused(
      '$merge takes source- and target-patient, their identifiers, result-patient and preview.',
      'not-supported',
    );
  const named = (name: string) => parameters.filter((parameter) => parameter.name === name);
  if (named('result-patient').length > 1 || named('preview').length > 1)
    throw refused('result-patient and preview are given once.', 'structure');
  const result: unknown = named('result-patient')[0]?.resource;
  if (result !== undefined) assertRegistrable(result);
  return {
    source: sideAsked('source', named),
    target: sideAsked('target', named),
    result,
    preview: named('preview')[0]?.valueBoolean === true,
  };
}

function sideAsked(name: Side['name'], named: (name: string) => readonly ParametersParameter[]): Side {
  const direct = named(`${name}-patient`);
  const identifiers = named(`${name}-patient-identifier`);
  const count = direct.length + identifiers.length;
  if (direct.length > 1 || count === 0 || count > NAMED_MAX)
    throw refused(`The ${name} patient is named by one reference, by identifiers, or by both.`, 'required');
  const references = direct.map(({ valueReference }) => valueReference ?? {});
  const byIdentifier = identifiers.map(({ valueIdentifier }) => ({ identifier: valueIdentifier ?? {} }));
  return { name, references: [...references, ...byIdentifier] };
}

const refused = (detail: string, fhirCode: string): Problem =>
  new Problem('invalid', 'fhir-operation', detail, { fhirCode, expression: ['Parameters.parameter'] });
const resultOfAnother = (): Problem =>
  new Problem('unprocessable', 'merge-result', 'result-patient carries the id of another record than the target.', {
    fhirCode: 'business-rule',
  });
