/** PMIR ITI-93: a feed message becomes submissions and merges, and is answered by a message. */
import type {
  Bundle,
  MessageHeader,
  OperationOutcome,
  Patient,
  Reference,
  RelatedPerson,
  Resource,
} from '@medplum/fhirtypes';
import { newId } from '../../crypto/index.ts';
import { MOTHERS_MAIDEN_NAME, parseForm, parseStoredJson } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import { mayUse } from '../../kernel/principal.ts';
import { Problem, scopeMissing } from '../../kernel/problem.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { operationOutcome, problemStatus, type RouteReply } from '../../platform/http/index.ts';
import { kindOf, patientOf } from './content.ts';
import { describedTargets, type Targets, withMothersMaidenName, withTargets } from './feed-references.ts';
import { type Exchange, type FhirDeps, informationOutcome, resourceReply } from './fhir-exchange.ts';
import { assertIdentified, incoming, leadsNowhere, referenceUnknown } from './fhir-identities.ts';
import { survivorOf } from './fhir-merge.ts';
import {
  type FeedEntry,
  type FeedMessage,
  headerOf,
  parseFeed,
  PATIENT_FEED_RESPONSE,
  placed,
} from './fhir-message-request.ts';
import { readCurrent } from './fhir-reads.ts';
import { conditionalDelete, deleteSubmission, domainOf } from './fhir-submissions.ts';
import { refusalOf } from './fhir-writes.ts';
import type { SourceMerge, Submission, SubmissionOutcome, ValidPatient } from './model.ts';
import type { RelatedWrite } from './service.ts';
import { ownIdentifier } from './own-key.ts';
import { isReplaced } from './replacement.ts';
import { foreignIdentifier } from './work.ts';

type Step =
  | { readonly kind: 'write'; readonly index: number; readonly submission: Submission }
  | { readonly kind: 'merge'; readonly index: number; readonly merge: SourceMerge };

interface Done {
  readonly audited: AuditReceipt | undefined;
  readonly created: number;
  /** Ids of the records that the message wrote, in its order. */
  readonly written: readonly ResourceId[];
}

/**
 * Processes a message. Changes between two merges stand or fall together; a refusal ends the message, and the answer says at which
 * entry. `asCreate`: the message was posted as a resource (`POST /fhir/Bundle`), so that what it made is answered by 201.
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

async function process(deps: FhirDeps, exchange: Exchange, message: FeedMessage): Promise<Done> {
  const plan = await planOf(deps, exchange, message);
  const written: ResourceId[] = [];
  let audited: AuditReceipt | undefined;
  let created = 0;
  let related = plan.related;
  for (const part of inParts(plan.steps)) {
    const [first] = part;
    if (first?.kind === 'merge') {
      const merged = await attempt(first.index, () => deps.registry.replace(exchange.actor, first.merge));
      audited = merged.audited;
      written.push(first.merge.obsolete);
      continue;
    }
    const writes = part.filter((step) => step.kind === 'write');
    const mine = related;
    related = [];
    const result = await deps.registry.submit(
      exchange.actor,
      writes.map(({ submission }) => submission),
      { atomic: true, ...(mine.length === 0 ? {} : { alongside: (tx) => deps.registry.related.write(tx, mine) }) },
    );
    throwRefused(writes, result.outcomes);
    audited = result.audited ?? audited;
    for (const outcome of result.outcomes) {
      if (outcome.status === 'created') created += 1;
      if (outcome.status !== 'refused' && outcome.status !== 'deleted') written.push(outcome.id);
    }
  }
  return { audited, created, written };
}

function throwRefused(
  writes: readonly Extract<Step, { kind: 'write' }>[],
  outcomes: readonly SubmissionOutcome[],
): void {
  // The entry that caused it is told, not those that fell with it.
  const cause = outcomes.findIndex((outcome) => outcome.status === 'refused' && outcome.problem.code !== 'busy');
  const refused = outcomes[cause];
  const step = writes[cause];
  if (refused?.status === 'refused' && step) throw atEntry(refusalOf(step.submission, refused.problem), step.index);
}

/** Runs of changes, and merges by themselves. */
function inParts(steps: readonly Step[]): Step[][] {
  const parts: Step[][] = [];
  for (const step of steps) {
    const last = parts.at(-1);
    if (step.kind === 'write' && last?.[0]?.kind === 'write') last.push(step);
    else parts.push([step]);
  }
  return parts;
}

interface Plan {
  readonly steps: readonly Step[];
  readonly related: readonly RelatedWrite[];
}

/** Which record each entry means, known before anything is written, since the entries refer to each other. */
async function planOf(deps: FhirDeps, exchange: Exchange, { entries }: FeedMessage): Promise<Plan> {
  const targets: Map<string, Reference> = describedTargets(entries);
  const meant = new Map<number, Meant>();
  for (const entry of entries) {
    if (entry.resource?.resourceType !== 'Patient') continue;
    const found = await attempt(entry.index, () => meantBy(deps, exchange, entry, entry.resource as ValidPatient));
    meant.set(entry.index, found);
    for (const name of entry.names) targets.set(name, { reference: `Patient/${found.id}` });
  }
  const relatives = await relativesOf(deps, entries, targets);
  const steps: Step[] = [];
  for (const entry of entries) {
    const step = await attempt(entry.index, () => stepOf(deps, exchange, { entry, entries, targets, meant }));
    if (step) steps.push(step);
  }
  const related: RelatedWrite[] = [];
  for (const { entry, sourceId, person } of relatives) {
    related.push({ sourceId, person: await attempt(entry.index, async () => resolved(person, targets)) });
  }
  return { steps, related };
}

