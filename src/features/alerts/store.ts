import type { Sql, Transaction } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { RuleName, RuleSettings } from './wire.ts';

/** SQL of schema alerts. */
export interface AlertRow {
  readonly id: string;
  readonly rule: RuleName;
  readonly raisedAt: Date;
  readonly lastAt: Date;
  readonly count: bigint;
  readonly sealed: Buffer;
  readonly acknowledgedAt: Date | null;
  readonly closedAt: Date | null;
  readonly sealedAcknowledgement: Buffer | null;
  readonly sealedClosing: Buffer | null;
}

const COLUMNS = `id, rule, raised_at AS "raisedAt", last_at AS "lastAt", count, sealed, acknowledged_at AS "acknowledgedAt",
  closed_at AS "closedAt", sealed_acknowledgement AS "sealedAcknowledgement", sealed_closing AS "sealedClosing"`;

const RULES = statement<{ name: string; settings: RuleSettings; binding: Buffer | null }>(
  'alerts.rules',
  'SELECT name, settings, binding FROM alerts.rule',
);
const PUT_RULE = statement(
  'alerts.put-rule',
  `INSERT INTO alerts.rule (name, settings, binding) VALUES ($1, $2::jsonb, $3)
   ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, binding = excluded.binding`,
);
const PUT_UNBOUND_RULE = statement(
  'alerts.put-unbound-rule',
  `INSERT INTO alerts.rule (name, settings, binding) VALUES ($1, $2::jsonb, $3)
   ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, binding = excluded.binding WHERE rule.binding IS NULL`,
);
/** See rule-binding.ts; a binding of null is an earlier version's, or somebody else's. */
export const readRules = (sql: Sql) => sql.rows(RULES);
export interface BoundRule {
  readonly name: RuleName;
  readonly settings: RuleSettings;
  readonly binding: Uint8Array;
}
export async function putRule(sql: Sql, { name, settings, binding }: BoundRule): Promise<void> {
  await sql.run(PUT_RULE, [name, JSON.stringify(settings), binding]);
}
/** Leaves a rule alone that is bound already. */
export async function putUnboundRule(sql: Sql, { name, settings, binding }: BoundRule): Promise<void> {
  await sql.run(PUT_UNBOUND_RULE, [name, JSON.stringify(settings), binding]);
}

const AGAIN = statement<{ id: string }>(
  'alerts.again',
  `UPDATE alerts.alert SET count = count + 1, last_at = greatest(last_at, $3)
   WHERE rule = $1 AND subject = $2 AND closed_at IS NULL RETURNING id`,
);
/** True when there is such an alert and this was counted to it. */
export async function countAgain(sql: Sql, rule: RuleName, subject: bigint, atMs: number): Promise<boolean> {
  return (await sql.rows(AGAIN, [rule, subject, new Date(atMs)])).length > 0;
}

const OPEN_OF = statement<{ count: bigint }>(
  'alerts.open-of',
  'SELECT count(*) AS count FROM alerts.alert WHERE rule = $1 AND closed_at IS NULL',
);
export async function openOf(sql: Sql, rule: RuleName): Promise<number> {
  return Number((await sql.rows(OPEN_OF, [rule]))[0]?.count ?? 0);
}

const INSERT = statement(
  'alerts.insert',
  `INSERT INTO alerts.alert (id, rule, subject, raised_at, last_at, sealed, mailed_at)
   VALUES ($1, $2, $3, $4::timestamptz, $4::timestamptz, $5, CASE WHEN $6::boolean THEN NULL ELSE $4::timestamptz END)
   ON CONFLICT (rule, subject) WHERE closed_at IS NULL DO UPDATE SET count = alert.count + 1, last_at = excluded.last_at`,
);
export interface NewAlert {
  readonly id: string;
  readonly rule: RuleName;
  readonly subject: bigint;
  readonly atMs: number;
  readonly sealed: Uint8Array;
  readonly mail: boolean;
}
export async function insertAlert(tx: Transaction, alert: NewAlert): Promise<void> {
  const { id, rule, subject, atMs, sealed, mail } = alert;
  await tx.run(INSERT, [id, rule, subject, new Date(atMs), sealed, mail]);
}

const LIST_OPEN = statement<AlertRow>(
  'alerts.list-open',
  `SELECT ${COLUMNS} FROM alerts.alert WHERE closed_at IS NULL AND ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2`,
);
const LIST_CLOSED = statement<AlertRow>(
  'alerts.list-closed',
  `SELECT ${COLUMNS} FROM alerts.alert WHERE closed_at IS NOT NULL AND ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2`,
);
export const listAlerts = (sql: Sql, state: 'open' | 'closed', before: string | undefined, limit: number) =>
  sql.rows(state === 'open' ? LIST_OPEN : LIST_CLOSED, [before ?? null, limit]);

const FIND = statement<AlertRow>('alerts.find', `SELECT ${COLUMNS} FROM alerts.alert WHERE id = $1 FOR UPDATE`);
export const findAlert = async (tx: Transaction, id: string) => (await tx.rows(FIND, [id]))[0];

const COUNTS = statement<{ open: bigint; unacknowledged: bigint }>(
  'alerts.counts',
  `SELECT count(*) AS open, count(*) FILTER (WHERE acknowledged_at IS NULL) AS unacknowledged
   FROM alerts.alert WHERE closed_at IS NULL`,
);
export async function counts(sql: Sql): Promise<{ open: number; unacknowledged: number }> {
  const [row] = await sql.rows(COUNTS);
  return { open: Number(row?.open ?? 0), unacknowledged: Number(row?.unacknowledged ?? 0) };
}

