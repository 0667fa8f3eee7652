import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { operator } from '../support/nodes.ts';
import { run } from '../support/programs.ts';

/** P41: a node stays within its state, its networks, its rate and its certificates' lives, on open connections too. */
let door: NodesDoor;
const folder = mkdtempSync(join(tmpdir(), 'careseal-p41-'));
beforeAll(async () => {
  door = await nodesDoor();
  await run(
    'openssl',
    [
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'next.key',
      '-out',
      'next.csr',
      '-subj',
      '/CN=x',
    ],
    folder,
  );
});
afterAll(async () => {
  await door.close();
  rmSync(folder, { recursive: true });
});

const nodes = () => door.fixture.nodes;
const codeOf = (text: string) => String(/"diagnostics":"([a-z-]+) /.exec(text)?.[1]);

test('suspended on an open connection: shut out at the next request, and let in again when resumed', async () => {
  const { node, identity } = await door.newNode();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await door.read(identity, { agent })).status).toBe(200);
  await nodes().suspendNode(operator, { id: node.id }, 'under investigation');
  const shut = await door.read(identity, { agent });
  expect([shut.status, codeOf(shut.text)]).toEqual([403, 'node-suspended']);
  await nodes().resumeNode(operator, { id: node.id });
  expect((await door.read(identity, { agent })).status).toBe(200);
  expect(Object.values(agent.freeSockets).flat()).toHaveLength(1); // one connection all the while
  agent.destroy();
});

test('from a network that is not its own', async () => {
  const { node, identity } = await door.newNode();
  await nodes().changeSettings(operator, { id: node.id }, { networks: ['192.0.2.0/24', '2001:db8::/32'] });
  const refused = await door.read(identity);
  expect([refused.status, codeOf(refused.text)]).toEqual([403, 'network-not-allowed']);
  expect(refused.text).toContain('127.0.0.1');
  await nodes().changeSettings(operator, { id: node.id }, { networks: ['127.0.0.0/8'] });
  expect((await door.read(identity)).status).toBe(200);
});

test('faster than it may: all its requests together, and no other node’s', async () => {
  const [fast, calm] = [await door.newNode(), await door.newNode()];
  await nodes().changeSettings(operator, { id: fast.node.id }, { perMinute: 5 });
  const statuses = [];
  for (let i = 0; i < 7; i++) statuses.push((await door.read(fast.identity)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
  expect((await door.read(calm.identity)).status).toBe(200);
});

test('an interaction it was not given', async () => {
  const { node, identity } = await door.newNode();
  await nodes().changeSettings(operator, { id: node.id }, { scopes: ['feed'] });
  const refused = await door.read(identity);
  expect([refused.status, codeOf(refused.text)]).toEqual([403, 'scope-missing']);
  expect(refused.text).toContain('\\"read\\"');
});

describe('renewal', () => {
  const renew = (identity: Parameters<NodesDoor['read']>[0]) =>
    door.send({ method: 'POST', path: '/renew', body: readFileSync(join(folder, 'next.csr')) }, identity);

  test('old and new overlap, then the old one ends by itself, on its open connection too', async () => {
    const { identity } = await door.newNode();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await door.read(identity, { agent });
    const renewed = await renew(identity);
    expect(renewed.status).toBe(201);
    const next = { certificate: renewed.text, key: readFileSync(join(folder, 'next.key'), 'utf8') };
    expect([(await door.read(identity, { agent })).status, (await door.read(next)).status]).toEqual([200, 200]);
    door.fixture.clock.forward(15 * 86_400_000);
    const old = await door.read(identity, { agent });
    expect([old.status, codeOf(old.text)]).toEqual([401, 'certificate-not-valid']);
    expect((await door.read(next)).status).toBe(200);
    agent.destroy();
  });

  test('a thief of one certificate cannot make more of them than can be overlooked', async () => {
    const { identity } = await door.newNode();
    const statuses = new Set<number>();
    for (let i = 0; i < 9; i++) {
      door.fixture.clock.forward(10_000);
      statuses.add((await renew(identity)).status);
    }
    expect(statuses).toEqual(new Set([201, 409]));
  });

  test('a suspended or revoked node renews nothing', async () => {
    const { node, identity } = await door.newNode();
    await nodes().suspendNode(operator, { id: node.id }, 'lost');
    expect((await renew(identity)).status).toBe(403);
    await nodes().revokeNode(operator, { id: node.id }, 'lost');
    expect((await renew(identity)).status).toBe(403);
  });
});

test('a revoked certificate is on the published list at once', async () => {
  const { node } = await door.newNode();
  const [certificate] = node.certificates;
  const list = async () => {
    const [issuing] = (await nodes().authorities.status()).filter(({ kind }) => kind === 'issuing');
    const answer = await nodes().authorities.crl(issuing?.id ?? '');
    return Buffer.from(answer ?? []).toString('hex');
  };
  expect(await list()).not.toContain(certificate?.serial);
  await nodes().certificates.revoke(
    operator,
    { id: node.id },
    { sha256: certificate?.sha256 ?? '', why: 'keyCompromise', reason: 'stolen' },
  );
  expect(await list()).toContain(certificate?.serial);
});

test('a sender that is slow with the handshake is cut off and holds nobody up', async () => {
  const socket = connect({ host: '127.0.0.1', port: door.port, rejectUnauthorized: false, ca: door.ca });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  // It may be cut off while it drips.
  socket.on('error', () => undefined);
  socket.write('POST /enrol HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nContent-Length: 100\r\n\r\n');
  const drip = setInterval(() => socket.write('x'), 50);
  const { identity } = await door.newNode();
  expect((await door.read(identity)).status).toBe(200);
  clearInterval(drip);
  socket.destroy();
});
