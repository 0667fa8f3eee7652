import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { statement } from '../../src/platform/db/index.ts';
import { askAsNode } from '../support/node-client.ts';
import { freePorts } from '../support/ports.ts';
import { careseal, databaseOf, startTestServer, testHome, type TestServer } from '../support/server.ts';

/** P50: at the ports of the audit repository nobody passes for a node, and no bytes stop it. A whole server, from outside. */
let home: Awaited<ReturnType<typeof testHome>>;
let server: TestServer;
let folder: string;
let tlsPort: number;
let udpPort: number;

beforeAll(async () => {
  home = await testHome();
  [tlsPort = 0, udpPort = 0] = await freePorts(2);
  const settings = {
    CARESEAL_AUDIT_REPOSITORY: 'true',
    CARESEAL_AUDIT_TLS_PORT: String(tlsPort),
    CARESEAL_AUDIT_UDP_PORT: String(udpPort),
  };
  server = await startTestServer({ home: home.path, settings });
  folder = join(home.path, 'node');
  const added = await careseal(['node', 'add', 'Laboratory', '--domain', 'urn:lab', '--out', folder, '--json'], {
    home: home.path,
  });
  if (added.code !== 0) throw new Error(added.stderr);
});
afterAll(async () => {
  await server?.end('SIGTERM');
  await home?.dispose();
});

const message = (patient: string): Buffer => {
  const xml = `<AuditMessage><EventIdentification EventActionCode="R" EventDateTime="2026-01-31T09:30:00Z" EventOutcomeIndicator="0"><EventID csd-code="110110" codeSystemName="DCM"/></EventIdentification><ActiveParticipant UserID="the ministry itself" UserIsRequestor="true"/><AuditSourceIdentification AuditSourceID="ministry"/><ParticipantObjectIdentification ParticipantObjectID="${patient}" ParticipantObjectTypeCode="1"/></AuditMessage>`;
  return Buffer.from(`<85>1 2026-01-31T09:30:00Z ministry app - IHE+RFC-3881 - ${xml}`);
};
const framed = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from(`${bytes.byteLength} `), bytes]);

interface Row {
  readonly transport: string;
  readonly node_id: string | null;
  readonly understood: boolean;
}
async function rows(): Promise<Row[]> {
  const database = databaseOf(home.path);
  try {
    return await database.rows(
      statement<Row>('test.received', 'SELECT transport, node_id, understood FROM atna.received'),
    );
  } finally {
    await database.close();
  }
}

async function sendTls(bytes: Uint8Array, certificate: boolean): Promise<void> {
  const pem = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  const [ca, cert, key] = await Promise.all([pem('ca.crt'), pem('node.crt'), pem('node.key')]);
  await new Promise<void>((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      servername: 'localhost',
      port: tlsPort,
      ca,
      ...(certificate ? { cert, key } : {}),
    });
    socket.on('secureConnect', () => socket.end(bytes));
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.resume();
  });
}

test('without a certificate nothing is taken; with one it is the node’s word, whoever it says to be', async () => {
  await sendTls(framed(message('stranger')), false);
  expect(await rows()).toEqual([]);
  await sendTls(framed(message('known')), true);
  const [row] = await rows();
  expect(row).toMatchObject({ transport: 'tls', understood: true });
  expect(row?.node_id).toMatch(/^[0-9a-f-]{36}$/);
});

test('a datagram is nobody’s proven word', async () => {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.send(message('forged'), udpPort, '127.0.0.1', resolve));
  socket.close();
  await expect
    .poll(async () => (await rows()).find(({ transport }) => transport === 'udp'))
    .toMatchObject({ node_id: null });
});

test('over FHIR a node sends its own events and reads none', async () => {
  const url = `${server.nodesUrl.replace(/\/fhir$/, '')}/fhir/AuditEvent`;
  const event = {
    resourceType: 'AuditEvent',
    type: { code: 'rest' },
    recorded: '2026-01-31T09:30:00Z',
    agent: [{ requestor: true }],
    source: { observer: { display: 'Laboratory' } },
  };
  expect((await askAsNode({ folder, url, send: event })).status).toBe(201);
  expect((await askAsNode({ folder, url, send: { ...event, recorded: 'yesterday' } })).status).toBe(400);
  expect((await askAsNode({ folder, url: `${url}?date=ge2020-01-01` })).status).toBe(403);
});

test('hostile bytes stop nothing', async () => {
  const bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><AuditMessage>&b;</AuditMessage>';
  await sendTls(framed(Buffer.from(`<85>1 - - - - - - ${bomb}`)), true);
  await sendTls(framed(Buffer.from('<a>'.repeat(300_000))), true);
  await sendTls(Buffer.from('99999999999999 x'), true);
  await sendTls(Buffer.from('1048577 x'), true);
  await sendTls(Buffer.from([0, 255, 254, 13, 10]), true);
  await sendTls(framed(message('afterwards')), true);
  const understood = (await rows()).filter((row) => row.transport === 'tls' && row.understood);
  expect(understood).toHaveLength(2);
  expect((await fetch(`${server.operationsUrl}/readyz`)).status).toBe(200);
});
