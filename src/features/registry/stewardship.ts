/**
 * What stewards decide. Each decision runs under the registry's lock in one transaction with its ledger entry and its audit
 * event; records that a steward placed are pinned, so that no model moves them again.
 */
import { newId } from '../../crypto/index.ts';
import type { LinkEntryId, ResourceId, ReviewId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditInput } from '../audit/index.ts';
import { assertWhole } from './altered.ts';
import { orderedPair, pairKey, type RoundState, RoundState as Round } from './batch-state.ts';
import { ledgerActor, openWholeLedger } from './ledger.ts';
import type { LedgerEntry } from './model.ts';
import type { Decision } from './decision.ts';
import { proposeMerge } from './merge-proposal.ts';
import { clientNotFound, lastSource, neverLinked, notMerged, sameClient, sharedClient } from './problems.ts';
import { addNeverLinks, closeReviewOfPair, readFormerGolden, readLedger } from './review-store.ts';
import { keptApart, reopenSettledReviews, settleReviewsApart } from './review-settling.ts';
import type { RoundDeps } from './round-loading.ts';
import { writeRound } from './round-writing.ts';
import { withinReach } from './visibility.ts';
import { readGoldenOf, readNeverLinks, readSourcesOfGoldens, takeRegistryLock } from './store.ts';

export interface DecisionResult<T> {
  readonly result: T;
  readonly audited: AuditReceipt;
}

interface DecisionSteps<T> {
  readonly goldens: (tx: Transaction) => Promise<readonly ResourceId[]>;
  /** `act` itself judges whether the actor may: a sender decides about its own records, whoever else's they are linked with. */
  readonly judgedByAct?: true;
  /** `freed`: records about which something was taken back; what that had answered on its way is open again. */
  readonly act: (
    decision: Decision,
  ) => Promise<{ readonly result: T; readonly audit: AuditInput; readonly freed?: readonly ResourceId[] }>;
  /** What is answered, as it stands when all is written. */
  readonly afterwards?: (tx: Transaction, result: T) => Promise<T>;
}

/** Runs a decision over these golden records and writes what it changed. */
export async function decide<T>(deps: RoundDeps, actor: Actor, steps: DecisionSteps<T>): Promise<DecisionResult<T>> {
  return deps.database.transaction(async (tx) => {
    await takeRegistryLock(tx);
    return decideWithin(deps, tx, actor, steps);
  });
}

/** The same in a transaction that holds the registry's lock already. */
export async function decideWithin<T>(
  live: RoundDeps,
  tx: Transaction,
  actor: Actor,
  steps: DecisionSteps<T>,
): Promise<DecisionResult<T>> {
  // A copy: the model that is in force now decides all of it.
  const deps = { ...live };
  const state = await loadGoldens(deps, tx, await steps.goldens(tx));
  if (steps.judgedByAct !== true) await assertOwnThroughout(deps, actor, state);
  const nowMs = deps.clock.nowMs();
  const decision: Decision = { deps, tx, actor, state, nowMs, entryId: newId<LinkEntryId>() };
  const { result, audit, freed = [] } = await steps.act(decision);
  await writeRound(deps, tx, { state, nowMs });
  await settleReviewsApart(tx, state.goldens.keys(), new Date(nowMs));
  await reopenSettledReviews(tx, freed);
  const standing = steps.afterwards ? await steps.afterwards(tx, result) : result;
  return { result: standing, audited: await deps.audit.record(tx, [audit]) };
}

/**
 * Who decides about links, decides about every record that is joined or parted: those of one's own organisations, or, for
 * central stewards, all. What is nowhere in reach is not known; what is shared with others is theirs to decide as well.
 */
export async function assertOwnThroughout(deps: RoundDeps, actor: Actor, state: RoundState): Promise<void> {
  const within = await withinReach(deps, actor.principal, 'review.decide');
  if (within === undefined) return;
  if (state.goldens.size === 0) throw clientNotFound();
  for (const golden of state.goldens.values()) {
    const members = [...golden.members].flatMap((id) => state.sources.get(id) ?? []);
    const own = members.filter((source) => within.domainIds.includes(source.domainId));
    if (own.length === 0) throw clientNotFound();
    if (own.length < members.length) throw sharedClient();
  }
}

export async function loadGoldens(deps: RoundDeps, tx: Transaction, ids: readonly ResourceId[]): Promise<RoundState> {
  const state = new Round();
  for (const row of await readSourcesOfGoldens(tx, ids)) state.add(deps.records.open(row));
  for (const { a, b } of await readNeverLinks(tx, state.sources.keys())) state.neverLinks.add(pairKey(a, b));
  await assertWhole(deps, tx, state, ids);
  return state;
}

export async function goldensOf(
  tx: Transaction,
  sourceIds: readonly ResourceId[],
): Promise<ReadonlyMap<ResourceId, ResourceId>> {
  const rows = await readGoldenOf(tx, sourceIds);
  return new Map(rows.map((row) => [row.source_id, row.golden_id]));
}

function membersOf(state: RoundState, goldenId: ResourceId): ResourceId[] {
  const members = [...state.golden(goldenId).members];
  if (members.length === 0) throw clientNotFound();
  return members;
}

