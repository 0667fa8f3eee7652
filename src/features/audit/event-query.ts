import { idTimeMs, newestIdAt } from './event-id.ts';
import type { AuditEventId } from '../../kernel/ids.ts';
import type { Sql, SqlValue, Statement } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import { EVENT_COLUMNS, type IndexedEvent, type RawEvent, toEvent } from './event-store.ts';

/** A question to the log, in the database's terms. Lists are ORs; all filters together are an AND. */
export interface EventQuery {
  readonly fromMs?: number;
  readonly beforeMs?: number;
  readonly actors?: readonly bigint[];
  readonly clients?: readonly bigint[];
  readonly events?: readonly string[];
  readonly outcomes?: readonly number[];
  readonly addresses?: readonly bigint[];
  readonly kinds?: readonly string[];
  /** Rows older than this one. */
  readonly after?: { readonly recordedMs: number; readonly id: AuditEventId };
  readonly limit: number;
}

/** Events that fill the log by the million; `event_rare` indexes all others (migrations/000201). */
const FREQUENT: ReadonlySet<string> = new Set(['client.read', 'client.search']);
const RARE = "row.event NOT IN ('client.read', 'client.search')";

/**
 * Newest first. The rarest filter drives: per value of it, the newest rows come from the index (value, recorded), and the newest
 * of all values together are the answer, so time does not depend on the size of the log. Without such a filter the log is
 * walked backwards by time. Months that a question does not touch are not read.
 */
export async function listEvents(sql: Sql, query: EventQuery): Promise<IndexedEvent[]> {
  const { text, name, values } = build(query);
  const rows = await sql.rows<RawEvent>(queryStatement(name, text), values);
  return rows.map(toEvent);
}

interface Driver {
  readonly key: string;
  readonly values: SqlValue;
  readonly type: string;
  readonly condition: string;
}

function driverOf(query: EventQuery): Driver | undefined {
  if (query.clients !== undefined) {
    const condition = 'row.client = driver.value';
    return { key: 'client', values: query.clients, type: 'bigint[]', condition };
  }
  if (query.actors !== undefined) {
    return { key: 'actor', values: query.actors, type: 'bigint[]', condition: 'row.actor = driver.value' };
  }
  if (query.events !== undefined && query.events.every((event) => !FREQUENT.has(event))) {
    const condition = `row.event = driver.value AND ${RARE}`;
    return { key: 'event', values: query.events, type: 'text[]', condition };
  }
  if (query.outcomes !== undefined && !query.outcomes.includes(0)) {
    const condition = 'row.outcome = driver.value AND row.outcome <> 0';
    return { key: 'outcome', values: query.outcomes, type: 'smallint[]', condition };
  }
  if (query.addresses !== undefined) {
    const condition = 'row.address = driver.value AND row.address IS NOT NULL';
    return { key: 'address', values: query.addresses, type: 'bigint[]', condition };
  }
  if (query.kinds !== undefined && !query.kinds.includes('node')) {
    const condition = "row.actor_kind = driver.value AND row.actor_kind <> 'node'";
    return { key: 'kind', values: query.kinds, type: 'text[]', condition };
  }
  return undefined;
}

