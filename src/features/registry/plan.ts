/**
 * A batch that is decided, made and sealed before it has the registry's lock, so that the lock is held for the writing alone. What was
 * read holds if nobody else had a turn meanwhile (turns.ts) and no batch of this process that was under way touches it
 * (footprint.ts). Only new records are planned: a change of a record that is there is decided under the lock (batch.ts).
 */
import type { Burst, Transaction } from '../../platform/db/sql.ts';
import { answer, type BatchResult, decideRound, outcomeOf, splitRound } from './batch.ts';
import { doneInputs, refusedInputs } from './batch-audit.ts';
import type { DomainTable } from './deps.ts';
import { type Footprint, footprintOf } from './footprint.ts';
import { findRound, type RoundDeps } from './round-loading.ts';
import { makeRound, sendRound } from './round-writing.ts';
import { takeTurn } from './store.ts';
import type { Work } from './work.ts';

export interface Plan {
  readonly footprint: Footprint;
  /** Takes the turn expected, and writes. `hadTurn` is told as soon as the lock is held. */
  start(
    tx: Transaction,
    turn: { readonly expected: bigint; readonly hadTurn: (turn: bigint) => void },
  ): Burst<BatchResult>;
}

/** `undefined` when it turns out that the batch has to be decided under the lock. Writes nothing. */
export async function planBatch(
  live: RoundDeps,
  batch: { readonly works: readonly Work[]; readonly domains: DomainTable },
): Promise<Plan | undefined> {
  let altered = false;
  // What looks changed past us may be a change under way: under the lock it is known, and told.
  const deps = { ...live, onAltered: () => void (altered = true) };
  try {
    const plan = await planned(deps, batch);
    return altered ? undefined : plan;
  } catch (error) {
    if (altered) return undefined;
    throw error;
  }
}

async function planned(
  deps: RoundDeps,
  { works, domains }: { readonly works: readonly Work[]; readonly domains: DomainTable },
): Promise<Plan | undefined> {
  const sql = deps.database;
  const open = works.filter((work) => work.outcome === undefined);
  const found = await findRound(deps, sql, { works: open, domains });
  const { now, later } = splitRound(open, found.existing, undefined);
  if (later.length > 0) return undefined;
  const { state, decided, nowMs } = await decideRound(deps, sql, { works: now, found, domains });
  const made = await makeRound(deps, sql, { state, nowMs });
  if (made === undefined) return undefined;
  for (const one of decided) one.work.outcome = answer(one, made.contents);
  const outcomes = works.map(outcomeOf);
  const inputs = [...doneInputs(decided), ...refusedInputs(works)];
  return {
    footprint: footprintOf(open, state),
    start(tx, { expected, hadTurn }) {
      const turn = takeTurn(tx, expected).then(hadTurn);
      const written = sendRound(deps, tx, made);
      const watched = watch(tx);
      const recorded = inputs.length === 0 ? undefined : deps.audit.record(watched.tx, inputs);
      const done = Promise.all([recorded, turn, written]).then(([audited]) => ({ outcomes, audited }));
      // Later versions say by a count whether they were written, so COMMIT has to wait for it.
      const isKnown = made.writes.every(({ later: versions }) => versions.length === 0);
      const isBegun = recorded === undefined || watched.begun();
      return { done, commit: isKnown && isBegun ? 'at-once' : 'when-done' };
    },
  };
}

/** The same transaction, and whether a statement was begun on it. */
function watch(tx: Transaction): { readonly tx: Transaction; begun(): boolean } {
  let begun = false;
  return {
    begun: () => begun,
    tx: {
      ...tx,
      run(statement, values) {
        begun = true;
        return tx.run(statement, values);
      },
    },
  };
}
