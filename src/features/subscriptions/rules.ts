/** What a subscription may ask for, whom a change concerns, and when a delivery is tried again. Pure. */
import type { Patient, Subscription } from '@medplum/fhirtypes';
import { MEDIA_TYPES, parseForm, parseSearch, type ParsedSearch } from '../../fhir/index.ts';
import { Problem } from '../../kernel/problem.ts';
import type { SubscriptionProblemCode } from './model.ts';

const HEADERS_MAX = 10;
const FORBIDDEN_HEADERS =
  /^(host|content-length|content-type|transfer-encoding|connection|expect|upgrade|te|trailer)$/i;

/** Checks what PMIR ITI-94 and this server ask of a valid R4 Subscription. Throws Problem 422 (or 400) with the element. */
export function assertSubscription(resource: Subscription, nowMs: number): void {
  const { channel, contact, criteria, end, status } = resource;
  if (status !== 'requested' && status !== 'off')
    throw refused('status is requested, or off to end the subscription.', 'Subscription.status');
  if (!contact || contact.length === 0) throw refused('Say whom to ask when deliveries fail.', 'Subscription.contact');
  if (channel.type !== 'message' && channel.type !== 'rest-hook')
    throw refused('Channels are message and rest-hook.', 'Subscription.channel.type');
  if (!channel.endpoint) throw refused('The endpoint is missing.', 'Subscription.channel.endpoint');
  if (channel.type === 'message' && channel.payload === undefined)
    throw refused(
      'A message has a payload: application/fhir+json or application/fhir+xml.',
      'Subscription.channel.payload',
    );
  if (channel.payload !== undefined && payloadFormat(channel.payload) === undefined)
    throw refused('Payloads are application/fhir+json and application/fhir+xml.', 'Subscription.channel.payload');
  if (end !== undefined && Date.parse(end) <= nowMs) throw refused('The end has passed.', 'Subscription.end');
  assertHeaders(channel.header ?? []);
  criteriaOf(criteria ?? '', nowMs);
}

function assertHeaders(headers: readonly string[]): void {
  if (headers.length > HEADERS_MAX)
    throw refused(`At most ${HEADERS_MAX} headers are sent.`, 'Subscription.channel.header');
  headers.forEach((header, index) => {
    const name = /^([A-Za-z0-9-]{1,60}): ?[\x20-\x7e]{1,4000}$/.exec(header)?.[1];
    if (name === undefined || FORBIDDEN_HEADERS.test(name))
      throw refused(
        'A header is written `Name: value`, and is none of the connection itself.',
        `Subscription.channel.header[${index}]`,
      );
  });
}

export function headersOf({ channel }: Subscription): Record<string, string> {
  return Object.fromEntries(
    (channel.header ?? []).map((header) => {
      const colon = header.indexOf(':');
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
    }),
  );
}

export function payloadFormat(payload: string | undefined): 'json' | 'xml' | undefined {
  const name = payload?.split(';')[0]?.trim().toLowerCase();
  if (name === 'application/fhir+json' || name === 'application/json') return 'json';
  return name === 'application/fhir+xml' || name === 'application/xml' ? 'xml' : undefined;
}

export const contentTypeOf = (format: 'json' | 'xml'): string => MEDIA_TYPES[format];

export interface Criteria {
  /** Does the change concern the subscriber? Asked of the record as it is now, and as it was where it is gone or merged. */
  accepts(golden: Patient): boolean;
}

/** `Patient`, or `Patient?` with search parameters. Throws Problem 422. */
export function criteriaOf(text: string, nowMs: number): Criteria {
  const match = /^Patient(?:\?(.*))?$/s.exec(text);
  if (!match) throw refused('Criteria are Patient, or Patient? with search parameters.', 'Subscription.criteria');
  const query = match[1] ?? '';
  if (query === '') return { accepts: () => true };
  const parsed = understood(query, nowMs);
  const { ids } = parsed;
  if (parsed.kind === 'source') throw refused('Changes are told of golden records.', 'Subscription.criteria');
  return {
    accepts: (golden) =>
      parsed.accepts(golden) &&
      (ids === undefined || ids.includes(golden.id ?? '') || ids.some((id) => standsFor(golden, id))),
  };
}

function understood(query: string, nowMs: number): ParsedSearch {
  try {
    return parseSearch(parseForm(query), { nowMs, strict: true });
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    throw refused(cause.publicDetail, 'Subscription.criteria', cause);
  }
}

function standsFor(golden: Patient, sourceId: string): boolean {
  return golden.link?.some(({ other }) => other.reference === `Patient/${sourceId}`) === true;
}

function refused(detail: string, expression: string, cause?: unknown): Problem {
  return new Problem<SubscriptionProblemCode>(
    'unprocessable',
    'subscription-refused',
    `${detail} Nothing was stored.`,
    {
      cause,
      fhirCode: 'business-rule',
      expression: [expression],
    },
  );
}

/** What an attempt came to. `status` is the HTTP status, 0 where there was no answer. */
export type Verdict = 'delivered' | 'gone' | 'poison' | 'later';

/**
 * 2xx: delivered. 410: the subscriber is gone. Other 4xx: it does not want this record, so the next ones must not wait for it; but
 * 401, 403, 404, 408, 425 and 429 say something of the endpoint. Everything else may pass.
 */
export function verdictOf(status: number): Verdict {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 410) return 'gone';
  if (status >= 400 && status < 500 && ![401, 403, 404, 408, 425, 429].includes(status)) return 'poison';
  return 'later';
}

/** Refused as often as this, a record is put aside: a dead letter. */
export const POISON_ATTEMPTS_MAX = 3;
/** An endpoint that failed this often is in `error`; it is still tried. */
export const FAILURES_UNTIL_ERROR = 4;
/** An endpoint that could not be reached for as long as this is given up: `off`, and what waited for it is dead. */
export const GIVE_UP_MS = 7 * 86_400_000;

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15 * 60_000;

/** Doubling pauses, up to a quarter of an hour, each shortened by up to a fifth so that many do not come back at once. */
export function pauseMs(failures: number, random: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20));
  return Math.round(pause * (1 - 0.2 * random));
}
