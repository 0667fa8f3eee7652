/** Batch and transaction Bundles at `POST /fhir`. Writes are one submission to the registry; a transaction's stand or fall together. */
import {
  type AnswerEntry,
  type BundleRequest,
  type EntryAct,
  etag,
  type FormPairs,
  printBundle,
  transactionOrder,
} from '../../fhir/index.ts';
import type { NodeScope, Permission } from '../../kernel/access.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { mayUse } from '../../kernel/principal.ts';
import { Problem, scopeMissing } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import { operationOutcome, problemStatus, type RouteReply } from '../../platform/http/index.ts';
import type { AuditInput } from '../audit/index.ts';
import { assertRegistrable } from './fhir-bounds.ts';
import { type ResolvedBundle, resolveReferences } from './fhir-bundle-references.ts';
import { bundleReply, type Exchange, type FhirDeps } from './fhir-exchange.ts';
import { type LiveResource, readCurrent, readEvent, readVersion } from './fhir-reads.ts';
import { assertSearchable, search } from './fhir-search.ts';
import {
  conditionalDelete,
  conditionalUpdate,
  createSubmission,
  deleteSubmission,
  updateSubmission,
} from './fhir-submissions.ts';
import { refusalOf, writtenEntry } from './fhir-writes.ts';
import type { Submission, ValidPatient } from './model.ts';

type ReadAct = Extract<EntryAct, { kind: 'read' | 'vread' | 'search' }>;
type WriteAct = Exclude<EntryAct, ReadAct>;

const NEEDED: Readonly<Record<EntryAct['kind'], readonly [Permission, NodeScope]>> = {
  create: ['client.write', 'feed'],
  update: ['client.write', 'feed'],
  'conditional-update': ['client.write', 'feed'],
  delete: ['client.delete', 'feed'],
  'conditional-delete': ['client.delete', 'feed'],
  read: ['client.read', 'read'],
  vread: ['client.read', 'read'],
  search: ['client.read', 'search'],
};

/** One bundle under way: answers by entry, and what has to be recorded before they leave. */
interface Work {
  readonly deps: FhirDeps;
  readonly exchange: Exchange;
  readonly bundle: BundleRequest;
  readonly answers: Map<number, AnswerEntry>;
  readonly events: AuditInput[];
  /** Searches so far, and the bytes of their answers. */
  searches: number;
  bytes: number;
  /** A transaction's changes are committed: what fails now fails by itself, or the sender would take all of it for undone. */
  committed: boolean;
}

export async function answerBundle(
  deps: FhirDeps,
  exchange: Exchange,
  bundle: BundleRequest,
): Promise<RouteReply<never>> {
  const work: Work = {
    deps,
    exchange,
    bundle,
    answers: new Map(),
    events: [],
    searches: 0,
    bytes: 0,
    committed: false,
  };
  const isTransaction = bundle.type === 'transaction';
  const resolved = isTransaction ? await resolveReferences({ ...deps, actor: exchange.actor }, bundle) : undefined;
  const acts = actsOf(work, resolved);
  if (isTransaction) assertDistinct(acts);
  const writes = await submissionsOf(work, acts, resolved);
  if (isTransaction) await assertReadable(work, acts);
  await submitAll(work, writes);
  work.committed = true;
  for (const [index, act] of acts) if (isRead(act)) await attempt(work, index, () => answerRead(work, act));
  const audited = await deps.audit.recordNow([...work.events, bundleEvent(work)]);
  const entries = bundle.entries.map(({ index }) => work.answers.get(index) ?? {});
  return bundleReply({ type: isTransaction ? 'transaction-response' : 'batch-response', entries }, exchange, {
    audited,
  });
}

const isRead = (act: EntryAct): act is ReadAct => act.kind === 'read' || act.kind === 'vread' || act.kind === 'search';

