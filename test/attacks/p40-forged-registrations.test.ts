import 'reflect-metadata';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashToken, newId } from '../../src/crypto/index.ts';
import { type KeyMaterial, newLeafKey, readCertificate } from '../../src/platform/tls/index.ts';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { operator, ORGANISATION } from '../support/nodes.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

/**
 * P40: somebody who writes to the database (its owner's rights, none of its keys) makes no node, no certificate, no domain, no
 * invitation, no authority and no rule that counts; and what they change shuts out instead of letting in.
 */
let door: NodesDoor;
beforeAll(async () => {
  door = await nodesDoor();
});
afterAll(() => door.close());

let number = 0;
/** SQL as the owner of the database. */
async function sql(text: string, values: readonly (string | Uint8Array | Date | boolean | null)[] = []): Promise<void> {
  number += 1;
  await door.db.ownerDatabase.rows({ name: `attack.${number}`, text }, values);
  door.fixture.nodes.domains.forget();
  door.fixture.clock.forward(1_001); // what is remembered lasts a second
}

/** A certificate that our own authority signed for a key of the attacker: as if that leaked too. */
async function leakedLeaf(
  nodeId: string,
): Promise<KeyMaterial & { readonly sha256: Buffer; readonly der: Uint8Array }> {
  const key = await newLeafKey();
  const { chain } = await door.fixture.nodes.authorities.issueForNode({ nodeId, commonName: 'evil', spki: key.spki });
  const { sha256, der } = readCertificate(chain);
  return { certificate: chain, key: key.pem, sha256: Buffer.from(sha256, 'hex'), der };
}

const INSERT = `INSERT INTO nodes.certificate (sha256, node_id, der, subject, not_before, not_after, issued_at, binding)
  VALUES ($1, $2, $3, 'CN=evil', now() - interval '1 hour', now() + interval '1 year', now(), $4)`;

