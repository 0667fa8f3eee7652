import { newId } from '../../crypto/index.ts';
import type { AuditEventId, Branded } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';

/** A legal hold: while it stands, what it covers cannot be erased. */
export type HoldId = Branded<'AuditHoldId'>;

export interface Hold {
  readonly id: HoldId;
  /** Blind token; undefined holds everything. */
  readonly client: bigint | undefined;
  readonly placedMs: number;
}

const PLACE = statement('audit.place-hold', 'INSERT INTO audit.hold (id, client, placed_because) VALUES ($1, $2, $3)');
const RELEASE = statement(
  'audit.release-hold',
  'INSERT INTO audit.hold_release (hold, because) SELECT id, $2 FROM audit.hold WHERE id = $1 ON CONFLICT DO NOTHING',
);
const STANDING = statement<{ id: HoldId; client: bigint | null; placedMs: bigint }>(
  'audit.standing-holds',
  `SELECT id, client, (extract(epoch FROM placed_at) * 1000)::bigint AS "placedMs" FROM audit.hold
   WHERE NOT EXISTS (SELECT FROM audit.hold_release WHERE hold_release.hold = hold.id) ORDER BY placed_at, id`,
);

/** Places a hold. For the owner of the database; `because` is the `audit.hold` event. */
export async function placeHold(
  owner: Sql,
  hold: { readonly client: bigint | undefined; readonly because: AuditEventId },
): Promise<HoldId> {
  const id = newId<HoldId>();
  await owner.run(PLACE, [id, hold.client ?? null, hold.because]);
  return id;
}

/** Releases a hold; false when there is none of this id that stands. */
export async function releaseHold(owner: Sql, id: HoldId, because: AuditEventId): Promise<boolean> {
  return (await owner.run(RELEASE, [id, because])) > 0;
}

export async function standingHolds(sql: Sql): Promise<Hold[]> {
  const rows = await sql.rows(STANDING);
  return rows.map(({ id, client, placedMs }) => ({ id, client: client ?? undefined, placedMs: Number(placedMs) }));
}
