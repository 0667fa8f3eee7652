/** Batches on their way to the database: decided under the lock, or planned ahead of it. */
import { isProblem } from '../../kernel/problem.ts';
import { type BatchResult, runBatch } from './batch.ts';
import type { Footprint } from './footprint.ts';
import type { SubmissionOutcome } from './model.ts';
import type { Plan } from './plan.ts';
import { transactionRefused } from './problems.ts';
import type { RoundDeps } from './round-loading.ts';
import { isTurnTaken, takeTurn } from './store.ts';
import type { SubmitOptions } from './submit-options.ts';
import type { Turns } from './turns.ts';
import { refused, underModel, type Work } from './work.ts';

/** What one caller submitted together. */
export interface Group {
  readonly works: readonly Work[];
  readonly options: SubmitOptions;
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: unknown) => void;
}

/** A batch on its way. Neither promise rejects: failures go to those who submitted. */
export interface Flight {
  readonly records: number;
  /** It holds the registry's lock. May never resolve, where the batch fails before. */
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
  /** Known of planned batches, as long as they go as planned. */
  readonly footprint: Footprint | undefined;
  /** Where it was not planned: it could have been, but for want of a known turn. */
  readonly couldBePlanned: boolean;
}

export const recordsIn = (groups: readonly Group[]) => groups.reduce((sum, { works }) => sum + works.length, 0);

/** All works of the groups, as copies: deciding leaves its marks on them, and a group may have to be decided again. */
export const worksOf = (deps: RoundDeps, groups: readonly Group[]) =>
  groups.flatMap((group) => group.works.map((work) => underModel(deps, work)));

interface FlightDeps {
  readonly live: RoundDeps;
  readonly turns: Turns;
}

/** Decides under the lock. */
export function launch(deps: FlightDeps, groups: readonly Group[], couldBePlanned: boolean): Flight {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const ended = runNext(deps, groups, resolve);
  return { records: recordsIn(groups), begun, ended, footprint: undefined, couldBePlanned };
}

/** Sends what was planned. Where the turn is not the one expected, it is decided anew, under the lock. */
export function launchPlanned(
  deps: FlightDeps,
  groups: readonly Group[],
  planned: { plan: Plan; expected: bigint },
): Flight {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  let footprint: Footprint | undefined = planned.plan.footprint;
  const hadTurn = (turn: bigint) => {
    deps.turns.had(turn);
    resolve();
  };
  const send = async (): Promise<void> => {
    const { expected } = planned;
    try {
      hand(groups, await deps.live.database.burst((tx) => planned.plan.start(tx, { expected, hadTurn })));
    } catch (error) {
      // What becomes of it now is decided anew: nobody may rest on what was planned.
      footprint = undefined;
      deps.turns.lost();
      if (isTurnTaken(error)) await runNext(deps, groups, resolve);
      else await failed(deps, groups, error);
    }
  };
  const ended = send();
  return {
    ...{ records: recordsIn(groups), begun, ended, couldBePlanned: true },
    get footprint() {
      return footprint;
    },
  };
}

function hand(groups: readonly Group[], { outcomes, audited }: BatchResult): void {
  let from = 0;
  for (const group of groups) {
    group.resolve({ outcomes: outcomes.slice(from, from + group.works.length), audited });
    from += group.works.length;
  }
}

async function runNext(deps: FlightDeps, groups: readonly Group[], begun?: () => void): Promise<void> {
  try {
    hand(groups, await transact(deps, groups, begun));
  } catch (error) {
    await failed(deps, groups, error);
  }
}

async function failed(deps: FlightDeps, groups: readonly Group[], error: unknown): Promise<void> {
  if (groups.length === 1 || isPassing(error)) for (const group of groups) group.reject(error);
  // Nothing was written. One of them is at fault (a record it touches is broken): the others must not suffer for it.
  else for (const group of groups) await runNext(deps, [group]);
}

/** The database is away: trying each group by itself would only take longer. */
const isPassing = (error: unknown) => isProblem(error) && error.kind === 'unavailable';

/** Thrown to undo a transaction whose outcome is known; never leaves this file. */
class Undo extends Error {
  readonly result: BatchResult;
  constructor(result: BatchResult) {
    super('undone on purpose');
    this.result = result;
  }
}

async function transact(
  { live, turns }: FlightDeps,
  groups: readonly Group[],
  begun?: () => void,
): Promise<BatchResult> {
  // A copy: the model that is in force now decides the whole batch.
  const deps = { ...live };
  const works = worksOf(deps, groups);
  const domains = await deps.domains.table();
  try {
    return await deps.database.transaction(async (tx) => {
      // In the same message as BEGIN and the first question.
      const turn = takeTurn(tx, null).then((had) => {
        turns.had(had);
        begun?.();
      });
      const decided = runBatch(deps, tx, { works, domains, rehearsal: groups[0]?.options.rehearsal });
      const [result] = await Promise.all([decided, turn]);
      const only = groups.length === 1 ? groups[0] : undefined;
      if (only?.options.atomic && result.outcomes.some((outcome) => outcome.status === 'refused')) {
        throw new Undo({ outcomes: result.outcomes.map(allRefused), audited: undefined });
      }
      await only?.options.alongside?.(tx, result.outcomes);
      return result;
    });
  } catch (error) {
    if (error instanceof Undo) return error.result;
    throw error;
  }
}

function allRefused(outcome: SubmissionOutcome): SubmissionOutcome {
  return outcome.status === 'refused' ? outcome : refused(transactionRefused());
}
