/** Merges as senders tell them: ITI-104's PUT with a `replaced-by` link; and which record a merge means. */
import type { Identifier, PatientLink, Reference } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { RouteReply } from '../../platform/http/route.ts';
import { kindOf, patientOf } from './content.ts';
import { type Exchange, type FhirDeps, storedReply, versionHeaders } from './fhir-exchange.ts';
import { aliasesOf, incoming } from './fhir-identities.ts';
import { readCurrent } from './fhir-reads.ts';
import type { ValidPatient } from './model.ts';
import { clientNotFound, notOwnRecord } from './problems.ts';
import { replacementLink } from './replacement.ts';
import { isInReach, ownsDomain } from './work.ts';

/** A PUT that says a record was replaced: the merge, answered like the update it also is. */
export async function answerReplacement(
  deps: FhirDeps,
  exchange: Exchange,
  what: { readonly obsolete: ResourceId; readonly patient: ValidPatient },
): Promise<RouteReply<never>> {
  const patient = await incoming(deps, exchange.actor, what.patient);
  const survivor = await survivorOf(deps, exchange, patient);
  const { audited } = await deps.registry.replace(exchange.actor, { obsolete: what.obsolete, survivor, patient });
  const stored = await readCurrent(deps, what.obsolete);
  const goldenId = (await deps.registry.goldenOf([what.obsolete])).get(what.obsolete);
  const headers = {
    ...versionHeaders(stored),
    location: `${exchange.base}/Patient/${stored.id}/_history/${stored.version}`,
    ...(goldenId === undefined ? {} : { locationcruid: `Patient/${goldenId}` }),
  };
  if (exchange.preferences.return === 'minimal') return { status: 200, headers, audited };
  return storedReply(stored.content, exchange, { headers, audited });
}

/** Which record a merge leaves. Throws Problem where the record does not say it as IHE wants it said. */
export async function survivorOf(
  deps: FhirDeps,
  exchange: Pick<Exchange, 'actor' | 'base'>,
  patient: ValidPatient,
): Promise<ResourceId> {
  return recordMeant(deps, exchange, successorTold(patient));
}

/** What a merge names as the record that is left. Throws Problem where it is not said as IHE wants it said. */
export function successorTold(patient: ValidPatient): Reference {
  const links = (patient.link ?? []).filter(({ type }) => type === 'replaced-by');
  const [link] = links;
  if (links.length !== 1 || !link || patient.active !== false) throw malformedMerge();
  return link.other;
}

/** The record that a reference means: by identifier, by its id, or by the id of a person of whom the sender has one record. */
export async function recordMeant(
  deps: FhirDeps,
  { actor, base }: Pick<Exchange, 'actor' | 'base'>,
  other: Reference,
): Promise<ResourceId> {
  const { identifier, reference } = other;
  if (identifier?.system && identifier.value) return byIdentifier(deps, actor, identifier);
  const local = reference?.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  const conditional = /^Patient\?identifier=([^&]+)$/.exec(local ?? '')?.[1];
  if (conditional !== undefined) {
    const [system = '', value = ''] = decoded(conditional).split('|');
    return byIdentifier(deps, actor, { system, value });
  }
  const id = parseId<ResourceId>(/^Patient\/([^/]+)/.exec(local ?? '')?.[1] ?? '');
  const stored = id === undefined ? undefined : await deps.registry.read(id);
  if (id === undefined || !stored?.content) throw survivorUnknown();
  const patient = patientOf(stored.content);
  return kindOf(patient) === 'source' ? id : ownRecordOf(deps, actor, patient.link ?? []);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded as it should be: it names nobody.
    throw survivorUnknown();
  }
}

/** Whose it is, is asked before anything is looked up, or the answer would tell whether somebody has the identifier. */
async function byIdentifier(
  deps: FhirDeps,
  { principal }: Actor,
  { system = '', value = '' }: Identifier,
): Promise<ResourceId> {
  const named = (await aliasesOf(deps)).get(system) ?? system;
  const domain = (await deps.domains.table()).bySystem(named);
  if (domain !== undefined && !ownsDomain(principal, domain))
    throw isInReach(principal, domain) ? notOwnRecord() : survivorUnknown();
  const id = await deps.registry.findByKey(named, value);
  if (id === undefined) throw survivorUnknown();
  return id;
}

/** A golden record is named where a source record is meant: unmistakable when the sender has one record of the person. */
async function ownRecordOf(deps: FhirDeps, { principal }: Actor, links: readonly PatientLink[]): Promise<ResourceId> {
  const ids = links.flatMap(({ other }) => parseId<ResourceId>(other.reference?.replace(/^Patient\//, '') ?? '') ?? []);
  const stored = await deps.registry.readMany(ids);
  const domains = principal.kind === 'node' ? principal.domains : undefined;
  const own = ids.filter((id) => {
    const content = stored.get(id)?.content;
    const patient = content ? patientOf(content) : undefined;
    if (!patient || replacementLink(patient)) return false;
    return domains === undefined || patient.identifier?.some(({ system }) => domains.includes(system ?? '')) === true;
  });
  const [only] = own;
  if (own.length !== 1 || only === undefined) throw survivorUnknown();
  return only;
}

const malformedMerge = (): Problem =>
  new Problem(
    'unprocessable',
    'merge-malformed',
    'A record that was replaced has active=false and exactly one link of type replaced-by. Nothing was changed.',
    { fhirCode: 'business-rule', expression: ['Patient.link'] },
  );
const survivorUnknown = (): Problem =>
  new Problem(
    'unprocessable',
    'survivor-unknown',
    'The record that is said to be left is not known here. Nothing was changed. Send it first, or name it by its identifier.',
    { fhirCode: 'not-found', expression: ['Patient.link.other'] },
  );

/** The record a conditional PUT means; a merge of what was never sent is refused. */
export async function obsoleteOf(
  deps: FhirDeps,
  key: { readonly system: string; readonly value: string },
): Promise<ResourceId> {
  const id = await deps.registry.findByKey(key.system, key.value);
  if (id === undefined) throw clientNotFound();
  return id;
}
