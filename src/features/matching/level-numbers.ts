import { CLOSE, DIFFERENT, PART, SIMILAR, SWAPPED, SWAPPED_CLOSE } from './compare-names.ts';
import {
  BIRTH_DATE,
  CITY,
  EMAIL,
  FAMILY,
  FIELD_LEVELS,
  FIELDS,
  GENDER,
  GIVEN,
  LINE,
  MOTHER,
  PHONE,
  POSTAL_CODE,
  STATE,
} from './compiled-model.ts';
import { CONTACT_LEVELS, PLACE_LEVELS } from './model-document.ts';

export { MISSING } from './compiled-model.ts';

/** Places of fields in an array of levels, and the levels that comparison itself has to know. */
export const LEVELS = {
  GIVEN,
  FAMILY,
  BIRTH_DATE,
  GENDER,
  PHONE,
  EMAIL,
  LINE,
  POSTAL_CODE,
  CITY,
  STATE,
  MOTHER,
  PART,
  CLOSE,
  SIMILAR,
  SWAPPED,
  SWAPPED_CLOSE,
  DIFFERENT,
  PLACE_CLOSE: PLACE_LEVELS.indexOf('close'),
  PLACE_IMPLIED: PLACE_LEVELS.indexOf('implied'),
  PLACE_DIFFERENT: PLACE_LEVELS.indexOf('different'),
} as const;

/** The fields in their order. */
export const FIELD_NAMES: readonly string[] = FIELDS;

/** The names of a field's levels; fields behind the last are identifier systems. */
export function levelNames(field: number): readonly string[] {
  return FIELD_LEVELS[field] ?? CONTACT_LEVELS;
}
