/** What the entries of a feed message (PMIR ITI-93) ask for, worked out before anything is written, since they refer to each other. */
import type { Identifier, Patient, Reference, RelatedPerson } from '@medplum/fhirtypes';
import { newId } from '../../crypto/index.ts';
import { MOTHERS_MAIDEN_NAME, parseForm } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import { Problem } from '../../kernel/problem.ts';
import { kindOf, patientOf } from './content.ts';
import { describedTargets, type Targets, withMothersMaidenName, withTargets } from './feed-references.ts';
import type { Exchange, FhirDeps } from './fhir-exchange.ts';
import { assertIdentified, incoming, leadsNowhere, referenceUnknown } from './fhir-identities.ts';
import { recordMeant, successorTold } from './fhir-merge.ts';
import { type FeedEntry, type FeedMessage, placed } from './fhir-message-request.ts';
import { conditionalDelete, deleteSubmission, domainOf } from './fhir-submissions.ts';
import type { SourceMerge, Submission, ValidPatient } from './model.ts';
import { ownIdentifier } from './own-key.ts';
import { isReplaced } from './replacement.ts';
import type { RelatedWrite } from './service.ts';
import { foreignIdentifier } from './work.ts';

export type Step =
  | { readonly kind: 'write'; readonly index: number; readonly submission: Submission }
  | { readonly kind: 'merge'; readonly index: number; readonly merge: SourceMerge };

export interface Plan {
  readonly steps: readonly Step[];
  readonly related: readonly RelatedWrite[];
}

/** Which record each entry means, known before anything is written, since the entries refer to each other. */
export async function planOf(deps: FhirDeps, exchange: Exchange, { entries }: FeedMessage): Promise<Plan> {
  const targets: Map<string, Reference> = describedTargets(entries);
  const meant = new Map<number, Meant>();
  const byKey = new Map<string, ResourceId>();
  for (const entry of entries) {
    if (entry.resource?.resourceType !== 'Patient') continue;
    const sent = entry.resource as ValidPatient;
    const found = await attempt(entry.index, () => meantBy(deps, exchange, { entry, sent, byKey }));
    meant.set(entry.index, found);
    if (found.key !== undefined) byKey.set(found.key, found.id);
    for (const name of entry.names) targets.set(name, { reference: `Patient/${found.id}` });
  }
  const relatives = await relativesOf(deps, entries, targets);
  const steps: Step[] = [];
  for (const entry of entries) {
    const step = await attempt(entry.index, () => stepOf(deps, exchange, { entry, entries, targets, meant, byKey }));
    if (step) steps.push(step);
  }
  const related: RelatedWrite[] = [];
  for (const { entry, sourceId, person } of relatives) {
    related.push({ sourceId, person: await attempt(entry.index, async () => resolved(person, targets)) });
  }
  return { steps, related };
}

const keyOf = ({ system = '', value = '' }: Identifier): string => `${system}|${value}`;

interface Meant {
  readonly id: ResourceId;
  readonly patient: ValidPatient;
  /** It is here already: a change, whatever the method says; feeds are sent again. */
  readonly known: boolean;
  /** `system|value` of what names it, where it was found by that. */
  readonly key?: string;
}

async function meantBy(
  deps: FhirDeps,
  { actor, base }: Exchange,
  what: { readonly entry: FeedEntry; readonly sent: ValidPatient; readonly byKey: ReadonlyMap<string, ResourceId> },
): Promise<Meant> {
  const { entry, sent, byKey } = what;
  assertIdentified(sent);
  const patient = await incoming(deps, actor, sent);
  const byUrl = parseId<ResourceId>(/^(?:.*\/)?Patient\/([^/?]+)$/.exec(entry.url.replace(`${base}/`, ''))?.[1] ?? '');
  const stored = byUrl === undefined ? undefined : await deps.registry.read(byUrl);
  if (byUrl !== undefined && stored?.content && kindOf(patientOf(stored.content)) === 'source')
    return { id: byUrl, patient, known: true };
  const domain = await domainOf(deps, actor, patient);
  const value = ownIdentifier(patient, domain.system);
  if (value === undefined) return { id: newId<ResourceId>(), patient, known: false };
  const key = keyOf({ system: domain.system, value });
  // An earlier entry of the same message may have told of it first.
  const id = byKey.get(key) ?? (await deps.registry.findByKey(domain.system, value));
  return { id: id ?? newId<ResourceId>(), patient, known: id !== undefined, key };
}

interface Planning {
  readonly entry: FeedEntry;
  readonly entries: readonly FeedEntry[];
  readonly targets: Targets;
  readonly meant: ReadonlyMap<number, Meant>;
  /** By `system|value`: the records that the message tells of. */
  readonly byKey: ReadonlyMap<string, ResourceId>;
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
    const other = successorTold(withTargets(named, targets).resource);
    const survivor = toldOf(other, planning) ?? (await recordMeant(deps, exchange, other));
    return { kind: 'merge', index, merge: { obsolete: meant.id, survivor, patient: named } };
  }
  const patient = resolved(named, targets);
  const submission: Submission = meant.known
    ? { kind: 'update', id: meant.id, patient: { ...patient, id: meant.id } }
    : { kind: 'create', id: meant.id, domain: await domainOf(deps, actor, patient), patient };
  return { kind: 'write', index, submission };
}

/** The survivor may be new in the same message: not in the registry yet, but known by the time of the merge. */
function toldOf({ reference, identifier }: Reference, { meant, byKey }: Planning): ResourceId | undefined {
  if (identifier) return byKey.get(keyOf(identifier));
  const id = parseId<ResourceId>(/^Patient\/([^/]+)/.exec(reference ?? '')?.[1] ?? '');
  return [...meant.values()].find((one) => one.id === id)?.id;
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
export const atEntry = (problem: Problem, index: number): Problem => placed(problem, `${PLACE}[${index}].resource`);

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
