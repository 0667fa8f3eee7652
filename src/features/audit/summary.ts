import { z } from 'zod';
import { instant } from '../../kernel/time.ts';
import { eventShape } from './events.ts';
import type { EventColumns } from './sealed-event.ts';
import { ActorKind, type AuditEventSummary } from './wire.ts';

/**
 * Reads our own AuditEvents back into the terms of the pages. Only what this feature writes is understood; everything else is
 * left out rather than guessed.
 */
const Identifier = z.object({ system: z.string().optional(), value: z.string() });
const Who = z.object({
  display: z.string().optional(),
  reference: z.string().optional(),
  identifier: Identifier.optional(),
});
const Coded = z.object({ code: z.string(), system: z.string().optional() });
const Agent = z.object({
  name: z.string().optional(),
  requestor: z.boolean(),
  network: z.object({ address: z.string(), type: z.string() }).optional(),
  who: Who,
});
const Entity = z.object({
  type: Coded,
  what: Who.optional(),
  detail: z.array(z.object({ type: z.string(), valueString: z.string() })).optional(),
});
const Stored = z.object({
  action: z.enum(['C', 'R', 'U', 'D', 'E']),
  agent: z.array(Agent),
  entity: z.array(Entity),
  outcomeDesc: z.string().optional(),
  purposeOfEvent: z.array(z.object({ text: z.string() })).optional(),
});
type Stored = z.output<typeof Stored>;

const OWN = 'https://careseal.org/fhir/';
const OUTCOMES = new Map([
  [0, 'success'],
  [4, 'minor-failure'],
  [8, 'serious-failure'],
] as const);

export interface ListedRow extends EventColumns {
  /** Undefined while the event has no leaf. */
  readonly index: number | undefined;
}

/** `json` is undefined when the content was erased. */
export function summarise(row: ListedRow, json: string | undefined): AuditEventSummary {
  const plain = {
    id: row.id,
    ...(row.index === undefined ? {} : { index: row.index }),
    recorded: instant(row.recordedMs),
    event: row.event,
    title: eventShape(row.event)?.title ?? row.event,
    outcome: OUTCOMES.get(row.outcome as 0 | 4 | 8) ?? 'serious-failure',
  } as const;
  if (json === undefined) {
    const actor = { kind: row.actorKind, id: '', name: '' };
    return { ...plain, action: 'E', actor, requestId: '', erased: true };
  }
  const stored = Stored.parse(JSON.parse(json));
  return { ...plain, action: stored.action, ...actorOf(stored, row), ...subjectsOf(stored), ...requestOf(stored) };
}

function actorOf({ agent }: Stored, row: ListedRow): Pick<AuditEventSummary, 'actor' | 'address'> {
  const requestor = agent.find((one) => one.requestor);
  const kind = ActorKind.safeParse(requestor?.who.identifier?.system?.slice(OWN.length));
  const id = requestor?.who.identifier?.value ?? '';
  const name = requestor?.name ?? requestor?.who.display ?? id;
  const client = agent.find((one) => one.network?.type === '2')?.network?.address;
  return {
    actor: { kind: kind.success ? kind.data : row.actorKind, id, name },
    ...(client === undefined ? {} : { address: client }),
  };
}

const PERSON = '1';

function subjectsOf({ entity }: Stored): Pick<AuditEventSummary, 'client' | 'entities'> {
  const client: string[] = [];
  const entities: string[] = [];
  for (const { type, what } of entity) {
    if (type.code === 'XrequestId' || what === undefined) continue;
    const name = nameOf(what);
    if (type.code === PERSON && name.startsWith('Patient/')) client.push(name.slice('Patient/'.length));
    else entities.push(name);
  }
  return { ...(client.length === 0 ? {} : { client }), ...(entities.length === 0 ? {} : { entities }) };
}

function nameOf(what: z.output<typeof Who>): string {
  if (what.reference !== undefined) return what.reference;
  const { identifier } = what;
  if (identifier?.system?.startsWith(OWN) !== true) return what.display ?? identifier?.value ?? '';
  const kind = identifier.system.slice(OWN.length);
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)}/${identifier.value}`;
}

const Door = z.enum(['users', 'nodes', 'operations', 'command-line', 'background']);

function requestOf(stored: Stored): Pick<AuditEventSummary, 'requestId' | 'door' | 'reason' | 'detail'> {
  const request = stored.entity.find((one) => one.type.code === 'XrequestId');
  const details = (request?.detail ?? []).map(({ type, valueString }) => [type, valueString] as const);
  const door = Door.safeParse(details[0]?.[1]);
  const detail = Object.fromEntries(details.slice(1));
  const reason = stored.outcomeDesc ?? stored.purposeOfEvent?.[0]?.text;
  return {
    requestId: request?.what?.identifier?.value ?? '',
    ...(door.success ? { door: door.data } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(Object.keys(detail).length === 0 ? {} : { detail }),
  };
}
