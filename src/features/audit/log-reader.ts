import { equalBytes, fromBase64Url, fromHex, toBase64, toBase64Url, toHex } from '../../kernel/bytes.ts';
import { type AuditEventId, parseId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import {
  encodeEntries,
  encodeLeaf,
  hashesAtLevel,
  parseCheckpoint,
  parseTilePath,
  printVerifierKey,
  proveInclusion,
  signatureBy,
  TILE_WIDTH,
  verifyInclusion,
} from '../../verifier/index.ts';
import { cosignaturesOf, witnessedNote } from './cosignature-store.ts';
import type { AuditDeps } from './deps.ts';
import { brokenCursor, eventNotFound, noCheckpoint, noWitness, tileNotFound, unknownFilter } from './errors.ts';
import { idTimeMs } from './event-id.ts';
import type { BatchedEvent } from './event-batch.ts';
import { createColumnMaker } from './event-columns.ts';
import { readContents, readJson } from './event-contents.ts';
import { type EventQuery, listEvents, readEvent } from './event-query.ts';
import type { IndexedEvent } from './event-store.ts';
import { eventNames } from './events.ts';
import { answers, newestFirst, pendingNow } from './pending-events.ts';
import { clientId, commitmentOf, type EventColumns, jsonOf, TOKEN } from './sealed-event.ts';
import type { Signer } from './signer.ts';
import { summarise } from './summary.ts';
import { createNodeReader, merkle, tileHashes } from './tile-reader.ts';
import { joined } from './tree-edge.ts';
import { type CheckpointRow, pendingEvents, readHead, readLeaves } from './tree-store.ts';
import type {
  ActorKind as AuditActorKind,
  AuditEventReply,
  AuditEventSummary,
  AuditListQuery,
  AuditListReply,
  AuditProof,
  AuditStatusReply,
} from './wire.ts';
import type { Witnesses } from './witnesses.ts';

/** Reads the log for its pages and for auditors. Whoever calls these records that the log was used. */
export interface LogReader {
  /** `within`, here and below: ids of the only actors whose acts are found; others' are not there. Undefined: everybody's. */
  list(query: AuditListQuery, within?: readonly string[]): Promise<AuditListReply>;
  /** The same for other features, by several values of each kind. */
  search(filter: EventFilter): Promise<AuditListReply>;
  /** The same, each event whole. */
  searchWhole(filter: EventFilter): Promise<{ readonly events: readonly WholeEvent[]; readonly next?: string }>;
  one(id: string, within?: readonly string[]): Promise<AuditEventReply>;
  status(): Promise<AuditStatusReply>;
  /** The newest signed note. */
  checkpoint(): Promise<string>;
  /** The newest signed note that a witness has signed too, with the witnesses' lines. */
  witnessed(): Promise<string>;
  /** Bytes of a tile or entry bundle, by its C2SP path without leading slash. */
  tile(path: string): Promise<Uint8Array>;
}

/** Lists are ORs; all given ones together are an AND. Times are instants, `from` included, `to` excluded. */
export interface EventFilter {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Names or families (`client.*`). */
  readonly events?: readonly string[] | undefined;
  /** Actor ids. */
  readonly actors?: readonly string[] | undefined;
  /** Ids of clients, with or without `Patient/`. */
  readonly clients?: readonly string[] | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly kinds?: readonly AuditActorKind[] | undefined;
  readonly outcome?: AuditListQuery['outcome'];
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** An event in the terms of the pages, and as FHIR (undefined when erased). */
export interface WholeEvent {
  readonly summary: AuditEventSummary;
  readonly json: string | undefined;
}

export interface ReaderInput extends Pick<AuditDeps, 'database' | 'keyRing' | 'clock'> {
  readonly signer: () => Promise<Signer>;
  readonly witnesses: Pick<Witnesses, 'states'>;
}

interface ReaderDeps extends ReaderInput {
  readonly columnsOf: ReturnType<typeof createColumnMaker>;
}

/** Events that wait longer than this say that sequencing stands still. */
const WAITING_MS_MAX = 60_000;
const PENDING_COUNTED_MAX = 10_000;

export function createLogReader(input: ReaderInput): LogReader {
  const deps: ReaderDeps = { ...input, columnsOf: createColumnMaker(input.keyRing) };
  return {
    list: (query, within) => search(deps, bounded(filterOf(query), within)),
    search: (filter) => search(deps, filter),
    searchWhole: (filter) => searchWhole(deps, filter),
    one: (id, within) => one(deps, id, within),
    status: () => status(deps),
    async checkpoint() {
      const head = await readHead(deps.database);
      if (head === undefined) throw noCheckpoint();
      const lines = await cosignaturesOf(deps.database, head.size);
      return head.note + lines.map(({ line }) => line).join('');
    },
    async witnessed() {
      const note = await witnessedNote(deps.database);
      if (note === undefined) throw noWitness();
      return note;
    },
    tile: (path) => tile(deps, path),
  };
}

function filterOf(query: AuditListQuery): EventFilter {
  const { event, actor, client, address, kind, ...same } = query;
  const one = <T>(value: T | undefined): readonly T[] | undefined => (value === undefined ? undefined : [value]);
  return {
    ...same,
    events: one(event),
    actors: one(actor),
    clients: one(client),
    addresses: one(address),
    kinds: one(kind),
  };
}

/** The same question, about acts of these actors only. */
function bounded(filter: EventFilter, within: readonly string[] | undefined): EventFilter {
  if (within === undefined) return filter;
  const { actors = within } = filter;
  return { ...filter, actors: actors.filter((id) => within.includes(id)) };
}

async function search(deps: ReaderDeps, filter: EventFilter): Promise<AuditListReply> {
  const { events, next } = await searchWhole(deps, filter);
  const summaries = events.map(({ summary }) => summary);
  return next === undefined ? { events: summaries } : { events: summaries, next };
}

async function searchWhole(deps: ReaderDeps, filter: EventFilter) {
  const { database, keyRing } = deps;
  const query = toEventQuery(keyRing, filter);
  // First what waits: an event that gets its number in between is then found twice rather than not at all.
  const waiting = (await pendingNow(deps)).filter((event) => answers(event, query));
  const rows = await listEvents(database, query);
  const numbered = new Set(rows.map(({ id }) => id));
  const found: Listed[] = [
    ...waiting.filter(({ row }) => !numbered.has(row.id)),
    ...rows.map((row) => ({ row, index: row.index })),
  ].toSorted((a, b) => newestFirst(a.row, b.row));
  const shown = found.slice(0, filter.limit);
  const last = found.length > filter.limit ? shown.at(-1)?.row : undefined;
  const contents = await readJson(
    database,
    keyRing,
    rows.filter(({ id }) => shown.some(({ row }) => row.id === id)),
  );
  let next = 0;
  const events = shown.map((listed): WholeEvent => {
    const json = listed.index === undefined ? listed.json : contents[next++];
    return { summary: summarise({ ...listed.row, index: listed.index }, json), json };
  });
  return last === undefined ? { events } : { events, next: cursorOf(last.id) };
}

interface Listed {
  readonly row: EventColumns;
  /** Undefined while it waits for its number; `json` is at hand then. */
  readonly index?: number;
  readonly json?: string | undefined;
}

const FAILURES = { 'minor-failure': [4], 'serious-failure': [8], failure: [4, 8], success: [0] } as const;

function toEventQuery(keyRing: ReaderDeps['keyRing'], filter: EventFilter): EventQuery {
  const events = filter.events?.flatMap(eventNames);
  if (events?.length === 0) throw unknownFilter();
  const blind = (parameter: string, values: readonly string[]) =>
    values.flatMap((value) => keyRing.blindAll(parameter, value));
  return {
    // One more than is shown tells whether there is a next page.
    limit: filter.limit + 1,
    ...(filter.from === undefined ? {} : { fromMs: Date.parse(filter.from) }),
    ...(filter.to === undefined ? {} : { beforeMs: Date.parse(filter.to) }),
    ...(filter.actors === undefined ? {} : { actors: blind(TOKEN.actor, filter.actors) }),
    ...(filter.clients === undefined ? {} : { clients: blind(TOKEN.client, filter.clients.map(clientId)) }),
    ...(filter.addresses === undefined ? {} : { addresses: blind(TOKEN.address, filter.addresses) }),
    ...(filter.kinds === undefined ? {} : { kinds: filter.kinds }),
    ...(events === undefined ? {} : { events }),
    ...(filter.outcome === undefined ? {} : { outcomes: FAILURES[filter.outcome] }),
    ...(filter.cursor === undefined ? {} : { after: parseCursor(filter.cursor) }),
  };
}

function cursorOf(id: AuditEventId): string {
  return toBase64Url(fromHex(id.replaceAll('-', '')) ?? new Uint8Array());
}

function parseCursor(cursor: string): NonNullable<EventQuery['after']> {
  const hex = toHex(fromBase64Url(cursor) ?? new Uint8Array());
  const id = parseId<AuditEventId>(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
  if (id === undefined) throw brokenCursor();
  return { id, recordedMs: idTimeMs(id) };
}

async function one(deps: ReaderDeps, id: string, within?: readonly string[]): Promise<AuditEventReply> {
  const { database, keyRing } = deps;
  const waiting = (await pendingNow(deps)).find(({ row }) => row.id === id);
  const row = await readEvent(database, id);
  const by = (row ?? waiting?.row)?.actor;
  const actors = within?.flatMap((each) => keyRing.blindAll(TOKEN.actor, each));
  // What others did is as if it were not there.
  if (by === undefined || actors?.includes(by) === false) throw eventNotFound();
  if (row === undefined) {
    if (waiting === undefined) throw eventNotFound();
    const { json } = waiting;
    return { event: summarise({ ...waiting.row, index: undefined }, json), ...asFhir(json) };
  }
  const [content] = await readContents(database, keyRing, [row]);
  const json = content === undefined ? undefined : jsonOf(content);
  const proof = await prove(deps, row, json === undefined ? undefined : content);
  return { event: summarise(row, json), ...asFhir(json), ...(proof === undefined ? {} : { proof }) };
}

function asFhir(json: string | undefined): Pick<AuditEventReply, 'auditEvent'> {
  // Canonical JSON that this feature wrote.
  return json === undefined ? {} : { auditEvent: JSON.parse(json) as Record<string, unknown> };
}

async function prove(
  { database, signer }: ReaderDeps,
  row: IndexedEvent,
  content: BatchedEvent | undefined,
): Promise<AuditProof | undefined> {
  const { index } = row;
  const head = await readHead(database);
  if (head === undefined || index >= head.size) return undefined;
  const leaf = encodeLeaf({ index, recordedMs: row.recordedMs, event: row.event, commitment: row.commitment });
  const { size, root } = head;
  const path = await proveInclusion(merkle, createNodeReader(database, size), { index, size });
  const included = verifyInclusion(merkle, { leafHash: merkle.leafHash(leaf), index, size, path, root });
  const committed =
    content === undefined || equalBytes(commitmentOf(content.nonce, jsonOf(content) ?? ''), row.commitment);
  return {
    index,
    size,
    rootHash: toBase64(root),
    leaf: toBase64(leaf),
    ...(content === undefined ? {} : { nonce: toBase64(content.nonce) }),
    path: path.map(toBase64),
    checkpoint: head.note,
    ok: included && committed && isSigned(head, await signer()),
  };
}

function isSigned(head: CheckpointRow, signer: Signer): boolean {
  const checkpoint = parseCheckpoint(head.note);
  if (checkpoint?.size !== head.size || !equalBytes(checkpoint.root, head.root)) return false;
  const signature = signatureBy(checkpoint, signer.key);
  return signature !== undefined && signer.verify(checkpoint.message, signature);
}

async function status({ database, clock, signer, witnesses }: ReaderDeps): Promise<AuditStatusReply> {
  const [head, signing] = await Promise.all([readHead(database), signer()]);
  const place = { xid: head?.throughXid ?? '0', seq: head?.throughSeq ?? 0n, eraSeq: head?.eraSeq ?? 0n };
  const pending = await pendingEvents(database, place, PENDING_COUNTED_MAX);
  const late = pending.oldestMs !== undefined && pending.oldestMs < clock.nowMs() - WAITING_MS_MAX;
  return {
    size: head?.size ?? 0,
    rootHash: toBase64(head?.root ?? merkle.emptyRoot),
    checkpoint: head?.note ?? '',
    ...(head === undefined ? {} : { signedAt: instant(head.signedAtMs) }),
    pending: pending.count,
    verifierKey: printVerifierKey(signing.key),
    witnesses: await witnesses.states(),
    ok: !late && (head === undefined || isSigned(head, signing)),
  };
}

async function tile({ database }: ReaderDeps, path: string): Promise<Uint8Array> {
  const address = parseTilePath(path);
  const size = (await readHead(database))?.size ?? 0;
  if (address === undefined) throw tileNotFound();
  const { number, width } = address;
  const level = address.level === 'entries' ? 0 : address.level;
  if (number * TILE_WIDTH + width > hashesAtLevel(size, level)) throw tileNotFound();
  if (address.level === 'entries') {
    const from = number * TILE_WIDTH;
    return encodeEntries((await readLeaves(database, from, from + width)).map(encodeLeaf));
  }
  return joined((await tileHashes(database, { level, number, size })).slice(0, width));
}
