import { newId } from '../../crypto/index.ts';
import type { AuditEventId, Branded } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import { readJson } from './event-contents.ts';
import { readEvent } from './event-query.ts';
import { clientId, TOKEN } from './sealed-event.ts';
import { summarise } from './summary.ts';

/** A legal hold: while it stands, what it covers cannot be erased. */
export type HoldId = Branded<'AuditHoldId'>;

export interface Hold {
  readonly id: HoldId;
  /** Blind token; undefined holds everything. */
  readonly client: bigint | undefined;
  readonly placedMs: number;
  /** The `audit.hold` event, which says for which client it was placed. */
  readonly because: AuditEventId;
}

const PLACE = statement('audit.place-hold', 'INSERT INTO audit.hold (id, client, placed_because) VALUES ($1, $2, $3)');
const RELEASE = statement(
  'audit.release-hold',
  'INSERT INTO audit.hold_release (hold, because) SELECT id, $2 FROM audit.hold WHERE id = $1 ON CONFLICT DO NOTHING',
);
const STANDING = statement<{ id: HoldId; client: bigint | null; placedMs: bigint; because: AuditEventId }>(
  'audit.standing-holds',
  `SELECT id, client, placed_because AS because, (extract(epoch FROM placed_at) * 1000)::bigint AS "placedMs" FROM audit.hold
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
  return rows.map(({ id, client, placedMs, because }) => ({
    ...{ id, because, client: client ?? undefined, placedMs: Number(placedMs) },
  }));
}

// Placing a hold writes a row, which waits for this lock; erasures beside each other do not wait.
const KEEP_HOLDS = statement('audit.keep-holds', 'LOCK TABLE audit.hold IN SHARE MODE');

/** Says what holds cover, within a transaction that erases: none is placed until its end. */
export interface HeldClients {
  /** `everything`, or the tokens of the clients, under every key that tokens in the log may be of. */
  within(tx: Transaction): Promise<'everything' | ReadonlySet<bigint>>;
  /** The same as ids, for what other features keep about them; `everything` also where a hold does not tell for whom it is. */
  clients(tx: Transaction): Promise<'everything' | readonly string[]>;
}

/** Remembers the tokens of holds it has met: one for each run of an erasure. */
export function createHeldClients(keyRing: KeyRing): HeldClients {
  const met = new Map<HoldId, readonly bigint[]>();
  const ids = new Map<HoldId, string>();
  return {
    async clients(tx) {
      await tx.run(KEEP_HOLDS);
      const covered = new Set<string>();
      for (const hold of await standingHolds(tx)) {
        if (hold.client === undefined) return 'everything';
        const id = ids.get(hold.id) ?? (await idOf(tx, keyRing, { ...hold, client: hold.client }));
        if (id === undefined) return 'everything';
        ids.set(hold.id, id);
        covered.add(id);
      }
      return [...covered];
    },
    async within(tx) {
      await tx.run(KEEP_HOLDS);
      const tokens = new Set<bigint>();
      for (const hold of await standingHolds(tx)) {
        if (hold.client === undefined) return 'everything';
        const known = met.get(hold.id) ?? (await tokensOf(tx, keyRing, { ...hold, client: hold.client }));
        if (known === undefined) return 'everything';
        met.set(hold.id, known);
        for (const token of known) tokens.add(token);
      }
      return tokens;
    },
  };
}

const OF_TOKEN = statement<{ id: AuditEventId }>(
  'audit.events-of-token',
  'SELECT id FROM audit.event WHERE client = $1 ORDER BY recorded DESC LIMIT 20',
);

/**
 * A token is of one key, and events of other years may have theirs under others: the client's id tells them all. Undefined where
 * nothing tells the id: nobody knows then which events are to be spared.
 */
async function tokensOf(sql: Sql, keyRing: KeyRing, hold: ClientHold): Promise<readonly bigint[] | undefined> {
  const id = await idOf(sql, keyRing, hold);
  if (id !== undefined) return [hold.client, ...keyRing.blindAll(TOKEN.client, id)];
  const isOnlyKey = keyRing.blindAll(TOKEN.client, '').length === 1;
  return isOnlyKey ? [hold.client] : undefined;
}

type ClientHold = Hold & { readonly client: bigint };

/** The event of the hold has it; of holds of earlier versions any event about the client that still says something. */
async function idOf(sql: Sql, keyRing: KeyRing, hold: ClientHold): Promise<string | undefined> {
  const said = (await summaryOf(sql, keyRing, hold.because))?.detail?.['client'];
  if (said !== undefined) return clientId(said);
  for (const event of await sql.rows(OF_TOKEN, [hold.client])) {
    const id = (await summaryOf(sql, keyRing, event.id))?.client
      ?.map(clientId)
      .find((one) => isOf(keyRing, one, hold.client));
    if (id !== undefined) return id;
  }
  return undefined;
}

const isOf = (keyRing: KeyRing, id: string, token: bigint): boolean =>
  keyRing.blindAll(TOKEN.client, id).includes(token);

async function summaryOf(sql: Sql, keyRing: KeyRing, id: AuditEventId) {
  const row = await readEvent(sql, id);
  if (row === undefined) return undefined;
  const [json] = await readJson(sql, keyRing, [row]);
  return summarise(row, json);
}
