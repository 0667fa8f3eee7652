import { COUNT_DEFAULT, COUNT_MAX, type FormPairs, printForm, timeRange } from '../../fhir/index.ts';
import { Problem } from '../../kernel/problem.ts';

export interface HistoryQuery {
  readonly count: number;
  /** -Infinity without `_since`. */
  readonly sinceMs: number;
  readonly cursor: string | undefined;
  /** The whole query as it came, and without the cursor: what self and next links say. */
  readonly raw: string;
  readonly rest: string;
}

/** `_count`, `_since` and the page's cursor. `_at` and `_list` would narrow the answer, so they are refused. */
export function historyPageOf(query: FormPairs): HistoryQuery {
  const given = new Map(query);
  if (given.has('_at') || given.has('_list')) throw refused('A history takes _count and _since.');
  const count = given.get('_count') ?? String(COUNT_DEFAULT);
  if (!/^[1-9]\d{0,8}$/.test(count) || Number(count) > COUNT_MAX) {
    throw refused(`_count is a whole number from 1 to ${COUNT_MAX}.`);
  }
  const since = given.get('_since');
  const range = since === undefined ? undefined : timeRange(since);
  if (since !== undefined && !range) throw refused('_since is a moment that exists.');
  return {
    count: Number(count),
    sinceMs: range?.lowMs ?? -Infinity,
    cursor: given.get('_cursor'),
    raw: printForm(query),
    rest: printForm(query.filter(([name]) => name !== '_cursor')),
  };
}

function refused(detail: string): Problem {
  return new Problem('invalid', 'fhir-search', detail, { fhirCode: 'value' });
}
