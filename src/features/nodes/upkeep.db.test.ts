import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { nodesFixture, operator } from '../../../test/support/nodes.ts';
import { statement } from '../../platform/db/index.ts';
import { callFiguresSchema, callListSchema } from './wire-calls.ts';
import type { RequestSample } from '../../platform/http/index.ts';

const DAY_MS = 86_400_000;
let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

describe('certificates about to end', () => {
  test('are told once at 30, 14 and 7 days; a newer one silences it', async () => {
    const own = await testDatabase();
    const { nodes, clock, endings } = nodesFixture(own.database);
    await nodes.start();
    const { node } = await nodes.addNode(operator, { name: 'A', domain: 'urn:end:a' });
    await nodes.addNode(operator, { name: 'B', domain: 'urn:end:b' });
    const rounds = async () => (await nodes.housekeep()).warned;
    expect(await rounds()).toBe(0);
    clock.forward(701 * DAY_MS);
    expect([await rounds(), await rounds()]).toEqual([2, 0]);
    await nodes.certificates.issue(operator, { id: node.id }, undefined);
    clock.forward(16 * DAY_MS);
    expect([await rounds(), await rounds()]).toEqual([1, 0]);
    clock.forward(7 * DAY_MS);
    expect([await rounds(), await rounds()]).toEqual([1, 0]);
    expect(endings.map(({ nodeName, days }) => [nodeName, days <= 30])).toEqual([
      ['A', true],
      ['B', true],
      ['B', true],
      ['B', true],
    ]);
    await nodes.stop();
    await own.close();
  });
});

describe('a root whose key is kept elsewhere', () => {
  test('leaves, signs nothing meanwhile, and makes the next issuing authority when it is brought', async () => {
    const own = await testDatabase();
    const { nodes, clock } = nodesFixture(own.database);
    await nodes.authorities.ensure();
    const { pem, forget } = await nodes.rootKey.takeAway(operator, 'a passphrase of one’s own');
    await forget();
    const here = async () =>
      Object.fromEntries((await nodes.authorities.status()).map((one) => [one.kind, one.keyIsHere]));
    expect(await here()).toEqual({ root: false, issuing: true });
    await expect(nodes.rootKey.takeAway(operator, 'x')).rejects.toMatchObject({ code: 'authority-offline' });
    await nodes.addNode(operator, { name: 'A', domain: 'urn:root:a' });
    clock.forward(4 * 365 * DAY_MS);
    await nodes.authorities.ensure();
    expect(await nodes.authorities.trusted()).toHaveLength(2); // nothing new without the root
    await expect(nodes.rootKey.renew(operator, pem, 'wrong')).rejects.toMatchObject({ code: 'root-key-wrong' });
    await nodes.rootKey.renew(operator, pem, 'a passphrase of one’s own');
    expect(await nodes.authorities.trusted()).toHaveLength(3);
    const { files } = await nodes.addNode(operator, { name: 'B', domain: 'urn:root:b' });
    const [leaf, issuing] = files['node.crt'].match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    const root = new X509Certificate(await nodes.authorities.rootsPem());
    expect(new X509Certificate(leaf ?? '').verify(new X509Certificate(issuing ?? '').publicKey)).toBe(true);
    expect(new X509Certificate(issuing ?? '').verify(root.publicKey)).toBe(true);
    expect(await here()).toMatchObject({ root: false });
    await own.close();
  });
});

test('calls are kept singly and by the minute, what is too many is counted all the same, and all of it ages', async () => {
  const { nodes, clock } = nodesFixture(db.database);
  await nodes.start();
  const { node } = await nodes.addNode(operator, { name: 'Caller', domain: 'urn:calls:a' });
  const call = (index: number, status = 200): RequestSample => ({
    door: 'nodes',
    method: 'GET',
    route: '/fhir/Patient',
    status,
    seconds: 0.004,
    requestId: `r${index}`,
    nodeId: node.id,
    ...(status >= 400 ? { code: 'scope-missing' } : {}),
  });
  for (let i = 0; i < 500; i++) nodes.calls.observe(call(i));
  nodes.calls.observe(call(500, 403));
  nodes.calls.observe({ ...call(501), door: 'users' });
  await nodes.calls.flush();
  const handler = (path: string) => nodes.routes.find((route) => route.path === path && route.method === 'GET');
  const ask = async (path: string, query: object) =>
    (await handler(path)?.handle({ actor: operator, query } as never))?.body;
  const failed = callListSchema.parse(await ask('/api/calls', { status: 'failed', node: node.id }));
  expect(failed.calls).toMatchObject([{ requestId: 'r500', code: 'scope-missing' }]);
  const figures = callFiguresSchema.parse(await ask('/api/calls/figures', { node: node.id, hours: '1' }));
  expect(figures.slots).toMatchObject([{ calls: 501, failed: 1, p95Ms: 4 }]);
  expect(figures.failures).toMatchObject([{ calls: 1, status: 403, lastRequest: 'r500' }]);
  // Who may ask this, may see every organisation's systems.
  const elsewhere = '0198f3a0-0000-7000-8000-0000000000ee';
  const move = statement('test.move-node', 'UPDATE nodes.node SET organisation_id = $2::uuid WHERE id = $1');
  await db.ownerDatabase.run(move, [node.id, elsewhere]);
  expect(callListSchema.parse(await ask('/api/calls', { status: 'failed' })).calls).toHaveLength(1);
  const all = callFiguresSchema.parse(await ask('/api/calls/figures', { hours: '1' }));
  expect([all.slots[0]?.calls, all.failures[0]?.node?.name]).toEqual([501, 'Caller']);
  clock.forward(31 * DAY_MS);
  await nodes.housekeep();
  expect(callListSchema.parse(await ask('/api/calls', { node: node.id })).calls).toEqual([]);
  await nodes.stop();
});
