import { newComparison, type PairComparison } from './pair-comparison.ts';
import { bestOfSystem, isLaterOfSystem } from './compare-identifiers.ts';
import { type CompiledModel, FAMILY, FIELD_LEVELS, FIELDS, GIVEN, MISSING } from './compiled-model.ts';
import { editDistance } from './edit-distance.ts';
import { jaroWinkler } from './jaro-winkler.ts';
import type { Explanation, FieldExplanation } from './model.ts';
import { CONTACT_LEVELS } from './model-document.ts';
import type { PreparedName } from './name.ts';
import type { PreparedIdentifier, PreparedRecord } from './prepared-record.ts';
import { gradeOf, scoreInto } from './score.ts';

/** The score of a pair with every part of it: same numbers as `score`, field by field. Holds no value of either record. */
export function explain(model: CompiledModel, a: PreparedRecord, b: PreparedRecord): Explanation {
  const pair = newComparison();
  const result = scoreInto(model, a, b, pair);
  const fields = [...demographicFields(a, b, pair), ...identifierFields(a, b)];
  const explanation: Explanation = {
    modelVersion: model.version,
    score: result.score,
    weight: result.weight,
    priorWeight: model.priorWeight,
    grade: gradeOf(model, result.score),
    decision: result.decision,
    fields,
    contradictions: result.contradictions,
  };
  return result.rule === undefined ? explanation : { ...explanation, rule: result.rule };
}

function demographicFields(a: PreparedRecord, b: PreparedRecord, pair: PairComparison): FieldExplanation[] {
  const skipped = new Set([...a.skipped, ...b.skipped]);
  return FIELDS.map((field, index) => {
    const level = pair.levels[index] ?? MISSING;
    const weight = pair.weights[index] ?? 0;
    if (level === MISSING) return { field, level: skipped.has(field) ? 'placeholder' : 'missing', weight: 0 };
    const similarity = similarityOf(index, a, b);
    const explained = { field, level: FIELD_LEVELS[index]?.[level] ?? 'different', weight };
    return similarity === undefined ? explained : { ...explained, similarity };
  });
}

function similarityOf(field: number, a: PreparedRecord, b: PreparedRecord): number | undefined {
  if (field === GIVEN) return nameSimilarity(a.given, b.given);
  if (field === FAMILY) return nameSimilarity(a.family, b.family);
  return undefined;
}

function nameSimilarity(a: PreparedName | undefined, b: PreparedName | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a.joined.text === b.joined.text ? 1 : jaroWinkler(a.joined.units, b.joined.units);
}

function identifierFields(a: PreparedRecord, b: PreparedRecord): FieldExplanation[] {
  const fields: FieldExplanation[] = [];
  for (const [index, left] of a.identifiers.entries()) {
    if (isLaterOfSystem(a.identifiers, index)) continue;
    const level = bestOfSystem(a.identifiers, b.identifiers, left.system);
    const field = `identifier:${left.system}`;
    if (level === MISSING) {
      fields.push({ field, level: 'missing', weight: 0 });
      continue;
    }
    fields.push({
      field,
      level: CONTACT_LEVELS[level] ?? 'different',
      weight: left.kind.weights[level] ?? 0,
      similarity: identifierSimilarity(a.identifiers, b.identifiers, left.system),
    });
  }
  for (const [index, right] of b.identifiers.entries()) {
    if (isLaterOfSystem(b.identifiers, index)) continue;
    if (a.identifiers.some(({ system }) => system === right.system)) continue;
    fields.push({ field: `identifier:${right.system}`, level: 'missing', weight: 0 });
  }
  return fields;
}

function identifierSimilarity(
  a: readonly PreparedIdentifier[],
  b: readonly PreparedIdentifier[],
  system: string,
): number {
  let best = 0;
  for (const left of a) {
    for (const right of b) {
      if (left.system !== system || right.system !== system) continue;
      const longer = Math.max(left.value.length, right.value.length);
      best = Math.max(best, 1 - editDistance(left.value, right.value, longer) / longer);
    }
  }
  return best;
}