/** Entries that may be carried out, in the order that R4 lays down. Others have their answer already. */
function actsOf(work: Work, resolved: ResolvedBundle | undefined): Map<number, EntryAct> {
  const wanted: { index: number; act: EntryAct }[] = [];
  for (const entry of work.bundle.entries) {
    if ('problem' in entry) {
      refuseEntry(work, entry.index, entry.problem);
      continue;
    }
    const act = resolved?.acts.get(entry.index) ?? entry.act;
    const [permission, scope] = NEEDED[act.kind];
    const { principal } = work.exchange.actor;
    if (principal.permissions.has(permission) && mayUse(principal, scope)) wanted.push({ index: entry.index, act });
    else {
      work.events.push(refusedEvent(work));
      refuseEntry(work, entry.index, mayUse(principal, scope) ? notAllowed() : scopeMissing(scope));
    }
  }
  const byIndex = new Map(wanted.map(({ index, act }) => [index, act]));
  const ordered = transactionOrder(wanted).flatMap((index) => {
    const act = byIndex.get(index);
    return act ? [[index, act] as const] : [];
  });
  return new Map(ordered);
}

/** Answers an entry with its problem, or fails the whole transaction with it. */
function refuseEntry(work: Work, index: number, problem: Problem): void {
  if (work.bundle.type === 'transaction' && !work.committed) throw atEntry(problem, index);
  work.answers.set(index, {
    response: {
      status: String(problemStatus(problem)),
      // The door's own mapper; its shape is that of the resource.
      outcome: operationOutcome(problem, work.exchange.actor.origin.requestId) as NonNullable<
        AnswerEntry['response']
      >['outcome'] &
        object,
    },
  });
}

function atEntry(problem: Problem, index: number): Problem {
  const place = `Bundle.entry[${index}]`;
  const expression = problem.options.expression?.map((path) =>
    path.startsWith('Bundle') ? path : path.replace(/^\w+/, `${place}.resource`),
  );
  return new Problem(problem.kind, problem.code, problem.publicDetail, {
    ...problem.options,
    expression: expression ?? [place],
  });
}

/** Carries one entry out; what it throws is its own answer in a batch, and the end of a transaction. */
async function attempt(work: Work, index: number, act: () => Promise<AnswerEntry | undefined>): Promise<void> {
  try {
    const answer = await act();
    if (answer) work.answers.set(index, answer);
  } catch (error) {
    if (!(error instanceof Problem) || error.kind === 'unavailable' || error.kind === 'internal') throw error;
    refuseEntry(work, index, error as Problem);
  }
}

/** R4: within a transaction one record is touched by one entry. */
function assertDistinct(acts: ReadonlyMap<number, EntryAct>): void {
  const seen = new Set<string>();
  for (const [index, act] of acts) {
    if (act.kind !== 'update' && act.kind !== 'delete') continue;
    if (seen.has(act.id)) throw atEntry(twice(), index);
    seen.add(act.id);
  }
}

async function submissionsOf(
  work: Work,
  acts: ReadonlyMap<number, EntryAct>,
  resolved: ResolvedBundle | undefined,
): Promise<Map<number, Submission>> {
  const submissions = new Map<number, Submission>();
  for (const [index, act] of acts) {
    if (isRead(act)) continue;
    await attempt(work, index, async () => {
      submissions.set(index, await submissionOf(work, act, resolved?.ids.get(index)));
      return undefined;
    });
  }
  return submissions;
}

async function submissionOf({ deps, exchange }: Work, act: WriteAct, id: ResourceId | undefined): Promise<Submission> {
  const { actor } = exchange;
  switch (act.kind) {
    case 'create': {
      const patient = patientIn(act.resource);
      return createSubmission(deps, actor, {
        patient,
        ifNoneExist: act.ifNoneExist,
        ...(id === undefined ? {} : { id }),
      });
    }
    case 'update':
      return updateSubmission(deps, actor, { id: act.id, patient: patientIn(act.resource), ifMatch: act.ifMatch });
    case 'conditional-update':
      return conditionalUpdate(deps, actor, {
        patient: patientIn(act.resource),
        query: act.query,
        ifMatch: act.ifMatch,
      });
    case 'delete':
      return deleteSubmission(act.id, act.ifMatch);
    case 'conditional-delete':
      return conditionalDelete(deps, actor, act.query);
  }
}

function patientIn(resource: unknown): ValidPatient {
  assertRegistrable(resource);
  return resource;
}

/** A transaction that reads what is not there, or asks what is not understood, fails before it writes. */
async function assertReadable({ deps, exchange }: Work, acts: ReadonlyMap<number, EntryAct>): Promise<void> {
  let searches = 0;
  for (const [index, act] of acts) {
    if (!isRead(act)) continue;
    try {
      if (act.kind === 'search') {
        searches += 1;
        if (searches > SEARCHES_MAX) throw tooMuch();
        await assertSearchable(deps, exchange, act.query);
      } else await readOf(deps, act);
    } catch (error) {
      throw error instanceof Problem ? atEntry(error as Problem, index) : error;
    }
  }
}

