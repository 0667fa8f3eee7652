import type { MatchRecord } from '../matching/index.ts';

/** What is looked at for completeness, in the order it is shown. */
export const QUALITY_FIELDS = ['given', 'family', 'birthDate', 'gender', 'phone', 'identifier', 'address'] as const;
export type QualityField = (typeof QUALITY_FIELDS)[number];

/** Whether a record says this at all. Identifiers: any. */
export function says(record: MatchRecord, field: QualityField): boolean {
  switch (field) {
    case 'given':
      return record.given.length > 0;
    case 'family':
      return record.family.length > 0;
    case 'birthDate':
      return record.birthDate !== undefined;
    case 'gender':
      return record.gender !== undefined && record.gender !== 'unknown';
    case 'phone':
      return record.phones.length > 0;
    case 'identifier':
      return record.identifiers.length > 1;
    case 'address':
      return record.address !== undefined;
  }
}

/**
 * The Wilson score interval (1927) at 95 %: where the true share lies when `right` of `of` were right. Unlike the simple
 * interval it stays within 0–1 and is honest about few.
 */
export function wilson(right: number, of: number): { readonly low: number; readonly high: number } {
  if (of === 0) return { low: 0, high: 1 };
  const z = 1.959_964;
  const share = right / of;
  const middle = share + (z * z) / (2 * of);
  const half = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  const scale = 1 + (z * z) / of;
  return { low: Math.max(0, (middle - half) / scale), high: Math.min(1, (middle + half) / scale) };
}
