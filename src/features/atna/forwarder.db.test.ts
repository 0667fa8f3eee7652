import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { nodeActor, readInput, testKeyRing, userActor } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { type SyslogServer, syslogServer } from '../../../test/support/syslog.ts';
import { type TestAuthority, testAuthority, type TestLeaf, testLeaf } from '../../../test/support/tls.ts';
import { readXml } from '../../fhir/index.ts';
import { parseSyslog } from '../../platform/syslog/index.ts';
import { type Audit, createAudit } from '../audit/index.ts';
import { parseDicom } from './dicom-parse.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';
import { createTargetBinder } from './target-binding.ts';
import { createTargets, type Targets } from './targets.ts';
import type { AddTarget, TargetView } from './wire.ts';

const binder = createTargetBinder(testKeyRing());

let db: TestDatabase;
let audit: Audit;
let targets: Targets;
let authority: TestAuthority;
let serverLeaf: TestLeaf;
let clientLeaf: TestLeaf;
let identity: TestLeaf | undefined;
let forwarder: Forwarder | undefined;
let nowMs = Date.now();
const clock = { nowMs: () => nowMs };

beforeAll(async () => {
  db = await testDatabase();
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing: testKeyRing(), clock, source, onFailure: () => undefined });
  targets = createTargets({ database: db.database, clock, audit, binder });
  authority = await testAuthority();
  serverLeaf = await testLeaf(authority, { usage: 'server' });
  clientLeaf = await testLeaf(authority, { usage: 'client' });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

let server: SyslogServer | undefined;
afterEach(async () => {
  await forwarder?.stop();
  forwarder = undefined;
  await server?.close();
  server = undefined;
  identity = undefined;
  for (const { id } of (await targets.list(userActor)).targets) await targets.remove(userActor, id);
});

/** Longer than a busy machine takes for anything; a test about giving up asks for less. */
const PATIENT = { connectTimeoutMs: 10_000, stallTimeoutMs: 10_000, finishTimeoutMs: 10_000 };

/** `timeouts` is read anew for each connection. */
function start(timeouts = PATIENT): void {
  forwarder = createForwarder({
    database: db.database,
    binder,
    clock,
    audit,
    carrier: {
      site: 'careseal.example.org',
      identity: () => Promise.resolve(identity),
      timeouts,
    },
    onChange: () => undefined,
    pace: { pollMs: 20, retryMs: 20, retryMsMax: 50, lingerMs: 60 },
  });
  forwarder.start();
}

const add = async (part: Partial<AddTarget> & { port: number }): Promise<TargetView> =>
  (
    await targets.add(userActor, {
      name: `Repository ${part.port} ${Math.random()}`,
      protocol: 'tls',
      host: '127.0.0.1',
      path: '',
      authorities: authority.ca,
      filter: { events: ['client.*'], outcome: 'all' },
      from: 'now',
      ...part,
    })
  ).target;
const stateOf = async (id: string): Promise<TargetView | undefined> =>
  (await targets.list(userActor)).targets.find((target) => target.id === id);

const soon = <T>(look: () => T) => expect.poll(look);

let made = 0;
/** Records `count` reads of clients whose ids are numbered on from the last call; answers these ids. */
async function happen(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `0198f3a0-0000-7000-8000-${String(made++).padStart(12, '0')}`);
  for (const id of ids) await audit.recordNow([readInput(id, made % 2 === 0 ? userActor : nodeActor)]);
  await audit.sequence();
  return ids;
}

/** Ids of the clients that the messages are about, in order. */
function clientsIn(messages: readonly string[]): string[] {
  return messages.map((message) => {
    const parsed = parseSyslog(Buffer.from(message));
    const event = parseDicom(parsed?.body ?? new Uint8Array());
    return event?.entity?.[0]?.what?.identifier?.value?.replace('Patient/', '') ?? 'none';
  });
}

