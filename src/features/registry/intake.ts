/**
 * Group commit for registrations. Callers queue; whatever arrives while a batch is under way becomes the next one. A lone caller
 * waits for nobody, many share one transaction, and the lock is taken once for all of them. New records are read, decided and sealed
 * while the batch before them is being written (plan.ts); what has to be decided under the lock waits for it in PostgreSQL, its first
 * question behind it. Either way the turn changes without this process being asked.
 */

import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { BatchResult } from './batch.ts';
import { PLANNED_MAX, WAITING_SUBMISSIONS_MAX } from './bounds.ts';
import { type Flight, type Group, launch, launchPlanned, recordsIn, worksOf } from './flight.ts';
import { dependsOn } from './footprint.ts';
import type { Submission } from './model.ts';
import { type Plan, planBatch } from './plan.ts';
import { createQueue, isPlannable, takeBatch } from './queue.ts';
import type { RoundDeps } from './round-loading.ts';
import type { SubmitOptions } from './submit-options.ts';
import { createTurns, type Turns } from './turns.ts';
import { prepareWork } from './work.ts';

/** Longest wait for callers to join the next batch, where several share batches; a lone caller never waits. */
const GATHER_MS = 4;

/** Up to this many records go together, since a batch costs as much as several records. */
const TOGETHER = 8;

/**
 * How many of the records under way a batch waits for: all of a few; of many, half, so that one half is received and prepared here
 * while PostgreSQL writes the other.
 */
const wantedOf = (records: number) => Math.max(Math.ceil(records / 2), Math.min(records, TOGETHER));

export interface Intake {
  submit(actor: Actor, submissions: readonly Submission[], options: SubmitOptions): Promise<BatchResult>;
  /** Resolves when nothing is queued or in flight any more. */
  drained(): Promise<void>;
}

export function createIntake(live: RoundDeps): Intake {
  const { queue, add, gathered } = createQueue();
  const turns = createTurns();
  /** Oldest first. */
  const flights: Flight[] = [];
  let waiting = 0;
  let running: Promise<void> | undefined;

  async function work(): Promise<void> {
    // Let every request that arrived in this turn of the event loop join the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (queue.length > 0) {
        const groups = takeBatch(queue, flights);
        if (groups.length === 0) {
          await flights[0]?.ended;
          continue;
        }
        const flight = await send({ live, turns, flights }, groups);
        keep(flight);
        const wanted = wantedOf(flights.reduce((sum, { records }) => sum + records, 0) + recordsIn(queue));
        // Those whose answers are under way come back: as long as there are any, a batch need not leave half empty.
        await Promise.race([gathered(wanted), Promise.all(flights.map(({ ended }) => ended))]);
        if (groups.length + queue.length > 1) await gathered(wanted, GATHER_MS);
      }
    } finally {
      // At once after the last look at the queue: who joins it later begins anew.
      running = undefined;
    }
  }

  function keep(flight: Flight): void {
    flights.push(flight);
    void flight.ended.then(() => flights.splice(flights.indexOf(flight), 1));
  }

  return {
    async submit(actor, submissions, options) {
      if (waiting + submissions.length > WAITING_SUBMISSIONS_MAX) throw overloaded();
      waiting += submissions.length;
      try {
        const domains = await live.domains.table();
        const works = submissions.map((submission) => prepareWork(live, { actor, submission, options }, domains));
        return await new Promise<BatchResult>((resolve, reject) => {
          add({ works, options, resolve, reject });
          running ??= work();
        });
      } finally {
        waiting -= submissions.length;
      }
    },
    async drained() {
      while (running) await running;
    },
  };
}

interface UnderWay {
  readonly live: RoundDeps;
  readonly turns: Turns;
  /** Oldest first. */
  readonly flights: readonly Flight[];
}

async function send(underWay: UnderWay, groups: readonly Group[]): Promise<Flight> {
  const couldBePlanned = groups.every(isPlannable) && recordsIn(groups) <= PLANNED_MAX;
  const planned = couldBePlanned ? await planAhead(underWay, groups) : undefined;
  if (planned) return launchPlanned(underWay, groups, planned);
  await settled(underWay.flights.at(-1));
  return launch(underWay, groups, couldBePlanned);
}

/** A plan whose turn has come to be sent; `undefined` where the batch is to be decided under the lock. */
async function planAhead(
  { live, turns, flights }: UnderWay,
  groups: readonly Group[],
): Promise<{ plan: Plan; expected: bigint } | undefined> {
  for (;;) {
    // What was changed by a batch that is decided under the lock is known when it has ended.
    for (const flight of flights.filter(({ footprint }) => footprint === undefined)) {
      if (!flight.couldBePlanned) return undefined;
      await flight.ended;
    }
    // A second model that is tried beside is told of each decision once.
    if (!turns.areOurs || live.matcher.beside !== undefined) return undefined;
    const { era } = turns;
    const deps = { ...live };
    const before = [...flights];
    const plan = await attempt(deps, groups);
    if (plan === undefined) return undefined;
    const touched = before.filter(({ footprint }) => footprint === undefined || dependsOn(plan.footprint, footprint));
    for (const flight of touched) await flight.ended;
    if (touched.length > 0) continue;
    await settled(flights.at(-1));
    const { expected } = turns;
    if (turns.era === era && live.matcher === deps.matcher && expected !== undefined) return { plan, expected };
  }
}

/** Whatever fails beforehand is tried under the lock, where it is told whose fault it is. */
async function attempt(deps: RoundDeps, groups: readonly Group[]): Promise<Plan | undefined> {
  try {
    return await planBatch(deps, { works: worksOf(deps, groups), domains: await deps.domains.table() });
  } catch {
    return undefined;
  }
}

/** Whoever holds the lock keeps the order: the next batch cannot overtake it any more, and may be sent. */
async function settled(flight: Flight | undefined): Promise<void> {
  if (flight) await Promise.race([flight.begun, flight.ended]);
}

function overloaded(): Problem {
  return new Problem(
    'unavailable',
    'busy',
    'Too many records are waiting to be registered. Nothing of this request was written; send it again shortly.',
    {
      retryAfterSeconds: 2,
    },
  );
}
