import { fromHex, toBase64Url } from '../../kernel/bytes.ts';
import type { Database } from '../../platform/db/index.ts';
import { type FormPairs, parseForm, parseToken, printForm, timeRange } from '../../fhir/index.ts';
import type { Audit, EventFilter } from '../audit/index.ts';
import { searchInvalid } from './errors.ts';
import { type Parameter, PARAMETERS } from './event-parameters.ts';
import type { FhirAuditEvent } from './fhir-audit-event.ts';
import {
  type Condition,
  findReceived,
  LOOKED_AT_MAX,
  meets,
  MS_MAX,
  type Place,
  READ_PAGE,
} from './received-search.ts';
import { readReceived } from './received-store.ts';
import type { Repository } from './receiver.ts';

/** ITI-81, Retrieve ATNA Audit Event: our own log and what other systems sent, newest first. */
export interface RetrieveDeps {
  readonly database: Database;
  readonly audit: Pick<Audit, 'searchWhole'>;
  readonly repository: Repository;
  /** Ids of the records that an identifier (`system|value`) names. */
  readonly recordsOf: (system: string, value: string) => Promise<readonly string[]>;
}

interface Asked {
  readonly fromMs: number;
  readonly beforeMs: number;
  /** AND of ORs. */
  readonly conditions: readonly Condition[];
  readonly ids: readonly string[] | undefined;
  readonly count: number;
  readonly cursor: Cursor;
  readonly used: FormPairs;
}

/** Where each of the two sources goes on: an event's time and id, `end`, or nothing yet. */
interface Cursor {
  readonly own?: Place | 'end';
  readonly received?: Place | 'end';
}

const COUNT_DEFAULT = 50;
const COUNT_MAX = 200;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface Retrieved {
  readonly bundle: object;
}

export async function retrieve(deps: RetrieveDeps, query: string, base: string): Promise<Retrieved> {
  const asked = parse(query);
  const [own, received] =
    asked.ids === undefined
      ? await Promise.all([ownEvents(deps, asked), receivedEvents(deps, asked)])
      : [await byIds(deps, asked, asked.ids), NOTHING_MORE];
  const merged = [...own.found, ...received.found].toSorted(newestFirst).slice(0, asked.count);
  const next: Cursor = {
    own: goOn(own, merged, 'own', asked.cursor.own),
    received: goOn(received, merged, 'received', asked.cursor.received),
  };
  const link = [{ relation: 'self', url: `${base}?${printForm(asked.used)}` }];
  if (next.own !== 'end' || next.received !== 'end') {
    const pairs: FormPairs = [...asked.used.filter(([name]) => name !== '_page'), ['_page', printCursor(next)]];
    link.push({ relation: 'next', url: `${base}?${printForm(pairs)}` });
  }
  return {
    bundle: {
      resourceType: 'Bundle',
      type: 'searchset',
      link,
      entry: merged.map(({ event, id }) => ({
        fullUrl: `${base}/${id}`,
        resource: { ...event, id },
        search: { mode: 'match' },
      })),
    },
  };
}

interface Found extends Place {
  readonly from: 'own' | 'received';
  readonly event: FhirAuditEvent;
}
/** One event, with its id; undefined where there is none, or its content was erased. */
export async function retrieveOne(deps: RetrieveDeps, id: string): Promise<object | undefined> {
  const found = (await ownById(deps, id)) ?? (await receivedById(deps, id));
  return found === undefined ? undefined : { ...found.event, id };
}

interface FoundAll {
  readonly found: readonly Found[];
  /** The last event that was looked at, fitting or not; undefined when the source is at its end. */
  readonly lookedTo: Place | undefined;
}

const newestFirst = (a: Place, b: Place): number =>
  b.recordedMs - a.recordedMs || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

/** A source goes on behind the last of its events that are on this page, or where looking ended if all of them are. */
function goOn(source: FoundAll, merged: readonly Found[], from: Found['from'], before: Place | 'end' | undefined) {
  const shown = merged.filter((one) => one.from === from);
  const last = shown.at(-1);
  if (shown.length < source.found.length) return last === undefined ? (before ?? START) : placeOf(last);
  return source.lookedTo ?? 'end';
}
const START: Place = { recordedMs: MS_MAX, id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };
const placeOf = ({ recordedMs, id }: Place): Place => ({ recordedMs, id });

const NOTHING_MORE: FoundAll = { found: [], lookedTo: undefined };

