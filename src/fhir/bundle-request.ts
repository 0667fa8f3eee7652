import type { Bundle, BundleEntry, Reference, Resource } from '@medplum/fhirtypes';
import { Problem } from '../kernel/problem.ts';
import { type FormPairs, parseForm } from './form.ts';
import { type FhirProblemCode, invalidFhir, within } from './issue.ts';
import { parseIfMatch, parseIfNoneExist } from './preconditions.ts';
import { expectType } from './resource.ts';
import { validateResource } from './validate.ts';

/** Entries of one batch or transaction; more is refused, so that a request stays within its time and memory. */
export const BUNDLE_ENTRIES_MAX = 1000;

export interface BundleRequest {
  readonly type: 'batch' | 'transaction';
  readonly entries: readonly EntryRequest[];
}

/** One entry, understood: an act, or the problem with it. In a transaction every problem has been thrown already. */
export type EntryRequest = { readonly index: number; readonly fullUrl: string | undefined } & (
  | { readonly act: EntryAct }
  | { readonly problem: Problem }
);

export type EntryAct =
  | { readonly kind: 'create'; readonly type: string; readonly resource: Resource; readonly ifNoneExist?: FormPairs }
  | {
      readonly kind: 'update';
      readonly type: string;
      readonly id: string;
      readonly resource: Resource;
      readonly ifMatch?: number;
    }
  | {
      readonly kind: 'conditional-update';
      readonly type: string;
      readonly query: FormPairs;
      readonly resource: Resource;
      readonly ifMatch?: number;
    }
  | { readonly kind: 'delete'; readonly type: string; readonly id: string; readonly ifMatch?: number }
  | { readonly kind: 'conditional-delete'; readonly type: string; readonly query: FormPairs }
  | { readonly kind: 'read'; readonly type: string; readonly id: string; readonly ifNoneMatch?: string }
  | { readonly kind: 'vread'; readonly type: string; readonly id: string; readonly version: string }
  | { readonly kind: 'search'; readonly type: string; readonly query: FormPairs; readonly rawQuery: string };

/** R4 §3.1.0.11.2: the order in which a transaction is carried out, whatever the order of its entries. */
const ORDER: readonly EntryAct['kind'][] = [
  'delete',
  'conditional-delete',
  'create',
  'update',
  'conditional-update',
  'read',
  'vread',
  'search',
];

/** Reads a Bundle of type batch or transaction. Throws Problem 400 where the bundle, or anything in a transaction, is wrong. */
export function parseBundleRequest(body: unknown): BundleRequest {
  expectType(body, 'Bundle');
  // expectType has seen an object of that type; the shell is validated below, each resource on its own.
  const bundle = body as Bundle;
  const entries: readonly unknown[] = Array.isArray(bundle.entry) ? bundle.entry : [];
  if (entries.length > BUNDLE_ENTRIES_MAX) {
    throw new Problem<FhirProblemCode>(
      'too-large',
      'fhir-too-large',
      `A bundle has at most ${BUNDLE_ENTRIES_MAX} entries.`,
      {
        fhirCode: 'too-costly',
        expression: ['Bundle.entry'],
      },
    );
  }
  const shellIssues = validateResource(shellOf(bundle));
  if (shellIssues.length > 0) throw invalidFhir(shellIssues);
  if (bundle.type !== 'batch' && bundle.type !== 'transaction') {
    throw refused('Bundles of type batch and transaction are taken here.', 'Bundle.type');
  }
  const parsed = (bundle.entry ?? []).map((entry, index) => parseEntry(entry, index));
  if (bundle.type === 'transaction') throwFirst(parsed);
  return { type: bundle.type, entries: parsed };
}

/** The bundle without its resources: they are validated one by one, so that one of them does not fail a whole batch. */
function shellOf(bundle: Bundle): unknown {
  if (!Array.isArray(bundle.entry)) return bundle;
  const entry = bundle.entry.map((item: unknown) =>
    typeof item === 'object' && item !== null
      ? Object.fromEntries(Object.entries(item).filter(([name]) => name !== 'resource'))
      : item,
  );
  return { ...bundle, entry };
}

function parseEntry(entry: BundleEntry, index: number): EntryRequest {
  const { fullUrl } = entry;
  try {
    return { index, fullUrl, act: actOf(entry, `Bundle.entry[${index}]`) };
  } catch (error) {
    if (error instanceof Problem) return { index, fullUrl, problem: error as Problem };
    throw error;
  }
}

function throwFirst(entries: readonly EntryRequest[]): void {
  const problems = entries.flatMap((entry) => ('problem' in entry ? [entry.problem] : []));
  const [first, ...others] = problems;
  if (!first) return;
  const asIssues = (problem: Problem) => [
    {
      detail: problem.publicDetail,
      fhirCode: problem.options.fhirCode ?? 'invalid',
      expression: problem.options.expression ?? [],
    },
    ...(problem.options.issues ?? []),
  ];
  throw new Problem(first.kind, first.code, first.publicDetail, {
    ...first.options,
    issues: [...(first.options.issues ?? []), ...others.flatMap(asIssues)],
  });
}

