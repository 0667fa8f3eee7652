import { describe, expect, test } from 'vitest';
import { compileModel, DEFAULT_MODEL, parseModel } from '../matching/index.ts';
import { convertRules } from './rules.ts';
import { DecisionRules } from './rules-document.ts';

const field = (fhirpath: string, more: object = {}) => ({
  algorithm: 'exact',
  fhirpath,
  null_handling: 'moderate',
  null_handling_both: 'moderate',
  ...more,
});
const convert = (...rules: object[]) =>
  convertRules(DecisionRules.parse({ __comments: {}, rules }), DEFAULT_MODEL, 'opencr-test');
const sum = (levels: Record<string, { m: number; u: number }>, side: 'm' | 'u', ...names: string[]): number =>
  names.reduce((total, name) => total + (levels[name]?.[side] ?? 0), 0);

describe('decision rules of OpenCR', () => {
  test('probabilistic: m and u of a field are those of the levels its algorithm calls agreement', () => {
    const { model, taken } = convert({
      matchingType: 'probabilistic',
      threshold: 102,
      fields: {
        given: field("name.where(use='official').given", {
          algorithm: 'jaro-winkler-similarity',
          threshold: 0.92,
          mValue: 0.91,
          uValue: 0.0036,
        }),
        birth: field('birthDate', { mValue: 0.97, uValue: 0.0001 }),
      },
    });
    expect(parseModel(model).version).toBe('opencr-test');
    compileModel(model);
    const { given, birthDate } = model.fields;
    expect(sum(given.levels, 'm', 'exact', 'part', 'close')).toBeCloseTo(0.91, 6);
    expect(sum(given.levels, 'u', 'exact', 'part', 'close')).toBeCloseTo(0.0036, 6);
    expect(sum(birthDate.levels, 'm', 'exact', 'exact-estimated')).toBeCloseTo(0.97, 6);
    expect(taken).toHaveLength(2);
  });
  test('what has no equivalent is said: thresholds, null handling, filters, weights, order, unknown fields', () => {
    const { left } = convert(
      {
        matchingType: 'deterministic',
        potentialMatchThreshold: 4,
        autoMatchThreshold: 6,
        fields: {
          given: field('name.given', { null_handling: 'conservative', weight: 3 }),
          blood: field("extension.where(url='blood').value"),
        },
        filters: { gender: { fhirpath: 'gender' } },
      },
      { matchingType: 'deterministic', fields: { family: field('name.family', { null_handling_both: 'greedy' }) } },
    );
    const text = left.join('\n');
    for (const part of [
      'counts agreeing fields (4 for a review, 6 for a link)',
      'conservative',
      'weight 3',
      'blood',
      'filter gender',
      'Rule 2: rules are not tried in order',
      'greedy',
      'OpenCR does not compare these',
    ])
      expect(text).toContain(part);
  });
  test('identifiers get their system; one that links by itself is a national one', () => {
    const { model } = convert(
      { matchingType: 'deterministic', fields: { nid: field("identifier.where(system='http://x/national').value") } },
      {
        matchingType: 'deterministic',
        fields: { art: field("identifier.where(system='http://x/art').value"), given: field('name.given') },
      },
    );
    expect(model.identifiers.slice(0, 2)).toMatchObject([
      { kind: 'national', systems: ['http://x/national'] },
      { kind: 'local', systems: ['http://x/art'] },
    ]);
  });
  test('no decision rules: refused', () => {
    expect(DecisionRules.safeParse({}).success).toBe(false);
    expect(DecisionRules.safeParse({ rules: [] }).success).toBe(false);
    expect(DecisionRules.safeParse({ rules: [{ matchingType: 'magic', fields: {} }] }).success).toBe(false);
  });
});
