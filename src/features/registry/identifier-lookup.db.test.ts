import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { newId } from '../../crypto/index.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { RegistryDeps } from './deps.ts';
import { createIdentifierLookup } from './identifier-lookup.ts';
import { searchRegistry } from './search.ts';
import type { RegistrySearch } from './service.ts';

let f: RegistryFixture;
let deps: Pick<RegistryDeps, 'database' | 'keyRing' | 'resources'>;
beforeAll(async () => {
  f = await registryFixture();
  deps = { database: f.db.database, keyRing: f.keyRing, resources: f.resources };
});
afterAll(() => f.close());

/** Writes clients straight into the store: what they are found by, and what they say. */
async function clients(token: string, identifiers: readonly string[]): Promise<void> {
  await f.db.database.transaction((tx) =>
    f.resources.write(
      tx,
      identifiers.map((value, i) => {
        const id = newId<ResourceId>();
        const patient = { resourceType: 'Patient', id, identifier: [{ system: 'urn:many', value }] };
        const content = utf8Encode(JSON.stringify(patient));
        const tokens = [f.keyRing.blind('identifier', token)];
        return { type: 'Patient', id, version: 1, lastUpdatedMs: 1_700_000_000_000 + i * 1000, content, tokens };
      }),
    ),
  );
}

function asked(value: string, change: Partial<RegistrySearch> = {}): RegistrySearch {
  return {
    kind: 'golden',
    terms: [[{ parameter: 'identifier', value }]],
    accepts: (patient) => patient.identifier?.some((identifier) => identifier.value === value) ?? false,
    everything: false,
    order: 'last-updated-descending',
    limit: 20,
    total: 'quick',
    ...change,
  };
}

describe('a look-up by identifier', () => {
  it('answers what the search for it answers, in each order, whatever else carries the token', async () => {
    await clients('a1', ['a1', 'a1', 'other', 'a1']);
    const lookup = createIdentifierLookup(deps);
    for (const order of ['id', 'last-updated', 'last-updated-descending'] as const) {
      const search = asked('a1', { order });
      const found = await lookup.find(search);
      expect(found).toEqual(await searchRegistry(deps, search));
      expect(found).toMatchObject({ total: 3, records: { length: 3 } });
    }
    expect(await lookup.find(asked('a1', { total: 'none' }))).not.toHaveProperty('total');
    expect(await lookup.find(asked('nobody'))).toEqual({ records: [], total: 0 });
  });

  it('of concurrent callers gives each what he asked for', async () => {
    const values = Array.from({ length: 100 }, (_, i) => `c${i}`);
    for (const value of values) if (value !== 'c7') await clients(value, [value]);
    const lookup = createIdentifierLookup(deps);
    const found = await Promise.all(values.map((value) => lookup.find(asked(value))));
    expect(found.map((one) => one?.total)).toEqual(values.map((value) => (value === 'c7' ? 0 : 1)));
  });

  it('leaves to the search what needs pages, bounds or a walk', async () => {
    await clients(
      'b1',
      Array.from({ length: 11 }, () => 'b1'),
    );
    await clients('b2', ['b2', 'b2']);
    const lookup = createIdentifierLookup(deps);
    expect(await lookup.find(asked('b1'))).toBeUndefined();
    expect(await lookup.find(asked('b2', { limit: 1 }))).toBeUndefined();
    expect(await lookup.find(asked('b2', { lastUpdated: { fromMs: 0 } }))).toBeUndefined();
    expect(await lookup.find(asked('urn:many|'))).toBeUndefined();
    expect(await lookup.find(asked('b2', { kind: 'source' }))).toBeUndefined();
    const terms = [[{ parameter: 'identifier', value: 'b2' }], [{ parameter: 'gender', value: 'male' }]];
    expect(await lookup.find(asked('b2', { terms }))).toBeUndefined();
  });
});
