import type { MapDocument } from './map-document.ts';

type GenderCode = 'male' | 'female' | 'other' | 'unknown';
const GENDERS: ReadonlyMap<string, GenderCode> = new Map(
  Object.entries({
    male: 'm male man boy masculin masculino homme hombre mann männlich mwanaume me',
    female: 'f female w woman girl femme feminin féminin femenino feminino mujer frau weiblich mwanamke ke',
    other: 'o other x diverse nonbinary non-binary transgender',
    unknown: 'u unk unknown undisclosed notknown',
  } satisfies Record<GenderCode, string>).flatMap(([code, words]) =>
    // Object.entries forgets that its keys are the codes.
    words.split(' ').map((word): [string, GenderCode] => [word, code as GenderCode]),
  ),
);

/** What texts of a column mean: the mapping's own words before the usual ones, all in lower case. */
export function genderWords(gender: NonNullable<MapDocument['gender']>): ReadonlyMap<string, GenderCode> {
  const own = typeof gender === 'string' || 'value' in gender ? {} : (gender.values ?? {});
  return new Map<string, GenderCode>([
    ...GENDERS,
    ...Object.entries(own).map(([text, code]): [string, GenderCode] => [text.trim().toLowerCase(), code]),
  ]);
}
