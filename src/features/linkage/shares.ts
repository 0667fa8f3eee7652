import { compareBirthDates, LEVELS } from '../matching/index.ts';
import {
  type Column,
  columnOf,
  type FieldColumn,
  identifierColumns,
  type Table,
  textOf,
  valueCount,
} from './fields.ts';
import type { Parameters } from './parameters.ts';
import { FIELD_COUNT } from './pair-levels.ts';
import { dateOf } from './prepared-values.ts';

/**
 * Term frequencies: how likely a stranger has a given value. Records of the same person have it too and must not count, so the
 * partners that a record is expected to have among its own kind are taken off. Per value the change of the weight of exact agreement,
 * log2(u / share).
 */
export type Changes = readonly (Float32Array | undefined)[];

/** No value counts as rarer among strangers than this many records. */
const STRANGERS_MIN = 0.3;
/** No value's rarity adds more than this to a weight. */
export const CHANGE_MAX = 6;

/** By field as in `Parameters`; undefined where the field has no term frequency or is not there. */
export function frequencyChanges(table: Table, parameters: Parameters): Changes {
  const partners = parameters.matchShare * Math.max(0, table.size - 1);
  const changes: (Float32Array | undefined)[] = parameters.match.map(() => undefined);
  for (const [field, key] of ADJUSTED) {
    const column = columnOf(table, key);
    if (column !== undefined) changes[field] = changesOf(column, parameters, field, partners);
  }
  for (const [at, column] of identifierColumns(table).entries()) {
    changes[FIELD_COUNT + at] = changesOf(column, parameters, FIELD_COUNT + at, partners);
  }
  return changes;
}

const ADJUSTED: readonly (readonly [field: number, key: FieldColumn])[] = [
  [LEVELS.GIVEN, 'given'],
  [LEVELS.FAMILY, 'family'],
  [LEVELS.BIRTH_DATE, 'birthDate'],
  [LEVELS.PHONE, 'phone'],
  [LEVELS.EMAIL, 'email'],
  [LEVELS.LINE, 'line'],
  [LEVELS.POSTAL_CODE, 'postalCode'],
  [LEVELS.CITY, 'city'],
  [LEVELS.MOTHER, 'mother'],
];

function changesOf(column: Column, parameters: Parameters, field: number, partners: number): Float32Array {
  const counts = countsOf(column);
  let filled = 0;
  for (const count of counts) filled += count;
  const own = partners * ((parameters.match[field] as Float64Array)[0] as number);
  const levelOf = field === LEVELS.BIRTH_DATE ? birthDateLevels(column) : () => 0;
  const out = new Float32Array(counts.length);
  for (let id = 1; id < counts.length; id++) {
    const expected = ((parameters.stranger[field] as Float64Array)[levelOf(id)] as number) * filled;
    const least = Math.min(STRANGERS_MIN, Math.max(expected, 1e-3));
    const strangers = Math.max((counts[id] as number) - 1 - own, least);
    out[id] = Math.max(-3 * CHANGE_MAX, Math.min(CHANGE_MAX, Math.log2(expected / strangers)));
  }
  return out;
}

/** Estimated dates agree on a level of their own. */
function birthDateLevels({ texts }: Column): (id: number) => number {
  return (id) => {
    const date = dateOf(textOf(texts, id));
    return compareBirthDates(date, date);
  };
}

export function countsOf({ ids, texts }: Column): Uint32Array {
  const counts = new Uint32Array(valueCount(texts) + 1);
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at] as number;
    counts[id] = (counts[id] as number) + 1;
  }
  counts[0] = 0;
  return counts;
}
