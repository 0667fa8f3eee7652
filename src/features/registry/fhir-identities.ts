/** What is asked of identifiers and references before a record is submitted, and under which name a system is kept. */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import type { FormPairs, ValidPatient } from '../../fhir/index.ts';
import { isR4ResourceType, referencesIn } from '../../fhir/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { FhirDeps } from './fhir-exchange.ts';

interface Deps extends Pick<FhirDeps, 'aliases' | 'identityRules'> {
  readonly domains: Pick<FhirDeps['domains'], 'table'>;
}

/** The record with its systems under their own names, checked as this sender's records have to be. */
export async function incoming(deps: Deps, actor: Actor, patient: ValidPatient): Promise<ValidPatient> {
  const named = withSystems(patient, await aliasesOf(deps));
  if (deps.identityRules === 'openhie' && actor.principal.kind === 'node') await assertOpenHie(deps, named);
  return named;
}

export async function aliasesOf({ aliases }: Pick<FhirDeps, 'aliases'>): Promise<ReadonlyMap<string, string>> {
  return (await aliases?.table()) ?? new Map();
}

/** Every identifier says whose it is: PIXm and PMIR demand system and value of each (§2:3.104.4.1.2). */
export function assertIdentified(patient: Patient): void {
  const index = patient.identifier?.findIndex(({ system, value }) => !system || !value) ?? -1;
  if (index < 0 && patient.identifier !== undefined && patient.identifier.length > 0) return;
  throw new Problem(
    'unprocessable',
    'identifier-incomplete',
    'A fed record has an identifier, and each identifier has its system and value. Nothing was written.',
    { fhirCode: 'required', expression: [index < 0 ? 'Patient.identifier' : `Patient.identifier[${index}]`] },
  );
}

/** PIXm's Patient has a name (1..*). One that is not known is said with a data-absent-reason. */
export function assertNamed(patient: Patient): void {
  if ((patient.name?.length ?? 0) > 0) return;
  throw new Problem(
    'unprocessable',
    'name-missing',
    'A fed record has a name; one that is not known is sent with the data-absent-reason extension. Nothing was written.',
    { fhirCode: 'required', expression: ['Patient.name'] },
  );
}

async function assertOpenHie(deps: Deps, patient: ValidPatient): Promise<void> {
  if (patient.identifier !== undefined) assertIdentified(patient);
  const table = await deps.domains.table();
  const unknown = patient.identifier?.findIndex(({ system }) => table.bySystem(system ?? '') === undefined) ?? -1;
  if (unknown >= 0) {
    throw new Problem(
      'unprocessable',
      'domain-unknown',
      'The system of this identifier is not a valid identity domain here. Nothing was written.',
      { fhirCode: 'code-invalid', expression: [`Patient.identifier[${unknown}].system`] },
    );
  }
  for (const reference of referencesIn(patient)) if (leadsNowhere(reference)) throw referenceUnknown();
}

/** A relative reference is one to this server, which keeps Patients and RelatedPersons and nothing else. */
export function leadsNowhere(reference: string): boolean {
  const type = /^([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(\/_history\/.*)?$/.exec(reference)?.[1];
  return type !== undefined && isR4ResourceType(type) && type !== 'Patient' && type !== 'RelatedPerson';
}

export const referenceUnknown = (): Problem =>
  new Problem(
    'unprocessable',
    'reference-unknown',
    'A reference cannot be resolved: it points at a resource that is not here. Give it with an identifier, or with its full URL.',
    { fhirCode: 'not-found', expression: ['Patient'] },
  );

function withSystems(patient: ValidPatient, aliases: ReadonlyMap<string, string>): ValidPatient {
  if (aliases.size === 0) return patient;
  const named = <T extends Identifier | undefined>(identifier: T): T => {
    const system = identifier?.system === undefined ? undefined : aliases.get(identifier.system);
    return identifier && system !== undefined ? { ...identifier, system } : identifier;
  };
  return {
    ...patient,
    ...(patient.identifier ? { identifier: patient.identifier.map(named) } : {}),
    ...(patient.link
      ? {
          link: patient.link.map((link) =>
            link.other.identifier
              ? { ...link, other: { ...link.other, identifier: named(link.other.identifier) } }
              : link,
          ),
        }
      : {}),
  };
}

/** A query with the systems of its identifiers under their own names. */
export function queryWithSystems(pairs: FormPairs, aliases: ReadonlyMap<string, string>): FormPairs {
  if (aliases.size === 0) return pairs;
  return pairs.map(([name, value]) =>
    name === 'identifier' || name.startsWith('identifier:') ? [name, tokensWithSystems(value, aliases)] : [name, value],
  );
}

function tokensWithSystems(value: string, aliases: ReadonlyMap<string, string>): string {
  return value
    .split(/(?<!\\),/)
    .map((token) => {
      const bar = token.indexOf('|');
      const system = bar < 0 ? undefined : aliases.get(token.slice(0, bar));
      return system === undefined ? token : `${system}${token.slice(bar)}`;
    })
    .join(',');
}
