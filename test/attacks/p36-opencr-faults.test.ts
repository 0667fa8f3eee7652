import { Agent } from 'node:https';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routeLines } from '../../src/platform/http/index.ts';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { operator } from '../support/nodes.ts';

/**
 * P36: the faults that were read in OpenCR's source (reference: registry-profiles). Authorization here is a value of the
 * request; each test tries what worked there. Faults 6 ($ihe-pix) and 7 (batches) are about answers and speed, and are tried
 * in test/db/conformance and bench.
 */
let door: NodesDoor;
beforeAll(async () => {
  door = await nodesDoor();
});
afterAll(() => door.close());

const ROOT = join(import.meta.dirname, '../..');
function sources(folder = join(ROOT, 'src')): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}

describe('1: one request’s authorization kept for everybody', () => {
  test('after an OPTIONS, a sign-in call, an enrolment or another node’s request nobody is let in without a certificate', async () => {
    const { identity } = await door.newNode();
    const openers = [
      { method: 'OPTIONS', path: '/fhir/Patient' },
      { method: 'POST', path: '/user/authenticate' },
      { method: 'POST', path: '/api/sign-in/password', body: '{}' },
      { method: 'POST', path: '/enrol', headers: { authorization: 'Bearer x' }, body: 'x' },
      { path: '/.well-known/smart-configuration' },
    ];
    for (const opener of openers) {
      await door.send(opener);
      await door.send(opener, identity);
      for (const path of ['/fhir/Patient/1', '/fhir/AuditEvent', '/fhir/Basic', '/fhir']) {
        const answer = await door.send({ path });
        expect([opener.path, path, answer.status]).toEqual([opener.path, path, 401]);
      }
    }
  });

  test('a thousand requests in flight of nodes and strangers are each answered as who they are', async () => {
    const pairs = await Promise.all([door.newNode(), door.newNode()]);
    const agents = pairs.map(() => new Agent({ keepAlive: true, maxSockets: 4 }));
    const strangers = new Agent({ keepAlive: true, maxSockets: 4 });
    const asked = Array.from({ length: 300 }, async (_, i) => {
      const who = i % 3;
      const pair = pairs[who];
      const answer = await door.read(pair?.identity, { agent: agents[who] ?? strangers });
      if (pair === undefined) expect(answer.status).toBe(401);
      else expect(answer.json()).toEqual({ who: pair.node.name });
    });
    await Promise.all(asked);
    for (const agent of [...agents, strangers]) agent.destroy();
  });
});

test('2: no mode mounts the nodes’ door without certificates, and verification of others is nowhere switched off', async () => {
  for (const source of sources()) {
    expect(source).not.toMatch(/NODE_TLS_REJECT_UNAUTHORIZED['"\]]*\s*[\]=:]\s*['"]?0/);
    // The nodes' door alone asks for certificates without ending the handshake; it decides per request.
    if (/rejectUnauthorized:\s*false/.test(source)) expect(source).toContain('requestCert: true');
  }
  expect(process.env['NODE_TLS_REJECT_UNAUTHORIZED']).toBeUndefined();
});

test('3: no default account, password, secret or key is in the source, and no password is taken from an address', () => {
  for (const source of sources()) {
    expect(source).not.toMatch(/root@intrahealth/i);
    expect(source).not.toMatch(/-----BEGIN (?:RSA |EC )?PRIVATE KEY-----\\?n?[A-Za-z0-9+/=]{40}/);
    expect(source).not.toMatch(/(?:password|secret|token)\s*:\s*['"](?=[^'"]{12,})[A-Za-z0-9+/=]{12,}['"]/);
    expect(source).not.toMatch(/query\.(?:password|token|secret)\b/);
  }
});

test('4: the search store needs no password of its own: the index is in the database, under its role', () => {
  for (const source of sources()) expect(source).not.toMatch(/elasticsearch/i);
});

test('5: every route that shows clients or decides about them declares its audit event', () => {
  const lines = readFileSync(join(ROOT, 'test/golden/routes.txt'), 'utf8').split('\n');
  const bare = lines.filter((line) => /\/(?:fhir|api\/(?:clients|reviews|load))/.test(line) && / \| none: /.test(line));
  expect(
    bare.every((line) => /metadata|\.well-known|CapabilityStatement|api\/loads/.test(line)),
    bare.join('\n'),
  ).toBe(true);
  expect(routeLines(door.fixture.nodes.routes).length).toBeGreaterThan(20);
});

test('8: what a page does not show, the interface refuses too', async () => {
  const { node, identity } = await door.newNode();
  await door.fixture.nodes.changeSettings(operator, { id: node.id }, { scopes: ['read'] });
  const refused = await door.send({ method: 'POST', path: '/fhir/Patient', body: '{}' }, identity);
  expect(refused.status).toBe(403);
  for (const path of ['/api/nodes', '/api/trust', '/api/calls', '/api/users'])
    expect((await door.send({ path }, identity)).status, path).toBe(404);
});
