import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { memoryRootKey } from '../../test/support/keys.ts';
import { newId, sealedAtRest, sealKeyId } from '../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../kernel/bytes.ts';
import type { ResourceId } from '../kernel/ids.ts';
import { statement } from '../platform/db/index.ts';
import {
  createKeyRotation,
  createResourceParticipants,
  createResourceStore,
  type KeyRotation,
  type KeyVault,
  openKeyVault,
  type ResealParticipant,
  type ResourceStore,
  type ResourceWrite,
  type RootKeySource,
} from './index.ts';

const ROWS = 450;
let db: TestDatabase;
let rootKey: RootKeySource;
let vault: KeyVault;
let store: ResourceStore;
let rotation: KeyRotation;
let ids: ResourceId[];

beforeEach(async () => {
  db = await testDatabase();
  rootKey = memoryRootKey();
  vault = await openKeyVault({ database: db.database, rootKey });
  store = createResourceStore(vault);
  rotation = rotationOf(vault, createResourceParticipants({ keyRing: vault.keyRing, tokensOf }));
  ids = Array.from({ length: ROWS }, () => newId<ResourceId>()).toSorted();
  await write(ids.map((id, i) => version(id, 1, i)));
  await write(ids.slice(0, 50).map((id, i) => version(id, 2, i)));
  await write([{ ...version(ids[60] as ResourceId, 2, 60), content: null, tokens: [] }]);
});

afterEach(async () => {
  await vault.close();
  await db.close();
});

function rotationOf(keys: KeyVault, participants: readonly ResealParticipant[]): KeyRotation {
  return createKeyRotation({ database: db.database, vault: keys, rootKey, participants, graceMs: 0 });
}

const name = (i: number): string => `name-${i}`;

function version(id: ResourceId, number: number, i: number): ResourceWrite {
  const tokens = [vault.keyRing.blind('Patient.family', name(i))];
  return { type: 'Patient', id, version: number, lastUpdatedMs: number, content: utf8Encode(name(i)), tokens };
}

async function write(writes: readonly ResourceWrite[]): Promise<void> {
  await db.database.transaction((tx) => store.write(tx, writes));
}

const tokensOf: Parameters<typeof createResourceParticipants>[0]['tokensOf'] = async (_, resources) =>
  resources.map(({ content }) =>
    content === null ? [] : [vault.keyRing.blind('Patient.family', utf8Decode(content))],
  );

async function find(i: number, keys = vault): Promise<ResourceId[]> {
  const allOf = [keys.keyRing.blindAll('Patient.family', name(i))];
  const found = await createResourceStore(keys).search(db.database, { type: 'Patient', allOf, order: 'id', limit: 9 });
  return found.map((row) => row.id);
}

/** Every row and version reads, and is found by its tokens alone. */
async function expectWhole(keys = vault): Promise<void> {
  const all = await createResourceStore(keys).read(db.database, 'Patient', ids);
  expect(ids.map((id) => utf8Decode(all.get(id)?.content ?? new Uint8Array(0)))).toEqual(
    ids.map((_, i) => (i === 60 ? '' : name(i))),
  );
  for (const i of [0, 33, 449]) expect(await find(i, keys)).toEqual([ids[i]]);
  const past = await createResourceStore(keys).history(db.database, 'Patient', ids[7] as ResourceId, { limit: 9 });
  expect(past.map((one) => one.version)).toEqual([2, 1]);
}

const sealed = statement<{ sealed: Uint8Array }>(
  'test.sealed',
  `SELECT sealed FROM store.resource WHERE sealed IS NOT NULL UNION ALL SELECT sealed FROM store.resource_history`,
);

async function dataKeysInUse(): Promise<number[]> {
  const rows = await db.database.rows(sealed);
  return [...new Set(rows.map((row) => sealKeyId(sealedAtRest(row.sealed))))];
}

async function states(purpose: string, family: string): Promise<string[]> {
  const { keys } = await rotation.status();
  return keys.filter((key) => key.purpose === purpose && key.family === family).map((key) => key.state);
}

async function reopened(source = rootKey): Promise<KeyVault> {
  return await openKeyVault({ database: db.database, rootKey: source });
}

describe('re-wrapping', () => {
  test('the root key: the old one opens nothing any more, nothing else has changed', async () => {
    const [old] = await rootKey.read();
    const before = await dataKeysInUse();
    await rotation.rotateRoot();
    await expectWhole();
    const again = await reopened();
    await expectWhole(again);
    await again.close();
    expect(await dataKeysInUse()).toEqual(before);
    const withOld = { ...rootKey, read: async () => (old === undefined ? [] : [old]) };
    await expect(reopened(withOld)).rejects.toMatchObject({ code: 'root-key-wrong' });
  });

  test('the root key, interrupted before and after the rows were re-wrapped: the next opening finishes it', async () => {
    await rootKey.prepare();
    const first = await reopened();
    await first.close();
    expect(await rootKey.read()).toHaveLength(1);
    const interrupted = createKeyRotation({
      database: db.database,
      vault,
      participants: [],
      rootKey: { ...rootKey, settle: async () => {} },
    });
    await interrupted.rotateRoot();
    expect(await rootKey.read()).toHaveLength(2);
    const second = await reopened();
    expect(await rootKey.read()).toHaveLength(1);
    await expectWhole(second);
    await second.close();
  });

  test('the key-encryption key: the old one is destroyed, running processes go on', async () => {
    const other = await reopened();
    await rotation.rotateKeyEncryption();
    expect(await states('key-encryption', 'all')).toEqual(['destroyed', 'current']);
    await expectWhole();
    await expectWhole(other);
    await other.close();
    const fresh = await reopened();
    await expectWhole(fresh);
    await fresh.close();
  });
});