export function placePinned(state: RoundState, id: ResourceId, goldenId: ResourceId): void {
  const source = state.sources.get(id);
  if (!source) throw clientNotFound();
  source.pinned = true;
  state.place(source, goldenId);
}

/**
 * Takes one source record out of a person. The two never link again by themselves. Returns the golden record it has now: the one
 * it had before it was linked, where that stood for nobody else, so that an id known outside means the same person again.
 */
export async function separate(
  decision: Decision,
  what: { readonly goldenId: ResourceId; readonly sourceId: ResourceId },
): Promise<ResourceId> {
  const members = membersOf(decision.state, what.goldenId);
  if (!members.includes(what.sourceId)) throw clientNotFound();
  if (members.length === 1) throw lastSource();
  const former = await readFormerGolden(decision.tx, what.sourceId, what.goldenId);
  const goldenId = former ?? newId<ResourceId>();
  placePinned(decision.state, what.sourceId, goldenId);
  const others = members.filter((id) => id !== what.sourceId);
  const pairs = others.map((id) => orderedPair(id, what.sourceId));
  await addNeverLinks(decision.tx, pairs, decision.entryId);
  return goldenId;
}

/** Throws Problem `never-linked` where a steward keeps the two apart: nobody is to wait for a second person to be told so. */
export function assertMayJoin({ state }: Decision, x: ResourceId, y: ResourceId): void {
  if (keptApart(state)(x, y)) throw neverLinked();
}

/** Moves every source record of `other` to `survivor`; `other` redirects for ever. Returns what moved. */
export function join(
  decision: Decision,
  what: { readonly survivor: ResourceId; readonly other: ResourceId },
): readonly ResourceId[] {
  const { state } = decision;
  if (what.survivor === what.other) throw sameClient();
  const staying = membersOf(state, what.survivor);
  const moved = membersOf(state, what.other);
  assertMayJoin(decision, what.survivor, what.other);
  for (const id of staying) pin(state, id);
  for (const id of moved) placePinned(state, id, what.survivor);
  state.golden(what.other).replacedBy = what.survivor;
  return moved;
}

function pin(state: RoundState, id: ResourceId): void {
  const source = state.sources.get(id);
  if (!source || source.pinned) return;
  source.pinned = true;
  if (source.change === 'none') source.change = 'moved';
}

export function unlink(
  deps: RoundDeps,
  actor: Actor,
  what: { readonly goldenId: ResourceId; readonly sourceId: ResourceId; readonly reason: string },
): Promise<DecisionResult<{ entryId: LinkEntryId; newClientId: ResourceId }>> {
  return decide(deps, actor, {
    goldens: async () => [what.goldenId],
    async act(decision) {
      const newClientId = await separate(decision, what);
      decision.state.ledger.push({
        entryId: decision.entryId,
        kind: 'unlinked',
        goldenId: what.goldenId,
        otherGoldenId: newClientId,
        sourceId: what.sourceId,
        detail: { actor: ledgerActor(actor), reason: what.reason },
      });
      return {
        result: { entryId: decision.entryId, newClientId },
        audit: stewardAudit(actor, 'client.unlink', { goldens: [what.goldenId, newClientId], reason: what.reason }),
        freed: [what.sourceId],
      };
    },
  });
}

/** Done, or proposed in a review that a second person decides. */
export type Merged =
  | { readonly entryId: LinkEntryId; readonly clientId: ResourceId }
  | { readonly waitsForSecond: true; readonly reviewId: ReviewId };

export function merge(
  deps: RoundDeps,
  actor: Actor,
  what: { readonly survivor: ResourceId; readonly other: ResourceId; readonly reason: string },
): Promise<DecisionResult<Merged>> {
  return decide<Merged>(deps, actor, {
    goldens: async () => [what.survivor, what.other],
    async act(decision) {
      assertMayJoin(decision, what.survivor, what.other);
      const reviewId = what.survivor === what.other ? undefined : await proposeMerge(decision, what);
      if (reviewId !== undefined) {
        const goldens = [what.survivor, what.other];
        return {
          result: { waitsForSecond: true, reviewId },
          audit: stewardAudit(actor, 'client.merge', {
            ...{ goldens, reviews: [reviewId] },
            reason: `merge proposed: ${what.reason}`,
          }),
        };
      }
      const moved = join(decision, what);
      decision.state.ledger.push({
        entryId: decision.entryId,
        kind: 'merged',
        goldenId: what.survivor,
        otherGoldenId: what.other,
        detail: { actor: ledgerActor(actor), reason: what.reason, moved },
      });
      return {
        result: { entryId: decision.entryId, clientId: what.survivor },
        audit: stewardAudit(actor, 'client.merge', { goldens: [what.survivor, what.other], reason: what.reason }),
      };
    },
  });
}

