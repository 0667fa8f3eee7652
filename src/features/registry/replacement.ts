/** Records that their own sender replaced by another one: ITI-104 and ITI-93 merges, ADT A40. Pure. */
import type { Patient, PatientLink } from '@medplum/fhirtypes';

/** The link that says so; IHE allows exactly one (PIXm §2:3.104.4.1.2.4). */
export function replacementLink(patient: Patient): PatientLink | undefined {
  return patient.link?.find(({ type }) => type === 'replaced-by');
}

export function isReplaced(patient: Patient): boolean {
  return replacementLink(patient) !== undefined;
}

/** The obsolete record as it is kept: inactive, pointing at its successor, otherwise as it was. */
export function replacedBy(patient: Patient, survivor: string): Patient {
  const others = (patient.link ?? []).filter(({ type }) => type !== 'replaced-by');
  return {
    ...patient,
    active: false,
    link: [...others, { other: { reference: `Patient/${survivor}` }, type: 'replaced-by' }],
  };
}

/** The id of the record that replaced a stored one. */
export function successorOf(patient: Patient): string | undefined {
  return replacementLink(patient)?.other.reference?.replace(/^Patient\//, '');
}
