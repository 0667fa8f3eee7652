import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  boolArray,
  byteaArray,
  float4Array,
  int4Array,
  int8Array,
  textArray,
  timestamptzArray,
  uuidArray,
} from './binary.ts';
import { statement } from './sql.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const ID = '01a2063b-dee8-746e-92e9-8c11ec42421f';

test.each([
  ['uuid', uuidArray([ID, null, ID.toUpperCase()]), `{${ID},NULL,${ID}}`],
  ['int', int4Array([0, -1, null, 2_147_483_647]), '{0,-1,NULL,2147483647}'],
  ['bigint', int8Array([-(2n ** 63n), null, 2n ** 63n - 1n]), '{-9223372036854775808,NULL,9223372036854775807}'],
  ['real', float4Array([0.5, null, -2]), '{0.5,NULL,-2}'],
  ['boolean', boolArray([true, false, null]), '{t,f,NULL}'],
  ['bytea', byteaArray([Uint8Array.of(0, 255), null, new Uint8Array()]), '{"\\\\x00ff",NULL,"\\\\x"}'],
  ['text', textArray(['', 'NULL', null, 'ñ "x" \\ {,}']), '{"","NULL",NULL,"ñ \\"x\\" \\\\ {,}"}'],
])('an array of %s arrives as it was, nulls and bounds too', async (type, bytes, text) => {
  const asText = statement<{ text: string; count: number }>(
    `test.binary-${type}`,
    `SELECT ($1::${type}[])::text AS text, cardinality($1::${type}[]) AS count`,
  );
  expect((await db.database.rows(asText, [bytes]))[0]?.text).toBe(text);
});

test('an empty array has no elements', async () => {
  const count = statement<{ count: number }>('test.binary-empty', 'SELECT cardinality($1::uuid[]) AS count');
  expect((await db.database.rows(count, [uuidArray([])]))[0]?.count).toBe(0);
});

test('instants arrive to the millisecond, before 1970 and after', async () => {
  const instants = ['1899-12-31T23:59:59.999Z', '2000-01-01T00:00:00.000Z', '2026-11-23T02:30:00.123Z'];
  const same = statement<{ at: Date }>('test.binary-instants', 'SELECT unnest($1::timestamptz[]) AS at');
  const found = await db.database.rows(same, [timestamptzArray(instants.map((text) => Date.parse(text)))]);
  expect(found.map(({ at }) => at.toISOString())).toEqual(instants);
});
