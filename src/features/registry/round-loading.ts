/** What a round reads before it decides, in as few round trips as there are dependencies. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Sql } from '../../platform/db/sql.ts';
import { type BindingDeps, fitting } from './altered.ts';
import { clientAltered } from './altered-problem.ts';
import { pairKey, RoundState, type SourceState } from './batch-state.ts';
import { CANDIDATES_PER_KEY_MAX } from './bounds.ts';
import { patientOf } from './content.ts';
import type { DomainTable, RegistryDeps } from './deps.ts';
import type { Records } from './records.ts';
import { type CandidateRow, type FormerRow, type KnownRow, readRound } from './round-store.ts';
import { readGoldens, readSourcesByKey, type SourceRow } from './store.ts';
import { carriesKey, ownIdentifier } from './own-key.ts';
import { keyTokensOf } from './records.ts';
import type { Work } from './work.ts';

export interface RoundDeps extends RegistryDeps, BindingDeps {
  readonly records: Records;
}

/** What a round reads first. `existing`: the records that submissions mean. */
export interface Found {
  readonly existing: readonly SourceRow[];
  readonly candidates: readonly CandidateRow[];
  readonly known: readonly KnownRow[];
  readonly former?: readonly FormerRow[];
}

/**
 * Finds the records that submissions mean, by id or by the blind token of their own identifier, whoever shares a blocking key with
 * a submission, and everybody those are linked with.
 */
export async function findRound(
  deps: Pick<RoundDeps, 'keyRing'>,
  sql: Sql,
  batch: {
    readonly works: readonly Work[];
    readonly domains: DomainTable;
    /** Further records whose persons are to be known. */
    readonly also?: readonly ResourceId[];
  },
): Promise<Found> {
  const ids = new Set<ResourceId>();
  const keys = new Set<bigint>();
  const tokens = new Set<bigint>();
  for (const { submission, keyTokens, content, outcome } of batch.works) {
    if (outcome) continue;
    if (submission.kind === 'update' || submission.kind === 'delete') ids.add(submission.id);
    else for (const key of keyTokens) keys.add(key);
    for (const token of content?.lookupTokens ?? []) tokens.add(token);
  }
  const found = await readRound(sql, {
    tokens: [...tokens],
    perKeyMax: CANDIDATES_PER_KEY_MAX + 1,
    ids: [...ids, ...(batch.also ?? [])],
    keys: [...keys],
  });
  const existing = found.known.filter(
    (row) => ids.has(row.source_id) || (row.key_token !== null && keys.has(row.key_token)),
  );
  const gained = await ownersOfGained(deps, sql, { ...batch, rows: existing });
  if (gained.length === 0) return { ...found, existing };
  const around = await readRound(sql, { tokens: [], perKeyMax: 0, ids: gained.map((row) => row.source_id), keys: [] });
  return { ...found, known: [...found.known, ...around.known], existing: [...existing, ...gained] };
}

/**
 * A record that came without an identifier of its domain may get one by an update: it names the record from then on, unless it
 * names another one. Answers those others.
 */
async function ownersOfGained(
  { keyRing }: Pick<RoundDeps, 'keyRing'>,
  sql: Sql,
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
  return (await readSourcesByKey(sql, wanted)).filter((row) => !known.has(row.source_id));
}

/** Puts what was found where deciding looks for it. */
export function loadRound(deps: Pick<RoundDeps, 'records'>, { candidates, known, former }: Found): RoundState {
  const state = new RoundState();
  for (const { source_id, key_token, pinned, apart } of former ?? []) {
    state.former.set(key_token, { id: source_id, pinned, apart: apart ?? [] });
  }
  const perToken = new Map<bigint, number>();
  for (const { token, source_id } of candidates) {
    const count = (perToken.get(token) ?? 0) + 1;
    perToken.set(token, count);
    if (count > CANDIDATES_PER_KEY_MAX) state.cutTokens.add(token);
    else state.index([token], source_id);
  }
  for (const row of known) {
    state.add(deps.records.open(row));
    for (const other of row.apart ?? []) state.neverLinks.add(pairKey(row.source_id, other));
    const golden = state.golden(row.golden_id);
    golden.loaded = true;
    if (golden.known || row.golden_version === null) continue;
    golden.known = true;
    golden.storedVersion = row.golden_version;
    golden.organisations = row.organisations ?? [];
    golden.sharedWith = row.shared_with ?? [];
    golden.binding = row.binding;
  }
  return state;
}

/** Opens the full content of records that are needed whole: to compare with a new version, or to compute a golden record. */
export async function loadPatients(
  deps: RoundDeps,
  sql: Sql,
  state: RoundState,
  ids: Iterable<ResourceId>,
): Promise<void> {
  const missing = [...new Set(ids)].filter((id) => {
    const source = state.sources.get(id);
    return source !== undefined && source.patient === undefined && source.change !== 'deleted';
  });
  if (missing.length === 0) return;
  const stored = await deps.resources.read(sql, 'Patient', missing);
  for (const id of missing) {
    const source = state.sources.get(id);
    const found = stored.get(id);
    if (!source || !found?.content) throw new Error('registry.source names a record that store.resource does not hold');
    // An old row put back names a version that is no more; what is stored now was never meant to be seen through it.
    if (found.version !== source.storedVersion && source.storedVersion > 0) {
      deps.onAltered(source.goldenId);
      throw clientAltered();
    }
    source.patient = patientOf(found.content);
    source.storedContent = found.content;
    source.lastUpdatedMs = found.lastUpdatedMs;
  }
}

/** Rows of the golden records that will be rewritten, where they are not known yet. */
export async function loadGoldenVersions(deps: BindingDeps, sql: Sql, state: RoundState): Promise<void> {
  const touched = [...state.goldens.values()].filter((golden) => golden.touched && !golden.known);
  if (touched.length === 0) return;
  const rows = await readGoldens(
    sql,
    touched.map((golden) => golden.id),
  );
  if ((await fitting(deps, rows)).length < rows.length) throw clientAltered();
  for (const row of rows) {
    const golden = state.golden(row.golden_id);
    golden.known = true;
    golden.storedVersion = row.version;
    golden.organisations = row.organisations;
    // What this round has shared, or ended sharing, is newer.
    if (!golden.shareChanged) golden.sharedWith = row.shared_with;
  }
}

/** Guards against a collision of blind key tokens: the opened record must really carry the identifier, and be of the domain. */
export function isMeant(work: Work, { patient, domainId }: Pick<SourceState, 'patient' | 'domainId'>): boolean {
  const { submission, key } = work;
  if (submission.kind === 'update' || submission.kind === 'delete') return true;
  if (submission.domain.id !== domainId) return false;
  return patient !== undefined && key !== undefined && carriesKey(patient, submission.domain.system, key);
}
