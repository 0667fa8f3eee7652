/**
 * Which model decides, bound to a key outside the database: whoever writes to the database alone may name another one of those that are
 * kept, but makes no binding that fits it. What does not fit is not followed: the model that came with the program decides, until
 * somebody promotes one.
 */
import { sealedAtRest } from '../../crypto/index.ts';
import { equalBytes, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import { type ChangedPast, createChangedPast } from '../audit/index.ts';
import type { ModelsDeps } from './deps.ts';
import { documentOf, hashOf } from './library.ts';
import type { ModelId } from './model.ts';
import { type BoundInForce, type InForceRow, store } from './store.ts';

export type InForceDeps = Pick<ModelsDeps, 'keyRing' | 'shipped' | 'audit' | 'clock' | 'inForceBound'>;
type Named = Pick<InForceRow, 'active' | 'former' | 'shadow'>;

/** Under audit's keys, which are never destroyed: nothing has to be sealed anew. */
const PLACE = { table: 'audit.models', type: 'in-force', id: 'in-force', version: 1 };

const factsOf = ({ active, former, shadow }: Named): Uint8Array =>
  utf8Encode(JSON.stringify([active, [...former], shadow]));

export const bindInForce = ({ keyRing }: Pick<InForceDeps, 'keyRing'>, named: Named): Uint8Array =>
  keyRing.seal(factsOf(named), PLACE);

function fits({ keyRing }: InForceDeps, row: BoundInForce): boolean {
  if (row.binding === null) return false;
  try {
    return equalBytes(keyRing.open(sealedAtRest(row.binding), PLACE), factsOf(row));
  } catch (error) {
    if (isProblem(error) && error.code === 'seal-broken') return false;
    throw error;
  }
}

/** What is in force as Careseal wrote it; undefined where nothing is yet. */
export async function readInForce(deps: InForceDeps, sql: Sql): Promise<InForceRow | undefined> {
  const row = await store.inForce(sql);
  return row === undefined ? undefined : await believed(deps, sql, row);
}

export const lockInForce = async (deps: InForceDeps, tx: Transaction): Promise<InForceRow> =>
  believed(deps, tx, await store.lockInForce(tx));

/** Whoever works by it shares the lock: a change waits for the batch under way, and the next batch sees it. */
export const shareInForce = async (deps: InForceDeps, tx: Transaction): Promise<InForceRow> =>
  believed(deps, tx, await store.shareInForce(tx));

/** Tells every process. */
export const writeInForce = (deps: Pick<InForceDeps, 'keyRing'>, tx: Transaction, named: Named, at: Date) =>
  store.writeInForce(tx, { ...named, binding: bindInForce(deps, named) }, at);

async function believed(deps: InForceDeps, sql: Sql, row: BoundInForce): Promise<InForceRow> {
  const { binding, ...plain } = row;
  if (fits(deps, row)) return plain;
  if (binding === null && deps.inForceBound !== undefined && !(await deps.inForceBound.isSet())) return plain;
  if (binding === null && deps.inForceBound === undefined) return plain;
  tellerOf(deps)({ what: 'model', id: 'in-force' });
  const active = await shippedId(deps, sql);
  // Records may still have keys of any of them: they are looked for, and decide nothing.
  const ids = [...new Set([row.active, ...row.former])].filter((id) => id !== active);
  const former = (await store.modelsOf(sql, ids)).map((one) => one.model_id);
  return { active, former, shadow: null, key_scheme: row.key_scheme, altered: true };
}

/** The kept copy of the program's own model, by what it says under its seal. */
async function shippedId(deps: InForceDeps, sql: Sql): Promise<ModelId> {
  const wanted = hashOf(deps.shipped);
  for (const row of await store.models(sql)) {
    try {
      if (equalBytes(hashOf({ ...documentOf(deps, row), version: deps.shipped.version }), wanted)) return row.model_id;
    } catch (error) {
      if (!isProblem(error)) throw error;
    }
  }
  throw new Error('the model that came with the program is not kept');
}

/** What an earlier version wrote, once in the life of an installation: the mark lies outside the database. */
export async function bindEarlierInForce(deps: InForceDeps & Pick<ModelsDeps, 'database'>): Promise<void> {
  const mark = deps.inForceBound;
  if (mark === undefined || (await mark.isSet())) return;
  await deps.database.transaction(async (tx) => {
    const row = await store.lockInForce(tx);
    if (row.binding === null) await store.bindInForce(tx, bindInForce(deps, row));
  });
  await mark.set();
}

const tellers = new WeakMap<object, (row: ChangedPast) => void>();
function tellerOf({ audit, clock }: InForceDeps): (row: ChangedPast) => void {
  const known = tellers.get(audit);
  if (known !== undefined) return known;
  const made = createChangedPast({ audit, clock });
  tellers.set(audit, made);
  return made;
}
