/** References between the entries of a transaction (R4 §3.1.0.11.2), resolved before anything is written. */
import type { BundleRequest, EntryAct, FormPairs } from '../../fhir/index.ts';
import { openReferences, parseForm, replaceReferences } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { mayUse } from '../../kernel/principal.ts';
import { Problem, scopeMissing } from '../../kernel/problem.ts';
import { newId } from '../../crypto/index.ts';
import type { FhirDeps } from './fhir-exchange.ts';
import { keyOf } from './fhir-submissions.ts';
import { ownsDomain } from './work.ts';

export interface ResolvedBundle {
  /** Acts by entry, their references pointing at real ids. */
  readonly acts: ReadonlyMap<number, EntryAct>;
  /** Ids given in advance to entries that create a record. */
  readonly ids: ReadonlyMap<number, ResourceId>;
}

interface Resolving {
  readonly registry: FhirDeps['registry'];
  readonly audit: FhirDeps['audit'];
  readonly domains: FhirDeps['domains'];
  readonly actor: Actor;
}

type Registry = Pick<FhirDeps, 'registry'>;

export async function resolveReferences(deps: Resolving, { entries }: BundleRequest): Promise<ResolvedBundle> {
  const ids = new Map<number, ResourceId>();
  const targets = new Map<string, string>();
  for (const entry of entries) {
    if (!('act' in entry)) continue;
    const known = await targetOf(deps, entry.act);
    if (known === undefined) continue;
    if (known.isNew) ids.set(entry.index, known.id);
    if (entry.fullUrl === undefined) continue;
    if (targets.has(entry.fullUrl)) throw refused('A fullUrl names two entries.', entry.index);
    targets.set(entry.fullUrl, `Patient/${known.id}`);
  }
  const acts = new Map<number, EntryAct>();
  for (const entry of entries) {
    if ('act' in entry) acts.set(entry.index, await withReferences(deps, entry.act, { targets, index: entry.index }));
  }
  return { acts, ids };
}

/** The id that an entry's record has, or will have. */
async function targetOf(
  { registry }: Registry,
  act: EntryAct,
): Promise<{ readonly id: ResourceId; readonly isNew: boolean } | undefined> {
  if (act.kind === 'create') {
    const existing = act.ifNoneExist ? await found(registry, act.ifNoneExist) : undefined;
    return { id: existing ?? newId<ResourceId>(), isNew: existing === undefined };
  }
  if (act.kind === 'conditional-update') {
    const existing = await found(registry, act.query);
    return existing === undefined ? undefined : { id: existing, isNew: false };
  }
  // Checked where it is used: an id that is none of ours is refused there.
  return act.kind === 'update' ? { id: act.id as ResourceId, isNew: false } : undefined;
}

function found(registry: Registry['registry'], query: FormPairs): Promise<ResourceId | undefined> {
  const { system, value } = keyOf(query);
  return registry.findByKey(system, value);
}

async function withReferences(
  deps: Resolving,
  act: EntryAct,
  { targets, index }: { readonly targets: ReadonlyMap<string, string>; readonly index: number },
): Promise<EntryAct> {
  if (act.kind !== 'create' && act.kind !== 'update' && act.kind !== 'conditional-update') return act;
  const resolved = new Map<string, string>();
  for (const reference of openReferences(act.resource)) {
    const target = targets.get(reference) ?? (await byQuery(deps, reference));
    if (target === undefined) {
      throw refused('A reference points at no entry of the bundle and at no record here.', index);
    }
    resolved.set(reference, target);
  }
  if (resolved.size === 0) return act;
  return { ...act, resource: replaceReferences(act.resource, (reference) => resolved.get(reference) ?? reference) };
}

/**
 * A conditional reference: `Patient?identifier=system|value`. It asks who that is, and whether the bundle is refused or not, the
 * sender learns it: so it is recorded as the search it is.
 */
async function byQuery(deps: Resolving, reference: string): Promise<string | undefined> {
  const { registry, audit, actor } = deps;
  const query = /^Patient\?(.+)$/s.exec(reference)?.[1];
  if (query === undefined) return undefined;
  await assertMayAsk(deps, parseForm(query));
  const id = await found(registry, parseForm(query));
  await audit.recordNow([
    {
      actor,
      event: 'client.search',
      action: 'E',
      outcome: 'success',
      interaction: 'search-type',
      query: reference,
      patients: id === undefined ? [] : [`Patient/${id}`],
    },
  ]);
  return id === undefined ? undefined : `Patient/${id}`;
}

/** Who may not search learns of others' identifiers by no reference either; of their own they know. */
async function assertMayAsk({ actor: { principal }, domains }: Resolving, query: FormPairs): Promise<void> {
  if (mayUse(principal, 'search') || mayUse(principal, 'pix')) return;
  if (!ownsDomain(principal, (await domains.table()).bySystem(keyOf(query).system))) throw scopeMissing('search');
}

function refused(detail: string, index: number): Problem {
  return new Problem('invalid', 'fhir-bundle', `${detail} Nothing was written.`, {
    fhirCode: 'not-found',
    expression: [`Bundle.entry[${index}]`],
  });
}