function readOf(deps: FhirDeps, act: Extract<ReadAct, { kind: 'read' | 'vread' }>): Promise<LiveResource> {
  return act.kind === 'read' ? readCurrent(deps, act.id) : readVersion(deps, act.id, act.version);
}

async function submitAll(work: Work, submissions: ReadonlyMap<number, Submission>): Promise<void> {
  if (submissions.size === 0) return;
  const { deps, exchange, bundle } = work;
  const atomic = bundle.type === 'transaction';
  const list = [...submissions];
  const { outcomes } = await deps.registry.submit(
    exchange.actor,
    list.map(([, submission]) => submission),
    atomic ? { atomic } : { auditAll: true },
  );
  // In a refused transaction the entry that caused it is told, not those that fell with it.
  const cause = outcomes.findIndex((outcome) => outcome.status === 'refused' && outcome.problem.code !== 'busy');
  const causing = list[cause];
  const refused = outcomes[cause];
  if (atomic && causing && refused?.status === 'refused') {
    throw atEntry(refusalOf(causing[1], refused.problem), causing[0]);
  }
  list.forEach(([index, submission], position) => {
    const outcome = outcomes[position];
    if (!outcome) throw new Error('The registry left a submission unanswered.');
    if (outcome.status === 'refused') refuseEntry(work, index, refusalOf(submission, outcome.problem));
    else work.answers.set(index, writtenEntry(exchange.base, outcome, exchange.preferences));
  });
}

/** A bundle of a thousand broad searches would hold up everybody else. */
const SEARCHES_MAX = 50;
const SEARCH_BYTES_MAX = 20_000_000;

async function answerRead(work: Work, act: ReadAct): Promise<AnswerEntry> {
  const { deps, exchange } = work;
  if (act.kind === 'search') return answerSearch(work, act.query);
  const stored = await readOf(deps, act);
  work.events.push(readEvent(exchange.actor, act.kind === 'read' ? 'client.read' : 'client.vread', act.id));
  const version = { etag: etag(stored.version), lastModified: instant(stored.lastUpdatedMs) };
  const fullUrl = `${exchange.base}/Patient/${act.id}`;
  if (act.kind === 'read' && act.ifNoneMatch === etag(stored.version))
    return { fullUrl, response: { status: '304', ...version } };
  return { fullUrl, resource: { stored: stored.content }, response: { status: '200', ...version } };
}

async function answerSearch(work: Work, query: FormPairs): Promise<AnswerEntry> {
  work.searches += 1;
  if (work.searches > SEARCHES_MAX) throw tooMuch();
  const { answer, audits } = await search(work.deps, work.exchange, query);
  const stored = printBundle(answer, { format: 'json', pretty: false });
  work.bytes += stored.byteLength;
  if (work.bytes > SEARCH_BYTES_MAX) throw tooMuch();
  work.events.push(...audits);
  return { resource: { stored }, response: { status: '200' } };
}

function refusedEvent({ exchange }: Work): AuditInput {
  return {
    actor: exchange.actor,
    event: 'access.refused',
    action: 'E',
    outcome: 'minor-failure',
    reason: 'access-denied',
  };
}

function bundleEvent({ exchange, bundle }: Work): AuditInput {
  const isTransaction = bundle.type === 'transaction';
  return {
    actor: exchange.actor,
    event: isTransaction ? 'client.transaction' : 'client.bundle',
    action: 'E',
    outcome: 'success',
    interaction: bundle.type,
    detail: { entries: String(bundle.entries.length) },
  };
}

const notAllowed = (): Problem =>
  new Problem('forbidden', 'access-denied', 'You may not do this.', { fhirCode: 'forbidden' });
const tooMuch = (): Problem =>
  new Problem(
    'too-large',
    'fhir-too-large',
    'The searches of this bundle are too many, or find too much. Send them in several bundles.',
    {
      fhirCode: 'too-costly',
    },
  );
const twice = (): Problem =>
  new Problem('invalid', 'fhir-bundle', 'Another entry of this transaction changes the same record.', {
    fhirCode: 'value',
  });
