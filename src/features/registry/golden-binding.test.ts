import { createHmac, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blindKey, secretKey } from '../../crypto/index.ts';
import { fromHex } from '../../kernel/bytes.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import type { DomainTable } from './deps.ts';
import { bindGolden, boundText, type GoldenFacts, goldenFits } from './golden-binding.ts';

/** formats/vectors/sealed-at-rest.json, as formats/sealed-at-rest.md §7 tells it. */
interface Vector extends GoldenFacts {
  readonly indexKey: string;
  readonly organisationOfDomain: Readonly<Record<string, OrganisationId>>;
  readonly text: string;
  readonly binding: string;
}
const file = new URL('../../../formats/vectors/sealed-at-rest.json', import.meta.url);
const { bindings } = JSON.parse(readFileSync(file, 'utf8')) as { bindings: Vector[] };

const bytesOf = (hex: string) => fromHex(hex) ?? new Uint8Array();
const tableOf = (organisations: Vector['organisationOfDomain']): DomainTable => ({
  byId: (id) => {
    const organisationId = organisations[id];
    return organisationId && { id, system: `urn:${id}`, organisationId };
  },
  bySystem: () => undefined,
  all: () => [],
});
const keyRingOf = (indexKey: string) => {
  const blind = (name: string, value: string) => blindKey(secretKey(bytesOf(indexKey)), name).blind(value);
  return { blind, blindAll: (name: string, value: string) => [blind(name, value)] };
};

describe.each(bindings)('the binding of a golden record in version $version', (vector) => {
  const domains = tableOf(vector.organisationOfDomain);
  const keyRing = keyRingOf(vector.indexKey);
  const fits = (facts: GoldenFacts, table = domains) =>
    goldenFits({ keyRing: keyRing as never }, facts, { binding: BigInt(vector.binding), domains: table });

  it('is as the document tells', () => {
    const info = 'careseal blind 1 registry.golden';
    const key = Buffer.from(hkdfSync('sha256', bytesOf(vector.indexKey), new Uint8Array(0), info, 32));
    const token = createHmac('sha256', key).update(vector.text).digest().readBigInt64BE(0).toString();
    expect([boundText(vector, domains), bindGolden(keyRing, vector, domains).toString(), token]).toEqual([
      vector.text,
      vector.binding,
      vector.binding,
    ]);
  });

  it('fits no other facts', () => {
    const stranger = '0198c5d2-0000-7000-8000-0000000000ee' as OrganisationId;
    expect(fits(vector)).toBe(true);
    expect(fits({ ...vector, members: vector.members.toReversed() })).toBe(true);
    expect(fits({ ...vector, version: vector.version + 1 })).toBe(false);
    expect(fits({ ...vector, organisations: [...vector.organisations, stranger] })).toBe(false);
    expect(fits({ ...vector, organisations: vector.sharedWith, sharedWith: vector.organisations })).toBe(
      vector.organisations.length === 0,
    );
    const added = { id: vector.goldenId, domainId: 7, version: 1 };
    expect(fits({ ...vector, members: [...vector.members, added] })).toBe(false);
    for (const [at, one] of vector.members.entries()) {
      const without = vector.members.toSpliced(at, 1);
      expect(fits({ ...vector, members: without })).toBe(false);
      expect(fits({ ...vector, members: [...without, { ...one, version: one.version + 1 }] })).toBe(false);
      expect(fits({ ...vector, members: [...without, { ...one, domainId: 99 }] })).toBe(false);
      expect(fits(vector, tableOf({ ...vector.organisationOfDomain, [one.domainId]: stranger }))).toBe(false);
    }
  });
});
