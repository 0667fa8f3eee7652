import { newId, sealedAtRest, sha256Hex } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { parseSyslog } from '../../platform/syslog/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import { parseDicom } from './dicom-parse.ts';
import { type Parameter, PARAMETERS, valuesOf } from './event-parameters.ts';
import { FhirAuditEvent } from './fhir-audit-event.ts';
import { insertReceived, type NewReceived, type ReceivedRow } from './received-store.ts';

/** An event of another system, as it came. */
export type Incoming =
  | {
      readonly transport: 'tls' | 'udp';
      readonly message: Uint8Array;
      readonly address: string;
      readonly truncated: boolean;
    }
  | { readonly transport: 'fhir'; readonly event: FhirAuditEvent };

export interface Kept {
  readonly id: string;
  readonly understood: boolean;
}

export interface Repository {
  /**
   * Keeps events of other systems, all or none, with one event in our own log that holds the SHA-256 over all of them: whoever
   * changes a kept one later is found. Who sent them is who the connection proved to be, whatever the messages say.
   */
  keep(
    actor: Actor,
    incoming: readonly Incoming[],
  ): Promise<{ readonly kept: readonly Kept[]; readonly audited: AuditReceipt }>;
  /** What a row says, and whether it is as it was kept. */
  read(row: ReceivedRow): ReceivedContent;
  /** What takes the place of a row's seal when what it says is destroyed: that it came, when and from whom, and why it is gone. */
  erase(row: ReceivedRow, because: string): Uint8Array;
  /** Search tokens of a value. */
  tokens(parameter: Parameter, value: string): readonly bigint[];
}

export interface ReceivedContent {
  /** Somebody has changed the row in the database, or exchanged what is sealed in it: then nothing it says is shown. */
  readonly altered: boolean;
  /** Undefined where the message was not understood. */
  readonly event?: FhirAuditEvent;
  /** What came over syslog, with what is known of its way; undefined for events over FHIR, which are kept as such. */
  readonly message?: ReceivedMessageView;
  /** What the log's event over them has the SHA-256 of, for the events kept together one after the other. */
  readonly raw?: string;
  /** Id of the first event that was kept together with this one; undefined where an earlier version kept it. */
  readonly keep?: string;
  /** What it said was destroyed; the `audit.erase` event that says why. */
  readonly erased?: string;
}

export interface ReceivedMessageView {
  /** Of the connection or, over UDP, whatever the datagram claims. */
  readonly address: string;
  /** As many bytes as a datagram can have: what came after them is gone. */
  readonly truncated: boolean;
  readonly bytes: Uint8Array;
}

export interface RepositoryDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record'>;
}

/** Under audit's keys, which are never destroyed: what is kept here cannot be sealed anew. */
const place = (id: string) => ({ table: 'audit.received', type: 'event', id, version: 1 });
const nameOf = (parameter: Parameter): string => `audit.received.${parameter}`;
/** A sender whose clock is wrong by more is kept under the time its event came; what it said stays in the event. */
const CLOCK_WRONG_MS = 10 * 365 * 86_400_000;

/** What is sealed in a row, as `rowOf` wrote it. */
interface Content {
  readonly event?: unknown;
  readonly raw?: string;
  readonly address?: string;
  readonly truncated?: boolean;
  /** The row's plain columns, so that nobody changes who sent it or when. Missing in rows of earlier versions. */
  readonly row?: readonly unknown[];
  /** See `ReceivedContent.keep` and `ReceivedContent.erased`. */
  readonly keep?: string;
  readonly erased?: string;
}

const ALTERED: ReceivedContent = { altered: true };