describe('over TLS', () => {
  test('every event arrives once, in order, as RFC 5424 with DICOM XML, the frame counted in octets', async () => {
    server = await syslogServer({ tls: { ...serverLeaf, clientCa: authority.ca } });
    identity = clientLeaf;
    const before = await happen(3);
    const { id } = await add({ port: server.port, from: 'beginning' });
    start();
    const after = await happen(5);
    await soon(() => clientsIn(server?.messages ?? [])).toEqual([...before, ...after]);
    await soon(async () => (await stateOf(id))?.delivered).toBe(8);
    expect(server.certificates[0]).toBe(
      new (await import('node:crypto')).X509Certificate(clientLeaf.certificate).fingerprint256,
    );
    const [message = ''] = server.messages;
    expect(message).toMatch(
      /^<85>1 \d{4}-\d\d-\d\dT[\d:.]+Z careseal\.example\.org Careseal - IHE\+RFC-3881 - <\?xml version="1\.0" encoding="UTF-8"\?><AuditMessage>/,
    );
    // Zoë "Z" Müller: more octets than characters.
    const text = server.messages.find((one) => one.includes('Zoë')) ?? '';
    expect(Buffer.byteLength(text)).toBeGreaterThan(text.length);
    expect(readXml(Buffer.from(text.slice(text.indexOf('<?xml'))), { depthMax: 10, elementsMax: 100 })).toBeDefined();
    expect(await stateOf(id)).toMatchObject({ skipped: 0 });
  });

  test('an outage keeps order and loses nothing; what is not confirmed comes again', async () => {
    const first = await syslogServer({ tls: serverLeaf });
    const { id } = await add({ port: first.port });
    await first.close();
    start();
    const down = await happen(4);
    await soon(async () => (await stateOf(id))?.failure).toBe('refused');
    nowMs -= 3_600_000; // The clock is set back meanwhile.
    down.push(...(await happen(4)));
    nowMs += 3_600_000;
    server = await syslogServer({ tls: serverLeaf, port: first.port });
    server.mode = 'cut-after-first';
    await soon(() => server?.connections ?? 0).toBeGreaterThan(1);
    server.mode = 'take';
    await soon(async () => (await stateOf(id))?.delivered).toBe(8);
    expect(await stateOf(id)).not.toHaveProperty('failure');
    const arrived = clientsIn(server.messages);
    expect([...new Set(arrived)]).toEqual(down);
    expect(arrived.slice(-8)).toEqual(down);
    expect(arrived.length).toBeGreaterThan(8);
  });

  test('a receiver with another name, a foreign authority or a demand for our certificate is told apart', async () => {
    const other = await testLeaf(authority, { usage: 'server', names: ['elsewhere.example'] });
    server = await syslogServer({ tls: other });
    const wrongName = await add({ port: server.port });
    const foreign = await add({ port: server.port, authorities: (await testAuthority()).ca });
    const strict = await syslogServer({ tls: { ...serverLeaf, clientCa: authority.ca } });
    const bare = await add({ port: strict.port });
    start();
    await happen(1);
    await soon(async () => (await stateOf(wrongName.id))?.failure).toBe('certificate');
    await soon(async () => (await stateOf(foreign.id))?.failure).toBe('certificate');
    await soon(async () => (await stateOf(bare.id))?.failure).toMatch(/identity|closed/);
    expect(server.messages).toEqual([]);
    expect((await stateOf(bare.id))?.delivered).toBe(0);
    await strict.close();
  });
});

