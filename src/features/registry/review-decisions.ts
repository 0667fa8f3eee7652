/** Deciding a review, and taking the decision back. */
import type { LinkEntryId, ResourceId, ReviewId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { pairKey } from './batch-state.ts';
import { ledgerActor } from './ledger.ts';
import type { LedgerEntry } from './model.ts';
import { nothingToUndo, reviewDecided, reviewNotFound } from './problems.ts';
import { ABOUT_A_LINK, readWaitingBetween, type Waiting } from './review-settling.ts';
import {
  addNeverLinks,
  dropOtherReviewsOfPair,
  lockReview,
  markReview,
  readReview,
  removeNeverLinksOf,
} from './review-store.ts';
import type { QueuedReview } from './review-queue.ts';
import type { RoundDeps } from './round-loading.ts';
import { agreedByTwo, userOf } from './second-person.ts';
import type { Decision } from './decision.ts';
import {
  assertMayJoin,
  decide,
  type DecisionResult,
  goldensOf,
  join,
  ledgerOfGoldens,
  moveBack,
  placePinned,
  separate,
  stewardAudit,
} from './stewardship.ts';
import { readNeverLinks, type ReviewRow } from './store.ts';
import { withinReach } from './visibility.ts';

export interface ReviewVerdict {
  readonly reviewId: ReviewId;
  readonly decision: 'link' | 'different' | 'later';
  readonly reason?: string;
  /**
   * Of many that are accepted together: asked within the transaction, throws what speaks against it, and answers for the rule of
   * the second person, which is not asked here then.
   */
  readonly together?: (decision: Decision) => Promise<void>;
}

export interface ReviewDecided {
  readonly entryId?: LinkEntryId;
  /** The golden record that stands for both after a link. */
  readonly clientId?: ResourceId;
  /** The link was only proposed: a second person has to agree. */
  readonly waitsForSecond?: true;
  /** Other reviews between the same two people, which this decision answers as well. */
  readonly answers?: readonly ReviewId[];
}

export async function decideReview(
  deps: RoundDeps,
  actor: Actor,
  verdict: ReviewVerdict,
): Promise<DecisionResult<ReviewDecided>> {
  let review: QueuedReview | undefined;
  return decide<ReviewDecided>(deps, actor, {
    async goldens(tx) {
      review = await reviewFor(deps, tx, { actor, id: verdict.reviewId });
      if (review.state === 'decided') throw reviewDecided();
      return [...(await goldensOf(tx, [review.a, review.b])).values()];
    },
    async act(decision) {
      if (!review) throw reviewNotFound();
      await verdict.together?.(decision);
      const result = await applyVerdict(decision, review, verdict);
      const goldens = [review.a, review.b].flatMap((id) => decision.state.sources.get(id)?.goldenId ?? []);
      const reason = [result.waitsForSecond ? 'link proposed' : verdict.decision, verdict.reason]
        .filter(Boolean)
        .join(': ');
      return {
        result,
        audit: stewardAudit(actor, 'review.decide', {
          goldens: [...new Set(goldens)],
          reason,
          reviews: [review.review_id, ...(result.answers ?? [])],
        }),
      };
    },
  });
}

/** The review, for who may decide it: to others it is not there, whatever its state. Throws Problem `review-not-found`. */
async function reviewFor(
  deps: RoundDeps,
  tx: Transaction,
  { actor, id }: { readonly actor: Actor; readonly id: ReviewId },
): Promise<QueuedReview> {
  const review = await lockReview(tx, id, await withinReach(deps, actor.principal, 'review.decide'));
  if (!review) throw reviewNotFound();
  return review;
}

async function applyVerdict(decision: Decision, review: QueuedReview, verdict: ReviewVerdict): Promise<ReviewDecided> {
  const { tx, state, entryId, nowMs } = decision;
  if (verdict.decision === 'later') {
    await markReview(tx, review.review_id, { state: 'later' });
    return {};
  }
  const done = await (verdict.decision === 'link' ? linked(decision, review, verdict) : apart(decision, review));
  if (done === 'waits') return { waitsForSecond: true };
  const { moved, answers, clientId, otherGoldenId } = done;
  state.ledger.push({
    entryId,
    kind: 'review-decided',
    goldenId: clientId,
    ...(otherGoldenId ? { otherGoldenId } : {}),
    sourceId: review.a,
    otherSourceId: review.b,
    detail: {
      actor: ledgerActor(decision.actor),
      decision: verdict.decision,
      reviewId: review.review_id,
      ...(answers.length > 0 ? { answers } : {}),
      score: review.score,
      modelVersion: review.model_version,
      moved,
      ...(verdict.reason ? { reason: verdict.reason } : {}),
      ...(review.proposed_by === null ? {} : { proposedBy: review.proposed_by }),
    },
  });
  await markReview(tx, review.review_id, {
    state: 'decided',
    decision: verdict.decision,
    decidedAt: new Date(nowMs),
    entryId,
  });
  return { entryId, clientId, answers };
}

interface CarriedOut {
  readonly clientId: ResourceId;
  readonly otherGoldenId?: ResourceId;
  readonly moved: readonly ResourceId[];
  /** Other reviews between the two people. They are settled when all is written (decideWithin). */
  readonly answers: readonly ReviewId[];
}

/** The golden records of a review's two records. */
function pairOf({ state }: Decision, review: QueuedReview) {
  const a = state.sources.get(review.a);
  const b = state.sources.get(review.b);
  if (!a || !b) throw reviewNotFound();
  return { goldenA: a.goldenId, goldenB: b.goldenId };
}

async function linked(decision: Decision, review: QueuedReview, verdict: ReviewVerdict): Promise<CarriedOut | 'waits'> {
  const { tx, state, nowMs } = decision;
  const { goldenA, goldenB } = pairOf(decision, review);
  if (goldenA === goldenB) return { clientId: goldenA, moved: [], answers: [] };
  assertMayJoin(decision, goldenA, goldenB);
  const [left, right] = [[...state.golden(goldenA).members], [...state.golden(goldenB).members]];
  const { principal } = decision.actor;
  const sizes = [left.length, right.length] as const;
  if (verdict.together === undefined && !(await agreedByTwo(decision.deps, tx, { review, principal, sizes, nowMs })))
    return 'waits';
  const waiting = await readWaitingBetween(tx, left, right);
  const { survivor, other } = survivorOf(decision, goldenA, goldenB);
  return {
    clientId: survivor,
    otherGoldenId: other,
    moved: join(decision, { survivor, other }),
    // Whether a link should have been made at all is asked of each pair.
    answers: othersOf(
      review,
      waiting.filter(({ cause }) => !ABOUT_A_LINK.has(cause)),
    ),
  };
}

async function apart(decision: Decision, review: QueuedReview): Promise<CarriedOut> {
  const { tx, state, entryId } = decision;
  const { goldenA, goldenB } = pairOf(decision, review);
  if (goldenA !== goldenB) {
    await addNeverLinks(tx, [[review.a, review.b]], entryId);
    const waiting = await readWaitingBetween(tx, state.golden(goldenA).members, state.golden(goldenB).members);
    return { clientId: goldenA, otherGoldenId: goldenB, moved: [], answers: othersOf(review, waiting) };
  }
  // The record that changed last is the one that no longer fits.
  const leaving = (await newerOf(decision, review.a, review.b)) ?? review.b;
  const otherGoldenId = await separate(decision, { goldenId: goldenA, sourceId: leaving });
  const waiting = await readWaitingBetween(tx, [leaving], state.golden(goldenA).members);
  return { clientId: goldenA, otherGoldenId, moved: [leaving], answers: othersOf(review, waiting) };
}

const othersOf = (review: QueuedReview, waiting: readonly Waiting[]): ReviewId[] =>
  waiting.map(({ review_id }) => review_id).filter((id) => id !== review.review_id);

/** The golden record with more source records stays; among equals the older one, so that known ids change least. */
function survivorOf(decision: Decision, x: ResourceId, y: ResourceId): { survivor: ResourceId; other: ResourceId } {
  const sizeX = decision.state.golden(x).members.size;
  const sizeY = decision.state.golden(y).members.size;
  const keepX = sizeX === sizeY ? x < y : sizeX > sizeY;
  return keepX ? { survivor: x, other: y } : { survivor: y, other: x };
}

async function newerOf(decision: Decision, x: ResourceId, y: ResourceId): Promise<ResourceId | undefined> {
  const stored = await decision.deps.resources.read(decision.tx, 'Patient', [x, y]);
  const timeX = stored.get(x)?.lastUpdatedMs ?? 0;
  const timeY = stored.get(y)?.lastUpdatedMs ?? 0;
  return timeX === timeY ? undefined : timeX > timeY ? x : y;
}

/** Opens a decided review again and takes back what the decision did, unless others have built on it since. */
export async function undoReview(
  deps: RoundDeps,
  actor: Actor,
  what: { readonly reviewId: ReviewId },
): Promise<DecisionResult<QueuedReview>> {
  let review: QueuedReview | undefined;
  return decide<QueuedReview>(deps, actor, {
    async goldens(tx) {
      review = await reviewFor(deps, tx, { actor, id: what.reviewId });
      if (review.state === 'open' && !isOwnProposal(review, actor)) {
        throw nothingToUndo('This review is open: there is no decision of yours to take back.');
      }
      return [...new Set((await goldensOf(tx, [review.a, review.b])).values())];
    },
    async act(decision) {
      if (!review) throw reviewNotFound();
      if (review.state === 'decided') await takeBack(decision, review);
      // Marking a review open withdraws a proposal as well.
      await dropOtherReviewsOfPair(decision.tx, review);
      await markReview(decision.tx, review.review_id, { state: 'open' });
      const goldens = [review.a, review.b].flatMap((id) => decision.state.sources.get(id)?.goldenId ?? []);
      return {
        result: { ...review, state: 'open', decision: null, decided_at: null, entry_id: null, proposed_by: null },
        audit: stewardAudit(actor, 'review.undo', { goldens: [...new Set(goldens)], reviews: [review.review_id] }),
        // Other reviews between the two people may be of any of their records.
        freed: [...decision.state.sources.keys()],
      };
    },
    async afterwards(tx, result) {
      // Another decision may keep the two people apart still: then the question stays answered.
      return (await readReview(tx, what.reviewId)) ?? result;
    },
  });
}

function isOwnProposal(review: QueuedReview, { principal }: Actor): boolean {
  return review.proposed_by !== null && review.proposed_by === userOf(principal);
}

async function takeBack(decision: Decision, review: ReviewRow): Promise<void> {
  const { state, tx } = decision;
  const goldenA = state.sources.get(review.a)?.goldenId;
  const goldenB = state.sources.get(review.b)?.goldenId;
  if (!goldenA || !goldenB) throw nothingToUndo('One of the two records was deleted since. Nothing was changed.');
  const entries = await ledgerOfGoldens(decision, [...new Set([goldenA, goldenB])]);
  const entry = entries.find((candidate) => candidate.entryId === review.entry_id);
  if (!entry) throw nothingToUndo('This review was closed by another decision. Take that one back instead.');
  await removeNeverLinksOf(tx, entry.entryId);
  const moved = entry.moved ?? [];
  const stayed = moved.includes(review.a) ? goldenB : goldenA;
  if (moved.length > 0) await reverseMove(decision, { entry, goldenA, goldenB, stayed });
  state.ledger.push({
    entryId: decision.entryId,
    kind: 'decision-undone',
    goldenId: entry.goldenId,
    ...(entry.otherGoldenId ? { otherGoldenId: entry.otherGoldenId } : {}),
    sourceId: review.a,
    otherSourceId: review.b,
    detail: {
      actor: ledgerActor(decision.actor),
      undoes: entry.entryId,
      reviewId: review.review_id,
      decision: entry.decision ?? '',
    },
  });
}

async function reverseMove(
  decision: Decision,
  what: {
    readonly entry: LedgerEntry;
    readonly goldenA: ResourceId;
    readonly goldenB: ResourceId;
    /** Where the record is now that the decision left in its place. */
    readonly stayed: ResourceId;
  },
): Promise<void> {
  const { entry, goldenA, goldenB } = what;
  if (!entry.otherGoldenId) return;
  if (entry.decision === 'link') {
    if (goldenA !== goldenB) throw nothingToUndo('The two were separated since. Nothing was changed.');
    // The pair is a question again, not a "never".
    await moveBack(decision, { entry, from: goldenA, to: entry.otherGoldenId, keepApart: false });
    return;
  }
  if (goldenA === goldenB) throw nothingToUndo('The two were linked since. Nothing was changed.');
  const moved = [...decision.state.golden(entry.otherGoldenId).members].filter((id) => entry.moved?.includes(id));
  if (moved.length === 0 || what.stayed !== entry.goldenId) {
    throw nothingToUndo('One of the two records was moved since. Nothing was changed.');
  }
  await assertNotKeptApart(decision, moved, entry.goldenId);
  for (const id of moved) placePinned(decision.state, id, entry.goldenId);
  const left = decision.state.golden(entry.otherGoldenId);
  if (left.members.size === 0) left.replacedBy = entry.goldenId;
}

/** Others may have joined meanwhile, and other decisions may keep one of them apart from what returns. */
export async function assertNotKeptApart(
  { tx, state }: Decision,
  moved: readonly ResourceId[],
  goldenId: ResourceId,
): Promise<void> {
  const kept = new Set((await readNeverLinks(tx, moved)).map(({ a, b }) => pairKey(a, b)));
  const members = [...state.golden(goldenId).members];
  if (moved.some((x) => members.some((y) => kept.has(pairKey(x, y))))) {
    throw nothingToUndo('Another decision keeps these records apart. Nothing was changed.');
  }
}