async function refused(identity: KeyMaterial): Promise<string> {
  const answer = await door.read(identity);
  expect(answer.status).not.toBe(200);
  return String(/"diagnostics":"([a-z-]+) /.exec(answer.text)?.[1]);
}

test('a certificate added to a real node is refused, and the refusal is reported', async () => {
  const { node } = await door.newNode();
  const evil = await leakedLeaf(node.id);
  await sql(INSERT, [evil.sha256, node.id, evil.der, null]);
  door.refusals.length = 0;
  expect(await refused(evil)).toBe('registration-changed');
  expect(door.refusals).toMatchObject([
    { problem: { code: 'registration-changed' }, certificateSha256: evil.sha256.toString('hex') },
  ]);
});

test('nor with the binding of another certificate, another row’s binding, or rubbish for one', async () => {
  const { node } = await door.newNode();
  for (const binding of [
    '(SELECT binding FROM nodes.certificate WHERE node_id = $2 LIMIT 1)',
    '(SELECT binding FROM nodes.node WHERE id = $2)',
    `'\\x01020304'`,
  ]) {
    const evil = await leakedLeaf(node.id);
    await sql(INSERT.replace('$4', binding), [evil.sha256, node.id, evil.der]);
    expect(await refused(evil)).toBe('registration-changed');
  }
});

test('a node made from nothing, with a certificate', async () => {
  const id = newId();
  const evil = await leakedLeaf(id);
  await sql(
    `INSERT INTO nodes.node (id, name, organisation_id, created_at, activated_at) VALUES ($1, 'Evil', $2, now(), now())`,
    [id, ORGANISATION],
  );
  await sql(INSERT, [evil.sha256, id, evil.der, null]);
  expect(await refused(evil)).toBe('registration-changed');
  await expect(
    door.fixture.nodes.changeSettings(operator, { id: id as never }, { perMinute: 5 }),
  ).rejects.toMatchObject({ code: 'registration-changed' });
  const { nodes } = await door.fixture.nodes.listNodes(operator);
  expect(nodes.find((one) => one.id === id)?.intact).toBe(false);
});

describe('a change of a real node shuts it out', () => {
  test.each([
    ['more scopes', `scopes = '{read,search,match,pix,feed,audit,subscribe}'`],
    ['no networks', `networks = '{0.0.0.0/0}'`],
    ['another organisation', `organisation_id = '0198f3a0-0000-7000-8000-00000000000b'`],
    ['no token needed', 'token_required = NOT token_required'],
    ['keys of the attacker', `jwks = '{}'`],
    ['another name', `name = 'Ministry'`],
  ])('%s', async (_what, change) => {
    const { node, identity } = await door.newNode();
    await sql(`UPDATE nodes.node SET ${change} WHERE id = $1`, [node.id]);
    expect(await refused(identity)).toBe('registration-changed');
  });

  test('another node’s domain, given to it', async () => {
    const [evil, victim] = [await door.newNode(), await door.newNode()];
    await sql('UPDATE nodes.domain SET node_id = $1 WHERE node_id = $2', [evil.node.id, victim.node.id]);
    expect(await refused(evil.identity)).toBe('registration-changed');
    expect(await refused(victim.identity)).toBe('registration-changed');
  });

  test('a longer life for its certificate', async () => {
    const { node, identity } = await door.newNode();
    await sql(`UPDATE nodes.certificate SET not_after = now() + interval '10 years' WHERE node_id = $1`, [node.id]);
    expect(await refused(identity)).toBe('registration-changed');
  });
});

test('a revocation or suspension that is taken back by hand', async () => {
  const [revoked, suspended, single] = [await door.newNode(), await door.newNode(), await door.newNode()];
  const { nodes } = door.fixture;
  await nodes.revokeNode(operator, { id: revoked.node.id }, 'stolen');
  await nodes.suspendNode(operator, { id: suspended.node.id }, 'audit');
  const sha256 = single.node.certificates[0]?.sha256 ?? '';
  await nodes.certificates.revoke(operator, { id: single.node.id }, { sha256, why: 'keyCompromise', reason: 'stolen' });
  await sql('UPDATE nodes.node SET revoked_at = NULL, sealed_reason = NULL, suspended_at = NULL WHERE id IN ($1, $2)', [
    revoked.node.id,
    suspended.node.id,
  ]);
  await sql('UPDATE nodes.certificate SET revoked_at = NULL, revocation_reason = NULL WHERE node_id IN ($1, $2)', [
    revoked.node.id,
    single.node.id,
  ]);
  for (const { identity } of [revoked, suspended, single]) expect(await refused(identity)).toBe('registration-changed');
});

test('an invitation of one’s own, for a node that waits for its certificate', async () => {
  const { node } = await door.fixture.nodes.inviteNode(operator, { name: 'Waiting', domain: 'urn:p40:waiting' });
  await sql(
    `INSERT INTO nodes.enrolment (token_hash, node_id, created_at, expires_at, binding)
     VALUES ($1, $2, now(), now() + interval '1 day', (SELECT binding FROM nodes.enrolment WHERE node_id = $2 LIMIT 1))`,
    [hashToken('attacker-chose-this'), node.id],
  );
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await Pkcs10CertificateRequestGenerator.create({ name: 'CN=x', keys, signingAlgorithm: algorithm });
  const answer = await door.send({
    method: 'POST',
    path: '/enrol',
    headers: { authorization: 'Bearer attacker-chose-this' },
    body: made.toString('pem'),
  });
  expect([answer.status, answer.json()['code']]).toEqual([403, 'enrolment-refused']);
});

test('an authority and a rule of one’s own', async () => {
  const { node } = await door.newNode();
  const evil = await testAuthority('Evil');
  const leaf = await testLeaf(evil, { usage: 'client' });
  const id = newId();
  const issuing = evil.issuing.certificate;
  await sql(
    `INSERT INTO nodes.foreign_authority (id, organisation_id, name, certificate, sha256, not_after, accept_long, created_at, binding)
     VALUES ($1, $2, 'Evil', $3, $4, now() + interval '5 years', false, now(), (SELECT binding FROM nodes.node WHERE id = $5))`,
    [id, ORGANISATION, issuing.pem, Buffer.from(issuing.sha256, 'hex'), node.id],
  );
  await sql(
    `INSERT INTO nodes.name_rule (id, authority_id, node_id, attribute, value, created_at, binding)
     VALUES ($1, $2, $3, 'cn', 'test', now(), '\\x00')`,
    [newId(), id, node.id],
  );
  expect(await refused(leaf)).toBe('certificate-unknown');
});

test('what an operator confirms counts again, on record', async () => {
  const { node, identity } = await door.newNode();
  await sql('UPDATE nodes.node SET per_minute = 17 WHERE id = $1', [node.id]);
  expect(await refused(identity)).toBe('registration-changed');
  await door.fixture.nodes.confirmNode(operator, { id: node.id });
  expect((await door.read(identity)).status).toBe(200);
});
