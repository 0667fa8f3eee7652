import { equalBytes, toHex } from '../../kernel/bytes.ts';
import { SqlError } from '../../platform/db/index.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { Counter, CounterKind, Settlement } from './throttle-rules.ts';

/** Names one counter. `subject` is a blind token, so the table tells neither whom nor from where. */
export interface CounterKey {
  readonly subject: bigint;
  readonly stage: 'password' | 'factor' | 'any';
  readonly kind: CounterKind;
  /** Empty but for `device`. */
  readonly deviceHash: Uint8Array;
}

export interface StoredCounter extends Counter {
  readonly key: CounterKey;
}

interface CounterRow {
  readonly subject: bigint;
  readonly stage: CounterKey['stage'];
  readonly kind: CounterKind;
  readonly device_hash: Uint8Array;
  readonly failures: number;
  readonly waits_until: Date;
  readonly last_at: Date;
}

const KEYS = `SELECT subject, stage, kind, decode(device, 'hex') AS device_hash
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS k(subject, stage, kind, device)`;
const ENSURE = statement(
  'identity.attempts-ensure',
  `INSERT INTO identity.attempts (subject, stage, kind, device_hash, failures, waits_until, last_at)
   SELECT subject, stage, kind, device_hash, 0, $5::timestamptz, $5::timestamptz FROM (${KEYS}) AS k
   ORDER BY kind = 'network', subject, stage, kind, device_hash
   ON CONFLICT DO NOTHING`,
);
const READ = statement<CounterRow>(
  'identity.attempts-read',
  `SELECT a.* FROM identity.attempts a WHERE (a.subject, a.stage, a.kind, a.device_hash) IN (${KEYS})`,
);
/**
 * Always locked in the same order, so that two attempts on overlapping counters never wait for each other in a ring. A network's comes
 * last: whoever holds an account's may still need it.
 */
const LOCK = statement<CounterRow>(
  'identity.attempts-lock',
  `SELECT a.* FROM identity.attempts a WHERE (a.subject, a.stage, a.kind, a.device_hash) IN (${KEYS})
   ORDER BY a.kind = 'network', a.subject, a.stage, a.kind, a.device_hash FOR UPDATE`,
);
const WRITE = statement(
  'identity.attempts-write',
  `UPDATE identity.attempts a SET failures = n.failures, waits_until = n.waits_until, last_at = n.last_at
   FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::int[], $6::timestamptz[], $7::timestamptz[])
     AS n(subject, stage, kind, device, failures, waits_until, last_at)
   WHERE a.subject = n.subject AND a.stage = n.stage AND a.kind = n.kind AND a.device_hash = decode(n.device, 'hex')`,
);
/** Charges counters that are still as they were read, or new: all of them or none (migration 000360). */
const CHARGE = statement<{ readonly charged: boolean }>(
  'identity.attempts-charge',
  'SELECT identity.charge_attempts($1, $2, $3, $4, $5, $6, $7, $8, $9) AS charged',
);
/** Charges counters that are far from any wait: all of them or none (migration 000366). */
const CHARGE_QUIETLY = statement<{ readonly charged: boolean }>(
  'identity.attempts-charge-quietly',
  'SELECT identity.charge_quietly($1, $2, $3, $4, $5, $6, $7, $8) AS charged',
);
/** The counters of whoever owes a code under a token ($1), of this device ($2), in the order of LOCK. */
const HOLD_OWING = statement<CounterRow>(
  'identity.attempts-hold-owing',
  `SELECT a.* FROM identity.attempts a WHERE (a.subject, a.stage, a.kind, a.device_hash) IN (
     SELECT u.email_token, 'factor', k.kind, k.device
     FROM identity.pre_sessions p JOIN identity.users u ON u.id = p.user_id,
       (VALUES ('account', ''::bytea), ('unknown-devices', ''::bytea), ('device', $2::bytea)) AS k(kind, device)
     WHERE p.token_hash = $1)
   ORDER BY a.kind = 'network', a.subject, a.stage, a.kind, a.device_hash FOR UPDATE`,
);
/** What a success gives back, as rules of settlement() have it; locked in the order of LOCK. */
const SETTLE = statement(
  'identity.attempts-settle',
  `WITH locked AS (
     SELECT a.subject, a.stage, a.kind, a.device_hash FROM identity.attempts a
     WHERE (a.subject, a.stage, a.kind, a.device_hash) IN (${KEYS})
     ORDER BY a.kind = 'network', a.subject, a.stage, a.kind, a.device_hash FOR UPDATE)
   UPDATE identity.attempts a
   SET failures = least(greatest(a.failures - n.take_back, 0), n.at_most),
       waits_until = CASE WHEN least(greatest(a.failures - n.take_back, 0), n.at_most) < n.waits_from THEN $8::timestamptz
                     ELSE a.waits_until END
   FROM locked l
   JOIN unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[])
     AS n(subject, stage, kind, device, take_back, at_most, waits_from)
     ON l.subject = n.subject AND l.stage = n.stage AND l.kind = n.kind AND l.device_hash = decode(n.device, 'hex')
   WHERE a.subject = l.subject AND a.stage = l.stage AND a.kind = l.kind AND a.device_hash = l.device_hash`,
);
const CLEAR = statement(
  'identity.attempts-clear',
  `DELETE FROM identity.attempts WHERE subject = $1 AND stage <> 'any'`,
);
/** Counters of accounts that exist stay: the hundred consecutive failures have no time limit. */
const EXPIRED = statement(
  'identity.expire-attempts',
  `DELETE FROM identity.attempts a WHERE a.last_at <= $1 AND a.waits_until <= $2
   AND (a.failures = 0 OR NOT EXISTS (SELECT FROM identity.users u WHERE u.email_token = a.subject))`,
);

