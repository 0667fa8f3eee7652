import {
  type CompiledModel,
  DEFAULT_MODEL,
  FIELD_NAMES,
  LEVELS,
  levelNames,
  type MatchingModel,
  parseModel,
} from '../matching/index.ts';
import { columnOf, identifierColumns, systemOf, type Table, textOf } from './fields.ts';
import type { Linkage, Thresholds } from './link-table.ts';
import type { Parameters } from './parameters.ts';
import { countsOf } from './shares.ts';
import { startingPoint } from './starting-point.ts';

/** The parameters that a model document says for the columns of a table. */
export function parametersOf(model: CompiledModel, table: Table): Parameters {
  const start = startingPoint(model, table);
  const { prior, household } = model.document;
  return {
    ...start,
    matchShare: 1 / prior.population,
    householdShare: household?.share ?? 1 / prior.population,
  };
}

const KEYS = [
  'given',
  'family',
  'birthDate',
  'gender',
  'phone',
  'email',
  'addressLine',
  'postalCode',
  'city',
  'state',
  'mothersMaidenName',
] as const;

/** What training found, as a model document; what the table has no column for stays as it is shipped. */
export function modelDocument(
  table: Table,
  { parameters }: Pick<Linkage, 'parameters'>,
  told: { readonly version: string; readonly description: string; readonly thresholds: Thresholds },
): MatchingModel {
  const fields: Record<string, unknown> = { ...DEFAULT_MODEL.fields };
  for (const [field, key] of KEYS.entries()) {
    if (field >= FIELD_NAMES.length) continue;
    fields[key] = { ...DEFAULT_MODEL.fields[key], levels: levelsOf(parameters, field, isPlace(field)) };
  }
  const { match, review } = told.thresholds;
  return parseModel({
    ...DEFAULT_MODEL,
    version: told.version,
    description: told.description,
    prior: { population: Math.min(1e15, Math.max(2, 1 / parameters.matchShare)) },
    household: { share: Math.min(0.5, Math.max(1e-18, parameters.householdShare)) },
    thresholds: { match, review, probable: (match + review) / 2 },
    fields,
    identifiers: [...ownIdentifiers(table, parameters), ...DEFAULT_MODEL.identifiers].slice(0, 20),
    frequencies: { given: commonest(table, 'given'), family: commonest(table, 'family') },
  });
}

function isPlace(field: number): boolean {
  return field === LEVELS.CITY || field === LEVELS.STATE;
}

/** The schema wants chances above 0 that add up to 1. What follows from a narrower part says nothing: equal chances. */
function levelsOf(parameters: Parameters, field: number, place: boolean): Record<string, { m: number; u: number }> {
  const levels: Record<string, { m: number; u: number }> = {};
  // Few names among many people: the least chance of exchanged ones may take the sum beyond 1.
  const [allM, allU] = [parameters.match[field], parameters.stranger[field]].map((chances) =>
    Math.max(1, chances?.reduce((sum, chance) => sum + chance, 0) ?? 1),
  ) as [number, number];
  for (const [level, name] of levelNames(field).entries()) {
    const m = (parameters.match[field]?.[level] ?? 0) / allM;
    const u = (parameters.stranger[field]?.[level] ?? 0) / allU;
    levels[name] = place && level === LEVELS.PLACE_IMPLIED ? { m: 1e-9, u: 1e-9 } : { m: bounded(m), u: bounded(u) };
  }
  return levels;
}

function bounded(chance: number): number {
  return Number(Math.min(1, Math.max(1e-9, chance)).toPrecision(6));
}

function ownIdentifiers(table: Table, parameters: Parameters): MatchingModel['identifiers'] {
  const kinds = DEFAULT_MODEL.identifiers;
  return identifierColumns(table).map(({ key }, at) => {
    const system = systemOf(key);
    const shipped = kinds.find(({ systems }) => systems.some((pattern) => fits(pattern, system)));
    return {
      kind: shipped?.kind ?? 'local',
      systems: [system],
      levels: levelsOf(parameters, FIELD_NAMES.length + at, false),
    };
  });
}

function fits(pattern: string, system: string): boolean {
  const pieces = pattern
    .toLowerCase()
    .split('*')
    .map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pieces.join('.*')}$`).test(system.toLowerCase());
}

/** As many names keep a share of their own; of the rest none is common. */
const NAMES_KEPT = 2_000;
const NAME_LENGTH_MAX = 60;

function commonest(table: Table, key: 'given' | 'family'): Record<string, number> {
  const column = columnOf(table, key);
  if (column === undefined) return DEFAULT_MODEL.frequencies[key];
  const counts = countsOf(column);
  let all = 0;
  for (const count of counts) all += count;
  const known = [...counts.keys()].filter((id) => (counts[id] ?? 0) > 1);
  known.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
  const shares: Record<string, number> = {};
  for (const id of known.slice(0, NAMES_KEPT)) {
    const name = textOf(column.texts, id).replaceAll(' ', '');
    if (name !== '' && name.length <= NAME_LENGTH_MAX && all > 1) {
      shares[name] = Math.min(0.99, bounded((counts[id] ?? 0) / all));
    }
  }
  return shares;
}
