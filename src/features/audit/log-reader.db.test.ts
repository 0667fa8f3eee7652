import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeActor, operatorActor, readInput, testKeyRing, userActor } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { uuidV7 } from '../../kernel/ids.ts';
import { newId, sha256 } from '../../crypto/index.ts';
import { fromBase64 } from '../../kernel/bytes.ts';
import type { Actor } from '../../kernel/principal.ts';
import { statement } from '../../platform/db/sql.ts';
import { isGenuineReceipt } from '../../platform/http/audited.ts';
import type { RouteDeclaration, RouteReply } from '../../platform/http/route.ts';
import {
  createMerkle,
  parseCheckpoint,
  parseEntries,
  parseLeaf,
  parseVerifierKey,
  signatureBy,
  verifyInclusion,
} from '../../verifier/index.ts';
import { type Audit, type AuditInput, createAudit } from './index.ts';
import { AuditEventReply, AuditListQuery, AuditListReply, AuditStatusReply } from './wire.ts';
import { handled } from '../../../test/support/handled.ts';

const merkle = createMerkle(sha256);
const CLIENT = '0198f3a0-0000-7000-8000-0000000000c1';
let db: TestDatabase;
let log: Audit;

beforeAll(async () => {
  db = await testDatabase();
  log = createAudit({
    database: db.database,
    keyRing: testKeyRing(),
    clock: { nowMs: Date.now },
    source: { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' },
    onFailure: () => {},
  });
  for (let i = 0; i < 30; i++)
    await log.recordNow([readInput(i % 10 === 0 ? CLIENT : newId(), i % 2 === 0 ? nodeActor : userActor)]);
  const refused: AuditInput = {
    actor: userActor,
    event: 'sign-in.code',
    action: 'E',
    outcome: 'minor-failure',
    reason: 'code-wrong',
  };
  await log.recordNow([refused]);
  await log.recordNow([
    {
      actor: operatorActor,
      event: 'node.add',
      action: 'C',
      outcome: 'success',
      entities: [{ reference: 'Node/n1' }],
      detail: { domain: 'urn:x' },
    },
  ]);
  await log.recordNow([
    {
      actor: userActor,
      event: 'client.unlink',
      action: 'U',
      outcome: 'success',
      patients: [`Patient/${CLIENT}`],
      reason: 'Twins',
    },
  ]);
  await log.sequence();
});
afterAll(() => db.close());

function routeTo(path: string): RouteDeclaration {
  const found = log.routes.find((route) => route.path === path);
  if (found === undefined) throw new Error(`no route ${path}`);
  return found;
}

async function call(
  path: string,
  given: { params?: object; query?: object; actor?: Actor } = {},
): Promise<RouteReply<unknown>> {
  return await handled(routeTo(path), {
    actor: given.actor ?? userActor,
    method: 'GET',
    url: '/api/audit/events?x=y',
    baseUrl: 'https://careseal.example.org:8443',
    params: given.params ?? {},
    query: given.query ?? {},
    body: undefined,
    header: () => undefined,
    cookie: () => undefined,
    signal: new AbortController().signal,
  });
}

async function list(query: object): Promise<AuditListReply> {
  const reply = await call('/api/audit/events', { query: AuditListQuery.parse(query) });
  expect(isGenuineReceipt(reply.audited)).toBe(true);
  return AuditListReply.parse(reply.body);
}

describe('the list', () => {
  test('is newest first, a page at a time, without gaps or doubles', async () => {
    const to = new Date().toISOString();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list({ limit: 7, to, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.events.map((event) => event.id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(33);
    expect(seen).toEqual(seen.toSorted().toReversed());
  });

  test.each([
    ['client', { client: CLIENT }, 4],
    ['client as a reference', { client: `Patient/${CLIENT}` }, 4],
    ['nobody', { client: newId() }, 0],
    ['event', { event: 'node.add' }, 1],
    ['family', { event: 'sign-in.*' }, 1],
    ['frequent event', { event: 'client.read' }, 30],
    ['outcome', { outcome: 'failure' }, 1],
    ['actor', { actor: 'root' }, 1],
    ['client and event', { client: CLIENT, event: 'client.unlink' }, 1],
    [
      'client and actor',
      { client: CLIENT, actor: userActor.principal.kind === 'user' ? userActor.principal.userId : '' },
      1,
    ],
    ['time before all', { to: '2001-01-01T00:00:00Z' }, 0],
    ['time after all', { from: '2101-01-01T00:00:00Z', client: CLIENT }, 0],
  ])('filters by %s', async (_name, query, count) => {
    const to = new Date().toISOString();
    // A search by client is itself an event about that client, so only what was there before counts.
    const { events } = await list({ to, limit: 200, ...query });
    expect(events.filter((event) => event.event !== 'audit.list')).toHaveLength(count);
  });

  test('pages through a filter too', async () => {
    const first = await list({ event: 'client.unlink', client: CLIENT, limit: 1 });
    expect(first.next).toBeUndefined();
    const page = await list({ client: CLIENT, limit: 2 });
    const rest = await list({ client: CLIENT, limit: 200, cursor: page.next });
    expect(page.events.some((event) => rest.events.some((other) => other.id === event.id))).toBe(false);
  });

  test('tells each event in plain terms', async () => {
    const failed = (await list({ event: 'sign-in.code' })).events[0];
    expect(failed).toMatchObject({
      title: 'Sign-in: second factor',
      outcome: 'minor-failure',
      reason: 'code-wrong',
      actor: { kind: 'user', name: 'Zoë "Z" Müller' },
      address: '2001:db8::7',
      door: 'users',
    });
    const added = (await list({ event: 'node.add' })).events[0];
    expect(added).toMatchObject({
      actor: { kind: 'operator', id: 'root', name: 'root' },
      entities: ['Node/n1'],
      detail: { domain: 'urn:x' },
    });
    const unlinked = (await list({ event: 'client.unlink' })).events[0];
    expect(unlinked).toMatchObject({ client: [CLIENT], reason: 'Twins', index: 32 });
    const read = (
      await list({
        event: 'client.read',
        limit: 1,
        actor: nodeActor.principal.kind === 'node' ? nodeActor.principal.nodeId : '',
      })
    ).events[0];
    expect(read).toMatchObject({
      actor: { kind: 'node', name: 'Clinic at the lake' },
      address: '10.1.2.3',
      door: 'nodes',
    });
  });

  test('refuses names and cursors that are none', async () => {
    await expect(list({ event: 'client.reed' })).rejects.toMatchObject({ code: 'audit-filter' });
    await expect(list({ cursor: 'AAAA' })).rejects.toMatchObject({ code: 'audit-cursor' });
    expect(AuditListQuery.safeParse({ event: "x' OR 1=1" }).success).toBe(false);
    expect(AuditListQuery.safeParse({ surprise: '1' }).success).toBe(false);
  });

  test('looking is itself in the log', async () => {
    await list({ client: CLIENT, actor: 'nobody' });
    const looked = (await list({ event: 'audit.list', limit: 1 })).events[0];
    expect(looked).toMatchObject({ client: [CLIENT], action: 'E' });
  });
});

test('one event comes with FHIR and a proof that an outsider can check', async () => {
  const { id } = (await list({ event: 'client.unlink' })).events[0] ?? { id: '' };
  const reply = AuditEventReply.parse((await call('/api/audit/events/:id', { params: { id } })).body);
  const status = AuditStatusReply.parse((await call('/api/audit/status')).body);
  expect(reply.auditEvent).toMatchObject({ resourceType: 'AuditEvent', id });
  const { proof } = reply;
  if (proof === undefined) throw new Error('no proof');
  const bytes = (text: string): Uint8Array => fromBase64(text) ?? new Uint8Array();
  const leaf = bytes(proof.leaf);
  const root = bytes(proof.rootHash);
  const claim = {
    leafHash: merkle.leafHash(leaf),
    index: proof.index,
    size: proof.size,
    path: proof.path.map(bytes),
    root,
  };
  expect(verifyInclusion(merkle, claim)).toBe(true);
  const { canonicalJson } = await import('../../kernel/canonical-json.ts');
  const opened = Buffer.concat([bytes(proof.nonce ?? ''), Buffer.from(canonicalJson(reply.auditEvent))]);
  expect(Buffer.from(parseLeaf(leaf)?.commitment ?? []).equals(sha256(opened))).toBe(true);
  const checkpoint = parseCheckpoint(proof.checkpoint);
  const key = parseVerifierKey(sha256, status.verifierKey);
  expect(key !== undefined && checkpoint !== undefined && signatureBy(checkpoint, key)).toBeTruthy();
  expect(Buffer.from(checkpoint?.root ?? []).equals(root)).toBe(true);
  expect(proof.ok).toBe(true);
  await expect(call('/api/audit/events/:id', { params: { id: newId() } })).rejects.toMatchObject({ kind: 'not-found' });
});

test('checkpoint and tiles are served as C2SP has them, and nothing beyond the head', async () => {
  await log.sequence();
  const note = new TextDecoder().decode((await call('/audit/log/checkpoint')).body as Uint8Array);
  const size = parseCheckpoint(note)?.size ?? 0;
  const tile = async (path: string) => (await call('/audit/log/tile/*', { params: { '*': path } })).body as Uint8Array;
  const hashes = await tile(`0/000.p/${size}`);
  const entries = parseEntries(await tile(`entries/000.p/${size}`)) ?? [];
  expect(hashes.length).toBe(32 * size);
  expect(entries.map((entry) => Buffer.from(merkle.leafHash(entry)).toString('hex')).join('')).toBe(
    Buffer.from(hashes).toString('hex'),
  );
  expect(
    Buffer.from(merkle.rootOf(entries.map(merkle.leafHash))).equals(parseCheckpoint(note)?.root ?? Buffer.alloc(0)),
  ).toBe(true);
  // Nothing in a tile names anybody.
  expect(Buffer.concat(entries).includes(CLIENT)).toBe(false);
  for (const path of [`0/000.p/${size + 1}`, '0/000', '0/001.p/1', '1/000.p/1', '../checkpoint', 'entries/x']) {
    await expect(tile(path)).rejects.toMatchObject({ kind: 'not-found' });
  }
});

test('status is not ok while an old event waits', async () => {
  expect((await log.status()).ok).toBe(true);
  await db.ownerDatabase.run(
    statement(
      'test.old',
      "INSERT INTO audit.batch (id, xid, events, sealed) VALUES ($1, '9223372036854775807', 1, '')",
    ),
    [uuidV7(Date.now() - 5 * 60_000, new Uint8Array(10))],
  );
  expect(await log.status()).toMatchObject({ ok: false });
});