export function createRepository({ database, keyRing, clock, audit }: RepositoryDeps): Repository {
  /** Undefined where the seal is not of this row. */
  function contentOf(row: ReceivedRow): Content | undefined {
    try {
      return JSON.parse(utf8Decode(keyRing.open(sealedAtRest(row.sealed), place(row.id)))) as Content;
    } catch (error) {
      if (isProblem(error) && error.code === 'seal-broken') return undefined;
      throw error;
    }
  }

  return {
    async keep(actor, incoming) {
      const nowMs = clock.nowMs();
      // In their order: `verify` finds those between the first and the last, and computes over them as they lie.
      const ids = incoming.map(() => newId()).toSorted();
      const together = { principal: actor.principal, nowMs, keep: ids[0] ?? '' };
      const rows = incoming.map((one, at) => rowOf(keyRing, one, { ...together, id: ids[at] ?? newId() }));
      const audited = await database.transaction(async (tx) => {
        for (const row of rows) await insertReceived(tx, row);
        const [first] = rows;
        return await audit.record(tx, [
          {
            actor,
            event: 'audit.receive',
            action: 'C',
            outcome: 'success',
            entities: [{ reference: `AuditEvent/${first?.id ?? 'none'}`, role: 'security-resource' }],
            detail: {
              transport: first?.transport ?? 'fhir',
              events: String(rows.length),
              'not-understood': String(rows.filter(({ understood }) => !understood).length),
              first: first?.id ?? '',
              last: rows.at(-1)?.id ?? '',
              order: 'id',
              sha256: sha256Hex(utf8Encode(rows.map(({ raw }) => raw).join('\n'))),
            },
          },
        ]);
      });
      return { kept: rows.map(({ id, understood }) => ({ id, understood })), audited };
    },
    read(row) {
      const content = contentOf(row);
      if (content === undefined || !fits(row, content)) return ALTERED;
      const { event, raw, address = 'unknown', truncated = false, keep, erased } = content;
      if (erased !== undefined) return { altered: false, erased, ...(keep === undefined ? {} : { keep }) };
      return {
        altered: false,
        raw: raw ?? JSON.stringify(event),
        ...(keep === undefined ? {} : { keep }),
        ...(event === undefined ? {} : { event: told(row, FhirAuditEvent.parse(event)) }),
        ...(raw === undefined ? {} : { message: { address, truncated, bytes: Buffer.from(raw, 'base64') } }),
      };
    },
    erase(row, because) {
      const { keep } = contentOf(row) ?? {};
      const left = { row: columnsOf(timesOf(row)), erased: because, ...(keep === undefined ? {} : { keep }) };
      return keyRing.seal(utf8Encode(JSON.stringify(left satisfies Content)), place(row.id));
    },
    tokens: (parameter, value) => keyRing.blindAll(nameOf(parameter), value),
  };
}

/** Who sent it and over what is told beside the event, which stays what its sender said. */
function told({ id, transport, nodeId, receivedAt }: ReceivedRow, event: FhirAuditEvent): FhirAuditEvent {
  const tag = [
    { system: 'https://careseal.org/fhir/received-over', code: transport },
    { system: 'https://careseal.org/fhir/received-from', code: nodeId ?? 'unproven' },
  ];
  return { ...event, id, meta: { lastUpdated: instant(receivedAt.getTime()), tag } };
}

type Columns = Pick<NewReceived, 'receivedMs' | 'recordedMs' | 'transport' | 'nodeId' | 'understood'>;

const columnsOf = ({ receivedMs, recordedMs, transport, nodeId, understood }: Columns): readonly unknown[] => [
  receivedMs,
  recordedMs,
  transport,
  nodeId,
  understood,
];

const timesOf = (row: ReceivedRow): Columns => ({
  ...row,
  receivedMs: row.receivedAt.getTime(),
  recordedMs: row.recorded.getTime(),
});

function fits(row: ReceivedRow, { row: kept, event, erased }: Content): boolean {
  if ((row.erasedBecause ?? undefined) !== erased) return false;
  // What was not understood has no event, in whatever version it was kept.
  if (erased === undefined && row.understood !== (event !== undefined)) return false;
  const columns = columnsOf(timesOf(row));
  return kept === undefined || (kept.length === columns.length && columns.every((one, at) => one === kept[at]));
}

/** The AuditEvent in a syslog message; undefined where it is no RFC 5424 with a DICOM message. */
function eventIn(message: Uint8Array): FhirAuditEvent | undefined {
  const parsed = parseSyslog(message);
  return parsed === undefined ? undefined : parseDicom(parsed.body);
}

function rowOf(
  keyRing: KeyRing,
  one: Incoming,
  { id, keep, principal, nowMs }: { id: string; keep: string; principal: Principal; nowMs: number },
): NewReceived & Kept & { readonly raw: string } {
  const event = one.transport === 'fhir' ? one.event : eventIn(one.message);
  const raw = one.transport === 'fhir' ? JSON.stringify(one.event) : Buffer.from(one.message).toString('base64');
  const saidMs = event === undefined ? nowMs : Date.parse(event.recorded);
  const columns: Columns = {
    receivedMs: nowMs,
    recordedMs: Math.abs(saidMs - nowMs) > CLOCK_WRONG_MS ? nowMs : saidMs,
    transport: one.transport,
    nodeId: principal.kind === 'node' ? principal.nodeId : null,
    understood: event !== undefined,
  };
  const content: Content = {
    ...(event === undefined ? {} : { event }),
    // What was not understood is kept as it came: an audit repository throws nothing away.
    ...(one.transport === 'fhir' ? {} : { raw, address: one.address, truncated: one.truncated }),
    row: columnsOf(columns),
    keep,
  };
  return {
    id,
    ...columns,
    tokens: event === undefined ? [] : tokensOf(keyRing, event),
    sealed: keyRing.seal(utf8Encode(JSON.stringify(content)), place(id)),
    raw,
  };
}

function tokensOf(keyRing: KeyRing, event: FhirAuditEvent): bigint[] {
  const all = PARAMETERS.flatMap((parameter) =>
    valuesOf(event, parameter).map((value) => keyRing.blind(nameOf(parameter), value)),
  );
  return [...new Set(all)];
}