/** The counters of `keys`, made when they are new, locked until commit. */
export async function lockCounters(
  tx: Transaction,
  keys: readonly CounterKey[],
  nowMs: number,
): Promise<StoredCounter[]> {
  const columns = keyColumns(keys);
  // Housekeeping may delete an idle row between the two statements; then it is simply made again.
  for (let tries = 0; tries < 3; tries++) {
    await tx.run(ENSURE, [...columns, new Date(nowMs)]);
    const rows = await tx.rows(LOCK, columns);
    if (rows.length === keys.length) return rows.map(stored);
  }
  throw new Error('Attempt counters keep disappearing');
}

/** Those of `keys` that exist, as they are at this moment. */
export async function readCounters(sql: Sql, keys: readonly CounterKey[]): Promise<StoredCounter[]> {
  return (await sql.rows(READ, keyColumns(keys))).map(stored);
}

/** Those of `keys` that exist, locked until commit. */
export async function heldCounters(tx: Transaction, keys: readonly CounterKey[]): Promise<StoredCounter[]> {
  return (await tx.rows(LOCK, keyColumns(keys))).map(stored);
}

/**
 * Charges all of them, as long as nobody else has touched one since it was read; false: none is charged, go by lockCounters.
 * `was` are those read, `charged` what they become, new ones among them.
 */
export async function chargeCounters(
  sql: Sql,
  was: readonly StoredCounter[],
  charged: readonly StoredCounter[],
): Promise<boolean> {
  const seen = charged.map(({ key }) => was.find((one) => sameKey(one.key, key)));
  const [done] = await sql.rows(CHARGE, [
    ...counterColumns(charged),
    seen.map((one) => one?.failures ?? null),
    seen.map((one) => (one === undefined ? null : new Date(one.waitsUntilMs).toISOString())),
  ]);
  return done?.charged === true;
}

/** A counter far from any wait: fewer failures than `free` with this one, and none of them older than `rememberedFromMs`. */
export interface QuietBounds {
  readonly free: number;
  readonly rememberedFromMs: number;
}

export interface QuietCounter extends QuietBounds {
  readonly key: CounterKey;
  /** Not charged itself. */
  readonly looked: boolean;
}

/** False: none is charged, since one of them is not that quiet. */
export async function chargeQuietly(sql: Sql, counters: readonly QuietCounter[], nowMs: number): Promise<boolean> {
  const charging = sql.rows(CHARGE_QUIETLY, [
    ...keyColumns(counters.map(({ key }) => key)),
    counters.map(({ free }) => free),
    counters.map(({ rememberedFromMs: ms }) => (Number.isFinite(ms) ? new Date(ms).toISOString() : '-infinity')),
    counters.map(({ looked }) => looked),
    new Date(nowMs),
  ]);
  try {
    return (await charging)[0]?.charged === true;
  } catch (error) {
    if (error instanceof SqlError && error.sqlState === 'CS001') return false;
    throw error;
  }
}

/** Gives back what a success gives back, of those that exist. */
export async function settleCounters(
  tx: Transaction,
  counters: readonly { readonly key: CounterKey; readonly settlement: Settlement }[],
  nowMs: number,
): Promise<void> {
  await tx.run(SETTLE, [
    ...keyColumns(counters.map(({ key }) => key)),
    counters.map(({ settlement }) => settlement.takeBack),
    counters.map(({ settlement }) => settlement.atMost),
    counters.map(({ settlement }) => settlement.waitsFrom),
    new Date(nowMs),
  ]);
}

const sameKey = (a: CounterKey, b: CounterKey): boolean =>
  a.subject === b.subject && a.stage === b.stage && a.kind === b.kind && equalBytes(a.deviceHash, b.deviceHash);

export async function writeCounters(tx: Transaction, counters: readonly StoredCounter[]): Promise<void> {
  await tx.run(WRITE, counterColumns(counters));
}

function counterColumns(counters: readonly StoredCounter[]) {
  return [
    ...keyColumns(counters.map((counter) => counter.key)),
    counters.map((counter) => counter.failures),
    counters.map((counter) => new Date(counter.waitsUntilMs).toISOString()),
    counters.map((counter) => new Date(counter.lastMs).toISOString()),
  ] as const;
}

/** Forgets every failure of an account (after a reset). */
export async function clearCounters(tx: Transaction, subject: bigint): Promise<void> {
  await tx.run(CLEAR, [subject]);
}

/** Those that exist of the account that owes a code, locked until commit. */
export async function heldOwing(
  tx: Transaction,
  by: { readonly preHash: Uint8Array; readonly device: Uint8Array | undefined },
): Promise<StoredCounter[]> {
  return (await tx.rows(HOLD_OWING, [by.preHash, by.device ?? null])).map(stored);
}

export async function deleteIdleCounters(sql: Sql, nowMs: number): Promise<void> {
  const DAY = 86_400_000;
  await sql.run(EXPIRED, [new Date(nowMs - 30 * DAY), new Date(nowMs)]);
}

function keyColumns(keys: readonly CounterKey[]) {
  return [
    keys.map((key) => key.subject),
    keys.map((key) => key.stage),
    keys.map((key) => key.kind),
    keys.map((key) => toHex(key.deviceHash)),
  ] as const;
}

function stored(row: CounterRow): StoredCounter {
  return {
    key: { subject: row.subject, stage: row.stage, kind: row.kind, deviceHash: row.device_hash },
    kind: row.kind,
    failures: row.failures,
    waitsUntilMs: row.waits_until.getTime(),
    lastMs: row.last_at.getTime(),
  };
}
