import { existsSync, readdirSync, readFileSync } from 'node:fs';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, canonicalJsonBytes } from './canonical-json.ts';
import { parseStrictJson } from './strict-json.ts';

const vectors = new URL('../../../shared/vectors/jcs/', import.meta.url);
const present = existsSync(vectors);
if (!present) console.warn(`SKIPPED: the RFC 8785 vectors are not at ${vectors.pathname}`);

describe.skipIf(!present)('RFC 8785 vectors', () => {
  for (const name of present ? readdirSync(new URL('input/', vectors)) : []) {
    test(name, () => {
      const input = parseStrictJson(readFileSync(new URL(`input/${name}`, vectors)));
      const wanted = readFileSync(new URL(`output/${name}`, vectors));
      expect(Buffer.from(canonicalJsonBytes(input)).equals(wanted)).toBe(true);
    });
  }
});

test('numbers of RFC 8785 appendix B', () => {
  const table: [string, string][] = [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
  ];
  for (const [bits, wanted] of table) expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(wanted);
});

test('agrees with the reference implementation, is stable and does not depend on the order of members', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(text).toBe(canonicalize(value));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(canonicalJson(reversed(value))).toBe(text);
    }),
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]) => [name, reversed(inner)])
      .toReversed(),
  );
}

test('refuses what has no JSON text', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const refused = [undefined, Number.NaN, -Infinity, 1n, () => 1, Symbol('s'), '\ud800', new Date(0), new Map(), cycle];
  for (const value of refused) {
    expect(() => canonicalJson(value)).toThrow(TypeError);
    expect(() => canonicalJson({ a: [value] })).toThrow(TypeError);
  }
  expect(() => canonicalJson({ '\udc00': 1 })).toThrow(TypeError);
  expect(() => canonicalJson(new Array(1))).toThrow(TypeError);
});
