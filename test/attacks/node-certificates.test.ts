import { Agent } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statement } from '../../src/platform/db/index.ts';
import { createDoor, type DoorHandle, type Refusal } from '../../src/platform/http/index.ts';
import { newId } from '../../src/crypto/index.ts';
import { event, permission } from '../../src/platform/http/route.ts';
import { type KeyMaterial, newLeafKey, nodesTls, readCertificate } from '../../src/platform/tls/index.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { audited, NO_INPUT, PLENTY, testRoute } from '../support/door.ts';
import { type NodesFixture, nodesFixture, operator } from '../support/nodes.ts';
import { type Client, fixedTls, send, testAuthority, testLeaf } from '../support/tls.ts';

/**
 * Threat: somebody without a certificate issued here, or whose certificate has ended, reaches a node's data. Black box: a real
 * door, real PostgreSQL, real handshakes.
 */
let db: TestDatabase;
let fixture: NodesFixture;
let door: DoorHandle;
let client: Client;
let handled = 0;
const refusals: Refusal[] = [];

beforeAll(async () => {
  db = await testDatabase();
  fixture = nodesFixture(db.database);
  const { nodes } = fixture;
  await nodes.start();
  const key = await newLeafKey();
  const material = [
    { key: key.pem, certificate: await nodes.authorities.signServerCertificate(key.spki, ['localhost']) },
  ];
  door = createDoor({
    name: 'nodes',
    routes: [
      testRoute({
        doors: ['nodes'],
        path: '/fhir/Patient/:id',
        access: permission('client.read'),
        audit: event('client.read'),
        input: { ...NO_INPUT, params: NO_INPUT.params },
        output: 'fhir',
        limits: PLENTY,
        handle: async ({ actor }) => {
          handled += 1;
          const who = actor.principal.kind === 'node' ? actor.principal.name : actor.principal.kind;
          return { status: 200, body: { who }, audited: audited() };
        },
      }),
      // Public routes of this door need a certificate as well.
      testRoute({ doors: ['nodes'], path: '/fhir/metadata', output: 'fhir' }),
    ],
    hostNames: ['localhost'],
    tls: fixedTls(nodesTls(material, await nodes.authorities.trusted())),
    authenticate: ({ peer }) => nodes.authenticateNode(peer),
    decideAccess: () => undefined,
    recordRefusal: async (refusal) => void refusals.push(refusal),
    clock: fixture.clock,
    newRequestId: newId,
    log: console,
  });
  const { port } = await door.listen({ host: '127.0.0.1', port: 0 });
  client = { port, ca: await nodes.authorities.rootsPem() };
});
afterAll(async () => {
  await door.close(100);
  await fixture.nodes.stop();
  await db.close();
});

let number = 0;
async function newNode() {
  number += 1;
  const { node, files } = await fixture.nodes.addNode(operator, {
    name: `Node ${number}`,
    domain: `urn:attack:${number}`,
  });
  return { node, identity: { certificate: files['node.crt'], key: files['node.key'] ?? '' } };
}

const read = (identity?: KeyMaterial, agent?: Agent, path = '/fhir/Patient/1') =>
  send(
    { ...client, ...(identity === undefined ? {} : { identity }), ...(agent === undefined ? {} : { agent }) },
    { path },
  );

async function expectRefused(identity: KeyMaterial | undefined, status: number, code: string): Promise<void> {
  for (const path of ['/fhir/Patient/1', '/fhir/metadata', '/fhir/nothing', '/healthz']) {
    const before = handled;
    refusals.length = 0;
    const answer = await read(identity, undefined, path);
    expect([path, answer.status]).toEqual([path, status]);
    expect(answer.text).toContain(code);
    if (path.startsWith('/fhir')) expect(answer.json()).toMatchObject({ resourceType: 'OperationOutcome' });
    expect(handled).toBe(before);
  }
}

test('the node itself is let in', async () => {
  const { node, identity } = await newNode();
  expect((await read(identity)).json()).toEqual({ who: node.name });
});