const ACKNOWLEDGE = statement(
  'alerts.acknowledge',
  'UPDATE alerts.alert SET acknowledged_at = $2, sealed_acknowledgement = $3 WHERE id = $1',
);
const CLOSE = statement('alerts.close', 'UPDATE alerts.alert SET closed_at = $2, sealed_closing = $3 WHERE id = $1');
export async function markAlert(
  tx: Transaction,
  act: 'acknowledge' | 'close',
  mark: { readonly id: string; readonly atMs: number; readonly sealed: Uint8Array },
): Promise<void> {
  await tx.run(act === 'close' ? CLOSE : ACKNOWLEDGE, [mark.id, new Date(mark.atMs), mark.sealed]);
}

const CLOSED_LATELY = statement<{ id: string; sealedClosing: Buffer | null }>(
  'alerts.closed-lately',
  `SELECT id, sealed_closing AS "sealedClosing" FROM alerts.alert WHERE closed_at IS NOT NULL ORDER BY id DESC LIMIT 500`,
);
export const closedLately = (sql: Sql) => sql.rows(CLOSED_LATELY);
// Where another alert about the same is open meanwhile, that one tells.
const REOPEN = statement(
  'alerts.reopen',
  `UPDATE alerts.alert AS a SET closed_at = NULL, sealed_closing = NULL, mailed_at = NULL WHERE id = $1
     AND NOT EXISTS (SELECT FROM alerts.alert AS o WHERE o.rule = a.rule AND o.subject = a.subject AND o.closed_at IS NULL)`,
);
/** False where another alert about the same is open. */
export const reopen = async (sql: Sql, id: string): Promise<boolean> => (await sql.run(REOPEN, [id])) === 1;

const UNMAILED = statement<{ rule: RuleName; alerts: bigint }>(
  'alerts.unmailed',
  'SELECT rule, count(*) AS alerts FROM alerts.alert WHERE mailed_at IS NULL AND closed_at IS NULL GROUP BY rule ORDER BY rule',
);
export const unmailed = (sql: Sql) => sql.rows(UNMAILED);
const MAILED = statement('alerts.mailed', 'UPDATE alerts.alert SET mailed_at = $1 WHERE mailed_at IS NULL');
export async function markMailed(tx: Transaction, atMs: number): Promise<void> {
  await tx.run(MAILED, [new Date(atMs)]);
}

export interface State {
  /** As it stands in the database, where anybody who writes to it can move it: see place.ts. */
  readonly nextLeaf: bigint | null;
  readonly sealedPlace: Buffer | null;
  readonly sealedRecipients: Buffer | null;
  readonly lastMailAt: Date | null;
}
const STATE = statement<State>(
  'alerts.state',
  `SELECT next_leaf AS "nextLeaf", sealed_place AS "sealedPlace", sealed_recipients AS "sealedRecipients", last_mail_at AS "lastMailAt" FROM alerts.state`,
);
export async function readState(sql: Sql): Promise<State> {
  const [row] = await sql.rows(STATE);
  return row ?? { nextLeaf: null, sealedPlace: null, sealedRecipients: null, lastMailAt: null };
}
const ADVANCE = statement(
  'alerts.advance',
  `INSERT INTO alerts.state AS state (id, next_leaf, sealed_place) VALUES (1, $2, $3)
   ON CONFLICT (id) DO UPDATE SET next_leaf = excluded.next_leaf, sealed_place = excluded.sealed_place
   WHERE state.next_leaf IS NOT DISTINCT FROM $1::bigint`,
);
/** `from`: as it stands in the database. False when somebody else has moved it meanwhile. */
export async function advance(
  sql: Sql,
  from: bigint | null,
  to: { readonly leaf: number; readonly sealed: Uint8Array },
): Promise<boolean> {
  return (await sql.run(ADVANCE, [from, to.leaf, to.sealed])) === 1;
}
const RECIPIENTS = statement('alerts.recipients', 'UPDATE alerts.state SET sealed_recipients = $1');
export async function putRecipients(sql: Sql, sealed: Uint8Array): Promise<void> {
  await sql.run(RECIPIENTS, [sealed]);
}
const MAIL_TURN = statement(
  'alerts.mail-turn',
  'UPDATE alerts.state SET last_mail_at = $1 WHERE last_mail_at IS NULL OR last_mail_at < $2 OR last_mail_at > $1',
);
/** True for whoever may send now; nobody else may before `quietMs` is over. */
export async function takeMailTurn(tx: Transaction, nowMs: number, quietMs: number): Promise<boolean> {
  return (await tx.run(MAIL_TURN, [new Date(nowMs), new Date(nowMs - quietMs)])) === 1;
}

const SEEN = statement<{ known: bigint; fresh: boolean }>(
  'alerts.network-seen',
  `WITH before AS (SELECT count(*) AS known, bool_or(network = $2 AND last_at > $4) AS fresh FROM alerts.network WHERE actor = $1),
     put AS (INSERT INTO alerts.network (actor, network, last_at) VALUES ($1, $2, $3)
             ON CONFLICT (actor, network) DO UPDATE SET last_at = greatest(network.last_at, excluded.last_at))
   SELECT known, coalesce(fresh, false) AS fresh FROM before`,
);
/** How many networks the person was seen in before, and whether this one is among those of the last while. */
export async function seeNetwork(
  sql: Sql,
  seen: { readonly actor: bigint; readonly network: bigint; readonly atMs: number; readonly sinceMs: number },
): Promise<{ known: number; fresh: boolean }> {
  const { actor, network, atMs, sinceMs } = seen;
  const [row] = await sql.rows(SEEN, [actor, network, new Date(atMs), new Date(sinceMs)]);
  return { known: Number(row?.known ?? 0), fresh: row?.fresh === true };
}
