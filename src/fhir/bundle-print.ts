import type { BundleEntry, BundleLink, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { utf8Decode, utf8Encode } from '../kernel/bytes.ts';
import { parseStoredJson, printPrettyJson } from './json.ts';
import type { Negotiated } from './negotiate.ts';
import { printFhirXml } from './xml-print.ts';

/** A Bundle to send. Its resources may be the stored bytes themselves, which JSON answers take over unopened. */
export interface BundleAnswer {
  readonly type: 'searchset' | 'history' | 'batch-response' | 'transaction-response';
  readonly total?: number;
  readonly links?: readonly BundleLink[];
  readonly entries: readonly AnswerEntry[];
}

interface Stored {
  readonly stored: Uint8Array;
}

export interface AnswerEntry {
  readonly fullUrl?: string;
  readonly resource?: Resource | Stored;
  readonly search?: NonNullable<BundleEntry['search']>;
  readonly request?: NonNullable<BundleEntry['request']>;
  readonly response?: NonNullable<BundleEntry['response']> & { readonly outcome?: OperationOutcome };
}

export function printBundle(answer: BundleAnswer, { format, pretty }: Negotiated): Uint8Array {
  if (format === 'json' && !pretty) return utf8Encode(joinJson(answer));
  const whole = bundleOf(answer);
  return format === 'xml' ? printFhirXml(whole) : printPrettyJson(whole);
}

export function printResource(resource: Resource, { format, pretty }: Negotiated): Uint8Array {
  if (format === 'xml') return printFhirXml(resource);
  return pretty ? printPrettyJson(resource) : utf8Encode(JSON.stringify(resource));
}

/** A stored version as it is asked for; JSON is sent as it lies there. */
export function printStored(stored: Uint8Array, negotiated: Negotiated): Uint8Array {
  if (negotiated.format === 'json' && !negotiated.pretty) return stored;
  return printResource(parseStoredJson(stored) as Resource, negotiated);
}

function opened(resource: Resource | Stored): Resource {
  // Stored by this server, so it is what it was when it was validated.
  return 'stored' in resource ? (parseStoredJson(resource.stored) as Resource) : resource;
}

function joinJson(answer: BundleAnswer): string {
  const { entries } = answer;
  const head = JSON.stringify(headOf(answer));
  if (entries.length === 0) return head;
  return `${head.slice(0, -1)},"entry":[${entries.map(joinEntry).join(',')}]}`;
}

function joinEntry({ resource, ...rest }: AnswerEntry): string {
  const text = JSON.stringify(rest);
  if (resource === undefined) return text;
  const body = 'stored' in resource ? utf8Decode(resource.stored) : JSON.stringify(resource);
  return text === '{}' ? `{"resource":${body}}` : `${text.slice(0, -1)},"resource":${body}}`;
}

function headOf({ type, total, links }: BundleAnswer): Resource & { resourceType: 'Bundle' } {
  return {
    resourceType: 'Bundle',
    type,
    ...(total === undefined ? {} : { total }),
    ...(links && links.length > 0 ? { link: [...links] } : {}),
  };
}

function bundleOf(answer: BundleAnswer): Resource {
  const entry = answer.entries.map(({ resource, ...rest }): BundleEntry => {
    if (resource === undefined) return rest;
    return { ...rest, resource: opened(resource) };
  });
  return { ...headOf(answer), ...(entry.length > 0 ? { entry } : {}) };
}
