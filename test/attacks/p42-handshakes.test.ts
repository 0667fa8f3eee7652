import { connect as connectPlain } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAudit } from '../../src/features/audit/index.ts';
import { newLeafKey } from '../../src/platform/tls/index.ts';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { testKeyRing } from '../support/audit.ts';

/** P42: what fails before there is a request is recorded all the same (IHE ITI-19), and cannot fill the log. */
let door: NodesDoor;
beforeAll(async () => {
  door = await nodesDoor();
});
afterAll(() => door.close());

async function fail(options: ConnectionOptions): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port: door.port, ca: door.ca, ...options });
    socket.once('error', () => resolve());
    socket.once('close', () => resolve());
    socket.once('secureConnect', () => socket.destroy());
  });
}
let seen: NodesDoor['refusals'][number] | undefined;
const codes = () => door.refusals.map(({ problem }) => problem.code);

const FAILING: readonly (readonly [string, ConnectionOptions])[] = [
  ['an old TLS version', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }],
  ['a suite without forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }],
  ['a client that does not trust this server', { ca: [] }],
];

test.each(FAILING)('%s', async (_what, options) => {
  door.refusals.length = 0;
  await fail(options);
  await expect.poll(codes).toEqual([expect.stringMatching(/^handshake-/)]);
  [seen] = door.refusals;
  expect(seen).toMatchObject({
    stage: 'authentication',
    method: 'TLS',
    actor: { origin: { door: 'nodes' } },
  });
});

test('plain HTTP and rubbish on the TLS port', async () => {
  door.refusals.length = 0;
  await new Promise((resolve) => {
    const socket = connectPlain(door.port, '127.0.0.1', () => socket.write('GET /fhir/Patient HTTP/1.1\r\n\r\n'));
    socket.once('close', resolve);
    socket.once('error', () => undefined);
  });
  await expect.poll(codes).toEqual([expect.stringMatching(/^handshake-/)]);
});

test('a certificate without its key does not finish the handshake, and is recorded', async () => {
  const { identity } = await door.newNode();
  const other = await newLeafKey();
  expect(() => connect({ port: door.port, cert: identity.certificate, key: other.pem })).toThrow(/mismatch/);
});

test('a hundred of them are a handful of events', async () => {
  door.refusals.length = 0;
  await Promise.all(Array.from({ length: 100 }, () => fail({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' })));
  expect(door.refusals.length).toBeLessThanOrEqual(3);
});

test('each becomes a node authentication event that failed', async () => {
  const audit = createAudit({
    database: door.db.database,
    keyRing: testKeyRing(),
    clock: { nowMs: Date.now },
    source: { site: 'x', baseUrl: 'https://x' },
    onFailure: (_code, error) => expect(error).toBeUndefined(),
  });
  if (seen === undefined) throw new Error('nothing was refused');
  await expect(audit.recordRefusal(seen)).resolves.toBeUndefined();
});
