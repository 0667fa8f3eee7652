import { webcrypto } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { statement } from '../../src/platform/db/index.ts';
import { type KeyMaterial, newLeafKey, readCertificate } from '../../src/platform/tls/index.ts';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

/** P07: without a certificate that was issued and registered here, no handler is reached, and the attempt is recorded. */
let door: NodesDoor;
beforeAll(async () => {
  door = await nodesDoor();
});
afterAll(() => door.close());

async function expectRefused(identity: KeyMaterial | undefined, status: number, code: string): Promise<void> {
  for (const path of ['/fhir/Patient/1', '/fhir/metadata', '/fhir/nothing', '/healthz']) {
    const before = door.handled();
    door.refusals.length = 0;
    const answer = await door.read(identity, { path });
    expect([path, answer.status]).toEqual([path, status]);
    expect(answer.text).toContain(code);
    if (path.startsWith('/fhir')) expect(answer.json()).toMatchObject({ resourceType: 'OperationOutcome' });
    expect(door.handled()).toBe(before);
  }
}

test('the node itself is let in', async () => {
  const { node, identity } = await door.newNode();
  expect((await door.read(identity)).json()).toEqual({ who: node.name });
});

describe('no handler is reached, the answer is clear and the refusal is reported', () => {
  test('without a certificate', async () => {
    await expectRefused(undefined, 401, 'certificate-missing');
  });

  test('with a self-signed certificate', async () => {
    const other = await testAuthority('Self');
    const key = { certificate: other.ca, key: '' };
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
    const chain = await door.fixture.nodes.authorities.issueForNode({
      nodeId: newId(),
      commonName: 'ghost',
      spki: key.spki,
    });
    await expectRefused({ certificate: chain.chain, key: key.pem }, 401, 'certificate-unknown');
  });

  test('with the server’s own certificate, which is for another usage', async () => {
    const key = await newLeafKey();
    const certificate = await door.fixture.nodes.authorities.signServerCertificate(key.spki, ['localhost']);
    await expectRefused({ certificate, key: key.pem }, 401, 'certificate-unknown');
  });

  test('with a registered certificate that has expired', async () => {
    const { identity } = await door.newNode();
    expect((await door.read(identity)).status).toBe(200);
    door.fixture.clock.forward(731 * 86_400_000);
    await expectRefused(identity, 401, 'certificate-not-valid');
    door.fixture.clock.forward(-731 * 86_400_000);
  });

  test('with a registered certificate made for servers', async () => {
    // Our own authority, registered by hand: only the usage is wrong, and OpenSSL's verdict on that counts.
    const { node } = await door.newNode();
    const key = await newLeafKey();
    const certificate = await door.fixture.nodes.authorities.signServerCertificate(key.spki, ['localhost']);
    const leaf = readCertificate(certificate);
    const insert = statement<never>(
      'test.register',
      `INSERT INTO nodes.certificate (sha256, node_id, der, subject, not_before, not_after, issued_at)
       VALUES ($1, $2, $3, 'x', now() - interval '1 hour', now() + interval '1 day', now())`,
    );
    await door.db.database.run(insert, [Buffer.from(leaf.sha256, 'hex'), node.id, leaf.der]);
    await expectRefused({ certificate, key: key.pem }, 401, 'certificate-unknown');
  });

  test('with somebody else’s certificate but not their key, the handshake itself fails', async () => {
    const { identity } = await door.newNode();
    const before = door.handled();
    const key = await newLeafKey();
    await expect(door.read({ certificate: identity.certificate, key: key.pem })).rejects.toThrow(/mismatch/);
    expect(door.handled()).toBe(before);
  });
});

test('refusals are reported as failed authentication with the certificate’s fingerprint', async () => {
  const foreign = await testLeaf(await testAuthority('Foreign'), { usage: 'client' });
  door.refusals.length = 0;
  await door.read(foreign);
  expect(door.refusals).toMatchObject([
    {
      stage: 'authentication',
      status: 401,
      certificateSha256: foreign.leaf.sha256,
      actor: { principal: { kind: 'anonymous' }, origin: { door: 'nodes', address: '127.0.0.1' } },
    },
  ]);
});
