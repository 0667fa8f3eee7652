/** PMIR ITI-93: a feed message becomes submissions and merges, and is answered by a message. */
import type { Bundle, MessageHeader, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { newId } from '../../crypto/index.ts';
import { parseStoredJson } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { mayUse } from '../../kernel/principal.ts';
import { Problem, scopeMissing } from '../../kernel/problem.ts';
import { operationOutcome, problemStatus, type RouteReply } from '../../platform/http/index.ts';
import { type Exchange, type FhirDeps, informationOutcome, resourceReply } from './fhir-exchange.ts';
import { atEntry, planOf, type Step } from './fhir-message-plan.ts';
import { type FeedMessage, headerOf, parseFeed, PATIENT_FEED_RESPONSE } from './fhir-message-request.ts';
import { readCurrent } from './fhir-reads.ts';
import { refusalOf } from './fhir-writes.ts';
import type { TogetherStep } from './service.ts';

interface Done {
  readonly created: number;
  /** Ids of the records that the message wrote, in its order. */
  readonly written: readonly ResourceId[];
}

/**
 * Processes a message. All its changes and merges stand or fall together; the answer says at which entry it was refused. `asCreate`: the message was posted as a resource (`POST /fhir/Bundle`), so that what it made is answered by 201.
 */
export async function answerMessage(
  deps: FhirDeps,
  exchange: Exchange,
  bundle: Bundle,
  asCreate: boolean,
): Promise<RouteReply<never>> {
  const header = headerOf(bundle);
  const { principal } = exchange.actor;
  if (!mayUse(principal, 'feed')) throw scopeMissing('feed');
  if (!principal.permissions.has('client.write'))
    throw new Problem('forbidden', 'access-denied', 'You may not do this.', { fhirCode: 'forbidden' });
  try {
    const done = await process(deps, exchange, parseFeed(bundle));
    const audited = await deps.audit.recordNow([feedEvent(exchange, 'success', bundle)]);
    const outcome = informationOutcome(`The message was processed: ${done.written.length} records.`);
    const records = await Promise.all(done.written.map((id) => readCurrent(deps, id)));
    const patients = records.map(({ content }) => parseStoredJson(content) as Resource);
    const answer = responseBundle(exchange, header, { code: 'ok', outcome, resources: patients });
    return resourceReply(answer, exchange, { status: asCreate && done.created > 0 ? 201 : 200, audited });
  } catch (error) {
    if (!(error instanceof Problem) || error.kind === 'internal') throw error;
    const problem = error as Problem;
    const audited = await deps.audit.recordNow([feedEvent(exchange, problem.code, bundle)]);
    // The door's own mapper; its shape is that of the resource.
    const outcome = operationOutcome(problem, exchange.actor.origin.requestId) as unknown as OperationOutcome;
    const code = problem.kind === 'unavailable' ? 'transient-error' : 'fatal-error';
    const answer = responseBundle(exchange, header, { code, outcome, resources: [] });
    return resourceReply(answer, exchange, { status: problemStatus(problem), audited });
  }
}

function feedEvent({ actor }: Exchange, result: string, bundle: Bundle) {
  const entries = String(Array.isArray(bundle.entry) ? bundle.entry.length : 0);
  const common = {
    actor,
    event: 'client.feed',
    action: 'E',
    interaction: '$process-message',
    detail: { entries },
  } as const;
  return result === 'success'
    ? ({ ...common, outcome: 'success' } as const)
    : ({ ...common, outcome: 'minor-failure', reason: result } as const);
}

function responseBundle(
  { base }: Exchange,
  request: MessageHeader,
  what: {
    readonly code: 'ok' | 'fatal-error' | 'transient-error';
    readonly outcome: OperationOutcome;
    readonly resources: readonly Resource[];
  },
): Bundle {
  const headerId = newId();
  const outcomeId = newId();
  const header: MessageHeader = {
    resourceType: 'MessageHeader',
    id: headerId,
    eventUri: PATIENT_FEED_RESPONSE,
    destination: [{ endpoint: request.source?.endpoint ?? base }],
    source: { name: 'Careseal', endpoint: base },
    response: {
      identifier: request.id ?? headerId,
      code: what.code,
      details: { reference: `urn:uuid:${outcomeId}` },
    },
  };
  return {
    resourceType: 'Bundle',
    type: 'message',
    entry: [
      { fullUrl: `urn:uuid:${headerId}`, resource: header },
      { fullUrl: `urn:uuid:${outcomeId}`, resource: { ...what.outcome, id: outcomeId } },
      ...what.resources.map((resource) => ({ fullUrl: `${base}/Patient/${resource.id ?? ''}`, resource })),
    ],
  };
}

/** All of the message, or nothing of it. */
async function process(deps: FhirDeps, exchange: Exchange, message: FeedMessage): Promise<Done> {
  const { steps, related } = await planOf(deps, exchange, message);
  const parts = inParts(steps);
  const result = await deps.registry.applyTogether(exchange.actor, {
    steps: parts.map(together),
    ...(related.length === 0 ? {} : { alongside: (tx) => deps.registry.related.write(tx, related) }),
  });
  if (result.status === 'refused') {
    const step = parts[result.step]?.[result.submission];
    if (step === undefined) throw result.problem;
    throw atEntry(step.kind === 'write' ? refusalOf(step.submission, result.problem) : result.problem, step.index);
  }
  const written = new Set<ResourceId>();
  let created = 0;
  for (const [at, part] of parts.entries()) {
    for (const step of part) if (step.kind === 'merge') written.add(step.merge.obsolete);
    for (const outcome of result.outcomes[at] ?? []) {
      if (outcome.status === 'created') created += 1;
      if (outcome.status === 'deleted') written.delete(outcome.id);
      else if (outcome.status !== 'refused') written.add(outcome.id);
    }
  }
  return { created, written: [...written] };
}

function together(part: readonly Step[]): TogetherStep {
  const [first] = part;
  if (first?.kind === 'merge') return first;
  return { kind: 'writes', submissions: part.flatMap((step) => (step.kind === 'write' ? [step.submission] : [])) };
}

/** Runs of changes, each record once, and merges by themselves. */
function inParts(steps: readonly Step[]): Step[][] {
  const parts: Step[][] = [];
  const touched = new Set<string>();
  for (const step of steps) {
    const last = parts.at(-1);
    const id = step.kind === 'write' && 'id' in step.submission ? step.submission.id : undefined;
    const again = id !== undefined && touched.has(id);
    if (step.kind === 'write' && last?.[0]?.kind === 'write' && !again) last.push(step);
    else {
      touched.clear();
      parts.push([step]);
    }
    if (id !== undefined) touched.add(id);
  }
  return parts;
}