describe('re-sealing under a new data key', () => {
  test('leaves nothing under the old key, which is destroyed', async () => {
    const before = await dataKeysInUse();
    const seen: string[] = [];
    const report = await rotation.reseal('data', {
      onProgress: (part) => seen.push(`${part.participant} ${part.done}/${part.total}`),
    });
    expect(report).toEqual({ kind: 'data', rows: ROWS + 51, finished: true, left: [] });
    expect(seen).toEqual([
      `store.resource 200/${ROWS}`,
      `store.resource 400/${ROWS}`,
      `store.resource ${ROWS}/${ROWS}`,
      'store.resource_history 51/51',
    ]);
    const after = await dataKeysInUse();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
    expect(await states('data', 'record')).toEqual(['destroyed', 'current']);
    // Audit rows are never made new, so their old key goes on opening.
    expect(await states('data', 'audit')).toEqual(['retiring', 'current']);
    await expectWhole();
  });

  test('what other processes write and read meanwhile is whole', async () => {
    const other = await reopened();
    const theirs = createResourceStore(other);
    const versions = new Map<ResourceId, number>();
    let running = true;
    const writer = (async () => {
      for (let i = 100; running; i = 100 + ((i + 1) % 300)) {
        const id = ids[i] as ResourceId;
        const number = (versions.get(id) ?? 1) + 1;
        await db.database.transaction((tx) => theirs.write(tx, [version(id, number, i)]));
        versions.set(id, number);
        expect((await theirs.read(db.database, 'Patient', [id])).get(id)?.version).toBe(number);
      }
    })();
    await rotation.reseal('data');
    running = false;
    await writer;
    expect(versions.size).toBeGreaterThan(5);
    expect(await dataKeysInUse()).toHaveLength(1);
    await expectWhole();
    await expectWhole(other);
    await other.close();
  });

  test('stopped in the middle it goes on where it was, with the key it had begun with', async () => {
    const stop = new AbortController();
    const first = await rotation.reseal('data', { signal: stop.signal, onProgress: () => stop.abort() });
    expect(first).toMatchObject({ rows: 200, finished: false });
    await expectWhole();
    await expect(rotation.reseal('index')).rejects.toMatchObject({ kind: 'conflict', code: 'rotation-running' });
    expect((await rotation.status()).running?.parts).toMatchObject([
      { participant: 'store.resource', done: 200, total: ROWS, finished: false },
      { participant: 'store.resource_history', done: 0 },
    ]);
    const again = await reopened();
    const report = await rotationOf(again, createResourceParticipants({ keyRing: again.keyRing, tokensOf })).resume();
    expect(report).toMatchObject({ rows: ROWS + 51, finished: true, left: [] });
    await again.close();
    expect(await states('data', 'record')).toEqual(['destroyed', 'current']);
    expect(await rotation.resume()).toBeUndefined();
    await expectWhole();
  });

  test('begun, and gone on with, by several processes at once, it is one rotation, and there is a key to seal with', async () => {
    const others = await Promise.all([reopened(), reopened()]);
    const participants = createResourceParticipants({ keyRing: vault.keyRing, tokensOf });
    const rotations = [vault, ...others].map((keys) =>
      createKeyRotation({ database: db.database, vault: keys, rootKey, participants, graceMs: 100 }),
    );
    const stopped = AbortSignal.abort();
    await Promise.all(rotations.map((one) => one.reseal('data', { signal: stopped })));
    expect(await states('data', 'record')).toEqual(['current', 'announced']);
    await Promise.all(rotations.map((one) => one.resume()));
    expect(await states('data', 'record')).toEqual(['destroyed', 'current']);
    expect(await states('data', 'audit')).toEqual(['retiring', 'current']);
    expect((await rotation.status()).running).toBeUndefined();
    expect(await dataKeysInUse()).toHaveLength(1);
    const fresh = await reopened();
    for (const keys of [vault, fresh, ...others]) await expectWhole(keys);
    await Promise.all([fresh, ...others].map((keys) => keys.close()));
  });

  test('what a long transaction wrote with the old key is there before its key goes', async () => {
    const late = newId<ResourceId>();
    let rotating: Promise<unknown> | undefined;
    await db.database.transaction(async (tx) => {
      await store.write(tx, [version(late, 1, 9_999)]);
      rotating = rotation.reseal('data');
      await expect.poll(() => states('data', 'record')).toEqual(['retiring', 'current']);
      // Time to finish without it, were it not waited for.
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await states('data', 'record')).toEqual(['retiring', 'current']);
    });
    expect(await rotating).toMatchObject({ finished: true, left: [] });
    expect(await states('data', 'record')).toEqual(['destroyed', 'current']);
    const found = await store.read(db.database, 'Patient', [late]);
    expect(utf8Decode(found.get(late)?.content ?? new Uint8Array(0))).toBe(name(9_999));
  });

  test('a table that nobody spoke for keeps its key', async () => {
    const careless = rotationOf(
      vault,
      createResourceParticipants({ keyRing: vault.keyRing, tokensOf }).filter((one) => one.name === 'store.resource'),
    );
    const report = await careless.reseal('data');
    expect(report.left).toEqual(['store.resource_history.sealed: 51']);
    expect(await states('data', 'record')).toEqual(['retiring', 'current']);
    await expectWhole();
  });

  test('a row held by a writer is waited for, not skipped', async () => {
    const hold = statement('test.hold', 'SELECT id FROM store.resource WHERE id = $1 FOR UPDATE');
    // Held from when the rows are gone through on: what was begun before is waited for before that.
    const [atRows, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const gated = createResourceParticipants({ keyRing: vault.keyRing, tokensOf }).map(
      (one): ResealParticipant => ({
        ...one,
        async count(...asked) {
          atRows.resolve();
          await held.promise;
          return await one.count(...asked);
        },
      }),
    );
    const rotating = rotationOf(vault, gated).reseal('data');
    await atRows.promise;
    await db.database.transaction(async (tx) => {
      await tx.run(hold, [ids[210] ?? null]);
      held.resolve();
      const first = async () => (await rotation.status()).running?.parts[0];
      await expect.poll(first).toMatchObject({ done: 210, finished: false });
      // Time to go past it, were it not waited for.
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await first()).toMatchObject({ done: 210, finished: false });
    });
    expect(await rotating).toMatchObject({ rows: ROWS + 51, left: [] });
    expect(await dataKeysInUse()).toHaveLength(1);
  });
});