/** Events asked for by id are looked up, however far back they lie; the other conditions hold as well. */
async function byIds(deps: RetrieveDeps, asked: Asked, ids: readonly string[]): Promise<FoundAll> {
  const found: Found[] = [];
  for (const id of new Set(ids)) {
    const own = await ownById(deps, id);
    const one = own ?? (await receivedById(deps, id));
    if (one === undefined || one.recordedMs < asked.fromMs || one.recordedMs >= asked.beforeMs) continue;
    if (fits(one.event, id, asked, [])) found.push(one);
  }
  return { found: found.toSorted(newestFirst), lookedTo: undefined };
}

/** An id begins with its event's time: only events of that millisecond are looked at. */
async function ownById({ audit }: RetrieveDeps, id: string): Promise<Found | undefined> {
  const recordedMs = ID.test(id) ? Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) : Number.NaN;
  if (!(recordedMs < MS_MAX)) return undefined;
  const filter = { from: new Date(recordedMs).toISOString(), to: new Date(recordedMs + 1).toISOString() };
  let cursor: string | undefined;
  do {
    const page = await audit.searchWhole({ ...filter, limit: READ_PAGE, ...(cursor === undefined ? {} : { cursor }) });
    const one = page.events.find(({ summary }) => summary.id === id);
    if (one !== undefined) {
      // Our own events are what this program wrote.
      return one.json === undefined
        ? undefined
        : { recordedMs, id, from: 'own', event: JSON.parse(one.json) as FhirAuditEvent };
    }
    cursor = page.next;
  } while (cursor !== undefined);
  return undefined;
}

async function receivedById({ database, repository }: RetrieveDeps, id: string): Promise<Found | undefined> {
  const row = ID.test(id) ? await readReceived(database, id) : undefined;
  const event = row === undefined ? undefined : repository.read(row).event;
  if (row === undefined || event === undefined) return undefined;
  return { recordedMs: row.recorded.getTime(), id, from: 'received', event };
}

/** Our log finds by actor, client, address and outcome; everything is tested exactly afterwards. */
async function ownEvents(deps: RetrieveDeps, asked: Asked): Promise<FoundAll> {
  const { cursor, count } = asked;
  if (cursor.own === 'end') return { found: [], lookedTo: undefined };
  const filter = await ownFilter(deps, asked);
  const found: Found[] = [];
  let after = cursor.own === undefined || cursor.own.id === START.id ? undefined : idCursor(cursor.own.id);
  let last: Place | undefined;
  for (let looked = 0; looked < LOOKED_AT_MAX; ) {
    const page = await deps.audit.searchWhole({
      ...filter,
      limit: READ_PAGE,
      ...(after === undefined ? {} : { cursor: after }),
    });
    for (const { summary, json } of page.events) {
      looked += 1;
      const place = { recordedMs: Date.parse(summary.recorded), id: summary.id };
      if (json !== undefined) {
        // Our own events are what this program wrote.
        const event = JSON.parse(json) as FhirAuditEvent;
        if (fits(event, summary.id, asked, summary.client ?? [])) found.push({ ...place, from: 'own', event });
      }
      last = place;
      if (found.length >= count) return { found, lookedTo: last };
    }
    after = page.next;
    if (after === undefined) return { found, lookedTo: undefined };
  }
  return { found, lookedTo: last };
}

async function ownFilter(deps: RetrieveDeps, asked: Asked): Promise<Omit<EventFilter, 'limit'>> {
  const only = (parameter: Parameter) => asked.conditions.find((one) => one.parameter === parameter)?.values;
  const addresses = only('address');
  const patients = only('patient.identifier');
  const clients = patients === undefined ? undefined : await recordsNamed(deps, patients);
  const outcome = only('outcome')?.map((value) => value.slice(value.lastIndexOf('|') + 1));
  const failed = outcome !== undefined && !outcome.includes('0');
  return {
    from: new Date(asked.fromMs).toISOString(),
    to: new Date(asked.beforeMs).toISOString(),
    ...(addresses === undefined ? {} : { addresses }),
    ...(clients === undefined ? {} : { clients }),
    ...(failed ? { outcome: 'failure' as const } : {}),
  };
}

