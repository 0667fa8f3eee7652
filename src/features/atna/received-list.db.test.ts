import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeActor, testKeyRing, userActor } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { handled } from '../../../test/support/handled.ts';
import type { Actor } from '../../kernel/principal.ts';
import { printSyslog } from '../../platform/syslog/index.ts';
import { type Audit, createAudit } from '../audit/index.ts';
import { FhirAuditEvent } from './fhir-audit-event.ts';
import { receivedRoutes } from './received-routes.ts';
import { ReceivedOneReply, ReceivedQuery, ReceivedReply } from './wire-received.ts';
import { createRepository, type Incoming, type Repository } from './receiver.ts';

/** What other systems sent, as the auditors’ page asks for it. */
let db: TestDatabase;
let audit: Audit;
let repository: Repository;
const nowMs = Date.parse('2026-02-01T12:00:00Z');
const nobody: Actor = { ...nodeActor, principal: { kind: 'anonymous', permissions: new Set() } };

const dicom = (person: string, minute: number): string =>
  `<AuditMessage><EventIdentification EventActionCode="R" EventDateTime="2026-01-31T09:${minute}:00Z" EventOutcomeIndicator="0"><EventID csd-code="110110" codeSystemName="DCM" originalText="Patient Record"/></EventIdentification><ActiveParticipant UserID="lab" UserIsRequestor="true"/><AuditSourceIdentification AuditSourceID="lab-system"/><ParticipantObjectIdentification ParticipantObjectID="${person}" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode csd-code="2"/></ParticipantObjectIdentification></AuditMessage>`;
const over = (transport: 'tls' | 'udp', body: string): Incoming => ({
  ...{ transport, address: '127.0.0.1', truncated: false },
  message: printSyslog(
    { priority: 85, timestampMs: nowMs, hostName: 'lab', appName: 'lab', processId: '1', messageId: 'IHE+RFC-3881' },
    body,
  ),
});
const restful = FhirAuditEvent.parse({
  ...{ resourceType: 'AuditEvent', recorded: '2026-01-31T10:00:00Z', outcome: '8', action: 'E' },
  type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
  agent: [
    { requestor: false, name: 'gateway' },
    { requestor: true, who: { display: 'Nurse' } },
  ],
  source: { site: 'North', observer: { identifier: { value: 'north-1' } } },
});

beforeAll(async () => {
  db = await testDatabase();
  const common = { database: db.database, keyRing: testKeyRing(), clock: { nowMs: () => nowMs } };
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ ...common, source, onFailure: () => undefined });
  repository = createRepository({ ...common, audit });
  await repository.keep(nodeActor, [over('tls', dicom('p-1', 30)), over('tls', dicom('pätient-é', 31))]);
  await repository.keep(nobody, [over('udp', dicom('forged', 32)), over('udp', 'no event at all')]);
  await repository.keep(nodeActor, [over('tls', 'x'.repeat(100_000))]);
  await repository.keep(nodeActor, [{ transport: 'fhir', event: restful }]);
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

function routeOf(method: string) {
  const routes = receivedRoutes({ database: db.database, audit, repository, takes: { takes: true, udpPort: 514 } });
  const route = routes.find((one) => one.method === method);
  if (route === undefined) throw new Error(`There is no route ${method}`);
  return route;
}
const list = async (asked: object): Promise<ReceivedReply> => {
  const body = ReceivedQuery.parse(asked);
  const reply = await handled(routeOf('POST'), { actor: userActor, params: {}, query: {}, body });
  return ReceivedReply.parse(reply.body);
};
const one = async (id: string): Promise<ReceivedOneReply> => {
  const reply = await handled(routeOf('GET'), { actor: userActor, params: { id }, query: {}, body: undefined });
  return ReceivedOneReply.parse(reply.body);
};

