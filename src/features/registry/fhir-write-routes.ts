/** FHIR create, update and delete, plain and conditional. */
import { parseIfMatch, parseIfNoneExist } from '../../fhir/index.ts';
import { event, permission, route } from '../../platform/http/route.ts';
import { type FhirRouteDeps, resourceId, seenBy } from './fhir-exchange.ts';
import { aliasesOf, assertIdentified, assertNamed, queryWithSystems } from './fhir-identities.ts';
import { answerReplacement, obsoleteOf } from './fhir-merge.ts';
import {
  byId,
  doors,
  exchangeOf,
  type FhirRoute,
  NO_BODY,
  none,
  ONE_PATIENT,
  patientOf,
  plainExchange,
} from './fhir-route.ts';
import {
  assertSameId,
  conditionalDelete,
  conditionalUpdate,
  createSubmission,
  deleteSubmission,
  keyOf,
  updateSubmission,
} from './fhir-submissions.ts';
import { openCrSubmission, speaksOpenCr } from './fhir-opencr.ts';
import { answerWrite } from './fhir-writes.ts';
import { isReplaced } from './replacement.ts';

const FEED = { scope: 'feed' } as const;
const write = { doors, access: permission('client.write', FEED), output: 'fhir', limits: ONE_PATIENT } as const;
const remove = { doors, access: permission('client.delete', FEED), output: 'fhir', limits: NO_BODY } as const;

export function writeRoutes(all: FhirRouteDeps): FhirRoute[] {
  return [
    {
      interactions: ['create'],
      conditional: true,
      route: route({
        ...write,
        method: 'POST',
        path: '/fhir/Patient',
        audit: event('client.create'),
        input: { params: none, query: 'raw', body: 'bytes' },
        async handle(request) {
          const deps = seenBy(all, request.actor);
          const exchange = plainExchange(request);
          const patient = patientOf(request);
          const ifNoneExist = parseIfNoneExist(request.header('if-none-exist'));
          if (speaksOpenCr(deps, request.actor) && ifNoneExist === undefined)
            return answerWrite(deps, exchange, await openCrSubmission(deps, request.actor, patient));
          return answerWrite(deps, exchange, await createSubmission(deps, request.actor, { patient, ifNoneExist }));
        },
      }),
    },
    ...updateRoutes(all),
    ...deleteRoutes(all),
  ];
}

function updateRoutes(all: FhirRouteDeps): FhirRoute[] {
  return [
    {
      interactions: ['update'],
      route: route({
        ...write,
        method: 'PUT',
        path: '/fhir/Patient/:id',
        audit: event('client.update'),
        input: { params: byId, query: 'raw', body: 'bytes' },
        async handle(request) {
          const deps = seenBy(all, request.actor);
          const exchange = plainExchange(request);
          const ifMatch = parseIfMatch(request.header('if-match'));
          const what = { id: request.params.id, patient: patientOf(request), ifMatch };
          if (speaksOpenCr(deps, request.actor) && ifMatch === undefined && !isReplaced(what.patient))
            return answerWrite(deps, exchange, await openCrSubmission(deps, request.actor, what.patient, what.id));
          if (isReplaced(what.patient)) {
            assertSameId(what.id, what.patient);
            return answerReplacement(deps, exchange, { obsolete: resourceId(what.id), patient: what.patient });
          }
          return answerWrite(deps, exchange, await updateSubmission(deps, request.actor, what));
        },
      }),
    },
    {
      interactions: ['update'],
      conditional: true,
      route: route({
        ...write,
        method: 'PUT',
        path: '/fhir/Patient',
        audit: event('client.update'),
        input: { params: none, query: 'raw', body: 'bytes' },
        async handle(request) {
          const deps = seenBy(all, request.actor);
          const exchange = exchangeOf(request);
          const ifMatch = parseIfMatch(request.header('if-match'));
          const what = { patient: patientOf(request), query: exchange.query, ifMatch };
          const key = keyOf(queryWithSystems(what.query, await aliasesOf(deps)));
          const { principal } = request.actor;
          if (principal.kind === 'node') {
            assertIdentified(what.patient);
            // Who does not own the domain is refused for that, whatever the record lacks.
            if (principal.domains.includes(key.system)) assertNamed(what.patient);
          }
          if (isReplaced(what.patient)) {
            return answerReplacement(deps, exchange, { obsolete: await obsoleteOf(deps, key), patient: what.patient });
          }
          return answerWrite(deps, exchange, await conditionalUpdate(deps, request.actor, what));
        },
      }),
    },
  ];
}

function deleteRoutes(all: FhirRouteDeps): FhirRoute[] {
  return [
    {
      interactions: ['delete'],
      route: route({
        ...remove,
        method: 'DELETE',
        path: '/fhir/Patient/:id',
        audit: event('client.delete'),
        input: { params: byId, query: 'raw', body: 'none' },
        async handle(request) {
          const deps = seenBy(all, request.actor);
          const exchange = plainExchange(request);
          const ifMatch = parseIfMatch(request.header('if-match'));
          return answerWrite(deps, exchange, deleteSubmission(request.params.id, ifMatch));
        },
      }),
    },
    {
      interactions: ['delete'],
      conditional: true,
      route: route({
        ...remove,
        method: 'DELETE',
        path: '/fhir/Patient',
        audit: event('client.delete'),
        input: { params: none, query: 'raw', body: 'none' },
        async handle(request) {
          const deps = seenBy(all, request.actor);
          const exchange = exchangeOf(request);
          return answerWrite(deps, exchange, await conditionalDelete(deps, request.actor, exchange.query));
        },
      }),
    },
  ];
}
