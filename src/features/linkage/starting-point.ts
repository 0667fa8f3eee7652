import { BIRTH_DATE_LEVELS, type CompiledModel, FIELD_NAMES, LEVELS, levelChances } from '../matching/index.ts';
import { identifierColumns, systemOf, type Table } from './fields.ts';
import type { Parameters } from './parameters.ts';

/**
 * Where training starts: the model's own chances for records of one person and for strangers, and for people of one household what
 * registers are like: four in five share the address, two in three the family name, one in a hundred pairs is twins.
 */
export function startingPoint(model: CompiledModel, table: Table): Parameters {
  const match: Float64Array[] = [];
  const stranger: Float64Array[] = [];
  const household: Float64Array[] = [];
  for (const [field] of FIELD_NAMES.entries()) {
    const { m, u } = levelChances(model, field);
    match.push(normal(m));
    stranger.push(normal(u));
    household.push(householdOf(field, u));
  }
  for (const { key } of identifierColumns(table)) {
    const { m, u, kind } = model.kindOf(systemOf(key));
    match.push(normal(m));
    stranger.push(normal(u));
    household.push(kind === 'shared' ? Float64Array.of(0.8, 0.02, 0.18) : normal(u));
  }
  const pairs = (table.size * (table.size - 1)) / 2;
  return {
    match,
    stranger,
    household,
    matchShare: Math.min(0.01, (0.1 * table.size) / Math.max(1, pairs)),
    householdShare: Math.min(0.01, (0.1 * table.size) / Math.max(1, pairs)),
  };
}

/** Fields whose household chances are those of strangers and not learned: people of one household have names and dates of their own. */
export function isPersonal(field: number): boolean {
  return (
    field === LEVELS.GIVEN || field === LEVELS.BIRTH_DATE || field === LEVELS.GENDER || field >= FIELD_NAMES.length
  );
}

const TWINS = 0.01;

/** Exact, by the levels of the field; what is left goes to "different". */
function householdOf(field: number, u: Float64Array): Float64Array {
  switch (field) {
    case LEVELS.FAMILY:
      return spread(u, [0.65, 0.03, 0.001, 0.02, 0.01]);
    case LEVELS.BIRTH_DATE: {
      const dates = normal(u).map((chance) => chance * (1 - TWINS));
      dates[BIRTH_DATE_LEVELS.indexOf('exact')] = (dates[0] as number) + TWINS;
      return dates;
    }
    case LEVELS.PHONE:
      return spread(u, [0.6, 0.03]);
    case LEVELS.EMAIL:
      return spread(u, [0.1, 0.01]);
    case LEVELS.LINE:
      return spread(u, [0.8, 0.05, 0.02]);
    case LEVELS.POSTAL_CODE:
      return spread(u, [0.9, 0.03]);
    case LEVELS.CITY:
    case LEVELS.STATE:
      return spread(u, [0.45, 0.02, 0.45]);
    case LEVELS.MOTHER:
      return spread(u, [0.6, 0.03]);
    default:
      return normal(u);
  }
}

function spread(u: Float64Array, first: readonly number[]): Float64Array {
  const out = new Float64Array(u.length).fill(0.002);
  for (const [level, chance] of first.entries()) out[level] = chance;
  out[u.length - 1] = Math.max(0.02, 1 - first.reduce((sum, chance) => sum + chance, 0));
  return normal(out);
}

export function normal(chances: Float64Array): Float64Array {
  let sum = 0;
  for (const chance of chances) sum += chance;
  return chances.map((chance) => chance / (sum || 1));
}
