/**
 * Blocking keys that an earlier version of the program left behind. The present one makes other keys of the same records and would
 * not find them by its own, so every record gets its keys anew, in the background, and those that found nobody meanwhile are linked
 * or asked about. Old keys cannot be computed any more: until the work ends, links may be missed, and everybody who asks is told.
 */
import { newId } from '../../crypto/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import { KEY_SCHEME } from '../matching/index.ts';
import { lockInForce, readInForce } from './in-force-binding.ts';
import type { ModelsDeps } from './deps.ts';
import { activate, record } from './promotion.ts';
import { progressOf } from './relinking.ts';
import { type ActivationRow, store } from './store.ts';

/** How far the work is; undefined where the keys are those of this program. */
export interface OldKeys {
  /** Number of the way the keys were made; see KEY_SCHEME. */
  readonly scheme: number;
  readonly visited: number;
  /** Records there are. */
  readonly total: number;
  /** False where somebody stopped it or it failed: it begins again with the next start, or from the page. */
  readonly going: boolean;
}

type Deps = Pick<
  ModelsDeps,
  'database' | 'jobs' | 'registry' | 'audit' | 'clock' | 'keyRing' | 'shipped' | 'inForceBound'
>;

/**
 * Begins the work where it is needed and not begun. A promotion or roll-back that is under way ends first: its end calls this again.
 * To be called where background work is done.
 */
export async function keepKeys(deps: Deps): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const inForce = await lockInForce(deps, tx);
    if (inForce.key_scheme === KEY_SCHEME) return;
    const at = new Date(deps.clock.nowMs());
    if ((await deps.registry.sources(tx)) === 0) {
      await store.writeKeyScheme(tx, KEY_SCHEME, at);
      return;
    }
    if (await underWay(deps, tx, at)) return;
    const to = await store.model(tx, inForce.active);
    if (!to) throw new Error('the model in force is not kept');
    await activate(deps, tx, systemActor(), { inForce, to, kind: 're-key' });
    const detail = { model: to.version, keysFrom: String(inForce.key_scheme), keysTo: String(KEY_SCHEME) };
    await record(deps, tx, systemActor(), 'model.re-link', detail);
  });
}

/** Whether other work over all records has to end first. Work whose job has failed is over, and is marked so where it was this. */
async function underWay(deps: Deps, tx: Transaction, at: Date): Promise<boolean> {
  const rows = (await store.activations(tx, 20)).filter((row) => row.finished_at === null);
  let going = false;
  for (const row of rows) {
    if (row.kind === 're-key' && !(await hasJob(deps, tx, row))) {
      await store.finishActivation(tx, row.activation_id, at);
    } else going = true;
  }
  return going;
}

async function hasJob(deps: Pick<Deps, 'jobs'>, sql: Sql, row: ActivationRow): Promise<boolean> {
  const job = await deps.jobs.read(sql, row.job_id);
  return job?.state === 'waiting' || job?.state === 'running';
}

export async function oldKeys(deps: Deps): Promise<OldKeys | undefined> {
  const inForce = await readInForce(deps, deps.database);
  if (!inForce || inForce.key_scheme === KEY_SCHEME) return undefined;
  const [total, rows] = await Promise.all([deps.registry.sources(deps.database), store.activations(deps.database, 20)]);
  const own = rows.find((row) => row.kind === 're-key' && row.finished_at === null);
  const job = own && (await deps.jobs.read(deps.database, own.job_id));
  return {
    scheme: inForce.key_scheme,
    visited: progressOf(job?.progress ?? null).visited,
    total,
    going: own !== undefined && (await hasJob(deps, deps.database, own)),
  };
}

function systemActor(): Actor {
  return {
    principal: { kind: 'system', permissions: new Set() },
    origin: { door: 'background', requestId: newId() },
  };
}
