/** What a round reads before it decides, in as few round trips as there are dependencies. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { pairKey, RoundState } from './batch-state.ts';
import { CANDIDATES_PER_KEY_MAX } from './bounds.ts';
import { patientOf } from './content.ts';
import type { RegistryDeps } from './deps.ts';
import type { Records } from './records.ts';
import {
  readCandidates,
  readGoldens,
  readMembersAround,
  readNeverLinks,
  readSourcesByIdOrKey,
  type SourceRow,
} from './store.ts';
import { ownIdentifier, type Work } from './work.ts';

export interface RoundDeps extends RegistryDeps {
  readonly records: Records;
}

/** Finds the records that submissions mean: by id, or by the blind token of their own identifier. */
export async function findExisting(tx: Transaction, works: readonly Work[]): Promise<SourceRow[]> {
  const ids: ResourceId[] = [];
  const keys: bigint[] = [];
  for (const { submission, keyTokens, outcome } of works) {
    if (outcome) continue;
    if (submission.kind === 'update' || submission.kind === 'delete') ids.push(submission.id);
    else keys.push(...keyTokens);
  }
  if (ids.length === 0 && keys.length === 0) return [];
  return readSourcesByIdOrKey(tx, ids, keys);
}

/** Loads candidates, everybody they are linked with, and the decisions that keep pairs apart. */
export async function loadRound(
  deps: RoundDeps,
  tx: Transaction,
  input: { readonly works: readonly Work[]; readonly existing: readonly SourceRow[] },
): Promise<RoundState> {
  const state = new RoundState();
  const wanted = new Set<bigint>();
  for (const work of input.works) for (const token of work.content?.lookupTokens ?? []) wanted.add(token);
  const candidates = wanted.size === 0 ? [] : await readCandidates(tx, [...wanted], CANDIDATES_PER_KEY_MAX + 1);
  const around = new Set<ResourceId>(input.existing.map((row) => row.source_id));
  const perToken = new Map<bigint, number>();
  for (const { token, source_id } of candidates) {
    const count = (perToken.get(token) ?? 0) + 1;
    perToken.set(token, count);
    if (count > CANDIDATES_PER_KEY_MAX) state.cutTokens.add(token);
    else {
      state.index([token], source_id);
      around.add(source_id);
    }
  }
  if (around.size === 0) return state;
  for (const row of await readMembersAround(tx, around)) state.add(deps.records.open(row));
  for (const { a, b } of await readNeverLinks(tx, state.sources.keys())) state.neverLinks.add(pairKey(a, b));
  return state;
}

/** Opens the full content of records that are needed whole: to compare with a new version, or to compute a golden record. */
export async function loadPatients(
  deps: RoundDeps,
  tx: Transaction,
  state: RoundState,
  ids: Iterable<ResourceId>,
): Promise<void> {
  const missing = [...new Set(ids)].filter((id) => {
    const source = state.sources.get(id);
    return source !== undefined && source.patient === undefined && source.change !== 'deleted';
  });
  if (missing.length === 0) return;
  const stored = await deps.resources.read(tx, 'Patient', missing);
  for (const id of missing) {
    const source = state.sources.get(id);
    const found = stored.get(id);
    if (!source || !found?.content) throw new Error('registry.source names a record that store.resource does not hold');
    source.patient = patientOf(found.content);
    source.storedContent = found.content;
    source.lastUpdatedMs = found.lastUpdatedMs;
  }
}

/** Versions of the golden records that will be rewritten. */
export async function loadGoldenVersions(tx: Transaction, state: RoundState): Promise<void> {
  const touched = [...state.goldens.values()].filter((golden) => golden.touched && golden.storedVersion === 0);
  if (touched.length === 0) return;
  for (const row of await readGoldens(
    tx,
    touched.map((golden) => golden.id),
  )) {
    state.golden(row.golden_id).storedVersion = row.version;
  }
}

/** Guards against a collision of blind key tokens: the opened record must really carry the identifier. */
export function isMeant(
  work: Work,
  patient: { identifier?: { system?: string; value?: string }[] } | undefined,
): boolean {
  const { submission } = work;
  if (submission.kind === 'update' || submission.kind === 'delete') return true;
  return (
    patient !== undefined &&
    ownIdentifier(patient as Parameters<typeof ownIdentifier>[0], submission.domain.system) === work.key
  );
}
