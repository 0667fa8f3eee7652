/** `$match`: candidates through blocking keys, scored against every source record, answered as golden records. */
import type { Patient } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import type { SourceState } from './batch-state.ts';
import { CANDIDATES_PER_KEY_MAX } from './bounds.ts';
import { matchRecordOf } from './match-record.ts';
import type { PairScore } from './rules.ts';
import type { RoundDeps } from './round-loading.ts';
import type { MatchCandidate, MatchResult } from './service.ts';
import { readRound } from './round-store.ts';

/** Golden records in one answer when the caller names no number. */
const CANDIDATES_ANSWERED_MAX = 100;

interface BestSource {
  readonly source: SourceState;
  readonly comparison: PairScore;
}

export async function matchPatient(
  live: RoundDeps,
  patient: Patient,
  options: {
    readonly count?: number;
    /** Which of these golden records may be answered; missing: all. */
    readonly see?: (goldenIds: readonly ResourceId[]) => Promise<ReadonlySet<ResourceId>>;
  } = {},
): Promise<MatchResult> {
  const deps = { ...live };
  const prepared = deps.matcher.prepare(matchRecordOf(patient));
  const tokens = deps.records.lookupKeys(prepared);
  const { candidates: found, known: rows } = await readRound(deps.database, {
    tokens: [...new Set(tokens)],
    perKeyMax: CANDIDATES_PER_KEY_MAX + 1,
    ids: [],
    keys: [],
  });
  const perToken = new Map<bigint, number>();
  for (const { token } of found) perToken.set(token, (perToken.get(token) ?? 0) + 1);
  const cut = [...perToken.values()].some((count) => count > CANDIDATES_PER_KEY_MAX);
  const best = new Map<ResourceId, BestSource>();
  for (const row of rows) {
    const source = deps.records.open(row);
    const comparison = deps.matcher.compare(prepared, source.prepared);
    const known = best.get(source.goldenId);
    if (!known || comparison.weight > known.comparison.weight) best.set(source.goldenId, { source, comparison });
  }
  const seen = await options.see?.([...best.keys()]);
  const ranked = [...best.values()]
    .filter(({ source }) => seen?.has(source.goldenId) ?? true)
    .filter(({ comparison }) => comparison.grade !== 'certainly-not')
    .sort((x, y) => y.comparison.weight - x.comparison.weight || (x.source.goldenId < y.source.goldenId ? -1 : 1))
    .slice(0, options.count ?? CANDIDATES_ANSWERED_MAX);
  const goldens = await deps.resources.read(
    deps.database,
    'Patient',
    ranked.map(({ source }) => source.goldenId),
  );
  const candidates = ranked.flatMap(({ source, comparison }): MatchCandidate[] => {
    const golden = goldens.get(source.goldenId);
    if (!golden?.content) return [];
    return [
      {
        goldenId: source.goldenId,
        golden,
        score: comparison.score,
        grade: comparison.grade,
        sourceId: source.id,
        explanation: deps.matcher.explain(prepared, source.prepared),
      },
    ];
  });
  return { candidates, cut, modelVersion: deps.matcher.modelVersion };
}
