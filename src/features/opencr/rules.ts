/**
 * From OpenCR's decision rules to a matching model. OpenCR knows "agrees" and "does not"; a model here knows several levels, so
 * the m and u of a field are spread over the levels that OpenCR's algorithm and threshold would call agreement, in the proportions
 * of the shipped model. What cannot be said in a model is told, not guessed. Pure.
 */
import { type MatchingModel, parseModel } from '../matching/index.ts';
import type { DecisionRules, OpenCrField, OpenCrRule } from './rules-document.ts';

export interface ConvertedRules {
  readonly model: MatchingModel;
  /** What was taken over, in plain words. */
  readonly taken: readonly string[];
  /** What has no equivalent here, and what stands in its place. */
  readonly left: readonly string[];
}

type FieldName = keyof MatchingModel['fields'];
type Chances = Record<string, { m: number; u: number }>;

/** By the path that OpenCR reads: its names of fields are free. */
const FIELDS: readonly (readonly [RegExp, FieldName])[] = [
  [/mothersMaidenName/i, 'mothersMaidenName'],
  [/\bgiven\b/, 'given'],
  [/\bfamily\b/, 'family'],
  [/\bbirthDate\b/, 'birthDate'],
  [/\bgender\b/, 'gender'],
  [/telecom.*phone/, 'phone'],
  [/telecom.*email/, 'email'],
  [/address.*line/, 'addressLine'],
  [/address.*city/, 'city'],
  [/address.*state/, 'state'],
  [/address.*postalCode/, 'postalCode'],
];
const IDENTIFIER = /identifier\.where\(\s*system\s*=\s*['"]([^'"]+)['"]\s*\)/;

export function convertRules(document: DecisionRules, shipped: MatchingModel, version: string): ConvertedRules {
  const work: Work = { fields: structuredClone(shipped.fields), identifiers: [], taken: [], left: [], seen: new Set() };
  document.rules.forEach((rule, index) => takeRule(work, rule, index + 1));
  const unused = Object.keys(shipped.fields).filter((name) => !work.seen.has(name));
  if (unused.length > 0)
    work.left.push(
      `${unused.join(', ')}: OpenCR does not compare these; the shipped values stay, so that what they say is not lost.`,
    );
  const model = parseModel({
    ...shipped,
    version,
    description: 'Made from the decisionRules.json of an OpenCR.',
    fields: work.fields,
    identifiers: [...work.identifiers, ...shipped.identifiers],
  });
  return { model, taken: work.taken, left: work.left };
}

interface Work {
  readonly fields: MatchingModel['fields'];
  readonly identifiers: MatchingModel['identifiers'];
  readonly taken: string[];
  readonly left: string[];
  readonly seen: Set<string>;
}

function takeRule(work: Work, rule: OpenCrRule, number: number): void {
  const names = Object.entries(rule.fields);
  for (const [name, field] of names) takeField(work, rule, { name, field, number, alone: names.length === 1 });
  if (rule.matchingType === 'deterministic')
    work.left.push(
      `Rule ${number} counts agreeing fields (${rule.potentialMatchThreshold ?? rule.threshold ?? '?'} for a review, ${rule.autoMatchThreshold ?? rule.threshold ?? '?'} for a link). A model here weighs how much each agreement says; the shipped thresholds stay. Compare with \`careseal evaluate\`.`,
    );
  else
    work.left.push(
      `Rule ${number} has a sum of weights as its threshold (${rule.autoMatchThreshold ?? rule.threshold ?? '?'}). Thresholds here are probabilities; the shipped ones stay.`,
    );
  if (number > 1)
    work.left.push(
      `Rule ${number}: rules are not tried in order here. Fields that an earlier rule has keep its values.`,
    );
  for (const [name, { fhirpath }] of Object.entries(rule.filters ?? {}))
    work.left.push(
      `Rule ${number}, filter ${name} (${fhirpath ?? '?'}): OpenCR compares only records that agree in it. Candidates are found by several keys here, so that one mistake does not hide a match.`,
    );
}

