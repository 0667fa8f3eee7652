/**
 * The linking decision for one source record. Pure: scores come in, a decision goes out. Linking is by person, not by pair:
 * every member of a golden record is compared, so that one bad record cannot chain two strangers together.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Decision, MatchGrade } from '../matching/index.ts';
import type { ReviewCause } from './model.ts';

export interface PairScore {
  readonly score: number;
  readonly weight: number;
  readonly grade: MatchGrade;
  readonly decision: Decision;
  /** A guard of the model speaks against one person: other birth date and name, twins … */
  readonly contradicted: boolean;
  /** What the two say differs more than it agrees: they look like two strangers, whoever stands between them. */
  readonly speaksAgainst: boolean;
}

export interface ScoredMember {
  readonly sourceId: ResourceId;
  readonly comparison: PairScore;
  /** A steward declared these two records two people. */
  readonly neverLinked: boolean;
}

export interface ScoredGolden {
  readonly goldenId: ResourceId;
  readonly members: readonly ScoredMember[];
}

export interface WantedReview {
  readonly other: ResourceId;
  readonly cause: ReviewCause;
  readonly score: number;
  readonly grade: MatchGrade;
}

export interface LinkDecision {
  /** The golden record to join; absent: stand alone. */
  readonly join?: { readonly goldenId: ResourceId; readonly through: ScoredMember };
  readonly reviews: readonly WantedReview[];
}

/** Reviews that one record may open at once; a record that resembles everybody must not flood the stewards. */
export const REVIEWS_PER_RECORD_MAX = 3;

/**
 * Source records that link to one person by themselves. Each further one is compared with all of them and computed into the golden
 * record under the registry's lock, so a sender that repeats one person a thousand times would stop everybody else.
 */
export const SOURCES_PER_CLIENT_MAX = 100;

/** Whether a steward keeps two golden records apart. */
export type KeptApart = (x: ResourceId, y: ResourceId) => boolean;

/** `apart`: whoever joins one of two that are kept apart is no question to the other. */
export function decideLink(goldens: readonly ScoredGolden[], apart: KeptApart = () => false): LinkDecision {
  const ranked = goldens
    .filter((golden) => !golden.members.some((member) => member.neverLinked))
    .map((golden) => ({ golden, best: bestMember(golden) }))
    .filter(({ best }) => best.comparison.decision !== 'none')
    .sort(
      (x, y) => y.best.comparison.weight - x.best.comparison.weight || (x.golden.goldenId < y.golden.goldenId ? -1 : 1),
    );
  const asked: { readonly goldenId: ResourceId; readonly review: WantedReview }[] = [];
  let join: LinkDecision['join'];
  for (const { golden, best } of ranked) {
    const wants = best.comparison.decision === 'match';
    if (
      wants &&
      !join &&
      !hasContradiction(golden) &&
      !isChain(golden) &&
      golden.members.length < SOURCES_PER_CLIENT_MAX
    ) {
      join = { goldenId: golden.goldenId, through: best };
    } else {
      asked.push({ goldenId: golden.goldenId, review: wantedReview(best, reviewCause(wants, golden)) });
    }
  }
  const joined = join?.goldenId;
  const reviews = asked
    .filter(({ goldenId }) => joined === undefined || !apart(joined, goldenId))
    .map(({ review }) => review)
    .slice(0, REVIEWS_PER_RECORD_MAX);
  return { ...(join ? { join } : {}), reviews };
}

/**
 * A record that was linked before and has changed. It never leaves its person by itself: if it no longer resembles any of the
 * others, or has become somebody else at once (an overlay), a steward is asked.
 */
export function decideAfterChange(own: ScoredGolden, others: readonly ScoredGolden[], isOverlay = false): LinkDecision {
  const reviews: WantedReview[] = [];
  const best = bestMember(own);
  if (isOverlay || best.comparison.decision === 'none' || best.comparison.contradicted) {
    reviews.push(wantedReview(best, isOverlay ? 'overlay' : 'record-changed'));
  }
  const elsewhere = askInstead(decideLink(others));
  return { reviews: [...reviews, ...elsewhere.reviews].slice(0, REVIEWS_PER_RECORD_MAX) };
}

/** For a record that no model may move: what would have linked it becomes a question. */
export function askInstead({ join, reviews }: LinkDecision, cause: ReviewCause = 'two-people-match'): LinkDecision {
  if (!join) return { reviews };
  return { reviews: [wantedReview(join.through, cause), ...reviews].slice(0, REVIEWS_PER_RECORD_MAX) };
}

function reviewCause(wants: boolean, golden: ScoredGolden): ReviewCause {
  if (hasContradiction(golden)) return 'contradiction';
  if (!wants) return 'between-thresholds';
  return isChain(golden) ? 'chain' : 'two-people-match';
}

/**
 * One bad record that resembles two people must not make one of them: whoever looks like a stranger to any record of a person is not
 * added by itself, however well it fits another one.
 */
function isChain(golden: ScoredGolden): boolean {
  return golden.members.some((member) => member.comparison.speaksAgainst);
}

function hasContradiction(golden: ScoredGolden): boolean {
  return golden.members.some((member) => member.comparison.contradicted);
}

export function bestMember(golden: ScoredGolden): ScoredMember {
  let best = golden.members[0];
  if (!best) throw new RangeError('a golden record without source records was scored');
  for (const member of golden.members) if (member.comparison.weight > best.comparison.weight) best = member;
  return best;
}

function wantedReview(member: ScoredMember, cause: ReviewCause): WantedReview {
  return { other: member.sourceId, cause, score: member.comparison.score, grade: member.comparison.grade };
}
