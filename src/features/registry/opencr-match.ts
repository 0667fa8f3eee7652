/**
 * The calls under `/match` that clients of OpenCR make, behind the setting openCrCalls: who resembles a record, in the shape of its
 * answers, nothing written. What is decided there about links (resolve, break, unbreak, the lists for it) is decided here by people
 * under their own names; those calls are refused with where to go instead.
 */
import type { Patient } from '@medplum/fhirtypes';
import { z } from 'zod';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import { parseStoredJson } from '../../fhir/index.ts';
import { assertRegistrable } from './fhir-bounds.ts';
import { type FhirDeps, type FhirRouteDeps, resourceId, seenBy } from './fhir-exchange.ts';
import { readCurrent } from './fhir-reads.ts';
import { A_MATCH, bodyOf, byId, NO_BODY, none } from './fhir-route.ts';
import type { MatchCandidate } from './service.ts';

/** One record beside others. `uid`: the person it belongs to; `scores`: by `source_id` of the others, 0..1 (OpenCR: sums of weights). */
const matrixSchema = z.looseObject({
  id: z.string().optional(),
  gender: z.string().optional(),
  given: z.string(),
  family: z.string().optional(),
  birthDate: z.string().optional(),
  phone: z.string(),
  uid: z.string().nullable(),
  ouid: z.string().nullable(),
  source_id: z.string().nullable(),
  scores: z.record(z.string(), z.number()),
});
type Matrix = z.infer<typeof matrixSchema>;
const matchesSchema = z.object({
  parent: z.array(matrixSchema),
  auto: z.array(matrixSchema),
  potential: z.array(matrixSchema),
  conflict: z.array(matrixSchema),
});
type Matches = z.infer<typeof matchesSchema>;

const COUNT_MAX = 100;
const refusedSchema = z.object({});

export function openCrMatchRoutes(all: FhirRouteDeps): RouteDeclaration[] {
  const common = {
    doors: ['nodes'],
    access: permission('client.read', { scope: 'match' }),
    audit: event('client.match'),
  } as const;
  return [
    route({
      ...common,
      method: 'POST',
      path: '/match/matches',
      input: { params: none, query: none, body: 'bytes' },
      output: matchesSchema,
      limits: A_MATCH,
      async handle(request) {
        assertSpoken(all);
        const patient = bodyOf(request);
        assertRegistrable(patient);
        const { matches, audited } = await matchesOf(seenBy(all, request.actor), request.actor, { patient });
        return { status: 200, body: matches, audited };
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/match/potential-matches/:id',
      input: { params: byId, query: none, body: 'none' },
      output: z.array(matrixSchema),
      limits: NO_BODY,
      async handle(request) {
        assertSpoken(all);
        const deps = seenBy(all, request.actor);
        const id = resourceId(request.params.id);
        const patient = parseStoredJson((await readCurrent(deps, id)).content) as Patient;
        const own = (await deps.registry.goldenOf([id])).get(id);
        const { matches, audited } = await matchesOf(deps, request.actor, { patient, own });
        const { parent, auto, potential, conflict } = matches;
        return { status: 200, body: [...parent, ...auto, ...potential, ...conflict], audited };
      },
    }),
    ...(['GET', 'POST'] as const).map((method) =>
      route({
        ...common,
        method,
        path: '/match/:call',
        input: { params: z.object({ call: z.string() }), query: 'raw', body: method === 'GET' ? 'none' : 'bytes' },
        output: refusedSchema,
        limits: method === 'GET' ? NO_BODY : A_MATCH,
        handle() {
          assertSpoken(all);
          throw decidedByPeople();
        },
      }),
    ),
  ];
}

interface Asked {
  readonly patient: Patient;
  /** The person it belongs to already: not among those it resembles. */
  readonly own?: ResourceId | undefined;
}

async function matchesOf(
  deps: FhirDeps,
  actor: Actor,
  { patient, own }: Asked,
): Promise<{ readonly matches: Matches; readonly audited: AuditReceipt }> {
  const { candidates } = await deps.registry.match(patient, { count: COUNT_MAX });
  const others = candidates.filter(({ goldenId }) => goldenId !== own);
  const scores: Record<string, number> = {};
  const matches: Matches = { parent: [], auto: [], potential: [], conflict: [] };
  for (const one of others) {
    const row = candidateRow(one);
    scores[row.source_id ?? one.sourceId] = Math.round(one.score * 10_000) / 10_000;
    // Two certain people at once: OpenCR calls the second one a conflict.
    if (one.grade !== 'certain') matches.potential.push(row);
    else if (matches.auto.length === 0 && own === undefined) matches.auto.push(row);
    else matches.conflict.push(row);
  }
  matches.parent.push({ ...rowOf(patient, own), scores });
  const patients = others.map(({ goldenId }) => `Patient/${goldenId}`);
  const query = `match/matches ${JSON.stringify(patient)}`;
  const audited = await deps.audit.recordNow([
    { actor, event: 'client.match', action: 'E', outcome: 'success', interaction: '$match', query, patients },
  ]);
  return { matches, audited };
}

function candidateRow({ golden, goldenId, sourceId }: MatchCandidate): Matrix {
  // What the store holds is a Patient that was valid when it was written.
  const patient = parseStoredJson(golden.content ?? new Uint8Array(0)) as Patient;
  return { ...rowOf(patient, goldenId), id: sourceId };
}

function rowOf(patient: Patient, goldenId: ResourceId | undefined): Matrix {
  const name = patient.name?.find(({ use }) => use === 'official') ?? patient.name?.[0];
  const phones = (patient.telecom ?? []).flatMap(({ system, value }) => (system === 'phone' && value ? [value] : []));
  const identifiers = (patient.identifier ?? []).flatMap(({ system, value }) =>
    system && value ? [[`identifier_${system}`, value] as const] : [],
  );
  return {
    ...Object.fromEntries(identifiers),
    ...(patient.id === undefined ? {} : { id: patient.id }),
    ...(patient.gender === undefined ? {} : { gender: patient.gender }),
    ...(name?.family === undefined ? {} : { family: name.family }),
    ...(patient.birthDate === undefined ? {} : { birthDate: patient.birthDate }),
    given: (name?.given ?? []).join(' '),
    phone: phones.join(', '),
    uid: goldenId ?? null,
    ouid: goldenId ?? null,
    source_id: identifiers[0]?.[1] ?? null,
    scores: {},
  };
}

function assertSpoken({ openCrCalls }: Pick<FhirDeps, 'openCrCalls'>): void {
  if (openCrCalls !== true) throw new Problem('not-found', 'route-unknown', 'There is nothing at this address.');
}

const decidedByPeople = (): Problem =>
  new Problem(
    'forbidden',
    'opencr-decision',
    'Who is the same person is decided here by people under their own names: on the page Reviews, or on the client’s page. Nothing was changed.',
    { fhirCode: 'forbidden' },
  );
