/**
 * The calls that clients of OpenCR make, behind the setting openCrCalls and for systems only: a Patient that is here already is
 * revised by whatever call it comes, a PUT may name an id of the client's own making, and `POST /fhir` takes Bundles without
 * requests. Answers carry `Location` and `LocationCRUID` as OpenCR's do. What may be written is judged as ever.
 */
import type { Bundle, Patient } from '@medplum/fhirtypes';
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { RouteReply } from '../../platform/http/route.ts';
import { operationOutcome, problemStatus } from '../../platform/http/index.ts';
import { parseId, type ResourceId } from '../../kernel/ids.ts';
import { assertRegistrable } from './fhir-bounds.ts';
import type { Exchange, FhirDeps } from './fhir-exchange.ts';
import { incoming } from './fhir-identities.ts';
import { domainOf } from './fhir-submissions.ts';
import type { Submission, SubmissionOutcome, ValidPatient } from './model.ts';
import { ownIdentifier } from './own-key.ts';
import { clientNotFound } from './problems.ts';

const ENTRIES_MAX = 1_000;

export function speaksOpenCr(deps: Pick<FhirDeps, 'openCrCalls'>, { principal }: Actor): boolean {
  return deps.openCrCalls === true && principal.kind === 'node';
}

/** Created, or revised where a record with this identifier is here; by its id where that is one of ours. */
export async function openCrSubmission(
  deps: FhirDeps,
  actor: Actor,
  sent: ValidPatient,
  id?: string,
): Promise<Submission> {
  const patient = await incoming(deps, actor, sent);
  const known = id === undefined ? undefined : await sourceWith(deps, id);
  if (known !== undefined) return { kind: 'update', id: known, patient: { ...patient, id: known } };
  const domain = await domainOf(deps, actor, patient);
  const key = ownIdentifier(patient, domain.system);
  if (key !== undefined) return { kind: 'upsert', domain, key, patient };
  if (id !== undefined) throw clientNotFound();
  return { kind: 'create', domain, patient };
}

async function sourceWith(deps: FhirDeps, text: string): Promise<ResourceId | undefined> {
  const id = parseId<ResourceId>(text);
  if (id === undefined) return undefined;
  return (await deps.registry.goldenOf([id])).has(id) ? id : undefined;
}

/** A Bundle in which nothing says what to do: OpenCR takes its Patients as they come. */
export function isOpenCrBundle(body: unknown): body is Bundle {
  if (typeof body !== 'object' || body === null || (body as Bundle).resourceType !== 'Bundle') return false;
  const { entry } = body as Bundle;
  return Array.isArray(entry) && entry.length > 0 && entry.every((one) => one?.request === undefined);
}

/** Each Patient by itself, as in a batch; the answer is OpenCR's: a list of entries. */
export async function answerOpenCrBundle(
  deps: FhirDeps,
  exchange: Exchange,
  bundle: Bundle,
): Promise<RouteReply<never>> {
  const { actor, base } = exchange;
  const entries = bundle.entry ?? [];
  if (entries.length > ENTRIES_MAX)
    throw new Problem('too-large', 'fhir-too-large', `A Bundle has at most ${ENTRIES_MAX} entries.`, {
      fhirCode: 'too-costly',
    });
  const ready: { readonly index: number; readonly submission: Submission }[] = [];
  const answers = new Map<number, object>();
  for (const [index, { resource }] of entries.entries()) {
    try {
      const patient: unknown = resource;
      assertRegistrable(patient);
      ready.push({ index, submission: await openCrSubmission(deps, actor, patient, (resource as Patient).id) });
    } catch (error) {
      if (!(error instanceof Problem) || error.kind === 'unavailable' || error.kind === 'internal') throw error;
      answers.set(index, refusedEntry(error as Problem, exchange));
    }
  }
  if (ready.length === 0)
    throw new Problem('invalid', 'fhir-bundle', 'No Patient of this Bundle could be taken.', {
      fhirCode: 'processing',
    });
  const { outcomes, audited } = await deps.registry.submit(
    actor,
    ready.map(({ submission }) => submission),
    { auditAll: true },
  );
  const written: Exclude<SubmissionOutcome, { status: 'refused' }>[] = [];
  outcomes.forEach((outcome, position) => {
    const index = ready[position]?.index ?? 0;
    if (outcome.status === 'refused') return void answers.set(index, refusedEntry(outcome.problem, exchange));
    written.push(outcome);
    const status = outcome.status === 'created' ? '201 Created' : '200 OK';
    const location = `${base}/Patient/${outcome.id}/_history/${outcome.version}`;
    answers.set(index, { response: { status, location, etag: String(outcome.version) } });
  });
  if (!audited) throw new Error('A Bundle was processed without its audit events.');
  const list = entries.map((_entry, index) => answers.get(index) ?? {});
  return {
    status: 200,
    body: new TextEncoder().encode(JSON.stringify(list)),
    contentType: 'application/json; charset=utf-8',
    headers: {
      location: JSON.stringify(written.map(({ id }) => `Patient/${id}`)),
      locationcruid: JSON.stringify([...new Set(written.map(({ goldenId }) => `Patient/${goldenId}`))]),
    },
    audited,
  };
}

function refusedEntry(problem: Problem, { actor }: Exchange): object {
  return {
    response: { status: String(problemStatus(problem)), outcome: operationOutcome(problem, actor.origin.requestId) },
  };
}
