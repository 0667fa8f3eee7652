import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testKeyRing } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { countEvents, nodesFixture, operator, ORGANISATION, outsider } from '../../../test/support/nodes.ts';
import { statement } from '../../platform/db/index.ts';
import type { PeerCertificate } from '../../platform/http/index.ts';
import type { AddedNode } from './index.ts';

let db: TestDatabase;
const folder = mkdtempSync(join(tmpdir(), 'careseal-nodes-'));
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await db.close();
});

// One for the whole file: the authority in the database is sealed with it.
const keyRing = testKeyRing();
let number = 0;
const fresh = () => ({ name: `Clinic ${++number}`, domain: `urn:test:clinic-${number}` });

async function started() {
  const fixture = nodesFixture(db.database, { keyRing });
  await fixture.nodes.start();
  return fixture;
}

function peerOf({ files }: AddedNode): PeerCertificate {
  const certificate = new X509Certificate(files['node.crt']);
  return { der: certificate.raw, sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase() };
}

describe('adding a node', () => {
  test('issues a certificate that verifies up to ca.crt, for client authentication only, two years at most', async () => {
    const { nodes } = await started();
    const wanted = fresh();
    const { node, files } = await nodes.addNode(operator, wanted);
    expect(node).toMatchObject({ name: wanted.name, domains: [wanted.domain], organisationId: ORGANISATION });
    writeFileSync(join(folder, 'node.crt'), files['node.crt']);
    writeFileSync(join(folder, 'ca.crt'), files['ca.crt']);
    writeFileSync(join(folder, 'node.key'), files['node.key'] ?? '');
    const verify = (purpose: string) =>
      execFileSync(
        'openssl',
        ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'ca.crt', '-untrusted', 'node.crt', 'node.crt'],
        {
          cwd: folder,
          encoding: 'utf8',
          stdio: 'pipe',
        },
      );
    expect(verify('sslclient')).toContain('node.crt: OK');
    expect(() => verify('sslserver')).toThrow(/unsuitable|purpose/i);
    const leaf = new X509Certificate(files['node.crt']);
    const days = (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 86_400_000;
    expect(days).toBeLessThanOrEqual(730);
    expect(leaf.subjectAltName).toBe(`URI:urn:uuid:${node.id}`);
    const publicKey = execFileSync('openssl', ['pkey', '-in', 'node.key', '-pubout'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(publicKey).toBe(leaf.publicKey.export({ type: 'spki', format: 'pem' }));
    await nodes.stop();
  });

  test.each([
    ['EC', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['RSA', ['-newkey', 'rsa:2048']],
  ])('takes the key of an %s request made with openssl, and none of its wishes', async (_kind, key) => {
    const { nodes } = await started();
    execFileSync(
      'openssl',
      [
        'req',
        '-new',
        ...key,
        '-nodes',
        '-keyout',
        'own.key',
        '-out',
        'own.csr',
        '-subj',
        '/O=Ministry/CN=lab-9',
      ].concat([
        '-addext',
        'basicConstraints=critical,CA:TRUE',
        '-addext',
        'subjectAltName=DNS:registry.example',
        '-addext',
        'extendedKeyUsage=serverAuth',
      ]),
      { cwd: folder, stdio: 'ignore' },
    );
    const { files } = await nodes.addNode(operator, { ...fresh(), csr: readFileSync(join(folder, 'own.csr'), 'utf8') });
    expect(files['node.key']).toBeUndefined();
    const leaf = new X509Certificate(files['node.crt']);
    expect([leaf.ca, leaf.subject, leaf.keyUsage]).toEqual([false, 'O=Careseal\nCN=lab-9', ['1.3.6.1.5.5.7.3.2']]);
    expect(leaf.subjectAltName).toMatch(/^URI:urn:uuid:/);
    const own = execFileSync('openssl', ['pkey', '-in', 'own.key', '-pubout'], { cwd: folder, encoding: 'utf8' });
    expect(leaf.publicKey.export({ type: 'spki', format: 'pem' })).toBe(own);
    await nodes.stop();
  });

  test('two nodes claiming one domain: the second is told whose it is, and nothing of it remains', async () => {
    const { nodes, audit } = await started();
    const first = fresh();
    await nodes.addNode(operator, first);
    await audit.sequence();
    const before = await countEvents(db.database);
    const second = { name: fresh().name, domain: first.domain };
    await expect(nodes.addNode(operator, second)).rejects.toMatchObject({
      kind: 'conflict',
      code: 'domain-owned',
      publicDetail: expect.stringContaining(`"${first.name}"`),
    });
    await expect(nodes.addNode(outsider, { ...second, scopes: ['feed'] })).rejects.toMatchObject({
      code: 'domain-owned',
      publicDetail: expect.not.stringContaining(first.name),
    });
    expect((await nodes.listNodes(operator)).nodes.map((node) => node.name)).not.toContain(second.name);
    await audit.sequence();
    expect(await countEvents(db.database)).toBe(before + 1); // the listing; no node.add
    await nodes.stop();
  });

  test.each(['new', 'made by the organisation before'])(
    'many at once for one domain, %s: exactly one gets it',
    async (kind) => {
      const { nodes } = await started();
      const { domain } = fresh();
      if (kind !== 'new') await nodes.domains.ensureForUsers(domain, operator);
      const tries = Array.from({ length: 8 }, () => nodes.addNode(operator, { name: fresh().name, domain }));
      const results = await Promise.allSettled(tries);
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
      await nodes.stop();
    },
  );

  test('a name is taken while its node is active, whatever its case', async () => {
    const { nodes } = await started();
    const first = fresh();
    await nodes.addNode(operator, first);
    const again = { ...fresh(), name: first.name.toUpperCase() };
    await expect(nodes.addNode(operator, again)).rejects.toMatchObject({ code: 'node-name-taken' });
    await nodes.stop();
  });

  test('is audited in the same transaction', async () => {
    const { nodes, audit } = await started();
    await audit.sequence();
    const before = await countEvents(db.database);
    await nodes.addNode(operator, fresh());
    await audit.sequence();
    expect(await countEvents(db.database)).toBe(before + 1);
    await nodes.stop();
  });
});

describe('authentication', () => {
  test('knows a registered certificate and what it may do', async () => {
    const { nodes } = await started();
    const added = await nodes.addNode(operator, fresh());
    const principal = await nodes.authenticateNode(peerOf(added));
    expect(principal).toMatchObject({ kind: 'node', nodeId: added.node.id, domains: added.node.domains });
    expect([...principal.permissions].sort()).toEqual(['client.delete', 'client.read', 'client.write']);
    await nodes.stop();
  });

  test('refuses: none, unknown, from elsewhere, not valid yet, expired', async () => {
    const { nodes, clock } = await started();
    const added = await nodes.addNode(operator, fresh());
    const peer = peerOf(added);
    const code = (given: PeerCertificate | undefined) =>
      nodes.authenticateNode(given).then(
        () => 'in',
        (error) => error.code,
      );
    expect(await code(undefined)).toBe('certificate-missing');
    expect(await code({ ...peer, sha256: '0'.repeat(64) })).toBe('certificate-unknown');
    expect(await code({ ...peer, chainError: 'SELF_SIGNED_CERT_IN_CHAIN' })).toBe('certificate-unknown');
    expect(await code({ ...peer, chainError: 'INVALID_PURPOSE' })).toBe('certificate-unknown');
    clock.forward(-2 * 86_400_000);
    expect(await code(peer)).toBe('certificate-not-valid');
    clock.forward(2 * 86_400_000 + 731 * 86_400_000);
    expect(await code({ ...peer, chainError: 'CERT_HAS_EXPIRED' })).toBe('certificate-not-valid');
    await nodes.stop();
  });

  test('a revocation holds at the next request, here and in another process', async () => {
    const here = await started();
    const there = await started();
    const added = await here.nodes.addNode(operator, fresh());
    const peer = peerOf(added);
    await here.nodes.authenticateNode(peer);
    await there.nodes.authenticateNode(peer);
    await here.nodes.revokeNode(operator, { id: added.node.id }, 'laptop stolen');
    await expect(here.nodes.authenticateNode(peer)).rejects.toMatchObject({ kind: 'forbidden', code: 'node-revoked' });
    // The other process hears of it through the database; its clock stands still, so its memory cannot run out.
    await expect
      .poll(
        () =>
          there.nodes.authenticateNode(peer).then(
            () => 'in',
            (error) => error.code,
          ),
        { timeout: 2_000, interval: 5 },
      )
      .toBe('node-revoked');
    await here.nodes.stop();
    await there.nodes.stop();
  });

  test('without any notice, what is remembered lasts a second at most', async () => {
    const here = nodesFixture(db.database, { keyRing });
    await here.nodes.authorities.ensure();
    const there = nodesFixture(db.database, { keyRing, clock: here.clock }); // not started: hears nothing
    const added = await here.nodes.addNode(operator, fresh());
    await there.nodes.authenticateNode(peerOf(added));
    await here.nodes.revokeNode(operator, { id: added.node.id }, 'laptop stolen');
    here.clock.forward(1_001);
    await expect(there.nodes.authenticateNode(peerOf(added))).rejects.toMatchObject({ code: 'node-revoked' });
  });

  test('strangers are not remembered: a node added a moment later comes in at once', async () => {
    const { nodes } = await started();
    const stranger = { der: new Uint8Array(1), sha256: 'ab'.repeat(32) };
    for (let i = 0; i < 3; i++)
      await expect(nodes.authenticateNode(stranger)).rejects.toMatchObject({ code: 'certificate-unknown' });
    const added = await nodes.addNode(operator, fresh());
    await expect(nodes.authenticateNode(peerOf(added))).resolves.toBeDefined();
    await nodes.stop();
  });

  test('last-seen times are written in the background and never moved back', async () => {
    const { nodes, clock } = await started();
    const added = await nodes.addNode(operator, fresh());
    await nodes.authenticateNode(peerOf(added));
    await nodes.stop(); // flushes
    const seenAt = clock.nowMs();
    const late = nodesFixture(db.database, { keyRing, clock });
    clock.forward(-60_000);
    await late.nodes.authenticateNode(peerOf(added));
    await late.nodes.stop();
    const { nodes: listed } = await late.nodes.listNodes(operator);
    expect(listed.find((node) => node.id === added.node.id)?.lastSeenAtMs).toBe(seenAt);
  });
});

describe('revoking', () => {
  test('keeps the reason sealed, frees name and domain, and works once', async () => {
    const { nodes } = await started();
    const wanted = fresh();
    const first = await nodes.addNode(operator, wanted);
    const { node } = await nodes.revokeNode(operator, { name: wanted.name }, 'laptop stolen from Jane');
    expect(node.revoked?.reason).toBe('laptop stolen from Jane');
    const raw = statement<{ sealed_reason: Buffer }>(
      'test.reason',
      'SELECT sealed_reason FROM nodes.node WHERE id = $1',
    );
    const [row] = await db.database.rows(raw, [first.node.id]);
    expect(row?.sealed_reason.includes('Jane')).toBe(false);
    await expect(nodes.revokeNode(operator, { id: first.node.id }, 'again')).rejects.toMatchObject({
      code: 'node-revoked',
    });
    const second = await nodes.addNode(operator, wanted);
    expect(second.node.domains).toEqual([wanted.domain]);
    await expect(nodes.authenticateNode(peerOf(first))).rejects.toMatchObject({ code: 'node-revoked' });
    await expect(nodes.authenticateNode(peerOf(second))).resolves.toBeDefined();
    await nodes.stop();
  });

  test('is for one’s own organisation only', async () => {
    const { nodes } = await started();
    const { node } = await nodes.addNode(operator, fresh());
    await expect(nodes.revokeNode(outsider, { id: node.id }, 'mine now')).rejects.toMatchObject({
      code: 'node-unknown',
    });
    expect((await nodes.listNodes(outsider)).nodes).toEqual([]);
    await nodes.stop();
  });
});

describe('domains', () => {
  test('are made for users once, seen at once, and a node of the same organisation may take them over', async () => {
    const { nodes } = await started();
    const { name, domain } = fresh();
    const made = await nodes.domains.ensureForUsers(domain, operator);
    expect(await nodes.domains.ensureForUsers(domain, operator)).toEqual(made);
    expect(await nodes.domains.resolve(domain)).toEqual(made);
    await expect(nodes.domains.ensureForUsers(domain, outsider)).rejects.toMatchObject({ code: 'domain-owned' });
    await expect(nodes.addNode(outsider, { name, domain, scopes: ['feed'] })).rejects.toMatchObject({
      code: 'domain-owned',
    });
    const { node } = await nodes.addNode(operator, { name, domain });
    expect(await nodes.domains.resolve(domain)).toMatchObject({
      id: made.id,
      ownerNodeId: node.id,
      ownerNodeName: name,
    });
    await expect(nodes.domains.ensureForUsers(domain, operator)).rejects.toMatchObject({ code: 'domain-owned' });
    expect((await nodes.domains.table()).byId(made.id)?.system).toBe(domain);
    await nodes.stop();
  });

  test('many at once make one', async () => {
    const { nodes } = await started();
    const { domain } = fresh();
    const all = await Promise.all(Array.from({ length: 10 }, () => nodes.domains.ensureForUsers(domain, operator)));
    expect(new Set(all.map((one) => one.id)).size).toBe(1);
    await nodes.stop();
  });
});

describe('the authority', () => {
  test('is made once however many processes start, its keys sealed, and key rotation re-seals them', async () => {
    const own = await testDatabase();
    const { nodes } = nodesFixture(own.database);
    await Promise.all(Array.from({ length: 5 }, () => nodes.authorities.ensure()));
    const rows = statement<{ kind: string; sealed_key: Buffer }>(
      'test.authorities',
      'SELECT kind, sealed_key FROM nodes.authority ORDER BY kind',
    );
    const before = await own.database.rows(rows);
    expect(before.map((row) => row.kind)).toEqual(['issuing', 'root']);
    for (const participant of nodes.reseal) {
      let cursor: string | undefined;
      do {
        const batch = { kind: 'data', cursor, limit: 1 } as const;
        ({ cursor } = await own.database.transaction((tx) => participant.resealBatch(tx, batch)));
      } while (cursor !== undefined);
    }
    const after = await own.database.rows(rows);
    for (const [i, row] of after.entries())
      expect(row.sealed_key.equals(before[i]?.sealed_key ?? Buffer.alloc(0))).toBe(false);
    await expect(nodes.addNode(operator, fresh())).resolves.toBeDefined();
    await own.close();
  });

  test('is followed by a new one in time', async () => {
    const own = await testDatabase();
    const { nodes, clock } = nodesFixture(own.database);
    await nodes.authorities.ensure();
    expect(await nodes.authorities.trusted()).toHaveLength(2);
    clock.forward(4 * 365 * 86_400_000);
    await nodes.authorities.ensure();
    expect(await nodes.authorities.trusted()).toHaveLength(3);
    const { node } = await nodes.addNode(operator, fresh());
    const left = (node.certificates[0]?.notAfterMs ?? 0) - clock.nowMs();
    expect(left).toBeGreaterThan(729 * 86_400_000);
    clock.forward(4 * 365 * 86_400_000);
    await nodes.authorities.ensure();
    expect((await nodes.authorities.rootsPem()).match(/BEGIN/g)).toHaveLength(2);
    await own.close();
  });
});

test('the application role can delete nothing and rewrite no certificate', async () => {
  const attempts = [
    statement<never>('test.delete', 'DELETE FROM nodes.certificate'),
    statement<never>('test.rewrite', "UPDATE nodes.certificate SET not_after = 'infinity'"),
    statement<never>('test.replace', "UPDATE nodes.authority SET certificate = ''"),
    statement<never>('test.rename', "UPDATE nodes.domain SET system = 'x'"),
  ];
  for (const attempt of attempts) await expect(db.database.run(attempt)).rejects.toMatchObject({ sqlState: '42501' });
});
