/** From FHIR's create, update and delete to the registry's submissions: which domain, which record. */
import type { FormPairs, ValidPatient } from '../../fhir/index.ts';
import { parseToken } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor, NodePrincipal } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import { type FhirDeps, resourceId } from './fhir-exchange.ts';
import { aliasesOf, incoming, queryWithSystems } from './fhir-identities.ts';
import type { CreateSubmission, DeleteSubmission, DomainRef, UpdateSubmission, UpsertSubmission } from './model.ts';
import { clientNotFound, domainNotOwned, notOwnDomain } from './problems.ts';
import { ownsDomain } from './work.ts';

type Domains = Pick<FhirDeps, 'domains' | 'registry' | 'aliases' | 'identityRules'>;

export async function createSubmission(
  deps: Domains,
  actor: Actor,
  what: { readonly patient: ValidPatient; readonly ifNoneExist?: FormPairs | undefined; readonly id?: ResourceId },
): Promise<CreateSubmission> {
  const { id } = what;
  const patient = await incoming(deps, actor, what.patient);
  const ifNoneExist = what.ifNoneExist && queryWithSystems(what.ifNoneExist, await aliasesOf(deps));
  const preset = id === undefined ? {} : { id };
  if (!ifNoneExist) return { kind: 'create', ...preset, domain: await domainOf(deps, actor, patient), patient };
  const { system, value } = keyOf(ifNoneExist);
  return { kind: 'create', ...preset, domain: await domainNamed(deps, actor, system), patient, ifNoneExist: { value } };
}

export async function updateSubmission(
  deps: Domains,
  actor: Actor,
  what: { readonly id: string; readonly patient: ValidPatient; readonly ifMatch: number | undefined },
): Promise<UpdateSubmission> {
  const { id, patient, ifMatch } = what;
  assertSameId(id, patient);
  return { kind: 'update', id: resourceId(id), patient: await incoming(deps, actor, patient), ...guard(ifMatch) };
}

export function assertSameId(id: string, patient: ValidPatient): void {
  if (patient.id !== id) {
    throw new Problem('invalid', 'fhir-id', 'The resource must carry the same id as the address.', {
      fhirCode: patient.id === undefined ? 'required' : 'value',
      expression: ['Patient.id'],
    });
  }
}

export async function conditionalUpdate(
  deps: Domains,
  actor: Actor,
  what: { readonly patient: ValidPatient; readonly query: FormPairs; readonly ifMatch: number | undefined },
): Promise<UpsertSubmission> {
  const { system, value } = keyOf(queryWithSystems(what.query, await aliasesOf(deps)));
  const domain = await domainNamed(deps, actor, system);
  const patient = await incoming(deps, actor, what.patient);
  return { kind: 'upsert', domain, key: value, patient, ...guard(what.ifMatch) };
}

export function deleteSubmission(id: string, ifMatch: number | undefined): DeleteSubmission {
  return { kind: 'delete', id: resourceId(id), ...guard(ifMatch) };
}

/** Who does not own the domain is refused before anything is looked up, or the answer would tell whether the record exists. */
export async function conditionalDelete(deps: Domains, actor: Actor, query: FormPairs): Promise<DeleteSubmission> {
  const { domains, registry } = deps;
  const { system, value } = keyOf(queryWithSystems(query, await aliasesOf(deps)));
  const domain = (await domains.table()).bySystem(system);
  if (!ownsDomain(actor.principal, domain)) throw notOwnDomain(domain?.system);
  const id = await registry.findByKey(system, value);
  if (!id) throw clientNotFound();
  return { kind: 'delete', id };
}

const guard = (ifMatch: number | undefined): { ifMatchVersion?: number } =>
  ifMatch === undefined ? {} : { ifMatchVersion: ifMatch };

/** What a conditional request names: one identifier, of which the registry keeps at most one record. */
export function keyOf(query: FormPairs): { readonly system: string; readonly value: string } {
  const criteria = query.filter(([name]) => name !== '_format' && name !== '_pretty');
  const [name, text] = criteria[0] ?? [];
  const token = name === 'identifier' && text !== undefined && !text.includes(',') ? parseToken(text) : undefined;
  if (criteria.length === 1 && token?.system && token.value !== undefined) {
    return { system: token.system, value: token.value };
  }
  throw new Problem(
    'precondition-failed',
    'fhir-not-selective',
    'A conditional request names one record by identifier=system|value. Nothing was written.',
    { fhirCode: 'not-supported' },
  );
}

/**
 * The domain a new record belongs to. A node: its first domain for which the record has an identifier, else its first. A
 * person: the first identifier's domain that no node owns, else a domain of the organisation's own.
 */
export async function domainOf(deps: Domains, actor: Actor, patient: ValidPatient): Promise<DomainRef> {
  const { principal } = actor;
  if (principal.kind === 'node') return nodeDomain(deps, principal, patient);
  const table = await deps.domains.table();
  const organisationId = principal.kind === 'user' ? principal.organisationId : undefined;
  const own = patient.identifier?.find(({ system }) => {
    const domain = system === undefined ? undefined : table.bySystem(system);
    if (system === undefined || domain === undefined) return system !== undefined;
    return domain.ownerNodeId === undefined && domain.organisationId === organisationId;
  });
  return deps.domains.ensureForUsers(own?.system ?? `urn:careseal:organisation:${organisationId ?? 'operator'}`, actor);
}

async function nodeDomain(deps: Domains, principal: NodePrincipal, patient: ValidPatient): Promise<DomainRef> {
  const table = await deps.domains.table();
  const named = principal.domains.find((system) => patient.identifier?.some((own) => own.system === system));
  const domain = table.bySystem(named ?? principal.domains[0] ?? '');
  if (domain) return domain;
  throw domainNotOwned('Patient.identifier');
}

/** The domain that a conditional request names. Who does not own it is refused by the registry, not here. */
async function domainNamed(deps: Domains, actor: Actor, system: string): Promise<DomainRef> {
  const known = (await deps.domains.table()).bySystem(system);
  if (known) return known;
  return actor.principal.kind === 'node' ? { id: 0, system } : deps.domains.ensureForUsers(system, actor);
}
