import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { FHIR_VERSION } from './r4.ts';
import { SEARCH_PARAMETERS } from './search-parameters.ts';

export type TypeInteraction =
  | 'read'
  | 'vread'
  | 'update'
  | 'delete'
  | 'history-instance'
  | 'history-type'
  | 'create'
  | 'search-type';
export type SystemInteraction = 'transaction' | 'batch';

interface Operation {
  readonly name: string;
  readonly definition: string;
}

/** What the routes really do; the search parameters come from the table that searches are parsed with. */
export interface Capabilities {
  /** Canonical URLs of the statements of requirements (IHE) that are met. */
  readonly instantiates?: readonly string[];
  readonly softwareVersion: string;
  /** Of the FHIR endpoint, without a slash at its end. */
  readonly baseUrl: string;
  /** When this version of the server was published, or started. */
  readonly date: string;
  readonly interactions: readonly TypeInteraction[];
  readonly systemInteractions: readonly SystemInteraction[];
  readonly operations: readonly Operation[];
  readonly systemOperations?: readonly Operation[];
  readonly otherTypes?: readonly { readonly type: string; readonly interactions: readonly TypeInteraction[] }[];
  /** Missing: everything there is; else one actor's part of it. */
  readonly actor?: { readonly name: string; readonly title: string };
  readonly conditional: Pick<
    CapabilityStatementRestResource,
    'conditionalCreate' | 'conditionalUpdate' | 'conditionalDelete' | 'conditionalRead'
  >;
}

export function capabilityStatement(capabilities: Capabilities): CapabilityStatement {
  const {
    actor,
    baseUrl,
    date,
    softwareVersion,
    systemInteractions,
    systemOperations = [],
    otherTypes = [],
  } = capabilities;
  return {
    resourceType: 'CapabilityStatement',
    url: actor === undefined ? `${baseUrl}/metadata` : `${baseUrl}/CapabilityStatement/${actor.name}`,
    version: softwareVersion,
    name: 'Careseal',
    title: actor?.title ?? 'Careseal client registry',
    status: 'active',
    date,
    kind: 'instance',
    ...(capabilities.instantiates === undefined ? {} : { instantiates: [...capabilities.instantiates] }),
    software: { name: 'Careseal', version: softwareVersion },
    implementation: { description: 'A client registry: golden and source records of people.', url: baseUrl },
    fhirVersion: FHIR_VERSION as NonNullable<CapabilityStatement['fhirVersion']>,
    format: ['application/fhir+json', 'application/fhir+xml', 'json', 'xml'],
    rest: [
      {
        mode: 'server',
        security: {
          cors: false,
          service: [
            {
              coding: [
                { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'Certificates' },
              ],
            },
          ],
          description:
            "Systems: a client certificate at the nodes' door. People: sign-in with a second factor at the users' door.",
        },
        resource: [
          patientResource(capabilities),
          ...otherTypes.map(({ type, interactions }) => ({
            type: type as CapabilityStatementRestResource['type'],
            interaction: interactions.map((code) => ({ code })),
          })),
        ],
        ...(systemInteractions.length > 0 ? { interaction: systemInteractions.map((code) => ({ code })) } : {}),
        ...(systemOperations.length > 0 ? { operation: systemOperations.map((operation) => ({ ...operation })) } : {}),
      },
    ],
  };
}

function searchParameters(): NonNullable<CapabilityStatementRestResource['searchParam']> {
  return [...SEARCH_PARAMETERS.values()].map(({ name, definition, type, documentation }) => ({
    name,
    definition,
    type,
    documentation,
  }));
}

function patientResource({ interactions, operations, conditional }: Capabilities): CapabilityStatementRestResource {
  return {
    type: 'Patient',
    profile: 'http://hl7.org/fhir/StructureDefinition/Patient',
    documentation:
      'Searches and reads answer golden records; _tag=https://careseal.org/fhir/record-kind|source asks for source records. ' +
      'Writes go to source records of the sender.',
    interaction: interactions.map((code) => ({ code })),
    versioning: 'versioned',
    readHistory: interactions.includes('history-instance'),
    updateCreate: false,
    ...conditional,
    ...(interactions.includes('search-type') ? { searchParam: searchParameters() } : {}),
    ...(operations.length > 0 ? { operation: operations.map((operation) => ({ ...operation })) } : {}),
  };
}