describe('no handler is reached, the answer is clear and the refusal is reported', () => {
  test('without a certificate', async () => {
    await expectRefused(undefined, 401, 'certificate-missing');
  });

  test('with a self-signed certificate', async () => {
    const other = await testAuthority('Self');
    const key = { certificate: other.ca, key: '' };
    const { webcrypto } = await import('node:crypto');
    const imported = await webcrypto.subtle.importKey(
      'pkcs8',
      other.root.pkcs8,
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['sign'],
    );
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', imported)).toString('base64');
    await expectRefused(
      { ...key, key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n` },
      401,
      'certificate-unknown',
    );
  });

  test('with a certificate of a foreign authority that copies our names', async () => {
    const foreign = await testAuthority('Careseal');
    await expectRefused(await testLeaf(foreign, { usage: 'client' }), 401, 'certificate-unknown');
  });

  test('with a certificate of our own authority that was never registered', async () => {
    // As if the issuing key had leaked: the chain is perfect, the registry does not know it.
    const key = await newLeafKey();
    const chain = await fixture.nodes.authorities.issueForNode({
      nodeId: newId(),
      commonName: 'ghost',
      spki: key.spki,
    });
    await expectRefused({ certificate: chain.chain, key: key.pem }, 401, 'certificate-unknown');
  });

  test('with the server’s own certificate, which is for another usage', async () => {
    const key = await newLeafKey();
    const certificate = await fixture.nodes.authorities.signServerCertificate(key.spki, ['localhost']);
    await expectRefused({ certificate, key: key.pem }, 401, 'certificate-unknown');
  });

  test('with a registered certificate that has expired', async () => {
    const { identity } = await newNode();
    expect((await read(identity)).status).toBe(200);
    fixture.clock.forward(731 * 86_400_000);
    await expectRefused(identity, 401, 'certificate-not-valid');
    fixture.clock.forward(-731 * 86_400_000);
  });

  test('with a registered certificate made for servers', async () => {
    // Our own authority, registered by hand: only the usage is wrong, and OpenSSL's verdict on that counts.
    const { node } = await newNode();
    const key = await newLeafKey();
    const certificate = await fixture.nodes.authorities.signServerCertificate(key.spki, ['localhost']);
    const leaf = readCertificate(certificate);
    const insert = statement<never>(
      'test.register',
      `INSERT INTO nodes.certificate (sha256, node_id, der, subject, not_before, not_after, issued_at)
       VALUES ($1, $2, $3, 'x', now() - interval '1 hour', now() + interval '1 day', now())`,
    );
    await db.database.run(insert, [Buffer.from(leaf.sha256, 'hex'), node.id, leaf.der]);
    await expectRefused({ certificate, key: key.pem }, 401, 'certificate-unknown');
  });

  test('with somebody else’s certificate but not their key, the handshake itself fails', async () => {
    const { identity } = await newNode();
    const before = handled;
    const key = await newLeafKey();
    await expect(read({ certificate: identity.certificate, key: key.pem })).rejects.toThrow(/mismatch/);
    expect(handled).toBe(before);
  });
});

test('a revocation takes effect on a connection that is already open', async () => {
  const { node, identity } = await newNode();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const first = await read(identity, agent);
  expect(first.status).toBe(200);
  await fixture.nodes.revokeNode(operator, { id: node.id }, 'lost');
  const second = await read(identity, agent);
  expect([second.status, second.text.includes('node-revoked')]).toEqual([403, true]);
  // The same TCP connection: one socket was opened for both.
  expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  agent.destroy();
});

test('one node’s connection never answers for another’s, however they interleave', async () => {
  const both = [await newNode(), await newNode()];
  const agents = both.map(() => new Agent({ keepAlive: true, maxSockets: 4 }));
  const asked = Array.from({ length: 200 }, (_, i) => i % 3);
  const answers = await Promise.all(asked.map((who) => (who === 2 ? read() : read(both[who]?.identity, agents[who]))));
  for (const [i, who] of asked.entries()) {
    if (who === 2) expect(answers[i]?.status).toBe(401);
    else expect(answers[i]?.json()).toEqual({ who: both[who]?.node.name });
  }
  for (const agent of agents) agent.destroy();
});

test('refusals are reported as failed authentication with the certificate’s fingerprint', async () => {
  const foreign = await testLeaf(await testAuthority('Foreign'), { usage: 'client' });
  refusals.length = 0;
  await read(foreign);
  expect(refusals).toMatchObject([
    {
      stage: 'authentication',
      status: 401,
      certificateSha256: foreign.leaf.sha256,
      actor: { principal: { kind: 'anonymous' }, origin: { door: 'nodes', address: '127.0.0.1' } },
    },
  ]);
});
