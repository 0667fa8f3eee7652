/** A message Bundle of PMIR ITI-93, understood: its header and the acts of its history Bundle. */
import type {
  Bundle,
  BundleEntry,
  MessageHeader,
  Organization,
  Practitioner,
  RelatedPerson,
  Resource,
} from '@medplum/fhirtypes';
import { isR4ResourceType, validateResource } from '../../fhir/index.ts';
import { Problem } from '../../kernel/problem.ts';
import { assertRegistrable } from './fhir-bounds.ts';
import type { ValidPatient } from './model.ts';

export const PATIENT_FEED = 'urn:ihe:iti:pmir:2019:patient-feed';
export const PATIENT_FEED_RESPONSE = 'urn:ihe:iti:pmir:2019:patient-feed-response';

export interface FeedMessage {
  readonly header: MessageHeader;
  readonly entries: readonly FeedEntry[];
}

export interface FeedEntry {
  readonly index: number;
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** Relative to the base: `Patient/…`, `Patient?identifier=…`. */
  readonly url: string;
  /** What others in the message may call it: its fullUrl, `Type/id`, and the url of its request. */
  readonly names: readonly string[];
  readonly resource: FeedResource | undefined;
}

export type FeedResource = ValidPatient | RelatedPerson | Described;
/** Told beside a Patient; kept as what the references to it say. */
export type Described = Organization | Practitioner | Resource;

const ENTRIES_MAX = 1000;

/** Is this body a message Bundle, or Parameters of `$process-message` that hold one? */
export function messageIn(body: unknown): Bundle | undefined {
  const bundle = bundleIn(body);
  return bundle?.type === 'message' ? bundle : undefined;
}

function bundleIn(body: unknown): Bundle | undefined {
  if (typeof body !== 'object' || body === null || !('resourceType' in body)) return undefined;
  // Looked into element by element below.
  if (body.resourceType === 'Bundle') return body as Bundle;
  if (body.resourceType !== 'Parameters' || !('parameter' in body) || !Array.isArray(body.parameter)) return undefined;
  const content: unknown = body.parameter.find(
    (one: unknown) => typeof one === 'object' && one !== null && 'name' in one && one.name === 'content',
  );
  return typeof content === 'object' && content !== null && 'resource' in content
    ? bundleIn(content.resource)
    : undefined;
}

/** The header, so far as an answer needs it. Throws Problem 400 where there is none to answer to. */
export function headerOf(bundle: Bundle): MessageHeader {
  const entries: unknown = bundle.entry;
  const first = Array.isArray(entries) ? (entries[0] as BundleEntry | undefined) : undefined;
  const header: unknown = first?.resource;
  if (typeof header !== 'object' || header === null || (header as Resource).resourceType !== 'MessageHeader')
    throw refused('A message begins with its MessageHeader.', 'Bundle.entry[0].resource', 'structure');
  assertValid(header as Resource, 'Bundle.entry[0].resource');
  return header as MessageHeader;
}

/** Everything else. Throws Problem with the place of the first fault. */
export function parseFeed(bundle: Bundle): FeedMessage {
  const header = headerOf(bundle);
  if (header.eventUri !== PATIENT_FEED)
    throw refused(`The event taken here is ${PATIENT_FEED}.`, 'Bundle.entry[0].resource.event', 'not-supported');
  if (!header.destination || header.destination.length === 0)
    throw refused('The header names a destination.', 'Bundle.entry[0].resource.destination', 'required');
  const entries: unknown = bundle.entry;
  if (!Array.isArray(entries) || entries.length !== 2)
    throw refused(
      'A feed message has two entries: its header and a Bundle of type history.',
      'Bundle.entry',
      'structure',
    );
  const at = 'Bundle.entry[1].resource';
  const history = (entries[1] as BundleEntry | undefined)?.resource as Bundle | undefined;
  if (history?.resourceType !== 'Bundle' || history.type !== 'history')
    throw refused('The second entry is a Bundle of type history.', at, 'structure');
  const changes: unknown = history.entry;
  if (!Array.isArray(changes) || changes.length === 0)
    throw refused('The history has no entries.', `${at}.entry`, 'required');
  if (changes.length > ENTRIES_MAX)
    throw new Problem('too-large', 'fhir-too-large', `A message has at most ${ENTRIES_MAX} changes.`, {
      fhirCode: 'too-costly',
    });
  return { header, entries: changes.map((entry: unknown, index) => feedEntry(entry as BundleEntry, index, at)) };
}

function feedEntry(entry: BundleEntry, index: number, at: string): FeedEntry {
  const place = `${at}.entry[${index}]`;
  if (typeof entry !== 'object' || entry === null) throw refused('An entry was expected.', place, 'structure');
  const method = entry.request?.method ?? 'POST';
  if (method !== 'POST' && method !== 'PUT' && method !== 'DELETE')
    throw refused('A feed tells POST, PUT and DELETE.', `${place}.request.method`, 'not-supported');
  const resource = entry.resource === undefined ? undefined : resourceOf(entry.resource, `${place}.resource`);
  const type = resource?.resourceType;
  const url = entry.request?.url ?? (type === undefined ? '' : `${type}/${resource?.id ?? ''}`);
  if (typeof url !== 'string' || (method === 'DELETE' ? !/^Patient[/?]/.test(url) : resource === undefined))
    throw refused('The entry does not say what it changes.', place, 'required');
  const own = type !== undefined && resource?.id !== undefined ? [`${type}/${resource.id}`] : [];
  const names = [entry.fullUrl, url, ...own].filter((name): name is string => typeof name === 'string' && name !== '');
  return { index, method, url, names, resource };
}

function resourceOf(value: unknown, place: string): FeedResource {
  const type = typeof value === 'object' && value !== null ? (value as Resource).resourceType : undefined;
  if (type === 'Patient') {
    try {
      assertRegistrable(value);
    } catch (error) {
      throw error instanceof Problem ? placed(error as Problem, place) : error;
    }
    return value;
  }
  if (type === undefined || !isR4ResourceType(type)) throw refused('A resource was expected.', place, 'structure');
  assertValid(value as Resource, place);
  return value as FeedResource;
}

function assertValid(resource: Resource, place: string): void {
  const [first, ...others] = validateResource(resource);
  if (!first) return;
  const at = (expression: readonly string[] | undefined): string[] =>
    (expression ?? []).map((path) => path.replace(/^\w+/, place));
  throw new Problem('invalid', 'fhir-invalid', first.detail, {
    ...(first.fhirCode ? { fhirCode: first.fhirCode } : {}),
    expression: at(first.expression),
    issues: others.map((issue) => ({ ...issue, expression: at(issue.expression) })),
  });
}

/** The same problem with its place in the message. */
export function placed(problem: Problem, place: string): Problem {
  const expression = problem.options.expression?.map((path) => path.replace(/^Patient/, place));
  return new Problem(problem.kind, problem.code, problem.publicDetail, {
    ...problem.options,
    expression: expression ?? [place],
  });
}

function refused(detail: string, expression: string, fhirCode: string): Problem {
  return new Problem('invalid', 'fhir-message', detail, { fhirCode, expression: [expression] });
}
