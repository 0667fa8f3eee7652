import type { ExplanationView } from '../../features/registry/wire.ts';
import { fieldWords, levelWords } from './match-words.ts';

/** One step of the waterfall: where the sum stood before and after. */
export interface Step {
  readonly key: string;
  readonly label: string;
  readonly note: string;
  readonly weight: number;
  readonly from: number;
  readonly to: number;
  readonly similarity?: number;
}

export interface Steps {
  readonly steps: readonly Step[];
  /** Labels of the fields that one record lacks: they say nothing either way. */
  readonly silent: readonly string[];
  readonly total: number;
  readonly low: number;
  readonly high: number;
}

/** Orders the fields by how much they said and adds them up, the prior first. What is missing is listed apart: it says nothing. */
export function stepsOf(explanation: ExplanationView): Steps {
  const said = explanation.fields.filter((field) => field.level !== 'missing');
  const silent = explanation.fields
    .filter((field) => field.level === 'missing')
    .map((field) => fieldWords(field.field));
  const fields = said.toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  let sum = explanation.priorWeight;
  const steps: Step[] = [
    { key: 'prior', label: 'Start', note: 'two records picked by chance', weight: sum, from: 0, to: sum },
  ];
  for (const field of fields) {
    const from = sum;
    sum += field.weight;
    steps.push({
      key: field.field,
      label: fieldWords(field.field),
      note: levelWords(field.level),
      weight: field.weight,
      from,
      to: sum,
      ...(field.similarity === undefined ? {} : { similarity: field.similarity }),
    });
  }
  const places = steps.flatMap((step) => [step.from, step.to]);
  return { steps, silent, total: explanation.weight, low: Math.min(0, ...places), high: Math.max(0, ...places) };
}

export function weightText(weight: number): string {
  const rounded = Math.round(weight * 10) / 10;
  if (rounded === 0) return '0';
  return `${rounded > 0 ? '+' : '−'}${Math.abs(rounded).toFixed(1)}`;
}
