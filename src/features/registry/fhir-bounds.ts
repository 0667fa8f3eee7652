/** How much one record may repeat: matching and searching cost by it, and no person has hundreds of names. */
import type { Patient } from '@medplum/fhirtypes';
import { assertPatient, type ValidPatient } from '../../fhir/index.ts';
import { Problem } from '../../kernel/problem.ts';

const REPEATS_MAX: Readonly<Partial<Record<keyof Patient, number>>> = {
  identifier: 200,
  name: 50,
  telecom: 100,
  address: 50,
  contact: 50,
  link: 200,
};
const PARTS_MAX = 50;

/** Checks a parsed value: a valid R4 Patient within the registry's bounds. A limit hit is an error, nothing is cut. */
export function assertRegistrable(value: unknown): asserts value is ValidPatient {
  assertPatient(value);
  for (const [name, max] of Object.entries(REPEATS_MAX)) {
    const list: unknown = value[name as keyof Patient];
    if (Array.isArray(list) && list.length > max) throw tooMany(`Patient.${name}`, max);
  }
  value.name?.forEach(({ given, prefix, suffix }, index) => {
    if ([given, prefix, suffix].some((parts) => (parts?.length ?? 0) > PARTS_MAX)) {
      throw tooMany(`Patient.name[${index}]`, PARTS_MAX);
    }
  });
  value.address?.forEach(({ line }, index) => {
    if ((line?.length ?? 0) > PARTS_MAX) throw tooMany(`Patient.address[${index}].line`, PARTS_MAX);
  });
}

function tooMany(expression: string, max: number): Problem {
  return new Problem('unprocessable', 'fhir-too-large', `There are more than ${max} of one kind in this record.`, {
    fhirCode: 'too-costly',
    expression: [expression],
  });
}
