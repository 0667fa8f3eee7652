import type { Patient } from '@medplum/fhirtypes';
import { SEARCH_TERMS_MAX } from './bounds.ts';
import type { RegistryDeps } from './deps.ts';

/**
 * Whether a record would be found by more terms than one person can need. Counting them costs as much as making them, so an
 * ordinary record, whose few hundred characters cannot make so many, is let through by its length.
 */
export function hasTooManyTerms({ termsOf }: Pick<RegistryDeps, 'termsOf'>, patient: Patient): boolean {
  const { name, address, identifier, telecom, extension, link, communication, generalPractitioner } = patient;
  const texts = (JSON.stringify([name, address, extension]) ?? '').length;
  let values = 0;
  for (const list of [identifier, telecom, link, communication, generalPractitioner]) values += list?.length ?? 0;
  // A word has at least one letter and a gap, and is found by up to seven of its beginnings; another value by up to two terms.
  if (texts * 4 + values * 4 + FIXED < SEARCH_TERMS_MAX) return false;
  return termsOf(patient, SEARCH_TERMS_MAX).length > SEARCH_TERMS_MAX;
}

/** Dates, sex and the like, with room to spare. */
const FIXED = 100;
