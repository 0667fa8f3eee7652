/** Taking back what a re-link moved, the newest first. What a steward decided about since stays as it is. */
import { newId } from '../../crypto/index.ts';
import type { LinkEntryId, ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { RoundState } from './batch-state.ts';
import { ledgerActor } from './ledger.ts';
import { type ActivationId, type MoveRow, relinkStore } from './relink-store.ts';
import type { RoundDeps } from './round-loading.ts';
import { writeRound } from './round-writing.ts';
import { reopenSettledReviews } from './review-settling.ts';
import { loadGoldens } from './stewardship.ts';
import { readGoldens, REGISTRY_LOCK } from './store.ts';

export interface UndoBatch {
  readonly activationId: ActivationId;
  readonly limit: number;
  readonly actor: Actor;
  readonly alongside: (tx: Transaction, done: UndoDone) => Promise<void>;
}

export interface UndoDone {
  readonly takenBack: number;
  /** Decided about by a steward, deleted or moved on since. */
  readonly kept: number;
  /** More moves may stand. */
  readonly more: boolean;
}

export async function undoRelinkBatch(live: RoundDeps, batch: UndoBatch): Promise<UndoDone> {
  return await live.database.transaction(
    async (tx) => {
      const deps = { ...live };
      const moves = await relinkStore.standing(tx, batch.activationId, batch.limit);
      const done = await takeBack(deps, tx, moves, batch);
      if (moves.length < batch.limit) await relinkStore.dropReviews(tx, batch.activationId);
      const all = { ...done, more: moves.length === batch.limit };
      await batch.alongside(tx, all);
      return all;
    },
    { lock: REGISTRY_LOCK },
  );
}

async function takeBack(
  deps: RoundDeps,
  tx: Transaction,
  moves: readonly MoveRow[],
  { activationId, actor }: UndoBatch,
): Promise<Omit<UndoDone, 'more'>> {
  if (moves.length === 0) return { takenBack: 0, kept: 0 };
  const ids = new Set<ResourceId>(moves.flatMap((one) => [one.from_golden, one.to_golden]));
  const state = await loadGoldens(deps, tx, [...ids]);
  const redirects = new Map((await readGoldens(tx, ids)).map((row) => [row.golden_id, row.replaced_by]));
  const marks: { move: bigint; undone: 'taken-back' | 'kept' }[] = [];
  const apart: ResourceId[] = [];
  const touched = new Set<ResourceId>();
  for (const one of moves) {
    const isBack = returned(state, one, redirects);
    marks.push({ move: one.move, undone: isBack ? 'taken-back' : 'kept' });
    if (!isBack) continue;
    apart.push(one.source_id);
    touched.add(one.from_golden).add(one.to_golden);
    state.ledger.push({
      entryId: newId<LinkEntryId>(),
      kind: 'decision-undone',
      goldenId: one.from_golden,
      otherGoldenId: one.to_golden,
      sourceId: one.source_id,
      detail: {
        actor: ledgerActor(actor),
        undoes: one.entry_id,
        decision: 're-link',
        reason: 'the model was rolled back',
      },
    });
  }
  await writeRound(deps, tx, { state, nowMs: deps.clock.nowMs() });
  await reopenSettledReviews(tx, apart);
  await relinkStore.mark(tx, activationId, marks);
  if (touched.size > 0) {
    await deps.audit.record(tx, [
      {
        ...{ actor, event: 'client.undo', action: 'U', outcome: 'success' },
        patients: [...touched].map((id) => `Patient/${id}`),
        detail: { activation: activationId },
      },
    ]);
  }
  const takenBack = marks.filter(({ undone }) => undone === 'taken-back').length;
  return { takenBack, kept: marks.length - takenBack };
}

function returned(
  state: RoundState,
  { source_id: id, from_golden: from, to_golden: to }: MoveRow,
  redirects: ReadonlyMap<ResourceId, ResourceId | null>,
): boolean {
  const source = state.sources.get(id);
  if (!source || source.pinned || source.goldenId !== to) return false;
  const leads = redirects.get(from);
  // Somebody else's decision has sent that id elsewhere since.
  if (leads && leads !== to) return false;
  const home = state.golden(from);
  if ([...home.members].some((other) => state.neverLinked(id, other))) return false;
  state.place(source, from);
  const left = state.golden(to);
  if (left.members.size === 0) left.replacedBy = from;
  delete home.replacedBy;
  return true;
}
