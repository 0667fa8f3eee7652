import type { Patient } from '@medplum/fhirtypes';
import { Problem } from '../kernel/problem.ts';
import { type FormPairs, printForm } from './form.ts';
import type { FhirProblemCode } from './issue.ts';
import { type DatePrefix, intersect, parseDateQuery, spanTerms, type YearSpan } from './search-dates.ts';
import { parseToken, splitUnescaped, unescape, type ValueFilter, valueFilter } from './search-filters.ts';
import { SEARCH_PARAMETERS, type SearchParameter } from './search-parameters.ts';
import type { SearchTerm } from './search-terms.ts';
import { type Control, controlOf, parseControls, type SearchControls } from './search-controls.ts';

/** A search that was understood. What it leaves out of the request is listed in `ignored`, and missing in `used`. */
export interface ParsedSearch extends SearchControls {
  /** AND of ORs of terms: finds a superset of what `accepts` does. Empty: no index helps, or all records are asked for. */
  readonly terms: readonly (readonly SearchTerm[])[];
  /** The exact test. */
  accepts(patient: Patient): boolean;
  /** True when the search has no condition beyond record kind and paging: every record is wanted. */
  readonly everything: boolean;
  /** Logical ids asked for by `_id`; then look them up instead of searching. */
  readonly ids: readonly string[] | undefined;
  /** The plain-column part of `_lastUpdated`; `accepts` tests the rest. */
  readonly lastUpdated: { readonly fromMs?: number; readonly beforeMs?: number };
  /** Asked for by `_tag`; undefined means golden, except where a record is named by its id. */
  readonly kind: 'golden' | 'source' | undefined;
  /** ITI-78: `identifier=system|` also limits which identifiers are returned; undefined: all. */
  readonly domains: readonly string[] | undefined;
  /** The parameters acted upon, in their order: what the self link says. */
  readonly used: FormPairs;
  /** Names of parameters not known here (never their values). */
  readonly ignored: readonly string[];
}

export interface SearchContext {
  readonly nowMs: number;
  /** `Prefer: handling=strict`: refuse what would be ignored. */
  readonly strict: boolean;
}

/** `Patient.meta.tag` that tells golden from source records; also the `_tag` of searches. */
export const RECORD_KIND_SYSTEM = 'https://careseal.org/fhir/record-kind';
const VALUES_MAX = 200;
const NEVER = 'never';

/** Would change the result, so ignoring them would give away more than was asked for. */
const NARROWING = new Set([
  '_filter',
  '_has',
  '_list',
  '_query',
  '_text',
  '_content',
  '_security',
  '_profile',
  '_source',
]);

const COMPARABLE: readonly DatePrefix[] = ['eq', 'gt', 'ge', 'lt', 'le', 'sa', 'eb', 'ap'];

interface Group {
  readonly name: string;
  readonly values: readonly ValueFilter[];
}

/** Understands the parameters of a Patient search. Throws Problem `fhir-search` (400), naming the parameter only. */
export function parseSearch(pairs: FormPairs, context: SearchContext): ParsedSearch {
  const groups: Group[] = [];
  const used: [string, string][] = [];
  const ignored: string[] = [];
  const controls = new Map<Control, string>();
  const state: { ids?: string[]; kind?: 'golden' | 'source'; domains?: string[] } = {};
  let lastUpdated: ParsedSearch['lastUpdated'] = {};
  for (const [name, value] of pairs) {
    const control = controlOf(name);
    if (control !== undefined) {
      if (controls.has(control)) throw refused(`${control} may be given once.`);
      controls.set(control, value);
      used.push([name, value]);
      continue;
    }
    const known = parameterOf(name);
    if (known === undefined || value === '') {
      ignored.push(known === undefined ? 'an unknown parameter' : known.parameter.name);
      continue;
    }
    used.push([name, value]);
    const { parameter, modifier } = known;
    if (parameter.name === '_id') state.ids = intersectIds(state.ids, value);
    else if (parameter.name === '_tag' && modifier === undefined && isRecordKind(value))
      state.kind = recordKind(value, state.kind);
    else {
      if (parameter.name === 'identifier' && modifier === undefined) collectDomains(value, state);
      if (parameter.name === '_lastUpdated') lastUpdated = narrow(lastUpdated, value, context.nowMs);
      groups.push({ name: parameter.name, values: understand(parameter, modifier, value, context) });
    }
  }
  if (context.strict && ignored.length > 0) {
    throw refused('A parameter is not known or has no value; with Prefer: handling=strict nothing is ignored.');
  }
  return {
    ...parseControls(controls),
    terms: termsOf(groups),
    accepts: (patient) => groups.every(({ values }) => values.some((value) => value.test(patient))),
    everything: groups.length === 0 && state.ids === undefined,
    ids: state.ids,
    lastUpdated,
    kind: state.kind,
    domains: state.domains,
    used,
    ignored,
  };
}

/** The search as a query string that says what was used, for the self link. */
export function selfQuery({ used }: ParsedSearch): string {
  return printForm(used);
}

