/** The job that goes over all records after another model took over: resumable, and standing aside when a newer change overtakes it. */
import { setTimeout as pause } from 'node:timers/promises';
import { parseId, type ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { JobData, RunningJob } from '../../platform/jobs/index.ts';
import { KEY_SCHEME } from '../matching/index.ts';
import type { ActivationId } from '../registry/index.ts';
import { lockInForce, shareInForce, writeInForce } from './in-force-binding.ts';
import type { ModelsDeps } from './deps.ts';
import type { InForce } from './in-force.ts';
import { type ActivationRow, store } from './store.ts';

/** Records in one transaction: the lock is held for some tens of milliseconds. */
const AT_ONCE = 50;
/** Keys looked at in one transaction. */
const KEYS_AT_ONCE = 500;
const SETTLE_MS = 2_000;

export interface RelinkProgress {
  readonly phase: 'settling' | 'taking-back' | 'going-over' | 'clearing';
  readonly after: string | null;
  readonly visited: number;
  readonly joined: number;
  readonly parted: number;
  readonly reviews: number;
  readonly takenBack: number;
  readonly kept: number;
  /** Where removing old keys ended last. */
  readonly cleared: string | null;
}
const NOTHING: RelinkProgress = {
  phase: 'settling',
  after: null,
  ...{ visited: 0, joined: 0, parted: 0, reviews: 0, takenBack: 0, kept: 0 },
  cleared: null,
};

/** What a job has saved, or nothing yet. */
export function progressOf(saved: JobData | null): RelinkProgress {
  // Saved by this file only; a job's row is written by the program alone.
  return saved === null ? NOTHING : { ...NOTHING, ...(saved as Partial<RelinkProgress>) };
}

export async function runRelink(deps: ModelsDeps, inForce: InForce, job: RunningJob): Promise<void> {
  const id = parseId<ActivationId>(job.payload['activation']);
  const activation = id && (await store.activation(deps.database, id));
  if (!activation || activation.finished_at !== null) return;
  const actor: Actor = {
    principal: { kind: 'system', permissions: new Set() },
    origin: { door: 'background', requestId: activation.activation_id },
  };
  let progress = progressOf(job.progress);
  const save = async (tx: Transaction, next: RelinkProgress): Promise<void> => {
    await assertLatest(deps, tx, activation);
    await job.saveProgress(tx, { ...next });
    progress = next;
  };
  if (progress.phase === 'settling') {
    // Every process must know the change, so that no record is written by the former model after it was passed.
    await pause(deps.settleMs ?? SETTLE_MS, undefined, { signal: job.signal });
    const phase = activation.undoes === null ? 'going-over' : 'taking-back';
    await deps.database.transaction((tx) => save(tx, { ...progress, phase }));
  }
  await inForce.reload();
  if (progress.phase === 'taking-back') {
    for (const activationId of await toTakeBack(deps, activation)) {
      for (let more = true; more; ) {
        job.signal.throwIfAborted();
        const done = await deps.registry.takeBack({
          ...{ activationId, limit: AT_ONCE, actor },
          async alongside(tx, { takenBack, kept }) {
            await save(tx, { ...progress, takenBack: progress.takenBack + takenBack, kept: progress.kept + kept });
          },
        });
        ({ more } = done);
      }
    }
    await deps.database.transaction((tx) => save(tx, { ...progress, phase: 'going-over' }));
  }
  const going = { activation, actor, job, save, progress: () => progress };
  if (progress.phase === 'going-over') await goOver(deps, going);
  if (activation.kind === 're-key') await clearOldKeys(deps, going);
  await finish(deps, activation);
}

/** The promotion that is undone, and whatever went over the records with its model since; the newest first. */
async function toTakeBack(deps: ModelsDeps, { undoes, activation_id: own }: ActivationRow): Promise<ActivationId[]> {
  const rows = await store.activations(deps.database, 100);
  const from = rows.findIndex((row) => row.activation_id === own);
  const to = rows.findIndex((row) => row.activation_id === undoes);
  return rows.slice(from + 1, to + 1).map((row) => row.activation_id);
}

interface GoingOver {
  readonly activation: ActivationRow;
  readonly actor: Actor;
  readonly job: RunningJob;
  readonly save: (tx: Transaction, next: RelinkProgress) => Promise<void>;
  readonly progress: () => RelinkProgress;
}

async function goOver(deps: ModelsDeps, { activation, actor, job, save, progress }: GoingOver): Promise<void> {
  for (let more = true; more; ) {
    job.signal.throwIfAborted();
    const began = performance.now();
    const done = await deps.registry.relink({
      activationId: activation.activation_id,
      after: parseId<ResourceId>(progress().after ?? undefined),
      limit: AT_ONCE,
      links: activation.kind !== 'roll-back',
      allKeys: activation.kind === 're-key',
      actor,
      async alongside(tx, { after, visited, joined, parted, reviews }) {
        const now = progress();
        await save(tx, {
          ...now,
          after: after ?? now.after,
          visited: now.visited + visited,
          joined: now.joined + joined,
          parted: now.parted + parted,
          reviews: now.reviews + reviews,
        });
      },
    });
    more = done.after !== undefined;
    // As long as the batch took, so that registrations have at least half of the time.
    if (more) await pause(performance.now() - began, undefined, { signal: job.signal });
  }
}

/** Every record has its keys: from here on nothing is missed. What is left of the old ones goes. */
async function clearOldKeys(deps: ModelsDeps, { job, save, progress }: GoingOver): Promise<void> {
  if (progress().phase === 'going-over') {
    await deps.database.transaction(async (tx) => {
      await save(tx, { ...progress(), phase: 'clearing' });
      await store.writeKeyScheme(tx, KEY_SCHEME, new Date(deps.clock.nowMs()));
    });
  }
  for (let more = true; more; ) {
    job.signal.throwIfAborted();
    const began = performance.now();
    const { after } = await deps.registry.clearKeys({
      after: progress().cleared ?? undefined,
      limit: KEYS_AT_ONCE,
      alongside: (tx, done) => save(tx, { ...progress(), cleared: done.after ?? progress().cleared }),
    });
    more = after !== undefined;
    if (more) await pause(performance.now() - began, undefined, { signal: job.signal });
  }
}

async function finish(deps: ModelsDeps, activation: ActivationRow): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const row = await lockInForce(deps, tx);
    await assertLatest(deps, tx, activation);
    const at = new Date(deps.clock.nowMs());
    if (row.former.length > 0) await writeInForce(deps, tx, { ...row, former: [] }, at);
    await store.finishActivation(tx, activation.activation_id, at);
  });
}

/** A roll-back or a cancellation has overtaken this one: nothing of the batch may stand. */
async function assertLatest(deps: ModelsDeps, tx: Transaction, activation: ActivationRow): Promise<void> {
  const { active } = await shareInForce(deps, tx);
  const now = await store.activation(tx, activation.activation_id);
  if (active === activation.to_model && now?.finished_at === null) return;
  throw new Problem('conflict', 'job-lost', 'Another change of model has overtaken this one.');
}
