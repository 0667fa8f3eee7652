import type { Patient, Resource } from '@medplum/fhirtypes';
import { Problem } from '../kernel/problem.ts';
import { type FhirProblemCode, invalidFhir } from './issue.ts';
import { parseFhirJson } from './json.ts';
import { validateResource } from './validate.ts';
import { parseFhirXml } from './xml-parse.ts';

export type FhirFormat = 'json' | 'xml';

/** A Patient that passed R4 validation. */
export type ValidPatient = Patient & { readonly resourceType: 'Patient' };

/** Checks a parsed value against R4. Throws Problem `fhir-invalid` (400) with every issue and its FHIRPath. */
export function assertResource(value: unknown): asserts value is Resource {
  const issues = validateResource(value);
  if (issues.length > 0) throw invalidFhir(issues);
}

/** Checks that a parsed value is a Patient and valid. */
export function assertPatient(value: unknown): asserts value is ValidPatient {
  expectType(value, 'Patient');
  assertResource(value);
}

/** A parsed value as a valid resource of one type. Throws Problem 400 with every fault. */
export function validResource<T extends Resource>(value: unknown, type: T['resourceType']): T {
  expectType(value, type);
  assertResource(value);
  // Both were checked.
  return value as T;
}

export function parseBody(body: Uint8Array, format: FhirFormat): unknown {
  return format === 'json' ? parseFhirJson(body) : parseFhirXml(body);
}

/** Body to Patient, in one go. */
export function parsePatient(body: Uint8Array, format: FhirFormat): ValidPatient {
  const value = parseBody(body, format);
  assertPatient(value);
  return value;
}

export function expectType(value: unknown, type: string): void {
  if (typeof value === 'object' && value !== null && 'resourceType' in value && value.resourceType === type) return;
  throw new Problem<FhirProblemCode>('invalid', 'fhir-wrong-type', `A ${type} resource was expected.`, {
    fhirCode: 'structure',
  });
}