function build(query: EventQuery): { name: string; text: string; values: SqlValue[] } {
  const values: SqlValue[] = [];
  const parameter = (value: SqlValue): string => `$${values.push(value)}`;
  const driver = driverOf(query);
  const conditions = driver === undefined ? idConditions(query, parameter) : timeConditions(query, parameter);
  const parts = [driver?.key ?? 'time', query.fromMs, query.beforeMs, query.after];
  if (query.actors !== undefined && driver?.key !== 'actor') {
    conditions.push(`row.actor = ANY (${parameter(query.actors)}::bigint[])`);
  }
  if (query.events !== undefined && driver?.key !== 'event') {
    conditions.push(`row.event = ANY (${parameter(query.events)}::text[])`);
  }
  if (query.outcomes !== undefined && driver?.key !== 'outcome') {
    conditions.push(`row.outcome = ANY (${parameter(query.outcomes)}::smallint[])`);
  }
  if (query.addresses !== undefined && driver?.key !== 'address') {
    conditions.push(`row.address = ANY (${parameter(query.addresses)}::bigint[])`);
  }
  if (query.kinds !== undefined && driver?.key !== 'kind')
    conditions.push(`row.actor_kind = ANY (${parameter(query.kinds)}::text[])`);
  const where = conditions.map((condition) => ` AND ${condition}`).join('');
  const limit = parameter(query.limit);
  const optional = [query.actors, query.events, query.outcomes, query.addresses, query.kinds];
  const flags = [...parts.slice(1), ...optional].map((part) => (part === undefined ? 0 : 1));
  const name = `audit.list-${driver?.key ?? 'time'}-${flags.join('')}`;
  const newest =
    driver === undefined
      ? `SELECT * FROM audit.event AS row WHERE true${where} ORDER BY id DESC LIMIT ${limit}`
      : `SELECT hit.* FROM unnest(${parameter(driver.values)}::${driver.type}) AS driver (value) CROSS JOIN LATERAL (
           SELECT * FROM audit.event AS row WHERE ${driver.condition}${where}
           ORDER BY row.recorded DESC, row.id DESC LIMIT ${limit}) AS hit
         ORDER BY hit.recorded DESC, hit.id DESC LIMIT ${limit}`;
  const text = `SELECT ${EVENT_COLUMNS} FROM (${newest}) AS row ORDER BY row.recorded DESC, row.id DESC`;
  return { name, text, values };
}

type Parameter = (value: SqlValue) => string;

/** Time as bounds on the id, which begins with it: the primary key answers both the range and the order. Months are left out by time. */
function idConditions(query: EventQuery, parameter: Parameter): string[] {
  const conditions = monthConditions(query, parameter);
  if (query.fromMs !== undefined) conditions.push(`row.id > ${parameter(newestIdAt(query.fromMs - 1))}::uuid`);
  if (query.beforeMs !== undefined) conditions.push(`row.id <= ${parameter(newestIdAt(query.beforeMs - 1))}::uuid`);
  if (query.after !== undefined) {
    conditions.push(`row.recorded <= ${parameter(new Date(query.after.recordedMs))}::timestamptz`);
    conditions.push(`row.id < ${parameter(query.after.id)}::uuid`);
  }
  return conditions;
}

function monthConditions(query: EventQuery, parameter: Parameter): string[] {
  const conditions: string[] = [];
  const time = (ms: number): string => `${parameter(new Date(ms))}::timestamptz`;
  if (query.fromMs !== undefined) conditions.push(`row.recorded >= ${time(query.fromMs)}`);
  if (query.beforeMs !== undefined) conditions.push(`row.recorded < ${time(query.beforeMs)}`);
  return conditions;
}

function timeConditions(query: EventQuery, parameter: Parameter): string[] {
  const conditions = monthConditions(query, parameter);
  if (query.after !== undefined) {
    const { recordedMs, id } = query.after;
    const at = `${parameter(new Date(recordedMs))}::timestamptz`;
    // The first condition follows from the second, and is the one that leaves out later months.
    conditions.push(`row.recorded <= ${at}`, `(row.recorded, row.id) < (${at}, ${parameter(id)}::uuid)`);
  }
  return conditions;
}

/** Statements are few: one per combination of filters that somebody asked for. */
function queryStatement(name: string, text: string): Statement<RawEvent> {
  return statement<RawEvent>(name, text);
}

const ONE = statement<RawEvent>(
  'audit.one',
  `SELECT ${EVENT_COLUMNS} FROM audit.event AS row WHERE row.recorded = $2 AND row.id = $1`,
);

/** The end of the year 9999: later times are not ours, and not every clock's. */
const LATEST_MS = 253_402_300_799_999;

/** One event; its id tells the month it is in. */
export async function readEvent(sql: Sql, id: string): Promise<IndexedEvent | undefined> {
  const recordedMs = idTimeMs(id);
  if (recordedMs > LATEST_MS) return undefined;
  const raw = (await sql.rows(ONE, [id, new Date(recordedMs)]))[0];
  return raw === undefined ? undefined : toEvent(raw);
}
