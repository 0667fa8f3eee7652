import { Problem } from '../kernel/problem.ts';
import type { FhirProblemCode } from './issue.ts';

/** Parameters that say how to answer, not what to look for. */
export interface SearchControls {
  readonly order: 'id' | 'last-updated' | 'last-updated-descending';
  /** Entries on one page; 0 asks for the total only. */
  readonly count: number;
  readonly total: 'none' | 'estimate' | 'accurate' | undefined;
  readonly summary: Summary;
  /** Names of elements to return, as `_elements` lists them. */
  readonly elements: readonly string[] | undefined;
}

export type Summary = 'true' | 'text' | 'data' | 'count' | 'false';

export const COUNT_DEFAULT = 50;
export const COUNT_MAX = 1000;

const SORTS: Readonly<Record<string, SearchControls['order']>> = {
  _id: 'id',
  _lastUpdated: 'last-updated',
  '-_lastUpdated': 'last-updated-descending',
};
const SUMMARIES: readonly Summary[] = ['true', 'text', 'data', 'count', 'false'];
const TOTALS = ['none', 'estimate', 'accurate'] as const;

/** `_format` and `_pretty` are read by content negotiation; here they are only known. */
export const CONTROLS = ['_count', '_sort', '_total', '_summary', '_elements', '_format', '_pretty'] as const;
export type Control = (typeof CONTROLS)[number];

export function controlOf(name: string): Control | undefined {
  return CONTROLS.find((control) => control === name);
}

export function parseControls(given: ReadonlyMap<Control, string>): SearchControls {
  const summary = oneOf('_summary', given.get('_summary') ?? 'false', SUMMARIES);
  const elements = parseElements(given.get('_elements'));
  if (elements && summary !== 'false') throw refused('_elements and _summary exclude each other.');
  const total = given.get('_total');
  return {
    order: parseSort(given.get('_sort')),
    count: parseCount(given.get('_count')),
    total: total === undefined ? undefined : oneOf('_total', total, TOTALS),
    summary,
    elements,
  };
}

function parseCount(text: string | undefined): number {
  if (text === undefined) return COUNT_DEFAULT;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  if (count === undefined) throw refused('_count is a whole number from 0 on.');
  if (count > COUNT_MAX) {
    throw new Problem<FhirProblemCode>('invalid', 'fhir-search-too-costly', `_count is at most ${COUNT_MAX}.`, {
      fhirCode: 'too-costly',
    });
  }
  return count;
}

function parseSort(text: string | undefined): SearchControls['order'] {
  if (text === undefined || text === '') return 'id';
  const order = Object.hasOwn(SORTS, text) ? SORTS[text] : undefined;
  if (!order) throw refused(`_sort takes one of ${Object.keys(SORTS).join(', ')}.`);
  return order;
}

function parseElements(text: string | undefined): readonly string[] | undefined {
  if (text === undefined || text === '') return undefined;
  const names = text.split(',').map((name) => name.replace(/^Patient\./, ''));
  if (!names.every((name) => /^[a-z][A-Za-z]{0,40}$/.test(name))) throw refused('_elements takes names of elements.');
  return names;
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === text);
  if (found === undefined) throw refused(`${name} takes one of ${allowed.join(', ')}.`);
  return found;
}

function refused(detail: string): Problem {
  return new Problem<FhirProblemCode>('invalid', 'fhir-search', detail, { fhirCode: 'value' });
}
