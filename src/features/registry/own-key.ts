/**
 * Which identifier names a record within its domain. A record may have several there (two cards of one clinic); the one that
 * named it when it came is its key for ever, and its blind token is in the record's row.
 */
import type { Patient } from '@medplum/fhirtypes';
import type { KeyRing } from '../../store/index.ts';
import { keyTokensOf } from './records.ts';

/** Values of the record's identifiers of this system; those marked old name nothing any more. */
function currentIdentifiers(patient: Patient, system: string): string[] {
  return (patient.identifier ?? []).flatMap((one) =>
    one.system === system && one.use !== 'old' && one.value !== undefined ? [one.value] : [],
  );
}

/** What names a record that says nothing else: its first identifier of the domain. */
export function ownIdentifier(patient: Patient, system: string): string | undefined {
  return currentIdentifiers(patient, system)[0];
}

export function carriesKey(patient: Patient, system: string, key: string): boolean {
  return currentIdentifiers(patient, system).includes(key);
}

/** The record's key: the identifier whose token its row has. */
export function storedKey(
  keyRing: KeyRing,
  patient: Patient,
  row: { readonly domainId: number; readonly system: string; readonly keyToken: bigint | null },
): string | undefined {
  const { domainId, system, keyToken } = row;
  if (keyToken === null) return undefined;
  return currentIdentifiers(patient, system).find((value) => keyTokensOf(keyRing, domainId, value).includes(keyToken));
}
