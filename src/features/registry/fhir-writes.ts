/** FHIR create, update and delete: one submission each, answered as Prefer asks. */
import type { AnswerEntry, Preferences } from '../../fhir/index.ts';
import { etag } from '../../fhir/index.ts';
import { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import type { RouteReply } from '../../platform/http/route.ts';
import {
  type Exchange,
  type FhirDeps,
  informationOutcome,
  resourceReply,
  storedReply,
  versionHeaders,
} from './fhir-exchange.ts';
import type { Submission, SubmissionOutcome } from './model.ts';

type Written = Exclude<SubmissionOutcome, { status: 'refused' }>;

/** Submits one change; a refusal is thrown, and the door records it. */
export async function answerWrite(
  deps: FhirDeps,
  exchange: Exchange,
  submission: Submission,
): Promise<RouteReply<never>> {
  const { outcomes, audited } = await deps.registry.submit(exchange.actor, [submission]);
  const outcome = outcomes[0];
  if (!outcome) throw new Error('The registry answered nothing.');
  if (outcome.status === 'refused') throw refusalOf(submission, outcome.problem);
  if (!audited) throw new Error('A change was written without its audit event.');
  return writtenReply(exchange, outcome, audited);
}

/** R4 §3.1.0.4.4: ids are the server's to give, so PUT to an unknown one is a method that is not allowed there. */
export function refusalOf(submission: Submission, problem: Problem): Problem {
  if (submission.kind !== 'update' || problem.code !== 'client-not-found') return problem;
  return new Problem(
    'method-not-allowed',
    problem.code,
    'No record with this id is known here, and ids are given by the server. Create it with POST.',
    { fhirCode: 'not-supported' },
  );
}

function writtenReply(
  exchange: Exchange,
  outcome: Written,
  audited: NonNullable<RouteReply<never>['audited']>,
): RouteReply<never> {
  const status = writtenStatus(outcome);
  const headers = writtenHeaders(exchange.base, outcome);
  const { preferences } = exchange;
  if (preferences.return === 'OperationOutcome') {
    const head = { status: status === 204 ? 200 : status, headers, audited };
    return resourceReply(informationOutcome(inWords(outcome)), exchange, head);
  }
  if (outcome.content === null || preferences.return === 'minimal') return { status, headers, audited };
  return storedReply(outcome.content, exchange, { status, headers, audited });
}

function writtenStatus({ status }: Written): number {
  if (status === 'created') return 201;
  return status === 'deleted' ? 204 : 200;
}

const locationOf = (base: string, { id, version }: Written): string => `${base}/Patient/${id}/_history/${version}`;

function writtenHeaders(base: string, outcome: Written): Record<string, string> {
  return {
    ...versionHeaders(outcome),
    ...(outcome.status === 'deleted' ? {} : { location: locationOf(base, outcome) }),
    // OpenCR's clients read the golden record's id from this header.
    locationcruid: `Patient/${outcome.goldenId}`,
  };
}

function inWords({ status, linked, reviewsOpened, candidatesCut }: Written): string {
  const sentences = [`The record was ${status}.`];
  if (linked) sentences.push('It belongs to a person who was known already.');
  if (reviewsOpened > 0) sentences.push('A steward will look at records that resemble it.');
  if (candidatesCut) sentences.push('So many records resemble it that not all of them were compared.');
  return sentences.join(' ');
}

/** The same as an entry of a batch-response or transaction-response. */
export function writtenEntry(base: string, outcome: Written, preferences: Preferences): AnswerEntry {
  const { content, version, lastUpdatedMs } = outcome;
  const withContent = content !== null && preferences.return === 'representation';
  return {
    ...(outcome.status === 'deleted' ? {} : { fullUrl: `${base}/Patient/${outcome.id}` }),
    ...(withContent ? { resource: { stored: content } } : {}),
    response: {
      status: String(writtenStatus(outcome)),
      ...(outcome.status === 'deleted' ? {} : { location: locationOf(base, outcome) }),
      etag: etag(version),
      lastModified: instant(lastUpdatedMs),
      ...(preferences.return === 'OperationOutcome' ? { outcome: informationOutcome(inWords(outcome)) } : {}),
    },
  };
}
