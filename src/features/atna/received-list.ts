import { instant } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import { eventUnknown } from './errors.ts';
import { referenceText } from './fhir-audit-event.ts';
import { type Condition, findReceived, MS_MAX, type Place } from './received-search.ts';
import { type ReceivedRow, readReceived } from './received-store.ts';
import type { ReceivedEvent, ReceivedOneReply, ReceivedQuery, ReceivedReply } from './wire-received.ts';
import type { ReceivedContent, Repository } from './receiver.ts';

export interface ReceivedListDeps {
  readonly database: Database;
  readonly repository: Repository;
}

/** Of a message, for the page; the whole of it goes out with ITI-81 where it was understood. */
const TEXT_BYTES_MAX = 65_536;

/** A page of what other systems sent, those messages among it that nobody understood where nothing is asked of the content. */
export async function listReceived(
  deps: ReceivedListDeps,
  query: ReceivedQuery,
): Promise<Pick<ReceivedReply, 'events' | 'next'>> {
  const { found, lookedTo } = await findReceived(deps, {
    fromMs: query.from === undefined ? 0 : Date.parse(query.from),
    beforeMs: query.to === undefined ? MS_MAX : Date.parse(query.to),
    conditions: conditionsOf(query),
    garbled: true,
    after: query.cursor === undefined ? undefined : readCursor(query.cursor),
    count: query.limit,
  });
  return {
    events: found.map(({ row, content }) => summaryOf(row, content)),
    ...(lookedTo === undefined ? {} : { next: `${lookedTo.recordedMs}.${lookedTo.id}` }),
  };
}

/** One event whole. Throws the Problem `audit-event-unknown` where there is none. */
export async function oneReceived({ database, repository }: ReceivedListDeps, id: string): Promise<ReceivedOneReply> {
  const row = await readReceived(database, id);
  if (row === undefined) throw eventUnknown();
  const content = repository.read(row);
  const { event, message } = content;
  return {
    event: summaryOf(row, content),
    ...(event === undefined ? {} : { auditEvent: event }),
    ...(message === undefined
      ? {}
      : {
          message: {
            address: message.address,
            truncated: message.truncated,
            bytes: message.bytes.byteLength,
            text: new TextDecoder().decode(message.bytes.subarray(0, TEXT_BYTES_MAX)),
          },
        }),
  };
}

function conditionsOf({ source, kind, outcome, person }: ReceivedQuery): Condition[] {
  const asked = [
    ['source.identifier', source],
    ['type', kind],
    ['outcome', outcome],
    ['patient.identifier', person],
  ] as const;
  return asked.flatMap(([parameter, value]) => (value === undefined ? [] : [{ parameter, values: [value] }]));
}

function readCursor(text: string): Place {
  const [ms = '', id = ''] = text.split('.');
  return { recordedMs: Number(ms), id };
}

function summaryOf(row: ReceivedRow, { altered, erased, event }: ReceivedContent): ReceivedEvent {
  const { id, recorded, receivedAt, transport, nodeId, understood } = row;
  const kept = {
    ...{ id, transport, understood },
    recorded: instant(recorded.getTime()),
    receivedAt: instant(receivedAt.getTime()),
    // Who sent a row that was changed is not known.
    ...(nodeId === null || altered ? {} : { nodeId }),
    ...(altered ? { altered } : {}),
    ...(erased === undefined ? {} : { erased: true }),
  };
  if (event === undefined) return kept;
  const { type, action, outcome = '0', agent, source } = event;
  const actor = agent.find(({ requestor }) => requestor) ?? agent[0];
  return {
    ...kept,
    outcome,
    ...text('type', type.code),
    ...text('title', type.display),
    ...text('action', action),
    ...text('source', source.site ?? referenceText(source.observer)),
    ...text('who', actor?.name ?? (referenceText(actor?.who) || actor?.altId)),
  };
}

/** Senders leave out much and write long: a list shows what there is, and its beginning. */
const text = (name: 'type' | 'title' | 'action' | 'source' | 'who', value: string | undefined) =>
  value === undefined || value === '' ? {} : { [name]: value.slice(0, 200) };
