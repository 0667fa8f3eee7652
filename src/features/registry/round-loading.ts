/** What a round reads before it decides, in as few round trips as there are dependencies. */
import type { Patient } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { pairKey, RoundState } from './batch-state.ts';
import { CANDIDATES_PER_KEY_MAX } from './bounds.ts';
import { patientOf } from './content.ts';
import type { DomainTable, RegistryDeps } from './deps.ts';
import type { Records } from './records.ts';
import {
  readCandidates,
  readGoldens,
  readMembersAround,
  readNeverLinks,
  readSourcesByIdOrKey,
  type SourceRow,
} from './store.ts';
import { carriesKey, ownIdentifier } from './own-key.ts';
import { keyTokensOf } from './records.ts';
import type { Work } from './work.ts';

export interface RoundDeps extends RegistryDeps {
  readonly records: Records;
}

/** Finds the records that submissions mean: by id, or by the blind token of their own identifier. */
export async function findExisting(
  deps: Pick<RoundDeps, 'keyRing'>,
  tx: Transaction,
  batch: { readonly works: readonly Work[]; readonly domains: DomainTable },
): Promise<SourceRow[]> {
  const { works } = batch;
  const ids: ResourceId[] = [];
  const keys: bigint[] = [];
  for (const { submission, keyTokens, outcome } of works) {
    if (outcome) continue;
    if (submission.kind === 'update' || submission.kind === 'delete') ids.push(submission.id);
    else keys.push(...keyTokens);
  }
  if (ids.length === 0 && keys.length === 0) return [];
  const rows = await readSourcesByIdOrKey(tx, ids, keys);
  return [...rows, ...(await ownersOfGained(deps, tx, { ...batch, rows }))];
}

/**
 * A record that came without an identifier of its domain may get one by an update: it names the record from then on, unless it
 * names another one. Answers those others.
 */
async function ownersOfGained(
  { keyRing }: Pick<RoundDeps, 'keyRing'>,
  tx: Transaction,
  batch: { readonly works: readonly Work[]; readonly domains: DomainTable; readonly rows: readonly SourceRow[] },
): Promise<SourceRow[]> {
  const nameless = new Map(batch.rows.filter((row) => row.key_token === null).map((row) => [row.source_id, row]));
  if (nameless.size === 0) return [];
  const wanted: bigint[] = [];
  for (const work of batch.works) {
    const { submission } = work;
    delete work.gained;
    if (submission.kind !== 'update' || work.outcome) continue;
    const row = nameless.get(submission.id);
    const system = row && batch.domains.byId(row.domain_id)?.system;
    const key = system === undefined ? undefined : ownIdentifier(submission.patient, system);
    if (row === undefined || key === undefined) continue;
    work.gained = keyTokensOf(keyRing, row.domain_id, key);
    wanted.push(...work.gained);
  }
  if (wanted.length === 0) return [];
  const known = new Set(batch.rows.map((row) => row.source_id));
  return (await readSourcesByIdOrKey(tx, [], wanted)).filter((row) => !known.has(row.source_id));
}

export type Candidates = Awaited<ReturnType<typeof readCandidates>>;

/** Who shares a blocking key with these records. Needs nothing else, so it travels with the look-up of the records themselves. */
export async function findCandidates(tx: Transaction, works: readonly Work[]): Promise<Candidates> {
  const wanted = new Set<bigint>();
  for (const work of works) for (const token of work.content?.lookupTokens ?? []) wanted.add(token);
  return wanted.size === 0 ? [] : await readCandidates(tx, [...wanted], CANDIDATES_PER_KEY_MAX + 1);
}

/** Loads the candidates and everybody they are linked with. */
export async function loadRound(
  deps: RoundDeps,
  tx: Transaction,
  input: { readonly existing: readonly SourceRow[]; readonly candidates: Candidates },
): Promise<RoundState> {
  const { candidates } = input;
  const state = new RoundState();
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
  return state;
}

/** Loads the decisions that keep pairs apart. */
export async function loadNeverLinks(tx: Transaction, state: RoundState): Promise<void> {
  if (state.sources.size === 0) return;
  for (const { a, b } of await readNeverLinks(tx, state.sources.keys())) state.neverLinks.add(pairKey(a, b));
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
    const golden = state.golden(row.golden_id);
    golden.storedVersion = row.version;
    golden.organisations = row.organisations;
    // What this round has shared, or ended sharing, is newer.
    if (!golden.shareChanged) golden.sharedWith = row.shared_with;
  }
}

/** Guards against a collision of blind key tokens: the opened record must really carry the identifier. */
export function isMeant(work: Work, patient: Patient | undefined): boolean {
  const { submission, key } = work;
  if (submission.kind === 'update' || submission.kind === 'delete') return true;
  return patient !== undefined && key !== undefined && carriesKey(patient, submission.domain.system, key);
}
