import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { Problem } from '../kernel/problem.ts';
import type { FhirProblemCode } from './issue.ts';
import { assertPatient, assertResource, type ValidPatient } from './resource.ts';

/** What `Patient/$match` is asked (IHE PDQm ITI-119, R4 operation Patient-match). */
export interface MatchRequest {
  readonly patient: ValidPatient;
  readonly onlyCertainMatches: boolean;
  readonly count: number | undefined;
}

export const MATCH_GRADE = 'http://hl7.org/fhir/StructureDefinition/match-grade';

/** Reads Parameters (resource 1..1, onlyCertainMatches 0..1, count 0..1) or a bare Patient. Throws Problem 400. */
export function parseMatchRequest(body: unknown): MatchRequest {
  const type = typeof body === 'object' && body !== null && 'resourceType' in body ? body.resourceType : undefined;
  if (type === 'Patient') {
    assertPatient(body);
    return { patient: body, onlyCertainMatches: false, count: undefined };
  }
  if (type !== 'Parameters') throw refused('Parameters or a Patient were expected.', 'structure');
  assertResource(body);
  // Checked by assertResource.
  return fromParameters((body as Parameters).parameter ?? []);
}

function fromParameters(parameters: readonly ParametersParameter[]): MatchRequest {
  const byName = new Map<string, ParametersParameter>();
  for (const parameter of parameters) {
    const name = parameter.name ?? '';
    if (!['resource', 'onlyCertainMatches', 'count'].includes(name)) {
      throw refused('$match takes resource, onlyCertainMatches and count.', 'not-supported');
    }
    if (byName.has(name)) throw refused(`${name} may be given once.`, 'structure');
    byName.set(name, parameter);
  }
  const resource: unknown = byName.get('resource')?.resource;
  if (resource === undefined) throw refused('The parameter resource with a Patient is missing.', 'required');
  assertPatient(resource);
  const certain = byName.get('onlyCertainMatches');
  if (certain && certain.valueBoolean === undefined) throw refused('onlyCertainMatches is true or false.', 'value');
  return { patient: resource, onlyCertainMatches: certain?.valueBoolean ?? false, count: countOf(byName.get('count')) };
}

function countOf(parameter: ParametersParameter | undefined): number | undefined {
  if (!parameter) return undefined;
  const count = parameter.valueInteger ?? parameter.valuePositiveInt ?? parameter.valueUnsignedInt;
  if (count === undefined || count < 1) throw refused('count is a whole number from 1 on.', 'value');
  return count;
}

function refused(detail: string, fhirCode: string): Problem {
  return new Problem<FhirProblemCode>('invalid', 'fhir-operation', detail, {
    fhirCode,
    expression: ['Parameters.parameter'],
  });
}