function takeField(
  work: Work,
  rule: OpenCrRule,
  what: { readonly name: string; readonly field: OpenCrField; readonly number: number; readonly alone: boolean },
): void {
  const { name, field, number } = what;
  const path = field.fhirpath ?? name;
  const nulls = [field.null_handling, field.null_handling_both].filter(
    (kind) => kind !== undefined && kind !== 'moderate',
  );
  if (nulls.length > 0)
    work.left.push(
      `Rule ${number}, ${name}: null_handling ${nulls.join(' and ')}. A missing value says nothing here, neither for nor against.`,
    );
  const system = IDENTIFIER.exec(path)?.[1];
  if (system !== undefined) return takeIdentifier(work, rule, { ...what, system });
  const target = FIELDS.find(([pattern]) => pattern.test(path))?.[1];
  if (target === undefined)
    return void work.left.push(`Rule ${number}, ${name} (${path}): there is no such field in a model here.`);
  if (work.seen.has(target)) return;
  work.seen.add(target);
  if (field.weight !== undefined)
    work.left.push(`Rule ${number}, ${name}: weight ${field.weight}. Weights follow from m and u here.`);
  if (rule.matchingType === 'deterministic' || field.mValue === undefined || field.uValue === undefined)
    return void work.taken.push(`${name} is compared as ${target}, with the shipped chances (the rule gives none).`);
  const { levels } = work.fields[target] as { levels: Chances };
  const agreeing = agreeingLevels(Object.keys(levels), field);
  spread(levels, agreeing, { m: field.mValue, u: field.uValue });
  work.taken.push(
    `${name} is compared as ${target}: m ${field.mValue} and u ${field.uValue} for ${agreeing.join(', ')}.`,
  );
}

function takeIdentifier(
  work: Work,
  rule: OpenCrRule,
  what: {
    readonly name: string;
    readonly field: OpenCrField;
    readonly number: number;
    readonly alone: boolean;
    readonly system: string;
  },
): void {
  const { name, field, number, alone, system } = what;
  if (work.seen.has(system)) return;
  work.seen.add(system);
  const national = alone || /nation|\bnin\b|\bnid\b|ssn|passport/i.test(`${name} ${system}`);
  const { mValue: m = 0.95, uValue: u = 0.000_01 } = field;
  const levels = { exact: { m: 0.9, u: 0.000_01 }, close: { m: 0.05, u: 0.000_1 }, different: { m: 0.05, u: 0.999 } };
  spread(levels, field.algorithm === 'exact' ? ['exact'] : ['exact', 'close'], { m, u });
  work.identifiers.push({ kind: national ? 'national' : 'local', systems: [system], levels });
  work.taken.push(
    `${name}: identifiers of ${system} ${alone ? 'link by themselves, as the rule says' : `count as ${national ? 'national' : 'local'} ones`}, unless something speaks against it.`,
  );
  if (!alone && rule.matchingType === 'deterministic')
    work.left.push(
      `Rule ${number}, ${name}: one agreement among several in OpenCR; here an equal identifier links two records that agree otherwise.`,
    );
}

/** What OpenCR's algorithm and threshold would call agreement. */
function agreeingLevels(levels: readonly string[], { algorithm, threshold = 0 }: OpenCrField): readonly string[] {
  const name = algorithm.toLowerCase();
  if (name === 'exact') return levels.filter((level) => level.startsWith('exact') || level === 'same');
  // Similarities 0..1 (jaro-winkler, normalized-levenshtein) or a number of edits (levenshtein, damerau-levenshtein).
  const wide = name.includes('similarity') || name.includes('jaro') ? threshold < 0.85 : threshold >= 3;
  const close = ['exact', 'exact-estimated', 'same', 'part', 'close', 'day-month-swapped', 'one-digit', 'street'];
  const loose = [...close, 'similar', 'nickname', 'two-parts', 'month-day', 'implied'];
  return levels.filter((level) => (wide ? loose : close).includes(level));
}

/** Gives the agreeing levels together these chances, in their proportions, and the others the rest. */
function spread(
  levels: Chances,
  agreeing: readonly string[],
  chances: { readonly m: number; readonly u: number },
): void {
  for (const side of ['m', 'u'] as const) {
    const share = Math.min(0.999_999, Math.max(0.000_000_1, chances[side]));
    const others = Object.keys(levels).filter((level) => !agreeing.includes(level));
    const groups: readonly (readonly [readonly string[], number])[] = [
      [agreeing, share],
      [others, 1 - share],
    ];
    for (const [group, sum] of groups) {
      const total = group.reduce((before, level) => before + (levels[level]?.[side] ?? 0), 0);
      for (const level of group) {
        const one = levels[level];
        if (one !== undefined && total > 0) one[side] = Math.max(1e-9, (one[side] / total) * sum);
      }
    }
  }
}
