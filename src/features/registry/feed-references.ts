/** What the references of a feed message mean once it is processed, and what its resources say of each other. Pure. */
import type { Identifier, Patient, Reference, RelatedPerson, Resource } from '@medplum/fhirtypes';
import { MOTHERS_MAIDEN_NAME } from '../../fhir/index.ts';
import type { FeedEntry, FeedResource } from './fhir-message-request.ts';

/** By the names the message uses: the reference to put there. */
export type Targets = ReadonlyMap<string, Reference>;

/**
 * Organizations and practitioners are not kept here: a reference to one becomes a logical one, with the identifier and the name
 * that the message gives, so that it still says whom it means wherever the record is read.
 */
export function describedTargets(entries: readonly FeedEntry[]): Map<string, Reference> {
  const targets = new Map<string, Reference>();
  for (const { names, resource } of entries) {
    if (!resource || resource.resourceType === 'Patient' || resource.resourceType === 'RelatedPerson') continue;
    const { identifier, name } = resource as { identifier?: Identifier[]; name?: unknown };
    const [first] = identifier ?? [];
    const display = nameText(name);
    const reference: Reference = {
      ...(first?.value ? { type: resource.resourceType } : {}),
      ...(first?.value
        ? { identifier: { ...(first.system ? { system: first.system } : {}), value: first.value } }
        : {}),
      display: display ?? resource.resourceType,
    };
    for (const one of names) targets.set(one, reference);
  }
  return targets;
}

function nameText(name: unknown): string | undefined {
  if (typeof name === 'string') return name;
  const first: unknown = Array.isArray(name) ? name[0] : undefined;
  if (typeof first !== 'object' || first === null) return undefined;
  const { prefix, given, family, text } = first as {
    prefix?: string[];
    given?: string[];
    family?: string;
    text?: string;
  };
  return text ?? [...(prefix ?? []), ...(given ?? []), family].filter(Boolean).join(' ');
}

/** The resource with its references replaced, and the references that lead nowhere. */
export function withTargets<T extends FeedResource>(
  resource: T,
  targets: Targets,
): { readonly resource: T; readonly open: readonly string[] } {
  const open: string[] = [];
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return value;
    const { reference, ...rest } = value as { reference?: unknown };
    if (typeof reference === 'string') {
      const target = targets.get(reference);
      if (target === undefined) open.push(reference);
      // What the sender says of the target beside the reference (display) stays.
      else return { ...target, ...(walk(rest) as object) };
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
  };
  // The same shape, with other references.
  return { resource: walk(resource) as T, open };
}

const isMother = ({ relationship }: RelatedPerson): boolean =>
  relationship?.some(({ coding }) => coding?.some(({ code }) => code === 'MTH' || code === 'NMTH')) === true;

/**
 * A child whose mother is told of beside it is found by her maiden name (PDQm's pediatric option): from her own record in the
 * message, where she is known by the same identifier, else from what the RelatedPerson says.
 */
export function withMothersMaidenName(child: Patient, entries: readonly FeedEntry[]): string | undefined {
  if (child.extension?.some(({ url }) => url === MOTHERS_MAIDEN_NAME)) return undefined;
  const own = namesOf(child, entries);
  for (const { resource } of entries) {
    if (resource?.resourceType !== 'RelatedPerson') continue;
    const mother = resource;
    if (!isMother(mother) || !own.includes(mother.patient?.reference ?? '')) continue;
    const record = entries.map((entry) => entry.resource).find((one) => one !== undefined && isSamePerson(one, mother));
    const names = [...((record as Patient | undefined)?.name ?? []), ...(mother.name ?? [])];
    const maiden = names.find(({ use }) => use === 'maiden') ?? names.find(({ family }) => family !== undefined);
    if (maiden?.family) return maiden.family;
  }
  return undefined;
}

function namesOf(resource: Resource, entries: readonly FeedEntry[]): readonly string[] {
  return entries.find((entry) => entry.resource === resource)?.names ?? [];
}

function isSamePerson(candidate: FeedResource, mother: RelatedPerson): boolean {
  if (candidate.resourceType !== 'Patient') return false;
  const theirs = candidate.identifier ?? [];
  return (mother.identifier ?? []).some(
    ({ system, value }) => value !== undefined && theirs.some((one) => one.system === system && one.value === value),
  );
}
