/**
 * `/fhir/metadata`, and `/fhir/CapabilityStatement/…` per IHE actor: made of the routes themselves, so they cannot promise what
 * the routes do not do.
 */
import { capabilityStatement, type Capabilities, type TypeInteraction } from '../../fhir/index.ts';
import { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import { noneBecause, publicBecause, type RouteDeclaration, route } from '../../platform/http/route.ts';
import { type FhirDeps, type FhirRequest, resourceReply } from './fhir-exchange.ts';
import {
  byActor,
  doors,
  type FhirRoute,
  none,
  type OperationName,
  plainExchange,
  type ServedRoute,
} from './fhir-route.ts';

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

interface IheActor {
  readonly title: string;
  /** IHE's own statements of what the actor has to do. */
  readonly instantiates: readonly string[];
  /** What of the Patient routes belongs to it. */
  readonly interactions: readonly FhirRoute['interactions'][number][];
  /** Other resource types it has to do with. */
  readonly types: readonly string[];
}

const IHE = 'https://profiles.ihe.net/ITI';

/** Actors of IHE whose part Careseal plays, with what their transactions need. */
export const IHE_ACTORS: Readonly<Record<string, IheActor>> = {
  'pdqm-supplier': {
    title: 'PDQm Patient Demographics Supplier: ITI-78, ITI-119',
    instantiates: [
      `${IHE}/PDQm/CapabilityStatement/IHE.PDQm.PatientDemographicsSupplierQuery`,
      `${IHE}/PDQm/CapabilityStatement/IHE.PDQm.PatientDemographicsSupplierMatch`,
    ],
    interactions: ['search-type', 'read', '$match'],
    types: [],
  },
  'pixm-manager': {
    title: 'PIXm Patient Identifier Cross-reference Manager: ITI-83, ITI-104',
    instantiates: [`${IHE}/PIXm/CapabilityStatement/IHE.PIXm.Manager`],
    interactions: ['$ihe-pix', 'create', 'update', 'delete', '$merge'],
    types: [],
  },
  'pmir-registry': {
    title: 'PMIR Patient Identity Registry: ITI-78, ITI-83, ITI-93, ITI-94',
    instantiates: [`${IHE}/PMIR/CapabilityStatement/IHE.PMIR.PatientIdentityRegistry`],
    interactions: ['search-type', 'read', '$ihe-pix', '$process-message'],
    types: ['Subscription', 'RelatedPerson'],
  },
};

interface Serving {
  readonly served: readonly FhirRoute[];
  readonly others: readonly ServedRoute[];
}

export function capabilityRoutes(
  deps: Pick<FhirDeps, 'clock' | 'softwareVersion'>,
  serving: Serving,
): RouteDeclaration[] {
  const date = instant(deps.clock.nowMs());
  const answer = (request: FhirRequest, offered: Offered) => {
    const exchange = plainExchange(request);
    const statement = capabilityStatement({
      ...offered,
      date,
      softwareVersion: deps.softwareVersion,
      baseUrl: exchange.base,
    });
    return resourceReply(statement, exchange, { audited: null });
  };
  const common = {
    doors,
    method: 'GET',
    access: publicBecause('It says what the program can do, and nothing about anybody.'),
    audit: noneBecause('No data of anybody is shown.'),
    output: 'fhir',
    limits: { bodyBytesMax: 0, perMinute: 600 },
  } as const;
  const met = Object.values(IHE_ACTORS).flatMap(({ instantiates }) => instantiates);
  const all = { ...offeredBy(serving), instantiates: met };
  const byName = new Map(
    Object.entries(IHE_ACTORS).map(([name, actor]) => [
      name,
      { ...offeredBy(partOf(serving, actor), { name, title: actor.title }), instantiates: actor.instantiates },
    ]),
  );
  return [
    route({
      ...common,
      path: '/fhir/metadata',
      input: { params: none, query: 'raw', body: 'none' },
      handle: async (request) => answer(request, all),
    }),
    route({
      ...common,
      path: '/fhir/CapabilityStatement/:actor',
      input: { params: byActor, query: 'raw', body: 'none' },
      async handle(request) {
        const offered = byName.get(request.params.actor);
        if (offered === undefined) throw unknownActor();
        return answer(request, offered);
      },
    }),
  ];
}

function partOf({ served, others }: Serving, { interactions, types }: IheActor): Serving {
  return {
    served: served.flatMap((one) => {
      const part = one.interactions.filter((interaction) => interactions.includes(interaction));
      return part.length === 0 ? [] : [{ ...one, interactions: part }];
    }),
    others: others.filter(({ type }) => types.includes(type)),
  };
}

type Offered = Omit<Capabilities, 'softwareVersion' | 'baseUrl' | 'date'>;

const OPERATIONS: Readonly<Record<OperationName, { readonly name: string; readonly definition: string }>> = {
  $match: { name: 'match', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-match' },
  '$ihe-pix': { name: 'ihe-pix', definition: 'https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix' },
  $merge: { name: 'merge', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-merge' },
  '$process-message': {
    name: 'process-message',
    definition: 'http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message',
  },
};

function offeredBy({ served, others }: Serving, actor?: { readonly name: string; readonly title: string }): Offered {
  const all = new Set(served.flatMap(({ interactions }) => interactions));
  const conditional = new Set(served.filter((one) => one.conditional).flatMap(({ interactions }) => interactions));
  const operations = (names: readonly OperationName[]) =>
    names.filter((name) => all.has(name)).map((name) => OPERATIONS[name]);
  return {
    ...(actor === undefined ? {} : { actor }),
    interactions: TYPE_INTERACTIONS.filter((interaction) => all.has(interaction)),
    systemInteractions: (['transaction', 'batch'] as const).filter((interaction) => all.has(interaction)),
    operations: operations(['$match', '$ihe-pix', '$merge']),
    systemOperations: operations(['$process-message']),
    otherTypes: [...Map.groupBy(others, ({ type }) => type)].map(([type, routes]) => ({
      type,
      interactions: TYPE_INTERACTIONS.filter((interaction) => routes.some((one) => one.interaction === interaction)),
    })),
    conditional: {
      conditionalCreate: conditional.has('create'),
      conditionalUpdate: conditional.has('update'),
      conditionalDelete: conditional.has('delete') ? 'single' : 'not-supported',
      conditionalRead: conditional.has('read') ? 'full-support' : 'not-supported',
    },
  };
}

const unknownActor = (): Problem =>
  new Problem('not-found', 'fhir-actor-unknown', `Actors are ${Object.keys(IHE_ACTORS).join(', ')}.`, {
    fhirCode: 'not-found',
  });
