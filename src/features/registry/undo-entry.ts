/** Taking back what a steward decided by hand: a record taken out, or two records set apart for ever. */
import type { LinkEntryId, ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { Decision } from './decision.ts';
import { ledgerActor, openWholeLedger } from './ledger.ts';
import type { LedgerEntry } from './model.ts';
import { clientNotFound, nothingToUndo, undoWantsTwo } from './problems.ts';
import { assertNotKeptApart } from './review-decisions.ts';
import { reopenReviewsOf } from './review-settling.ts';
import { readLedger, removeNeverLinksOf } from './review-store.ts';
import type { RoundDeps } from './round-loading.ts';
import { needsSecondPerson, userOf } from './second-person.ts';
import { decide, type DecisionResult, placePinned, stewardAudit } from './stewardship.ts';
import { visibleAmong } from './seen.ts';
import { withinReach } from './visibility.ts';

export interface UndoneEntry {
  readonly entryId: LinkEntryId;
  readonly clientId: ResourceId;
}

/**
 * Takes an `unlinked` or `never-link` entry of a client's ledger back. Throws Problem `nothing-to-undo` where others have built
 * on it since, or it is not of these kinds.
 */
export function undoEntry(
  deps: RoundDeps,
  actor: Actor,
  what: { readonly goldenId: ResourceId; readonly entryId: LinkEntryId; readonly reason: string },
): Promise<DecisionResult<UndoneEntry>> {
  let entry: LedgerEntry | undefined;
  return decide<UndoneEntry>(deps, actor, {
    async goldens(tx) {
      await assertSeen(deps, tx, { actor, id: what.goldenId });
      entry = await standingEntry(deps, tx, what);
      return entry.otherGoldenId ? [entry.goldenId, entry.otherGoldenId] : [entry.goldenId];
    },
    async act(decision) {
      if (entry === undefined) throw gone();
      if (entry.kind === 'unlinked') await assertAgreed(deps, decision, { actor, entry });
      await removeNeverLinksOf(decision.tx, entry.entryId);
      if (entry.kind === 'unlinked') await putBack(decision, entry);
      const records = [...decision.state.sources.keys()];
      await reopenReviewsOf(decision.tx, entry.entryId, records);
      decision.state.ledger.push({
        entryId: decision.entryId,
        kind: 'decision-undone',
        goldenId: entry.goldenId,
        ...(entry.otherGoldenId ? { otherGoldenId: entry.otherGoldenId } : {}),
        ...(entry.sourceId ? { sourceId: entry.sourceId } : {}),
        ...(entry.otherSourceId ? { otherSourceId: entry.otherSourceId } : {}),
        detail: { actor: ledgerActor(actor), reason: what.reason, undoes: entry.entryId, decision: entry.kind },
      });
      const goldens = [entry.goldenId, ...(entry.otherGoldenId ? [entry.otherGoldenId] : [])];
      return {
        result: { entryId: decision.entryId, clientId: entry.goldenId },
        audit: stewardAudit(actor, 'client.undo', { goldens, reason: what.reason }),
        freed: records,
      };
    },
  });
}

/** To who does not reach the client, there is none: neither it nor what was decided about it. */
async function assertSeen(
  deps: RoundDeps,
  tx: Transaction,
  { actor, id }: { readonly actor: Actor; readonly id: ResourceId },
): Promise<void> {
  const within = await withinReach(deps, actor.principal, 'review.decide');
  if (within !== undefined && !(await visibleAmong(deps, tx, { ids: [id], within })).has(id)) throw clientNotFound();
}

/**
 * To put back what somebody else took out joins two clients against their word: where two people have to agree on that, one does
 * not do it alone. One's own decision of a moment ago is taken back by oneself.
 */
async function assertAgreed(
  deps: RoundDeps,
  { state, tx }: Decision,
  { actor, entry }: { readonly actor: Actor; readonly entry: LedgerEntry },
): Promise<void> {
  const user = userOf(actor.principal);
  if (user === undefined || (entry.actor.kind === 'user' && entry.actor.id === user)) return;
  const sizeOf = (id: ResourceId | undefined): number => (id === undefined ? 0 : state.golden(id).members.size);
  const sizes = [sizeOf(entry.goldenId), sizeOf(entry.otherGoldenId)] as const;
  if (await needsSecondPerson(deps, tx, actor.principal, sizes)) throw undoWantsTwo();
}

async function standingEntry(
  deps: RoundDeps,
  tx: Transaction,
  what: { readonly goldenId: ResourceId; readonly entryId: LinkEntryId },
): Promise<LedgerEntry> {
  const entries = openWholeLedger(deps, await readLedger(tx, [what.goldenId], []));
  const entry = entries.find((one) => one.entryId === what.entryId);
  if (entry === undefined || (entry.kind !== 'unlinked' && entry.kind !== 'never-link')) throw gone();
  if (entries.some((one) => one.undoes === entry.entryId)) {
    throw nothingToUndo('This decision was taken back already. Nothing was changed.');
  }
  return entry;
}

/** The record returns to the person it was taken out of, if both are still as that decision left them. */
async function putBack(decision: Decision, { goldenId, otherGoldenId, sourceId }: LedgerEntry): Promise<void> {
  const { state } = decision;
  const source = sourceId && state.sources.get(sourceId);
  if (!source || otherGoldenId === undefined || source.goldenId !== otherGoldenId) {
    throw nothingToUndo('The record was deleted or linked elsewhere since. Nothing was changed.');
  }
  if (state.golden(goldenId).members.size === 0) {
    throw nothingToUndo('The client it was taken out of stands for nobody any more. Nothing was changed.');
  }
  await assertNotKeptApart(decision, [source.id], goldenId);
  placePinned(state, source.id, goldenId);
  const left = state.golden(otherGoldenId);
  if (left.members.size === 0) left.replacedBy = goldenId;
}

const gone = () =>
  nothingToUndo('Only a record taken out, or two records set apart, can be taken back here. Nothing was changed.');
