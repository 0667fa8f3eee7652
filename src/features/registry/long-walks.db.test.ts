import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { newId } from '../../crypto/index.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { createLongWalks, type LongWalks } from './long-walks.ts';
import { searchRegistry } from './search.ts';
import type { RegistrySearch } from './service.ts';

/** A walk that lasts until it is told to end. */
function heldWalk(walks: LongWalks, caller?: string): { readonly end: () => void; readonly done: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { end: resolve, done: walks.run(() => promise, caller) };
}

const BUSY = { code: 'searches-busy', kind: 'unavailable', options: { retryAfterSeconds: 5 } };

describe('long walks', () => {
  it('are a few at once; those who wait come in their order, and one too many is refused', async () => {
    const walks = createLongWalks({ atOnce: 1, waitingMax: 2 });
    const first = heldWalk(walks);
    const order: string[] = [];
    const waiting = ['a', 'b'].map((name) => walks.run(async () => void order.push(name)));
    await expect(walks.run(async () => undefined)).rejects.toMatchObject(BUSY);
    expect(order).toEqual([]);
    first.end();
    await Promise.all([first.done, ...waiting]);
    expect(order).toEqual(['a', 'b']);
  });

  it('are shared between callers: who asks often neither goes before others nor keeps them out', async () => {
    const walks = createLongWalks({ atOnce: 1, waitingMax: 3 });
    const order: string[] = [];
    const first = heldWalk(walks, 'greedy');
    const ask = (caller: string, name: string) =>
      walks.run(async () => void order.push(name), caller).catch((error: unknown) => (error as { code: string }).code);
    const asked = [ask('greedy', 'g1'), ask('greedy', 'g2'), ask('greedy', 'g3')];
    expect(await ask('greedy', 'g4')).toBe('searches-busy');
    // Somebody else gets in, and the last of who waits most often is told to come again.
    asked.push(ask('clinic', 'c1'));
    first.end();
    expect(await Promise.all([first.done, ...asked])).toEqual([
      undefined,
      undefined,
      undefined,
      'searches-busy',
      undefined,
    ]);
    expect(order).toEqual(['c1', 'g1', 'g2']);
  });

  it('of a caller who has one under way wait for those of callers who have none', async () => {
    const walks = createLongWalks({ atOnce: 2, waitingMax: 4 });
    const order: string[] = [];
    const [first, second] = [heldWalk(walks, 'greedy'), heldWalk(walks, 'greedy')];
    const asked = ['greedy', 'clinic'].map((caller) => walks.run(async () => void order.push(caller), caller));
    first.end();
    await Promise.all([first.done, ...asked]);
    expect(order).toEqual(['clinic', 'greedy']);
    second.end();
    await second.done;
  });

  it('that fail give their place back', async () => {
    const walks = createLongWalks({ atOnce: 1, waitingMax: 0 });
    for (let i = 0; i < 3; i++) await expect(walks.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await walks.run(async () => 7)).toBe(7);
  });
});

describe('a search while others read very much', () => {
  let f: RegistryFixture;
  const MANY = 1_100;
  beforeAll(async () => {
    f = await registryFixture();
    await f.db.database.transaction((tx) =>
      f.resources.write(
        tx,
        Array.from({ length: MANY }, (_, i) => {
          const id = newId<ResourceId>();
          const content = utf8Encode(JSON.stringify({ resourceType: 'Patient', id }));
          const tokens = [f.keyRing.blind('family', 'okello'), ...(i < 5 ? [f.keyRing.blind('family', 'rare')] : [])];
          return { type: 'Patient', id, version: 1, lastUpdatedMs: 1_700_000_000_000 + i, content, tokens };
        }),
      ),
    );
  });
  afterAll(() => f.close());

  const asked = (value: string, total: RegistrySearch['total'] = 'quick'): RegistrySearch => ({
    kind: 'golden',
    terms: [[{ parameter: 'family', value }]],
    accepts: () => true,
    everything: false,
    order: 'id',
    limit: 20,
    total,
  });
  const search = (longWalks: LongWalks, wanted: RegistrySearch) =>
    searchRegistry({ database: f.db.database, keyRing: f.keyRing, resources: f.resources, longWalks }, wanted);

  it('goes on as ever within its first thousand records; beyond them it is refused in plain words until there is room', async () => {
    const walks = createLongWalks({ atOnce: 1, waitingMax: 0 });
    const other = heldWalk(walks);
    expect(await search(walks, asked('rare', 'accurate'))).toMatchObject({ total: 5 });
    // Many more are found than are counted without being asked to.
    expect((await search(walks, asked('okello'))).records).toHaveLength(20);
    await expect(search(walks, asked('okello', 'accurate'))).rejects.toMatchObject(BUSY);
    await expect(search(walks, { ...asked('okello'), kind: 'source' })).rejects.toMatchObject(BUSY);
    other.end();
    await other.done;
    expect(await search(walks, asked('okello', 'accurate'))).toMatchObject({ total: MANY });
  });
});
