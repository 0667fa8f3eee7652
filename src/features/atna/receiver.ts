import { newId, sealedAtRest, sha256Hex } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
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
  /** The event of a row that was understood. */
  open(row: ReceivedRow): FhirAuditEvent;
  /** What came over syslog, with what is known of its way; undefined for events over FHIR, which are kept as such. */
  message(row: ReceivedRow): ReceivedMessageView | undefined;
  /** Search tokens of a value. */
  tokens(parameter: Parameter, value: string): readonly bigint[];
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
}

export function createRepository({ database, keyRing, clock, audit }: RepositoryDeps): Repository {
  const contentOf = (row: ReceivedRow): Content =>
    JSON.parse(utf8Decode(keyRing.open(sealedAtRest(row.sealed), place(row.id)))) as Content;
  return {
    async keep(actor, incoming) {
      const nowMs = clock.nowMs();
      const rows = incoming.map((one) => rowOf(keyRing, one, { principal: actor.principal, nowMs }));
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
              sha256: sha256Hex(utf8Encode(rows.map(({ raw }) => raw).join('\n'))),
            },
          },
        ]);
      });
      return { kept: rows.map(({ id, understood }) => ({ id, understood })), audited };
    },
    open(row) {
      const event = FhirAuditEvent.parse(contentOf(row).event);
      const { transport, nodeId, receivedAt } = row;
      // Told beside the event, which stays what its sender said.
      const tag = [
        { system: 'https://careseal.org/fhir/received-over', code: transport },
        { system: 'https://careseal.org/fhir/received-from', code: nodeId ?? 'unproven' },
      ];
      return { ...event, id: row.id, meta: { lastUpdated: instant(receivedAt.getTime()), tag } };
    },
    message(row) {
      const { raw, address = 'unknown', truncated = false } = contentOf(row);
      return raw === undefined ? undefined : { address, truncated, bytes: Buffer.from(raw, 'base64') };
    },
    tokens: (parameter, value) => keyRing.blindAll(nameOf(parameter), value),
  };
}

/** The AuditEvent in a syslog message; undefined where it is no RFC 5424 with a DICOM message. */
function eventIn(message: Uint8Array): FhirAuditEvent | undefined {
  const parsed = parseSyslog(message);
  return parsed === undefined ? undefined : parseDicom(parsed.body);
}

function rowOf(
  keyRing: KeyRing,
  one: Incoming,
  { principal, nowMs }: { principal: Principal; nowMs: number },
): NewReceived & Kept & { readonly raw: string } {
  const id = newId();
  const event = one.transport === 'fhir' ? one.event : eventIn(one.message);
  const raw = one.transport === 'fhir' ? JSON.stringify(one.event) : Buffer.from(one.message).toString('base64');
  const content = {
    ...(event === undefined ? {} : { event }),
    // What was not understood is kept as it came: an audit repository throws nothing away.
    ...(one.transport === 'fhir' ? {} : { raw, address: one.address, truncated: one.truncated }),
  };
  const saidMs = event === undefined ? nowMs : Date.parse(event.recorded);
  return {
    id,
    receivedMs: nowMs,
    recordedMs: Math.abs(saidMs - nowMs) > CLOCK_WRONG_MS ? nowMs : saidMs,
    transport: one.transport,
    nodeId: principal.kind === 'node' ? principal.nodeId : null,
    understood: event !== undefined,
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