/** Takes back the latest merge into this golden record: what had moved and is still there returns to where it came from. */
export function unmerge(
  deps: RoundDeps,
  actor: Actor,
  what: { readonly goldenId: ResourceId; readonly reason: string },
): Promise<DecisionResult<{ entryId: LinkEntryId; clientIds: ResourceId[] }>> {
  return decide(deps, actor, {
    goldens: async () => [what.goldenId],
    async act(decision) {
      const entries = await ledgerOfGoldens(decision, [what.goldenId]);
      const last = lastStandingMerge(entries, what.goldenId);
      if (!last?.otherGoldenId) throw notMerged();
      const revived = last.otherGoldenId;
      const back = await moveBack(decision, { entry: last, from: what.goldenId, to: revived, keepApart: true });
      decision.state.ledger.push({
        entryId: decision.entryId,
        kind: 'unmerged',
        goldenId: what.goldenId,
        otherGoldenId: revived,
        detail: { actor: ledgerActor(actor), reason: what.reason, moved: back, undoes: last.entryId },
      });
      return {
        result: { entryId: decision.entryId, clientIds: [what.goldenId, revived] },
        audit: stewardAudit(actor, 'client.unmerge', { goldens: [what.goldenId, revived], reason: what.reason }),
        freed: back,
      };
    },
  });
}

export async function ledgerOfGoldens(decision: Decision, goldenIds: readonly ResourceId[]): Promise<LedgerEntry[]> {
  const rows = await readLedger(decision.tx, goldenIds, []);
  return openWholeLedger(decision.deps, rows);
}

function lastStandingMerge(entries: readonly LedgerEntry[], goldenId: ResourceId): LedgerEntry | undefined {
  const undone = new Set(entries.flatMap((entry) => entry.undoes ?? []));
  return entries.findLast(
    (entry) =>
      entry.goldenId === goldenId &&
      entry.moved !== undefined &&
      entry.moved.length > 0 &&
      !undone.has(entry.entryId) &&
      (entry.kind === 'merged' || entry.kind === 'review-decided'),
  );
}

/** Returns moved records to the golden record they came from; `keepApart`: the two sides never link by themselves again. */
export async function moveBack(
  decision: Decision,
  what: {
    readonly entry: LedgerEntry;
    readonly from: ResourceId;
    readonly to: ResourceId;
    readonly keepApart: boolean;
  },
): Promise<readonly ResourceId[]> {
  const members = membersOf(decision.state, what.from);
  const back = members.filter((id) => what.entry.moved?.includes(id));
  const stay = members.filter((id) => !back.includes(id));
  if (back.length === 0 || stay.length === 0) throw notMerged();
  // It stood for nobody since the merge; should it stand for somebody again, these are not theirs.
  if ((await readSourcesOfGoldens(decision.tx, [what.to])).length > 0) throw notMerged();
  for (const id of back) placePinned(decision.state, id, what.to);
  if (what.keepApart) {
    const pairs = stay.flatMap((x) => back.map((y) => orderedPair(x, y)));
    await addNeverLinks(decision.tx, pairs, decision.entryId);
  }
  return back;
}

export function neverLink(
  deps: RoundDeps,
  actor: Actor,
  what: { readonly a: ResourceId; readonly b: ResourceId; readonly reason: string },
): Promise<DecisionResult<{ entryId: LinkEntryId }>> {
  return decide(deps, actor, {
    goldens: async (tx) => [...(await goldensOf(tx, [what.a, what.b])).values()],
    async act(decision) {
      const [a, b] = orderedPair(what.a, what.b);
      const goldenA = decision.state.sources.get(a)?.goldenId;
      const goldenB = decision.state.sources.get(b)?.goldenId;
      if (!goldenA || !goldenB || a === b) throw clientNotFound();
      if (goldenA === goldenB) throw sameClient();
      await addNeverLinks(decision.tx, [[a, b]], decision.entryId);
      await closeReviewOfPair(decision.tx, { a, b, at: new Date(decision.nowMs), entryId: decision.entryId });
      decision.state.ledger.push({
        entryId: decision.entryId,
        kind: 'never-link',
        goldenId: goldenA,
        otherGoldenId: goldenB,
        sourceId: a,
        otherSourceId: b,
        detail: { actor: ledgerActor(actor), reason: what.reason },
      });
      return {
        result: { entryId: decision.entryId },
        audit: stewardAudit(actor, 'client.never-link', { goldens: [goldenA, goldenB], reason: what.reason }),
      };
    },
  });
}

export function stewardAudit(
  actor: Actor,
  event:
    | 'client.undo'
    | 'client.unlink'
    | 'client.merge'
    | 'client.unmerge'
    | 'client.never-link'
    | 'review.decide'
    | 'review.undo',
  what: {
    readonly goldens: readonly ResourceId[];
    readonly reason?: string;
    /** The review that was decided, then those that the same decision answers. */
    readonly reviews?: readonly ReviewId[];
  },
): AuditInput {
  return {
    actor,
    event,
    action: 'U',
    outcome: 'success',
    patients: what.goldens.map((id) => `Patient/${id}`),
    ...(what.reviews
      ? { entities: what.reviews.map((id) => ({ reference: `Review/${id}`, role: 'job' as const })) }
      : {}),
    ...(what.reason ? { reason: what.reason } : {}),
  };
}
