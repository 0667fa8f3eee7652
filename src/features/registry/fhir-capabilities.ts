/** `/fhir/metadata`: made of the routes themselves, so it cannot promise what they do not do. */
import { capabilityStatement, type Capabilities, type TypeInteraction } from '../../fhir/index.ts';
import { instant } from '../../kernel/time.ts';
import { noneBecause, publicBecause, type RouteDeclaration, route } from '../../platform/http/route.ts';
import { type FhirDeps, resourceReply } from './fhir-exchange.ts';
import { doors, type FhirRoute, none, plainExchange } from './fhir-route.ts';

const TYPE_INTERACTIONS: readonly TypeInteraction[] = [
  'read',
  'vread',
  'update',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
];

export function metadataRoute(deps: Pick<FhirDeps, 'clock' | 'softwareVersion'>, served: readonly FhirRoute[]): RouteDeclaration {
  const date = instant(deps.clock.nowMs());
  const offered = offeredBy(served);
  return route({
    doors,
    method: 'GET',
    path: '/fhir/metadata',
    access: publicBecause('It says what the program can do, and nothing about anybody.'),
    audit: noneBecause('No data of anybody is shown.'),
    input: { params: none, query: 'raw', body: 'none' },
    output: 'fhir',
    limits: { bodyBytesMax: 0, perMinute: 600 },
    async handle(request) {
      const exchange = plainExchange(request);
      const statement = capabilityStatement({
        ...offered,
        date,
        softwareVersion: deps.softwareVersion,
        baseUrl: exchange.base,
      });
      return resourceReply(statement, exchange, { audited: null });
    },
  });
}

function offeredBy(served: readonly FhirRoute[]): Omit<Capabilities, 'softwareVersion' | 'baseUrl' | 'date'> {
  const all = new Set(served.flatMap(({ interactions }) => interactions));
  const conditional = new Set(served.filter((one) => one.conditional).flatMap(({ interactions }) => interactions));
  return {
    interactions: TYPE_INTERACTIONS.filter((interaction) => all.has(interaction)),
    systemInteractions: (['transaction', 'batch'] as const).filter((interaction) => all.has(interaction)),
    operations: all.has('$match')
      ? [{ name: 'match', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-match' }]
      : [],
    conditional: {
      conditionalCreate: conditional.has('create'),
      conditionalUpdate: conditional.has('update'),
      conditionalDelete: conditional.has('delete') ? 'single' : 'not-supported',
      conditionalRead: conditional.has('read') ? 'full-support' : 'not-supported',
    },
  };
}
