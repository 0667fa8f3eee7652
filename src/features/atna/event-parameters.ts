import { type FhirAuditEvent, type FhirCoding, type FhirReference, referenceText } from './fhir-audit-event.ts';

/** The parameters of ITI-81 that an event is found by, with every value it has for each. */
export const PARAMETERS = [
  'address',
  'agent.identifier',
  'patient.identifier',
  'entity.identifier',
  'entity-type',
  'entity-role',
  'source.identifier',
  'type',
  'subtype',
  'outcome',
] as const;
export type Parameter = (typeof PARAMETERS)[number];

/** Values in the forms a search may use: `code`, `system|code` and `|code` where there is no system. */
export function valuesOf(event: FhirAuditEvent, parameter: Parameter): string[] {
  const { agent, entity = [], source, type, subtype = [], outcome = '0' } = event;
  switch (parameter) {
    case 'address':
      return agent.flatMap(({ network }) => (network?.address === undefined ? [] : [network.address]));
    case 'agent.identifier':
      return agent.flatMap(({ who, altId }) => [...identifiers(who), ...(altId === undefined ? [] : [altId])]);
    case 'patient.identifier':
      return entity.flatMap(({ what, role, type: kind }) =>
        role?.code === '1' || kind?.code === '1' ? identifiers(what) : [],
      );
    case 'entity.identifier':
      return entity.flatMap(({ what }) => identifiers(what));
    case 'entity-type':
      return entity.flatMap(({ type: kind }) => (kind === undefined ? [] : codes(kind)));
    case 'entity-role':
      return entity.flatMap(({ role }) => (role === undefined ? [] : codes(role)));
    case 'source.identifier':
      return [...identifiers(source.observer), ...(source.site === undefined ? [] : [source.site])];
    case 'type':
      return codes(type);
    case 'subtype':
      return subtype.flatMap(codes);
    case 'outcome':
      return [outcome, `http://terminology.hl7.org/CodeSystem/audit-event-outcome|${outcome}`];
  }
}

function identifiers(reference: FhirReference | undefined): string[] {
  if (reference === undefined) return [];
  const { identifier } = reference;
  const text = referenceText(reference);
  // `Patient/123` is found by its id as well.
  const id = reference.reference?.split('/').at(-1);
  return [
    ...(text === '' ? [] : [text]),
    ...(id === undefined || id === text ? [] : [id]),
    ...(identifier?.value === undefined ? [] : codes({ code: identifier.value, system: identifier.system })),
  ];
}

function codes({
  system,
  code,
}: FhirCoding | { readonly system: string | undefined; readonly code: string }): string[] {
  if (code === undefined || code === '') return [];
  return system === undefined ? [code, `|${code}`] : [code, `${system}|${code}`];
}
