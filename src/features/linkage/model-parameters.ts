import type { CompiledModel } from '../matching/index.ts';
import type { Table } from './fields.ts';
import type { Parameters } from './parameters.ts';
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
