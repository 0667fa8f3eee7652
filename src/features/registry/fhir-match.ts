/** `Patient/$match` as IHE PDQm ITI-119 wants it. */
import type { AnswerEntry, BundleAnswer } from '../../fhir/index.ts';
import { MATCH_GRADE, type MatchRequest } from '../../fhir/index.ts';
import type { RouteReply } from '../../platform/http/route.ts';
import { Problem } from '../../kernel/problem.ts';
import { assertRegistrable } from './fhir-bounds.ts';
import { bundleReply, type Exchange, type FhirDeps } from './fhir-exchange.ts';
import type { MatchCandidate, MatchResult } from './service.ts';

const COUNT_MAX = 100;

export async function answerMatch(
  deps: FhirDeps,
  exchange: Exchange,
  { patient, onlyCertainMatches, count = COUNT_MAX }: MatchRequest,
): Promise<RouteReply<never>> {
  assertRegistrable(patient);
  if (count > COUNT_MAX) {
    throw new Problem('invalid', 'fhir-operation', `count is at most ${COUNT_MAX}.`, {
      fhirCode: 'too-costly',
      expression: ['Parameters.parameter'],
    });
  }
  // Only certain ones: all must be seen, since a second one takes the certainty from the first.
  const result = await deps.registry.match(patient, { count: onlyCertainMatches ? COUNT_MAX : count });
  const shown = onlyCertainMatches ? certainOnly(result).slice(0, count) : result.candidates;
  const audited = await deps.audit.recordNow([
    {
      actor: exchange.actor,
      event: 'client.match',
      action: 'E',
      outcome: 'success',
      interaction: '$match',
      query: `Patient/$match ${JSON.stringify(patient)}`,
      patients: shown.map(({ goldenId }) => `Patient/${goldenId}`),
    },
  ]);
  return bundleReply(matchBundle(exchange.base, shown, result.cut), exchange, { audited });
}

/**
 * One certain person, or none: of two certain golden records nobody can say which is meant, and where candidates were left out
 * uncompared, another certain one may be among them.
 */
export function certainOnly({ candidates, cut }: Pick<MatchResult, 'candidates' | 'cut'>): readonly MatchCandidate[] {
  const certain = candidates.filter(({ grade }) => grade === 'certain');
  return certain.length === 1 && !cut ? certain : [];
}

function matchBundle(base: string, shown: readonly MatchCandidate[], cut: boolean): BundleAnswer {
  const entries: AnswerEntry[] = shown.map(({ goldenId, golden, score, grade }) => ({
    fullUrl: `${base}/Patient/${goldenId}`,
    resource: { stored: golden.content ?? new Uint8Array(0) },
    search: {
      extension: [{ url: MATCH_GRADE, valueCode: grade }],
      mode: 'match',
      score: Math.round(Math.min(1, Math.max(0, score)) * 10_000) / 10_000,
    },
  }));
  if (cut) entries.push(notAllCompared());
  return { type: 'searchset', total: shown.length, entries };
}

/** The bound on candidates was hit: said, never hidden. */
function notAllCompared(): AnswerEntry {
  return {
    resource: {
      resourceType: 'OperationOutcome',
      issue: [
        {
          severity: 'warning',
          code: 'incomplete',
          details: {
            text: 'So many records resemble this one that not all of them were compared. Add an identifier, a birth date or an address.',
          },
        },
      ],
    },
    search: { mode: 'outcome' },
  };
}
