/**
 * Several changes and merges of one sender, each seeing what the former did, in one transaction under the registry's lock: a feed
 * message, `$merge` with what the survivor shall say, an A40 of several pairs. All of it is done or nothing: records, links, reviews,
 * ledger, events, and the notes that subscribers are told from.
 */
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { runBatch } from './batch.ts';
import { mergeWithin } from './feed-merge.ts';
import type { SubmissionOutcome } from './model.ts';
import type { RoundDeps } from './round-loading.ts';
import type { Together, TogetherDone, TogetherRefused, TogetherStep } from './service.ts';
import { REGISTRY_LOCK } from './store.ts';
import { prepareWork, type Work } from './work.ts';

/** Thrown to undo a transaction whose answer is known; never leaves this file. */
class Undo extends Error {
  readonly result: TogetherDone | TogetherRefused;
  constructor(result: TogetherDone | TogetherRefused) {
    super('undone on purpose');
    this.result = result;
  }
}

type Prepared =
  | Exclude<TogetherStep, { kind: 'writes' }>
  | { readonly kind: 'writes'; readonly works: readonly Work[] };

export async function applyTogether(
  deps: RoundDeps,
  actor: Actor,
  what: Together,
): Promise<TogetherDone | TogetherRefused> {
  const domains = await deps.domains.table();
  const options = { atomic: true } as const;
  const steps = what.steps.map((step): Prepared => {
    if (step.kind === 'merge') return step;
    const works = step.submissions.map((submission) => prepareWork(deps, { actor, submission, options }, domains));
    return { kind: 'writes', works };
  });
  try {
    return await deps.database.transaction(
      async (tx) => {
        const done = await inOrder(deps, tx, actor, steps);
        await what.alongside?.(tx);
        const shown = await deps.resources.read(tx, 'Patient', what.show ?? []);
        if (what.preview) throw new Undo({ ...done, shown, audited: undefined });
        return { ...done, shown };
      },
      { lock: REGISTRY_LOCK },
    );
  } catch (error) {
    if (error instanceof Undo) return error.result;
    throw error;
  }
}

async function inOrder(
  deps: RoundDeps,
  tx: Transaction,
  actor: Actor,
  steps: readonly Prepared[],
): Promise<Omit<TogetherDone, 'shown'>> {
  const outcomes: (readonly SubmissionOutcome[])[] = [];
  let audited: TogetherDone['audited'];
  for (const [step, one] of steps.entries()) {
    if (one.kind === 'merge') {
      const merged = await refusable(step, () => mergeWithin(deps, tx, actor, one.merge));
      audited = merged.audited;
      outcomes.push([]);
      continue;
    }
    const domains = await deps.domains.table();
    const result = await runBatch(deps, tx, { works: one.works, domains });
    const refused = result.outcomes.findIndex((outcome) => outcome.status === 'refused');
    const outcome = result.outcomes[refused];
    if (outcome?.status === 'refused')
      throw new Undo({ status: 'refused', problem: outcome.problem, step, submission: refused });
    audited = result.audited ?? audited;
    outcomes.push(result.outcomes);
  }
  return { status: 'done', outcomes, audited };
}

/** What a merge refuses is an answer; what failed by itself is not. */
async function refusable<T>(step: number, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Problem) || error.kind === 'unavailable' || error.kind === 'internal') throw error;
    throw new Undo({ status: 'refused', problem: error as Problem, step, submission: 0 });
  }
}