function actOf(entry: BundleEntry, place: string): EntryAct {
  const request = entry.request;
  const url = targetOf(request?.url ?? '', `${place}.request.url`);
  const ifMatch = parseIfMatch(request?.ifMatch);
  const guard = ifMatch === undefined ? {} : { ifMatch };
  switch (request?.method) {
    case 'POST': {
      if (url.id !== undefined || url.query !== undefined)
        throw refused('A create names a type and nothing else.', `${place}.request.url`);
      const ifNoneExist = parseIfNoneExist(request.ifNoneExist);
      const resource = resourceOf(entry, url.type, place);
      return { kind: 'create', type: url.type, resource, ...(ifNoneExist ? { ifNoneExist } : {}) };
    }
    case 'PUT': {
      const resource = resourceOf(entry, url.type, place);
      if (url.query !== undefined)
        return { kind: 'conditional-update', type: url.type, query: parseForm(url.query), resource, ...guard };
      return { kind: 'update', type: url.type, id: idOf(url, place), resource, ...guard };
    }
    case 'DELETE':
      if (url.query !== undefined) return { kind: 'conditional-delete', type: url.type, query: parseForm(url.query) };
      return { kind: 'delete', type: url.type, id: idOf(url, place), ...guard };
    case 'GET':
      return readOf(url, request.ifNoneMatch, place);
    default:
      throw refused('Methods in a bundle are GET, POST, PUT and DELETE.', `${place}.request.method`);
  }
}

function readOf(url: Target, ifNoneMatch: string | undefined, place: string): EntryAct {
  if (url.id === undefined)
    return { kind: 'search', type: url.type, query: parseForm(url.query ?? ''), rawQuery: url.query ?? '' };
  if (url.version !== undefined) return { kind: 'vread', type: url.type, id: url.id, version: url.version };
  return { kind: 'read', type: url.type, id: idOf(url, place), ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }) };
}

interface Target {
  readonly type: string;
  readonly id?: string | undefined;
  readonly version?: string | undefined;
  readonly query?: string | undefined;
}

/** `Patient`, `Patient/123`, `Patient/123/_history/2` or `Patient?…`, relative to the base. */
function targetOf(url: string, place: string): Target {
  const match = /^\/?([A-Z][A-Za-z]+)(?:\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([1-9][0-9]{0,8}))?)?(?:\?(.*))?$/s.exec(
    url,
  );
  if (!match?.[1])
    throw refused('A url in a bundle is Patient, Patient/id, Patient/id/_history/version or Patient?query.', place);
  if (match[1] !== 'Patient') throw refused('Only Patients are kept here.', place, 'not-supported');
  return { type: match[1], id: match[2], version: match[3], query: match[4] };
}

function idOf(url: Target, place: string): string {
  if (url.id === undefined || url.version !== undefined || url.query !== undefined) {
    throw refused('One resource was expected: Patient/id.', `${place}.request.url`);
  }
  return url.id;
}

function resourceOf(entry: BundleEntry, type: string, place: string): Resource {
  const { resource } = entry;
  const at = `${place}.resource`;
  if (resource === undefined) throw refused('The entry has no resource.', at, 'required');
  const issues = validateResource(resource);
  if (issues.length > 0) throw invalidFhir(within(at, issues));
  if (resource.resourceType !== type) throw refused('The resource is of another type than the url says.', at);
  return resource;
}

/** Indexes in the order in which a transaction is carried out. */
export function transactionOrder(
  entries: readonly { readonly index: number; readonly act: EntryAct }[],
): readonly number[] {
  return entries
    .map(({ index, act }) => ({ index, rank: ORDER.indexOf(act.kind) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ index }) => index);
}

/** Every Reference of a resource, wherever it is; the caller may replace what it points at. */
export function replaceReferences<T>(value: T, replace: (reference: string) => string): T {
  if (Array.isArray(value)) return value.map((item: unknown) => replaceReferences(item, replace)) as T;
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    copy[key] = key === 'reference' && typeof inner === 'string' ? replace(inner) : replaceReferences(inner, replace);
  }
  // The same shape, with other texts in Reference.reference.
  return copy as T;
}

/** References to other entries of the bundle, or by search: these must be resolved before anything is written. */
export function openReferences(resource: Resource): readonly string[] {
  const found = new Set<string>();
  replaceReferences<unknown>(resource, (reference: NonNullable<Reference['reference']>) => {
    if (reference.startsWith('urn:') || /^[A-Z][A-Za-z]+\?/.test(reference)) found.add(reference);
    return reference;
  });
  return [...found];
}

/** Every literal reference of a resource. */
export function referencesIn(resource: Resource): readonly string[] {
  const found = new Set<string>();
  replaceReferences<unknown>(resource, (reference: string) => {
    found.add(reference);
    return reference;
  });
  return [...found];
}

function refused(detail: string, expression: string, fhirCode = 'value'): Problem {
  return new Problem<FhirProblemCode>('invalid', 'fhir-bundle', detail, { fhirCode, expression: [expression] });
}