test('the list has everything once and newest first, also what nobody understood, with who proved to have sent it', async () => {
  const pages: ReceivedReply[] = [];
  let next: string | undefined;
  do {
    pages.push(await list({ limit: 2, ...(next === undefined ? {} : { cursor: next }) }));
    next = pages.at(-1)?.next;
  } while (next !== undefined);
  const events = pages.flatMap((page) => page.events);
  expect(new Set(events.map(({ id }) => id)).size).toBe(6);
  expect(events).toHaveLength(6);
  const times = events.map((event) => event.recorded);
  expect(times).toEqual(times.toSorted((a, b) => b.localeCompare(a)));
  expect(events.filter(({ understood }) => !understood)).toHaveLength(2);
  const node = nodeActor.principal.kind === 'node' ? nodeActor.principal.nodeId : '';
  for (const { transport, nodeId } of events) expect(nodeId).toBe(transport === 'udp' ? undefined : node);
  expect(pages[0]).toMatchObject({ takes: true, udpPort: 514 });
});

test('who looked, and what was asked for, is in the log', async () => {
  await list({ person: 'p-1' });
  await audit.sequence();
  const [told] = (await audit.searchWhole({ events: ['audit.received'], limit: 1 })).events;
  expect(told?.summary.actor.id).toBe(userActor.principal.kind === 'user' ? userActor.principal.userId : '');
  const asked = Buffer.from(JSON.stringify({ person: 'p-1', limit: 100 })).toString('base64');
  expect(told?.json).toContain(asked);
});

test.each([
  [{ person: 'p-1' }, 1],
  [{ person: 'nobody' }, 0],
  [{ kind: '110110' }, 3],
  [{ kind: 'rest' }, 1],
  [{ kind: '110112' }, 0],
  [{ source: 'lab-system' }, 3],
  [{ source: 'North' }, 1],
  [{ source: 'elsewhere' }, 0],
  [{ outcome: '0' }, 3],
  [{ outcome: '8' }, 1],
  [{ person: 'p-1', from: '2026-01-31T09:30:00Z', to: '2026-01-31T09:30:01Z' }, 1],
  [{ person: 'p-1', to: '2026-01-31T09:30:00Z' }, 0],
  [{ person: 'p-1', from: '2026-01-31T09:30:01Z' }, 0],
  [{ from: '0000-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' }, 6],
  [{ cursor: '99999999999999.ffffffff-ffff-ffff-ffff-ffffffffffff' }, 6],
])('%j finds %i', async (asked, count) => {
  expect((await list(asked)).events).toHaveLength(count);
});

test('one event is shown whole, with the message as it came and from where', async () => {
  const [summary] = (await list({ person: 'pätient-é' })).events;
  const { event, auditEvent, message } = await one(summary?.id ?? '');
  expect(event).toMatchObject({
    ...{ transport: 'tls', understood: true, type: '110110', title: 'Patient Record' },
    ...{ action: 'R', outcome: '0', source: 'lab-system', who: 'lab' },
  });
  expect(auditEvent).toMatchObject({ resourceType: 'AuditEvent' });
  expect(message).toMatchObject({ address: '127.0.0.1', truncated: false });
  expect(message?.text).toContain('ParticipantObjectID="pätient-é"');
});

test('one that came over FHIR has no message beside itself; who acted is who asked for it', async () => {
  const [summary] = (await list({ kind: 'rest' })).events;
  const { event, message } = await one(summary?.id ?? '');
  expect(event).toMatchObject({ transport: 'fhir', who: 'Nurse', source: 'North', outcome: '8' });
  expect(message).toBeUndefined();
});

test('a message that nobody understood is shown as it came, its first 64 kB', async () => {
  const garbled = (await list({})).events.filter(({ understood }) => !understood);
  const shown = await Promise.all(garbled.map(({ id }) => one(id)));
  expect(shown.every(({ auditEvent }) => auditEvent === undefined)).toBe(true);
  const lengths = shown.map(({ message }) => message?.text.length ?? 0).toSorted((a, b) => a - b);
  expect(lengths[0]).toBeLessThan(200);
  expect(lengths[1]).toBe(65_536);
});

test('an id of nothing is told as such', async () => {
  await expect(one('ffffffff-ffff-7fff-8fff-ffffffffffff')).rejects.toMatchObject({ code: 'audit-event-unknown' });
});