/** Ids that the values name, by themselves or through an identifier of the registry. */
async function recordsNamed({ recordsOf }: RetrieveDeps, values: readonly string[]): Promise<string[]> {
  const all = await Promise.all(
    values.map(async (value) => {
      const token = parseToken(value);
      const named =
        token?.system === undefined || token.system === '' || token.value === undefined
          ? []
          : await recordsOf(token.system, token.value);
      return [value.replace(/^.*\|/, '').replace(/^Patient\//, ''), ...named];
    }),
  );
  return [...new Set(all.flat())];
}

async function receivedEvents(deps: RetrieveDeps, asked: Asked): Promise<FoundAll> {
  const { cursor, count, conditions, fromMs, beforeMs } = asked;
  if (cursor.received === 'end') return { found: [], lookedTo: undefined };
  const query = { fromMs, beforeMs, conditions, garbled: false, after: cursor.received, count };
  const { found, lookedTo } = await findReceived(deps, query);
  return {
    found: found.flatMap(({ row, content: { event } }) =>
      event === undefined ? [] : [{ recordedMs: row.recorded.getTime(), id: row.id, from: 'received' as const, event }],
    ),
    lookedTo,
  };
}

/** The exact test. `clients`: whom our own event is about, found by an identifier that the event itself does not hold. */
function fits(event: FhirAuditEvent, id: string, asked: Asked, clients: readonly string[]): boolean {
  if (asked.ids !== undefined && !asked.ids.includes(id)) return false;
  // The log was asked by these clients.
  const { conditions } = asked;
  return meets(
    event,
    clients.length === 0 ? conditions : conditions.filter(({ parameter }) => parameter !== 'patient.identifier'),
  );
}

function parse(query: string): Asked {
  let fromMs = 0;
  let beforeMs = MS_MAX;
  let count = COUNT_DEFAULT;
  let ids: readonly string[] | undefined;
  let cursor: Cursor = {};
  const conditions: Condition[] = [];
  const used: [string, string][] = [];
  for (const [name, value] of parseForm(query)) {
    if (name === 'date' || name === '_lastUpdated') {
      const [from, before] = range(name, value);
      fromMs = Math.max(fromMs, from);
      beforeMs = Math.min(beforeMs, before);
    } else if (name === '_id') ids = idsOf(value);
    else if (name === '_count') count = countOf(value);
    else if (name === '_page') cursor = readCursor(value);
    else if (isParameter(name)) conditions.push({ parameter: name, values: value.split(',') });
    else if (name !== '_format' && name !== '_pretty')
      throw searchInvalid(`The parameter ${/^[\w.:-]{1,60}$/.test(name) ? name : ''} is not one of ITI-81.`);
    used.push([name, value]);
  }
  if (!used.some(([name]) => name === 'date' || name === '_lastUpdated' || name === '_id'))
    throw searchInvalid('A search needs `date`, for example date=ge2026-01-31&date=lt2026-02-01 (ITI-81).');
  return { fromMs, beforeMs, conditions, ids, count, cursor, used };
}

function idsOf(value: string): readonly string[] {
  const ids = value.split(',');
  if (ids.length > COUNT_MAX) throw searchInvalid(`_id takes at most ${COUNT_MAX} ids.`);
  return ids;
}

const isParameter = (name: string): name is Parameter => PARAMETERS.some((one) => one === name);

function range(name: string, value: string): [number, number] {
  const prefix = /^(eq|ge|gt|le|lt)?(.+)$/.exec(value);
  const stretch = prefix?.[2] === undefined ? undefined : timeRange(prefix[2]);
  if (stretch === undefined) throw searchInvalid(`${name} must be a FHIR date with eq, ge, gt, le or lt before it.`);
  const { lowMs: fromMs, highMs: beforeMs } = stretch;
  switch (prefix?.[1]) {
    case 'ge':
      return [fromMs, MS_MAX];
    case 'gt':
      return [beforeMs, MS_MAX];
    case 'le':
      return [0, beforeMs];
    case 'lt':
      return [0, fromMs];
    default:
      return [fromMs, beforeMs];
  }
}

function countOf(value: string): number {
  const count = /^\d{1,4}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(count) || count < 1) throw searchInvalid('_count must be a number of at least 1.');
  return Math.min(count, COUNT_MAX);
}

const printPlace = (place: Place | 'end' | undefined): string =>
  place === undefined ? '-' : place === 'end' ? 'end' : `${place.recordedMs}.${place.id}`;
const printCursor = ({ own, received }: Cursor): string => `${printPlace(own)}~${printPlace(received)}`;

function readCursor(text: string): Cursor {
  const [own, received] = text.split('~').map((part): Place | 'end' | undefined => {
    if (part === 'end') return 'end';
    const [ms = '', id = ''] = part.split('.');
    return /^\d{1,15}$/.test(ms) && Number(ms) <= MS_MAX && ID.test(id) ? { recordedMs: Number(ms), id } : undefined;
  });
  return { ...(own === undefined ? {} : { own }), ...(received === undefined ? {} : { received }) };
}

/** The log's own cursor is an event's id. */
function idCursor(id: string): string {
  return toBase64Url(fromHex(id.replaceAll('-', '')) ?? new Uint8Array());
}
