/** The benchmarks' people as FHIR Patients, the same for the same seed. */
import type { Patient } from '@medplum/fhirtypes';
import { people, type SyntheticRecord } from '../people.ts';

export const DOMAIN = 'urn:bench:clinic';
export const NATIONAL_ID = 'urn:bench:national-id';

export function patientOf(record: SyntheticRecord): Patient {
  return {
    resourceType: 'Patient',
    identifier: [
      { system: DOMAIN, value: record.id },
      ...(record.nationalId ? [{ system: NATIONAL_ID, value: record.nationalId }] : []),
    ],
    name: [{ ...(record.family ? { family: record.family } : {}), ...(record.given ? { given: [record.given] } : {}) }],
    gender: record.gender,
    ...(record.birthDate ? { birthDate: record.birthDate } : {}),
    ...(record.phone ? { telecom: [{ system: 'phone', value: record.phone }] } : {}),
    ...(record.line || record.city
      ? {
          address: [
            {
              ...(record.line ? { line: [record.line] } : {}),
              ...(record.city ? { city: record.city } : {}),
              ...(record.postalCode ? { postalCode: record.postalCode } : {}),
            },
          ],
        }
      : {}),
  };
}

/** An endless stream of records: a tenth of the people come a second time, as they do at registration desks. */
export function* population(seed: number): Generator<SyntheticRecord, never> {
  for (let round = 0; ; round++) {
    for (const record of people({ seed: seed + round, count: 1_000_000, duplicates: 0.1 })) {
      yield { ...record, id: `${seed + round}-${record.id}` };
    }
  }
}
