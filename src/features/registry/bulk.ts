/**
 * Accepting many alike pairs together. A random sample of them is decided one by one first; only when all of the sample are one
 * person may the rest be linked. Every pair becomes a decision of its own, with its ledger entry and audit event, and can be
 * taken back alone or with all the others.
 */
import { newId } from '../../crypto/index.ts';
import type { ReviewId } from '../../kernel/ids.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Actor } from '../../kernel/principal.ts';
import { type BulkId, type BulkRow, bulkStore } from './bulk-store.ts';
import {
  bulkNotFound,
  bulkOutdated,
  bulkOver,
  reviewDecided,
  sampleFailed,
  samplePending,
  secondPersonNeeded,
  tooFewAlike,
} from './problems.ts';
import { decideReview, undoReview } from './review-decisions.ts';
import type { Decision } from './decision.ts';
import type { RoundDeps } from './round-loading.ts';
import { bindWord, wordFits } from './rule-binding.ts';
import { readSecondPerson, userOf } from './second-person.ts';
import { withinReach } from './visibility.ts';

/** Fewer are sooner decided one by one than sampled. */
export const ALIKE_MIN = 20;
/** Pairs decided by one request; the page asks again until none are left, and shows how far it is. */
const AT_ONCE = 50;

export interface BulkProgress {
  readonly done: number;
  readonly skipped: number;
  /** More may be left: ask again. */
  readonly more: boolean;
}

/** Draws a sample. Throws Problem `too-few-alike`. */
export async function beginBulk(
  deps: RoundDeps,
  actor: Actor,
  asked: { readonly scoreFrom: number; readonly sampleSize: number },
): Promise<BulkRow> {
  const user = userOf(actor.principal);
  // The command line has no page to look at a sample.
  if (user === undefined) throw bulkNotFound();
  const within = await withinReach(deps, actor.principal, 'review.decide');
  const alike = { scoreFrom: asked.scoreFrom, within };
  const total = await bulkStore.count(deps.database, alike);
  if (total < ALIKE_MIN) throw tooFewAlike(ALIKE_MIN);
  const sample = await bulkStore.draw(deps.database, alike, asked.sampleSize);
  const id = newId<BulkId>();
  const bulk = {
    bulk_id: id,
    created_at: new Date(deps.clock.nowMs()),
    created_by: user,
    score_from: asked.scoreFrom,
    sample,
    total,
    creator_binding: bindWord(deps.keyRing, 'bulk', id, user),
    model_version: deps.matcher.modelVersion,
  };
  await deps.database.transaction((tx) => bulkStore.insert(tx, bulk));
  return { ...bulk, state: 'sampling', accepted: 0, skipped: 0 };
}

/**
 * Links the next pairs. Throws Problem `sample-pending`, `sample-failed`, `second-person-needed`, `bulk-outdated` or `bulk-over`;
 * the last three are asked with every pair again, since others may change the model or the rule, or give the group up, meanwhile.
 */
export async function acceptNext(deps: RoundDeps, actor: Actor, id: BulkId): Promise<BulkProgress> {
  const bulk = await found(deps, id);
  if (bulk.state === 'done' || bulk.state === 'given-up') throw bulkOver();
  await assertSampleRight(deps, bulk);
  const begunByAnother = { kind: 'bulk', id, word: bulk.created_by } as const;
  const isFirst =
    userOf(actor.principal) === bulk.created_by || !wordFits(deps.keyRing, begunByAnother, bulk.creator_binding);
  if (isFirst && (await readSecondPerson(deps, deps.database)) !== 'never') throw secondPersonNeeded();
  assertSameModel(deps, bulk);
  const within = await withinReach(deps, actor.principal, 'review.decide');
  const ids = await bulkStore.next(deps.database, bulk, within, AT_ONCE);
  const skipped: ReviewId[] = [];
  let done = 0;
  const reason = `accepted together with ${bulk.total} alike after a sample of ${bulk.sample.length}`;
  for (const reviewId of ids) {
    const together = async (decision: Decision): Promise<void> => {
      if (isFirst && (await readSecondPerson(decision.deps, decision.tx)) !== 'never') throw secondPersonNeeded();
      assertSameModel(decision.deps, bulk);
      if (!(await bulkStore.join(decision.tx, id, reviewId))) throw bulkOver();
    };
    const outcome = await attempt(() => decideReview(deps, actor, { reviewId, decision: 'link', reason, together }));
    if (outcome === 'done') done++;
    // A pair before it may have answered this one: about the same two people, or with somebody whom one of them is kept apart from.
    if (outcome === 'left-out') skipped.push(reviewId);
  }
  const more = ids.length === AT_ONCE;
  await deps.database.transaction((tx) => bulkStore.progress(tx, id, { state: more ? 'accepting' : 'done', skipped }));
  return { done, skipped: skipped.length, more };
}

/** What another model finds alike, the sample says nothing about. */
function assertSameModel({ matcher }: RoundDeps, bulk: BulkRow): void {
  if (matcher.modelVersion !== bulk.model_version) throw bulkOutdated();
}

/** Takes back what was accepted, the newest first; what others built on since stays as it is. */
export async function undoNext(deps: RoundDeps, actor: Actor, id: BulkId): Promise<BulkProgress> {
  await found(deps, id);
  // First of all: whoever is accepting beside us links no further pair of it.
  await bulkStore.giveUp(deps.database, id);
  const ids = await bulkStore.accepted(deps.database, id, AT_ONCE);
  let done = 0;
  for (const reviewId of ids) {
    if ((await attempt(() => undoReview(deps, actor, { reviewId }))) === 'done') done++;
  }
  const more = ids.length === AT_ONCE;
  await deps.database.transaction((tx) => bulkStore.forget(tx, ids));
  return { done, skipped: ids.length - done, more };
}

export async function found(deps: RoundDeps, id: BulkId): Promise<BulkRow> {
  const bulk = await bulkStore.find(deps.database, id);
  if (bulk === undefined) throw bulkNotFound();
  return bulk;
}

async function assertSampleRight(deps: RoundDeps, bulk: BulkRow): Promise<void> {
  if (bulk.state === 'accepting') return;
  const sample = await bulkStore.sampled(deps.database, bulk.sample);
  const wrong = sample.filter((one) => one.decision === 'different').length;
  if (wrong > 0) throw sampleFailed(wrong, bulk.sample.length);
  const waiting = bulk.sample.length - sample.filter((one) => one.decision === 'link').length;
  if (waiting > 0) throw samplePending(waiting);
}

/** A pair that cannot be decided any more (deleted, set apart, decided by somebody else) is left out, not an end of all. */
async function attempt(act: () => Promise<unknown>): Promise<'done' | 'left-out' | 'answered'> {
  try {
    await act();
    return 'done';
  } catch (error) {
    if (isProblem(error) && error.code === reviewDecided().code) return 'answered';
    if (isProblem(error) && ENDS_ALL.has(error.code)) throw error;
    if (isProblem(error) && SKIPPED_KINDS.has(error.kind)) return 'left-out';
    throw error;
  }
}

const ENDS_ALL: ReadonlySet<string> = new Set(
  [bulkOver(), bulkOutdated(), secondPersonNeeded()].map(({ code }) => code),
);
const SKIPPED_KINDS: ReadonlySet<string> = new Set(['conflict', 'not-found', 'forbidden', 'gone']);