describe('over TCP', () => {
  test('a receiver that never closes is believed the second time, and no event is missing', async () => {
    server = await syslogServer();
    server.mode = 'never-close';
    const { id } = await add({ port: server.port, protocol: 'tcp' });
    start({ ...PATIENT, finishTimeoutMs: 300 });
    const ids = await happen(3);
    await soon(async () => (await stateOf(id))?.waiting).toBeLessThan(3);
    expect([...new Set(clientsIn(server.messages))]).toEqual(ids);
  });

  test('filters leave out what is not asked for, and one slow target holds up no other', async () => {
    server = await syslogServer();
    const slow = await syslogServer();
    slow.mode = 'ignore';
    await add({ port: slow.port, protocol: 'tcp' });
    const failures = await add({ port: server.port, protocol: 'tcp', filter: { events: [], outcome: 'failure' } });
    start();
    await happen(2);
    await audit.recordNow([{ ...readInput('x'), event: 'sign-in.password', outcome: 'minor-failure', patients: [] }]);
    await audit.sequence();
    await soon(async () => (await stateOf(failures.id))?.delivered).toBe(1);
    expect(server.messages).toHaveLength(1);
    expect(server.messages[0]).toContain('sign-in.password');
    await slow.close();
  });

  test('a repository that accepts and reads nothing is said to stall; when it reads again everything arrives in order', async () => {
    server = await syslogServer();
    server.mode = 'ignore';
    const { id } = await add({ port: server.port, protocol: 'tcp' });
    // More than the buffers of two sockets hold: only a reader makes room.
    const query = 'x'.repeat(500_000);
    const ids = Array.from({ length: 24 }, () => `0198f3a0-0000-7000-8000-${String(made++).padStart(12, '0')}`);
    for (const one of ids) await audit.recordNow([{ ...readInput(one), query }]);
    await audit.sequence();
    const timeouts = { ...PATIENT, stallTimeoutMs: 300 };
    start(timeouts);
    await soon(async () => (await stateOf(id))?.failure).toBe('stalled');
    expect(await stateOf(id)).toMatchObject({ delivered: 0, waiting: expect.any(Number) });
    expect((await stateOf(id))?.failingSince).toBeDefined();
    timeouts.stallTimeoutMs = PATIENT.stallTimeoutMs;
    server.mode = 'take';
    await soon(async () => (await stateOf(id))?.delivered).toBe(24);
    expect(await stateOf(id)).not.toHaveProperty('failure');
    expect([...new Set(clientsIn(server.messages))]).toEqual(ids);
  });

  test('a paused target waits, and two forwarders do not send side by side', async () => {
    server = await syslogServer();
    const { id, ...target } = await add({ port: server.port, protocol: 'tcp' });
    const { name, protocol, host, port, path, authorities, filter } = target;
    const settings = { name, protocol, host, port, path, authorities, filter };
    await targets.change(userActor, id, { ...settings, paused: true });
    start();
    const ids = await happen(3);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(server.messages).toEqual([]);
    const first = forwarder;
    start();
    await targets.change(userActor, id, { ...settings, paused: false });
    await soon(async () => (await stateOf(id))?.delivered).toBe(3);
    await first?.stop();
    expect(clientsIn(server.messages)).toEqual(ids);
  });
});

test('over UDP a message is a datagram; one that does not fit is skipped, counted and in the log', async () => {
  const socket = createSocket('udp4');
  const seen: string[] = [];
  socket.on('message', (message) => seen.push(message.toString('utf8')));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { id } = await add({ port: socket.address().port, protocol: 'udp' });
  start();
  const [small] = await happen(1);
  await audit.recordNow([{ ...readInput('0198f3a0-0000-7000-8000-00000000beef'), query: 'x'.repeat(80_000) }]);
  await audit.sequence();
  await soon(async () => (await stateOf(id))?.skipped).toBe(1);
  await soon(() => clientsIn(seen)).toEqual([small]);
  await audit.sequence();
  const { events } = await audit.search({ events: ['forwarding.skip'], limit: 5 });
  expect(events[0]).toMatchObject({ reason: 'datagram-too-long', outcome: 'minor-failure' });
  socket.close();
});

describe('over FHIR', () => {
  let https: Server;
  const taken: string[] = [];
  let status = 200;
  let bad: string | undefined;
  beforeAll(async () => {
    https = createServer({ cert: serverLeaf.certificate, key: serverLeaf.key }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as {
          resourceType: string;
          id?: string;
          entry?: { resource: { id?: string; entity: { what: { reference: string } }[] } }[];
          entity?: { what: { reference: string } }[];
        };
        response.setHeader('content-type', 'application/fhir+json');
        if (status !== 200) return void response.writeHead(status).end('{}');
        const one = (resource: { entity: { what: { reference: string } }[] }): string => {
          const client = resource.entity[0]?.what.reference ?? '';
          if (bad !== undefined && client.endsWith(bad)) return '422';
          taken.push(client.replace('Patient/', ''));
          return '201 Created';
        };
        if (body.resourceType === 'AuditEvent') {
          const answer = one({ entity: body.entity ?? [] });
          return void response.writeHead(Number(answer.slice(0, 3))).end('{}');
        }
        const entry = (body.entry ?? []).map(({ resource }) => ({ response: { status: one(resource) } }));
        response.end(JSON.stringify({ resourceType: 'Bundle', type: 'batch-response', entry }));
      });
    });
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    https.closeAllConnections();
    https.close();
  });

  test('batches are answered entry by entry; a refused event is skipped and recorded, an unwell server waited for', async () => {
    const { id } = await add({ port: (https.address() as AddressInfo).port, protocol: 'fhir', path: '/fhir' });
    status = 503;
    start();
    const ids = await happen(5);
    await soon(async () => (await stateOf(id))?.failure).toBe('answer');
    bad = ids[2];
    status = 200;
    await soon(async () => (await stateOf(id))?.delivered).toBe(4);
    expect(taken).toEqual(ids.filter((one) => one !== bad));
    expect((await stateOf(id))?.skipped).toBe(1);
  });
});
