/** `$match`: candidates through blocking keys, scored record by record, answered as golden records. */
import type { Patient } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import { CANDIDATES_PER_KEY_MAX } from './bounds.ts';
import { matchRecordOf } from './match-record.ts';
import { readMatchRows } from './match-store.ts';
import type { PairScore } from './rules.ts';
import type { RoundDeps } from './round-loading.ts';
import type { MatchOptions, MatchRanking, MatchResult } from './service.ts';

/** Golden records in one answer when the caller names no number. */
const CANDIDATES_ANSWERED_MAX = 100;

interface BestSource {
  readonly sourceId: ResourceId;
  readonly goldenId: ResourceId;
  readonly comparison: PairScore;
}

export interface VisibleOnly {
  /** Which of these golden records may be answered; missing: all. */
  readonly see?: (goldenIds: readonly ResourceId[]) => Promise<ReadonlySet<ResourceId>>;
}

/** Who resembles the patient, without what is known of them: one statement. */
export async function rankMatches(
  live: RoundDeps,
  patient: Patient,
  options: MatchOptions & VisibleOnly = {},
): Promise<MatchRanking> {
  const { database, matcher, records } = live;
  const prepared = matcher.prepare(matchRecordOf(patient));
  const tokens = [...new Set(records.lookupKeys(prepared))];
  const rows = tokens.length === 0 ? [] : await readMatchRows(database, tokens, CANDIDATES_PER_KEY_MAX + 1);
  const best = new Map<ResourceId, BestSource>();
  for (const row of rows) {
    const comparison = matcher.compare(prepared, records.prepared(row));
    const known = best.get(row.golden_id);
    if (known && comparison.weight <= known.comparison.weight) continue;
    best.set(row.golden_id, { sourceId: row.source_id, goldenId: row.golden_id, comparison });
  }
  const resembling = [...best.values()].filter(({ comparison }) => comparison.grade !== 'certainly-not');
  const seen = await options.see?.(resembling.map(({ goldenId }) => goldenId));
  const ranked = resembling
    .filter(({ goldenId }) => seen?.has(goldenId) ?? true)
    .sort((x, y) => y.comparison.weight - x.comparison.weight || (x.goldenId < y.goldenId ? -1 : 1))
    .slice(0, options.count ?? CANDIDATES_ANSWERED_MAX)
    .map(({ sourceId, goldenId, comparison: { score, grade } }) => ({ goldenId, sourceId, score, grade }));
  return {
    ranked,
    cut: (rows[0]?.fullest ?? 0) > CANDIDATES_PER_KEY_MAX,
    modelVersion: matcher.modelVersion,
  };
}

export async function matchPatient(
  deps: RoundDeps,
  patient: Patient,
  options: MatchOptions & VisibleOnly = {},
): Promise<MatchResult> {
  const { ranked, cut, modelVersion } = await rankMatches(deps, patient, options);
  const goldens = await deps.resources.read(
    deps.database,
    'Patient',
    ranked.map(({ goldenId }) => goldenId),
  );
  const candidates = ranked.flatMap((one) => {
    const golden = goldens.get(one.goldenId);
    return golden?.content ? [{ ...one, golden }] : [];
  });
  return { candidates, cut, modelVersion };
}
