import { FIELD_NAMES } from '../matching/index.ts';
import { identifierColumns, type Table } from './fields.ts';

/**
 * What training finds, by field and level. Fields are those of matching, then one per identifier column. Three kinds of pairs: records
 * of one person, of two people of one household (they share family name, address, telephone, now and then the birth date of twins),
 * and of strangers.
 */
export interface Parameters {
  /** P(level | one person), P(level | household), P(level | strangers). Each field's levels add up to 1. */
  readonly match: readonly Float64Array[];
  readonly household: readonly Float64Array[];
  readonly stranger: readonly Float64Array[];
  /** Share of all pairs that are of one person, and of one household. */
  matchShare: number;
  householdShare: number;
}

export function fieldNames(table: Table): readonly string[] {
  return [...FIELD_NAMES, ...identifierColumns(table).map(({ key }) => key)];
}
