import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8Encode } from './bytes.ts';
import { locateJsonFault } from './json-fault.ts';
import { Problem } from './problem.ts';
import { parseStrictJson } from './strict-json.ts';

function refusal(input: string | Uint8Array, depthMax?: number): string {
  try {
    parseStrictJson(input, depthMax === undefined ? {} : { depthMax });
  } catch (thrown) {
    if (thrown instanceof Problem) return `${thrown.code} ${thrown.publicDetail}`;
    throw thrown;
  }
  return 'accepted';
}

test('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      fc.pre(!text.includes('__proto__'));
      expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      expect(parseStrictJson(utf8Encode(text))).toEqual(JSON.parse(text));
      expect(locateJsonFault(text, 64)).toBeUndefined();
    }),
  );
});

test('refuses exactly the texts that JSON.parse refuses, and finds a place in each', () => {
  const soup = fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0aeE+-.1 tfn'), maxLength: 14 });
  const damaged = fc.tuple(fc.json(), fc.nat(), soup).map(([text, at, junk]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + junk + text.slice(place);
  });
  fc.assert(
    fc.property(fc.oneof(soup, damaged), (text) => {
      const found = locateJsonFault(text, 64);
      // A text may have another fault before the one that JSON.parse stops at, never the other way round.
      if (parses(text)) expect(found?.reason).not.toBe('syntax');
      else expect(found).toBeDefined();
      expect(refusal(text) === 'accepted').toBe(found === undefined);
    }),
    { numRuns: 5000 },
  );
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('names the fault and its place, and never the content', () => {
  const table: [string, string][] = [
    ['{"a":1,"b":{"c":1,\n "c":2}}', 'json-duplicate-name The body names a member twice (line 2, column 2).'],
    ['{"a":1,"\\u0061":2}', 'json-duplicate-name The body names a member twice (line 1, column 8).'],
    ['{"a":{"x":1,"y":2},"a":3}', 'json-duplicate-name The body names a member twice (line 1, column 20).'],
    ['{"name":"Okello"', 'json-syntax The body is not JSON (line 1, column 17).'],
    ['{"name":Okello}', 'json-syntax The body is not JSON (line 1, column 9).'],
    ['[1,]', 'json-syntax The body is not JSON (line 1, column 4).'],
    ['["a\nb"]', 'json-syntax The body is not JSON (line 1, column 4).'],
    ['', 'json-syntax The body is not JSON (line 1, column 1).'],
    ['\ufeff{}', 'json-syntax The body is not JSON (line 1, column 1).'],
    ['["\\ud800"]', 'json-value The body has a lone surrogate (line 1, column 2).'],
    ['{"\\udc00":1}', 'json-value The body has a lone surrogate (line 1, column 2).'],
    ['[1e999]', 'json-value The body has a number out of range (line 1, column 2).'],
    ['{"__proto__":{"x":1}}', 'json-value The body has a member with a name that is not allowed (line 1, column 2).'],
  ];
  for (const [text, wanted] of table) expect(refusal(text)).toBe(wanted);
  expect(refusal(Uint8Array.of(0x22, 0xff, 0x22))).toBe('json-encoding The body is not UTF-8.');
  expect(refusal('"\ud800"')).toMatch(/^json-encoding/);
});

test('bounds the depth, however deep the text goes', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  expect(refusal(nested(64))).toBe('accepted');
  expect(refusal(nested(65))).toMatch(/^json-too-deep .*column 65/);
  expect(refusal('{"a":'.repeat(3) + '1' + '}'.repeat(3), 2)).toMatch(/^json-too-deep .*column 11/);
  expect(refusal('['.repeat(5_000_000))).toMatch(/^json-too-deep/);
  expect(refusal(`{"a":"${'x'.repeat(10_000_000)}","a":1}`)).toMatch(/^json-duplicate-name/);
});

test('brackets, colons and quotes inside strings do not count', () => {
  const value = { a: '{[:"\\', 'b":[': ['\\"', '\u2028'], c: {} };
  expect(parseStrictJson(JSON.stringify(value), { depthMax: 2 })).toEqual(value);
});

test('keeps the text of numbers when asked to', () => {
  const text = '{"a":1.00,"b":[1e2,-1E+2,0.5,7,1.5e300],"c":"1.00","d":true,"e":{"f":-0.0}}';
  const kept = parseStrictJson(text, { keepNumberText: true });
  expect(JSON.stringify(kept)).toBe(text);
  expect(JSON.stringify(parseStrictJson(text))).not.toBe(text);
  expect(refusal('{"a":1.0,"a":2}')).toMatch(/^json-duplicate-name/);
});