describe('new tokens under a new index key', () => {
  test('every record is found before, while and after', async () => {
    const before = vault.keyRing.blind('Patient.family', 'x');
    const other = await reopened();
    let running = true;
    const reader = (async () => {
      while (running) for (const i of [0, 200, 449]) expect(await find(i, other)).toEqual([ids[i]]);
    })();
    const report = await rotation.reseal('index');
    running = false;
    await reader;
    expect(report).toEqual({ kind: 'index', rows: ROWS, finished: true, left: [] });
    expect(vault.keyRing.blind('Patient.family', 'x')).not.toBe(before);
    expect(vault.keyRing.blindAll('Patient.family', 'x')).toHaveLength(1);
    expect(await states('index', 'record')).toEqual(['destroyed', 'current']);
    await expectWhole();
    await expectWhole(other);
    await other.close();
  });

  test('between the steps there are tokens under both keys', async () => {
    const stop = new AbortController();
    await rotation.reseal('index', { signal: stop.signal, onProgress: () => stop.abort() });
    const { keyRing } = vault;
    expect(keyRing.blindAll('Patient.family', 'x')).toHaveLength(2);
    expect(keyRing.blindAll('Patient.family', 'x')[0]).toBe(keyRing.blind('Patient.family', 'x'));
    await expectWhole();
  });

  test('audit terms stay findable under every key they were ever written with', async () => {
    const first = vault.keyRing.blind('audit.actor', 'u');
    await rotation.reseal('index');
    await rotation.reseal('index');
    expect(vault.keyRing.blindAll('audit.actor', 'u')).toHaveLength(3);
    expect(vault.keyRing.blindAll('audit.actor', 'u')).toContain(first);
  });
});

describe('opening the keys', () => {
  test('a database with keys is refused without its root key, and nothing is made', async () => {
    for (const source of [memoryRootKey(), { ...memoryRootKey(), read: async () => [] }]) {
      await expect(reopened(source)).rejects.toMatchObject({ kind: 'internal', code: 'root-key-wrong' });
    }
    expect((await rotation.status()).keys).toHaveLength(5);
  });

  test('two processes that start on a new database make one set of keys', async () => {
    const fresh = await testDatabase();
    const source = memoryRootKey();
    const opening = () => openKeyVault({ database: fresh.database, rootKey: source });
    const [a, b] = await Promise.all([opening(), opening()]);
    const place = { table: 't', type: 'x', id: '1', version: 1 };
    expect(b.keyRing.open(a.keyRing.seal(utf8Encode('hello'), place), place)).toEqual(Buffer.from('hello'));
    expect(b.keyRing.blind('p', 'v')).toBe(a.keyRing.blind('p', 'v'));
    await Promise.all([a.close(), b.close()]);
    await fresh.close();
  });

  test('rows of keys opened by nobody else: the application cannot delete them, wrapped keys show no key', async () => {
    const remove = statement('test.remove', 'DELETE FROM keys.key');
    await expect(db.database.run(remove)).rejects.toMatchObject({ sqlState: '42501' });
  });
});
