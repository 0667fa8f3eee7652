/** `Patient/$match` as IHE PDQm ITI-119 wants it. */
import type { AnswerEntry, BundleAnswer } from '../../fhir/index.ts';
import { MATCH_GRADE, type MatchRequest } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { RouteReply } from '../../platform/http/route.ts';
import { Problem } from '../../kernel/problem.ts';
import { assertRegistrable } from './fhir-bounds.ts';
import { bundleReply, type Exchange, type FhirDeps } from './fhir-exchange.ts';
import type { StoredResource } from '../../store/model.ts';
import type { MatchRanking, RankedMatch } from './service.ts';

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
  const result = await deps.registry.rank(patient, { count: onlyCertainMatches ? COUNT_MAX : count });
  const shown = onlyCertainMatches ? certainOnly(result).slice(0, count) : result.ranked;
  const ids = shown.map(({ goldenId }) => goldenId);
  // Side by side: the answer waits for both. Who is deleted in between is named in the event and not shown.
  const [audited, goldens] = await Promise.all([
    deps.audit.recordNow([
      {
        actor: exchange.actor,
        event: 'client.match',
        action: 'E',
        outcome: 'success',
        interaction: '$match',
        query: `Patient/$match ${JSON.stringify(patient)}`,
        patients: ids.map((id) => `Patient/${id}`),
      },
    ]),
    deps.registry.readMany(ids),
  ]);
  return bundleReply(matchBundle(exchange.base, withContent(shown, goldens), result.cut), exchange, { audited });
}

function withContent(shown: readonly RankedMatch[], goldens: ReadonlyMap<ResourceId, StoredResource>): ShownMatch[] {
  return shown.flatMap((one) => {
    const content = goldens.get(one.goldenId)?.content;
    return content ? [{ ...one, content }] : [];
  });
}

interface ShownMatch extends RankedMatch {
  readonly content: Uint8Array;
}

/**
 * One certain person, or none: of two certain golden records nobody can say which is meant, and where candidates were left out
 * uncompared, another certain one may be among them.
 */
export function certainOnly({ ranked, cut }: Pick<MatchRanking, 'ranked' | 'cut'>): readonly RankedMatch[] {
  const certain = ranked.filter(({ grade }) => grade === 'certain');
  return certain.length === 1 && !cut ? certain : [];
}

function matchBundle(base: string, shown: readonly ShownMatch[], cut: boolean): BundleAnswer {
  const entries: AnswerEntry[] = shown.map(({ goldenId, content, score, grade }) => ({
    fullUrl: `${base}/Patient/${goldenId}`,
    resource: { stored: content },
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