function parameterOf(name: string): { parameter: SearchParameter; modifier: string | undefined } | undefined {
  const colon = name.indexOf(':');
  const base = colon < 0 ? name : name.slice(0, colon);
  const modifier = colon < 0 ? undefined : name.slice(colon + 1);
  if (NARROWING.has(base)) throw refused(`${base} is not supported.`);
  const chained = base.includes('.') ? SEARCH_PARAMETERS.get(base.slice(0, base.indexOf('.'))) : undefined;
  if (chained ?? modifier?.includes('.') === true) throw refused('Chained parameters are not supported.');
  const parameter = SEARCH_PARAMETERS.get(base);
  if (!parameter) return undefined;
  if (modifier !== undefined && !parameter.modifiers.includes(modifier)) {
    throw refused(
      `${parameter.name} does not support this modifier; it has ${parameter.modifiers.join(', ') || 'none'}.`,
    );
  }
  return { parameter, modifier };
}

function understand(
  parameter: SearchParameter,
  modifier: string | undefined,
  value: string,
  { nowMs }: SearchContext,
): readonly ValueFilter[] {
  const parts = splitUnescaped(value, ',');
  if (parts.length > VALUES_MAX) throw refused(`${parameter.name} has at most ${VALUES_MAX} values.`);
  const filters = parts.map((part) => {
    const filter = valueFilter(parameter, modifier, part, nowMs);
    if ('fault' in filter) throw refused(`${parameter.name}: ${filter.fault}.`);
    return filter;
  });
  if (modifier !== 'not') return filters;
  // R4: `gender:not=male,female` asks for neither, so the values are AND-ed.
  return [{ terms: undefined, test: (patient) => filters.every((filter) => filter.test(patient)) }];
}

/** One OR-group per condition that an index helps with; open-ended conditions on one date are narrowed together. */
function termsOf(groups: readonly Group[]): SearchTerm[][] {
  const spans = new Map<string, YearSpan>();
  const out: SearchTerm[][] = [];
  for (const { name, values } of groups) {
    const years = values.length === 1 ? values[0]?.years : undefined;
    if (name === '_lastUpdated') continue;
    if (years !== undefined) {
      const before = spans.get(name);
      spans.set(name, before ? intersect(before, years) : years);
    } else if (values.every((value) => value.terms !== undefined)) {
      out.push(values.flatMap((value) => value.terms ?? []));
    }
  }
  for (const [parameter, span] of spans) {
    const values = spanTerms(span);
    // Conditions that exclude each other: a term that no record has, since an OR of nothing could be read as "anything".
    out.push((values.length > 0 ? values : [NEVER]).map((value) => ({ parameter, value })));
  }
  return out;
}

function intersectIds(before: string[] | undefined, value: string): string[] {
  const ids = splitUnescaped(value, ',').map(unescape);
  if (ids.length > VALUES_MAX) throw refused(`_id has at most ${VALUES_MAX} values.`);
  return [...new Set(before ? ids.filter((id) => before.includes(id)) : ids)];
}

const isRecordKind = (value: string): boolean =>
  value.split(',').some((part) => part.startsWith(`${RECORD_KIND_SYSTEM}|`));

function recordKind(value: string, before: 'golden' | 'source' | undefined): 'golden' | 'source' {
  const kind = value.slice(RECORD_KIND_SYSTEM.length + 1);
  if ((kind !== 'golden' && kind !== 'source') || (before !== undefined && before !== kind)) {
    throw refused('_tag asks for one kind of records: golden or source.');
  }
  return kind;
}

function collectDomains(value: string, state: { domains?: string[] }): void {
  for (const part of splitUnescaped(value, ',')) {
    const token = parseToken(part);
    if (token?.system !== undefined && token.value === undefined) (state.domains ??= []).push(token.system);
  }
}

/** Narrows the plain column by one condition; `accepts` still tests the condition itself. */
function narrow(before: ParsedSearch['lastUpdated'], value: string, nowMs: number): ParsedSearch['lastUpdated'] {
  const query = splitUnescaped(value, ',').length === 1 ? parseDateQuery(unescape(value), nowMs) : undefined;
  if (!query || !COMPARABLE.includes(query.prefix)) return before;
  const { lowMs, highMs } = query.range;
  // A lastUpdated is a moment of one millisecond, so ends can be taken as they are.
  const from = { eq: lowMs, ge: lowMs, ap: lowMs, gt: highMs - 1, sa: highMs }[query.prefix as string];
  const to = { eq: highMs, le: highMs, ap: highMs, lt: lowMs, eb: lowMs }[query.prefix as string];
  const fromMs = from === undefined ? before.fromMs : Math.max(before.fromMs ?? from, Math.floor(from));
  const beforeMs = to === undefined ? before.beforeMs : Math.min(before.beforeMs ?? to, Math.ceil(to));
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(beforeMs === undefined ? {} : { beforeMs }) };
}

function refused(detail: string): Problem {
  return new Problem<FhirProblemCode>('invalid', 'fhir-search', detail, { fhirCode: 'not-supported' });
}
