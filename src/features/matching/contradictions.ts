/**
 * Signs that two records that agree in much are two people nevertheless. People of one household share family name,
 * telephone and address, and a sum of weights cannot know that; twins share the birth date as well, parent and child sometimes
 * the whole name, and a child may be registered under its mother's identifier. A contradiction never links automatically:
 * it leaves a review, or nothing where the household explains the likeness better.
 */
export const CONTRADICTIONS = [
  'different-name-and-birth-date',
  'different-birth-date',
  'household',
  'twins',
  'multiple-birth',
  'unnamed-child',
  'parent-and-child',
  'different-generation',
  'different-identifier',
  'identifier-alone',
  'other-numbers',
  'other-numbers-and-details',
  'impossible-birth-date',
  'no-name-agrees',
  'senior-and-junior',
] as const;
export type Contradiction = (typeof CONTRADICTIONS)[number];

const bit = (name: Contradiction): number => 1 << CONTRADICTIONS.indexOf(name);

/** Each contradiction as a bit, in the order of CONTRADICTIONS. */
export const BITS = {
  NAME_AND_BIRTH_DATE: bit('different-name-and-birth-date'),
  OTHER_BIRTH_DATE: bit('different-birth-date'),
  HOUSEHOLD: bit('household'),
  TWINS: bit('twins'),
  MULTIPLE_BIRTH: bit('multiple-birth'),
  UNNAMED: bit('unnamed-child'),
  PARENT_AND_CHILD: bit('parent-and-child'),
  GENERATION: bit('different-generation'),
  IDENTIFIER: bit('different-identifier'),
  IDENTIFIER_ALONE: bit('identifier-alone'),
  OTHER_NUMBERS: bit('other-numbers'),
  OTHER_NUMBERS_AND_DETAILS: bit('other-numbers-and-details'),
  IMPOSSIBLE_BIRTH_DATE: bit('impossible-birth-date'),
  NO_NAME_AGREES: bit('no-name-agrees'),
  SENIOR_AND_JUNIOR: bit('senior-and-junior'),
} as const;

/** Contradictions after which not even a review is worth a steward's time. */
export const NOT_EVEN_REVIEW = BITS.HOUSEHOLD | BITS.OTHER_NUMBERS_AND_DETAILS | BITS.SENIOR_AND_JUNIOR;
/** Of these not even where another identifier is equal. */
export const NEVER_WORTH_A_LOOK = BITS.OTHER_NUMBERS_AND_DETAILS | BITS.SENIOR_AND_JUNIOR;

const NAMES_OF_BITS: readonly (readonly Contradiction[])[] = Array.from(
  { length: 1 << CONTRADICTIONS.length },
  (_, bits) => CONTRADICTIONS.filter((_name, index) => (bits & (1 << index)) !== 0),
);

/** The shared list of names for a set of bits; allocates nothing. */
export function contradictionNames(bits: number): readonly Contradiction[] {
  return NAMES_OF_BITS[bits] ?? [];
}
