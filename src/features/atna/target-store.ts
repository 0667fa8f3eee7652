import type { Sql } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { TargetFailure, TargetFilter, TargetProtocol } from './wire.ts';

/** SQL of atna.target. */
export interface Target {
  readonly id: string;
  readonly name: string;
  readonly protocol: TargetProtocol;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly authorities: string | null;
  readonly filter: TargetFilter;
  readonly paused: boolean;
  readonly createdAt: Date;
  /** As it stands in the database, where anybody who writes to it can move it: see `placeOf` in target-binding.ts. */
  readonly nextLeaf: number;
  readonly delivered: number;
  readonly skipped: number;
  readonly deliveredAt: Date | null;
  readonly failingSince: Date | null;
  readonly failure: TargetFailure | null;
  /** See target-binding.ts; null: of an earlier version, or somebody else's. */
  readonly binding: Buffer | null;
  /** How far it has come, sealed; null: of an earlier version, or somebody else's. */
  readonly sealedPlace: Buffer | null;
}

type Raw = Omit<Target, 'nextLeaf' | 'delivered' | 'skipped'> & {
  readonly nextLeaf: bigint;
  readonly delivered: bigint;
  readonly skipped: bigint;
};

const COLUMNS = `id, name, protocol, host, port, path, authorities, filter, paused, created_at AS "createdAt",
  next_leaf AS "nextLeaf", delivered, skipped, delivered_at AS "deliveredAt", failing_since AS "failingSince", failure, binding,
  sealed_place AS "sealedPlace"`;

const LIST = statement<Raw>(
  'atna.list-targets',
  `SELECT ${COLUMNS} FROM atna.target WHERE removed_at IS NULL ORDER BY lower(name), id`,
);
const FIND = statement<Raw>(
  'atna.find-target',
  `SELECT ${COLUMNS} FROM atna.target WHERE id = $1 AND removed_at IS NULL`,
);

const toTarget = (raw: Raw): Target => ({
  ...raw,
  nextLeaf: Number(raw.nextLeaf),
  delivered: Number(raw.delivered),
  skipped: Number(raw.skipped),
});

export async function listTargets(sql: Sql): Promise<Target[]> {
  return (await sql.rows(LIST)).map(toTarget);
}

export async function findTarget(sql: Sql, id: string): Promise<Target | undefined> {
  const [raw] = await sql.rows(FIND, [id]);
  return raw === undefined ? undefined : toTarget(raw);
}

export type TargetSettings = Pick<
  Target,
  'name' | 'protocol' | 'host' | 'port' | 'path' | 'authorities' | 'filter' | 'paused'
>;

export interface BoundSettings extends TargetSettings {
  readonly binding: Uint8Array;
}

/** A place in the log, and the same under the keys of the home. */
export interface SealedPlace {
  readonly leaf: number;
  readonly sealed: Uint8Array;
}

const values = (id: string, target: BoundSettings) => [
  id,
  target.name,
  target.protocol,
  target.host,
  target.port,
  target.path,
  target.authorities,
  JSON.stringify(target.filter),
  target.paused,
  target.binding,
];

const INSERT = statement(
  'atna.insert-target',
  `INSERT INTO atna.target (id, name, protocol, host, port, path, authorities, filter, paused, binding, created_at, next_leaf,
     sealed_place)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $13)`,
);

export async function insertTarget(
  sql: Sql,
  id: string,
  target: BoundSettings,
  start: { readonly nowMs: number; readonly place: SealedPlace },
): Promise<void> {
  await sql.run(INSERT, [...values(id, target), new Date(start.nowMs), start.place.leaf, start.place.sealed]);
}

const CHANGE = statement(
  'atna.change-target',
  `UPDATE atna.target SET name = $2, protocol = $3, host = $4, port = $5, path = $6, authorities = $7, filter = $8::jsonb,
     paused = $9, binding = $10, failure = NULL, failing_since = NULL WHERE id = $1 AND removed_at IS NULL`,
);

export async function changeTarget(sql: Sql, id: string, target: BoundSettings): Promise<void> {
  await sql.run(CHANGE, values(id, target));
}

const REMOVE = statement(
  'atna.remove-target',
  'UPDATE atna.target SET removed_at = $2, binding = NULL WHERE id = $1 AND removed_at IS NULL',
);

export async function removeTarget(sql: Sql, id: string, nowMs: number): Promise<void> {
  await sql.run(REMOVE, [id, new Date(nowMs)]);
}

/** Times are the database's: processes on several machines agree on nothing else. */
const HOLD = statement(
  'atna.hold-target',
  `UPDATE atna.target SET held_by = $2, held_until = now() + $3 * interval '1 millisecond'
   WHERE id = $1 AND removed_at IS NULL AND NOT paused AND (held_by IS NULL OR held_by = $2 OR held_until < now())`,
);

/** True when this process may send to the target for `forMs` from now; renews its own hold. */
export async function holdTarget(sql: Sql, id: string, holder: string, forMs: number): Promise<boolean> {
  return (await sql.run(HOLD, [id, holder, forMs])) === 1;
}

const RELEASE = statement(
  'atna.release-target',
  'UPDATE atna.target SET held_by = NULL, held_until = NULL WHERE id = $1 AND held_by = $2',
);

export async function releaseTarget(sql: Sql, id: string, holder: string): Promise<void> {
  await sql.run(RELEASE, [id, holder]);
}

const ADVANCE = statement(
  'atna.advance-target',
  `UPDATE atna.target SET next_leaf = $3, sealed_place = $6, delivered = delivered + $4, failing_since = NULL, failure = NULL,
     delivered_at = CASE WHEN $4 > 0 THEN $5 ELSE delivered_at END
   WHERE id = $1 AND next_leaf = $2`,
);

/** Moves a target on. `from`: as it stands in the database. False when somebody else has moved it meanwhile. */
export async function advanceTarget(
  sql: Sql,
  id: string,
  step: { readonly from: number; readonly to: SealedPlace; readonly delivered: number; readonly nowMs: number },
): Promise<boolean> {
  const { from, to, delivered, nowMs } = step;
  return (await sql.run(ADVANCE, [id, from, to.leaf, delivered, new Date(nowMs), to.sealed])) === 1;
}

const FAIL = statement(
  'atna.fail-target',
  `UPDATE atna.target SET failure = $2, failing_since = coalesce(failing_since, $3) WHERE id = $1`,
);

export async function failTarget(sql: Sql, id: string, failure: TargetFailure, nowMs: number): Promise<void> {
  await sql.run(FAIL, [id, failure, new Date(nowMs)]);
}

const SKIP = statement('atna.skip', 'UPDATE atna.target SET skipped = skipped + 1 WHERE id = $1');

export async function countSkipped(sql: Sql, id: string): Promise<void> {
  await sql.run(SKIP, [id]);
}

const BIND = statement(
  'atna.bind-target',
  'UPDATE atna.target SET binding = $2, failure = NULL, failing_since = NULL WHERE id = $1 AND binding IS NULL',
);

/** What it failed by is told anew, if it does. For what an earlier version has written; see target-binding.ts. */
export async function bindTarget(sql: Sql, id: string, binding: Uint8Array): Promise<void> {
  await sql.run(BIND, [id, binding]);
}

const PLACE = statement('atna.place-target', 'UPDATE atna.target SET next_leaf = $2, sealed_place = $3 WHERE id = $1');

/** Puts a target at a place, whatever stood there. */
export async function placeTarget(sql: Sql, id: string, { leaf, sealed }: SealedPlace): Promise<void> {
  await sql.run(PLACE, [id, leaf, sealed]);
}
