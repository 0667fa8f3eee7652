/**
 * Term frequency: agreement on a common name says less than on a rare one. A source of frequencies is a value given to
 * `compileModel`: the default is the model's own table; a registry may pass an estimate from its own records.
 */
export type FrequencyField = 'given' | 'family';

export interface Frequencies {
  /** The share of people (0..1) whose name, folded and joined, is this; `undefined` when the source does not know. */
  share(field: FrequencyField, name: string): number | undefined;
}

/** Frequencies counted over names given one by one, for whoever holds the names anyway (a file, a sample). */
export function countedFrequencies(counts: Readonly<Record<FrequencyField, ReadonlyMap<string, number>>>): Frequencies {
  const totals = { given: total(counts.given), family: total(counts.family) };
  return {
    share(field, name) {
      const count = counts[field].get(name);
      return count === undefined || totals[field] === 0 ? undefined : count / totals[field];
    },
  };
}

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