interface Meant {
  readonly id: ResourceId;
  readonly patient: ValidPatient;
  /** It is here already: a change, whatever the method says; feeds are sent again. */
  readonly known: boolean;
}

async function meantBy(
  deps: FhirDeps,
  { actor, base }: Exchange,
  entry: FeedEntry,
  sent: ValidPatient,
): Promise<Meant> {
  assertIdentified(sent);
  const patient = await incoming(deps, actor, sent);
  const byUrl = parseId<ResourceId>(/^(?:.*\/)?Patient\/([^/?]+)$/.exec(entry.url.replace(`${base}/`, ''))?.[1] ?? '');
  const stored = byUrl === undefined ? undefined : await deps.registry.read(byUrl);
  if (byUrl !== undefined && stored?.content && kindOf(patientOf(stored.content)) === 'source')
    return { id: byUrl, patient, known: true };
  const domain = await domainOf(deps, actor, patient);
  const key = ownIdentifier(patient, domain.system);
  const id = key === undefined ? undefined : await deps.registry.findByKey(domain.system, key);
  return { id: id ?? newId<ResourceId>(), patient, known: id !== undefined };
}

interface Planning {
  readonly entry: FeedEntry;
  readonly entries: readonly FeedEntry[];
  readonly targets: Targets;
  readonly meant: ReadonlyMap<number, Meant>;
}

async function stepOf(deps: FhirDeps, exchange: Exchange, planning: Planning): Promise<Step | undefined> {
  const { entry, entries, targets } = planning;
  const { index, method, url } = entry;
  const { actor } = exchange;
  if (method === 'DELETE') {
    if (!actor.principal.permissions.has('client.delete'))
      throw new Problem('forbidden', 'access-denied', 'You may not do this.', { fhirCode: 'forbidden' });
    const query = /^Patient\?(.*)$/s.exec(url)?.[1];
    const submission =
      query === undefined
        ? deleteSubmission(url.slice('Patient/'.length), undefined)
        : await conditionalDelete(deps, actor, parseForm(query));
    return { kind: 'write', index, submission };
  }
  const meant = planning.meant.get(index);
  if (!meant) return undefined;
  const maiden = withMothersMaidenName(entry.resource as Patient, entries);
  const named: ValidPatient =
    maiden === undefined
      ? meant.patient
      : {
          ...meant.patient,
          extension: [...(meant.patient.extension ?? []), { url: MOTHERS_MAIDEN_NAME, valueString: maiden }],
        };
  if (isReplaced(named)) {
    if (!meant.known) throw foreignIdentifier(actor.principal, named, await deps.domains.table()) ?? unknownObsolete();
    const survivor = await survivorOf(deps, exchange, withTargets(named, targets).resource);
    return { kind: 'merge', index, merge: { obsolete: meant.id, survivor, patient: named } };
  }
  const patient = resolved(named, targets);
  const submission: Submission = meant.known
    ? { kind: 'update', id: meant.id, patient: { ...patient, id: meant.id } }
    : { kind: 'create', id: meant.id, domain: await domainOf(deps, actor, patient), patient };
  return { kind: 'write', index, submission };
}

function resolved<T extends ValidPatient | RelatedPerson>(resource: T, targets: Targets): T {
  const { resource: known, open } = withTargets(resource, targets);
  if (open.some(leadsNowhere)) throw referenceUnknown();
  return known;
}

interface Relative {
  readonly entry: FeedEntry;
  readonly sourceId: ResourceId;
  readonly person: RelatedPerson & { readonly id: ResourceId };
}

async function relativesOf(
  deps: FhirDeps,
  entries: readonly FeedEntry[],
  targets: Map<string, Reference>,
): Promise<Relative[]> {
  const relatives: Relative[] = [];
  for (const entry of entries) {
    if (entry.resource?.resourceType !== 'RelatedPerson' || entry.method === 'DELETE') continue;
    const person = entry.resource;
    const patient = targets.get(person.patient?.reference ?? '')?.reference;
    const sourceId = patient === undefined ? undefined : parseId<ResourceId>(patient.replace(/^Patient\//, ''));
    // Whose relative it is must be told in the same message: that is what its sender is asked to own.
    if (sourceId === undefined) throw atEntry(referenceUnknown(), entry.index);
    const id = await deps.registry.related.idFor(sourceId, person);
    for (const name of entry.names) targets.set(name, { reference: `RelatedPerson/${id}` });
    relatives.push({ entry, sourceId, person: { ...person, id } });
  }
  return relatives;
}

const PLACE = 'Bundle.entry[1].resource.entry';
const atEntry = (problem: Problem, index: number): Problem => placed(problem, `${PLACE}[${index}].resource`);

async function attempt<T>(index: number, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Problem) || error.kind === 'unavailable' || error.kind === 'internal') throw error;
    throw atEntry(error as Problem, index);
  }
}

const unknownObsolete = (): Problem =>
  new Problem('not-found', 'client-not-found', 'The record that is said to be replaced is not known here.', {
    fhirCode: 'not-found',
  });
