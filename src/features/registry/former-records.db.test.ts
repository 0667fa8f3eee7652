import { afterAll, beforeAll, expect, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { RouteDeclaration, RouteRequest } from '../../platform/http/route.ts';
import type { ResealParticipant } from '../../store/index.ts';

let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

const JOAN = {
  given: 'Joan',
  family: 'Wasswa',
  birthDate: '1979-04-05',
  gender: 'female',
  phone: '0772 445 566',
} as const;

async function put(system: string, key: string, fields: Parameters<typeof person>[0] = JOAN) {
  const patient = person({ ...fields, key: [system, key] });
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain: await f.domain(system), key, patient },
  ]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error('refused');
  return outcome;
}

async function count(sql: string): Promise<bigint> {
  const rows = await f.db.ownerDatabase.rows<{ n: bigint }>({ name: `t${sql.length}${sql}`.slice(0, 60), text: sql });
  return rows[0]?.n ?? -1n;
}

const remove = (id: ResourceId) => f.registry.submit(f.operator, [{ kind: 'delete', id }]);

async function unlink(goldenId: ResourceId, sourceId: ResourceId): Promise<void> {
  const found = f.registry.routes.find((one) => one.path === '/api/clients/:id/unlink') as RouteDeclaration<
    never,
    never,
    never
  >;
  const body = { sourceId, reason: 'two sisters' };
  await found.handle({ actor: userActor, params: { id: goldenId }, body } as unknown as RouteRequest<
    never,
    never,
    never
  >);
}

const kept = () => count('SELECT count(*) AS n FROM registry.former_record');

it('keeps apart what a steward separated, after one of the two was deleted and sent again', async () => {
  const a = await put('urn:f:a', '1');
  const b = await put('urn:f:b', '1');
  expect(b.goldenId).toBe(a.goldenId);
  await unlink(a.goldenId, b.id);
  await remove(b.id);
  expect(await kept()).toBe(1n);
  const again = await put('urn:f:b', '1');
  expect(again).toMatchObject({ status: 'created', linked: false });
  expect(again.id).not.toBe(b.id);
  expect(again.goldenId).not.toBe(a.goldenId);
  expect(await kept()).toBe(0n);
  // And the other of them, and the first once more.
  await remove(a.id);
  expect(await put('urn:f:a', '1')).toMatchObject({ status: 'created', linked: false });
  await remove(again.id);
  expect(await put('urn:f:b', '1')).toMatchObject({ status: 'created', linked: false });
});

it('links a record that a steward had placed to nobody by itself when it comes again, but asks', async () => {
  const betty = {
    given: 'Betty',
    family: 'Nalweyiso',
    birthDate: '1966-01-19',
    gender: 'female',
    phone: '0751 998 877',
  } as const;
  const a = await put('urn:f:c', '1', betty);
  const b = await put('urn:f:d', '1', betty);
  await unlink(a.goldenId, b.id);
  await remove(b.id);
  await remove(a.id);
  const again = await put('urn:f:d', '1', betty);
  expect(await count(`SELECT count(*) AS n FROM registry.source WHERE pinned AND source_id = '${again.id}'`)).toBe(1n);
  await remove(again.id);
  await put('urn:f:e', '1', betty);
  expect(await put('urn:f:d', '1', betty)).toMatchObject({ linked: false, reviewsOpened: 1 });
});

it('remembers nothing of a record about which nobody decided', async () => {
  const before = await kept();
  const made = await put('urn:f:plain', '1', {
    given: 'Silas',
    family: 'Obua',
    birthDate: '1990-10-10',
    gender: 'male',
  });
  await remove(made.id);
  expect(await kept()).toBe(before);
});

it('finds it again after the index keys were made new', async () => {
  const x = { ...JOAN, family: 'Kabonesa' };
  const [a, b] = [await put('urn:f:x', '1', x), await put('urn:f:y', '1', x)];
  await unlink(a.goldenId, b.id);
  await remove(b.id);
  const part = f.registry.resealParticipants.find(({ name }) => name === 'registry.former_record') as ResealParticipant;
  const token = () => count(`SELECT key_token AS n FROM registry.former_record WHERE source_id = '${b.id}'`);
  const before = await token();
  await f.db.database.transaction((tx) => part.resealBatch(tx, { kind: 'index', cursor: undefined, limit: 100 }));
  expect(await token()).toBe(before);
  expect(await put('urn:f:y', '1', x)).toMatchObject({ status: 'created', linked: false });
});
