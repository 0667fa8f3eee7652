import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MapDocument } from '../../src/features/load/wire.ts';
import { isProblem } from '../../src/kernel/problem.ts';
import { type LoadFixture, loadFixture, memoryFile, OPERATOR } from '../support/load.ts';

/** P13 for files: whatever is in a file costs its own row or is refused plainly; the rows around it load, and no error tells a value. */
let f: LoadFixture;
beforeAll(async () => {
  f = await loadFixture();
});
afterAll(() => f.close());

/** A name that occurs nowhere else: wherever it turns up, data has leaked. */
const CANARY = 'Zulukanary';
const MAP: MapDocument = {
  id: 'id',
  given: 'given',
  family: 'family',
  birthDate: 'born',
  identifier: [{ system: 'urn:a:nin', column: 'nin' }],
};
const HEADER = 'id,given,family,born,nin';
const BEFORE = '1,Amina,Okello,1984-03-12,CM11';
const AFTER = '9,Peter,Banda,1999-12-12,CM99';
let domains = 0;

async function loadBytes(content: string | Uint8Array, more: { map?: MapDocument; fileName?: string } = {}) {
  return await f.load.loadFile(OPERATOR, {
    file: memoryFile(content, { pieceBytes: 4_096, fileName: more.fileName ?? 'clients.csv' }),
    domain: `urn:a:${domains++}`,
    map: more.map ?? MAP,
    dryRun: false,
    signal: new AbortController().signal,
  });
}

async function reasons(loadId: string | undefined): Promise<string> {
  let text = '';
  for await (const piece of f.load.rejectedRows(f.operator, loadId ?? '')) text += piece;
  return text;
}

describe('one bad row among good ones', () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    ['bytes that are no UTF-8', Buffer.from(`2,${CANARY}\xff,X,1990-01-01,`, 'latin1'), /no valid text/],
    ['too few fields', `2,${CANARY}`, /2 fields/],
    ['too many fields', `2,${CANARY},a,1990-01-01,b,c,d`, /7 fields/],
    ['a field of 10 MB', `2,${'x'.repeat(10_000_000)},a,1990-01-01,`, /longer than/],
    ['a quoted field of 10 MB over many lines', `2,"${'line of text\n'.repeat(800_000)}",a,1990-01-01,`, /longer than/],
    ['a control character', `2,${CANARY}\u0000,a,1990-01-01,`, /control characters/],
    [
      'half of a surrogate pair',
      Buffer.concat([Buffer.from(`2,${CANARY}`), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from(',a,,')]),
      /no valid text/,
    ],
    ['text after a closing quotation mark', `2,"${CANARY}" x,a,1990-01-01,`, /closing quotation mark/],
    ['no id', `,${CANARY},a,1990-01-01,`, /no id/],
    ['a row of 10,000 fields', `2${','.repeat(9_999)}`, /more than 2000 fields|10000 fields/],
  ])(
    '%s',
    async (_what, bad, reason) => {
      const content = Buffer.concat([
        Buffer.from(`${HEADER}\n${BEFORE}\n`),
        Buffer.from(bad),
        Buffer.from(`\n${AFTER}\n`),
      ]);
      const summary = await loadBytes(content);
      expect(summary).toMatchObject({ created: 2, rejected: 1 });
      const told = await reasons(summary.loadId);
      expect(told).toMatch(reason);
      // The row itself is in its own columns; the reason beside it repeats nothing of it.
      const [, , why = ''] = told.split('\r\n')[1]?.split(/,3,/) ?? [];
      expect(why).not.toContain(CANARY);
    },
    60_000,
  );

  test('SQL, scripts, formulas and paths are names like any other', async () => {
    const names = [
      `Robert'); DROP TABLE registry.source;--`,
      '<script>alert(1)</script>',
      '=cmd|/c calc',
      '../../etc/passwd',
      '${7*7}',
      '%00',
      '\\u0000',
    ];
    const rows = names.map((name, index) => `${index},"${name.replaceAll('"', '""')}",Okello,1990-01-0${index + 1},`);
    const summary = await loadBytes([HEADER, ...rows].join('\n'));
    expect(summary).toMatchObject({ created: names.length, rejected: 0 });
    expect(await f.count('SELECT count(*) AS n FROM registry.source')).toBeGreaterThanOrEqual(names.length);
  });

  test('a file that breaks off inside quotation marks tells how many lines that cost', async () => {
    const summary = await loadBytes(`${HEADER}\n${BEFORE}\n2,"${CANARY}\n3,a,b,,\n4,c,d,,\n`);
    expect(summary).toMatchObject({ created: 1, rejected: 4 });
    expect(await reasons(summary.loadId)).toContain('opened in line 3 is never closed');
  });

  test('10,000 equal rows are one record', async () => {
    const summary = await loadBytes([HEADER, ...Array.from({ length: 10_000 }, () => BEFORE)].join('\n'));
    expect(summary).toMatchObject({ read: 10_000, created: 1, unchanged: 9_999 });
  }, 120_000);
});

describe('a file that cannot be loaded at all', () => {
  test.each<[string, string | Uint8Array, string, MapDocument?]>([
    ['another delimiter than the columns', `${HEADER.replaceAll(',', '#')}\n1#${CANARY}\n`, 'map-columns-missing'],
    ['no header', `1,${CANARY},x,1990-01-01,\n2,b,c,,\n`, 'map-columns-missing'],
    ['empty', '', 'file-empty'],
    ['nothing but blank lines', '\n\n  \n', 'file-empty'],
    ['a zip file', Buffer.from([0x50, 0x4b, 3, 4, 20, 0]), 'file-not-text'],
    ['a header that is one endless field', 'x'.repeat(3_000_000), 'file-unreadable'],
    ['a mapping without an id', `${HEADER}\n`, 'map-incomplete', { given: 'given' }],
  ])('%s', async (_what, content, code, map) => {
    const error = await loadBytes(content, map === undefined ? {} : { map }).catch((caught: unknown) => caught);
    expect(isProblem(error) ? error.code : error).toBe(code);
    expect(isProblem(error) && error.publicDetail).not.toContain(CANARY);
    expect(isProblem(error) && error.publicDetail).toMatch(/Nothing was loaded/);
  });
});

describe('NDJSON', () => {
  test.each<[string, string]>([
    ['a duplicate name', `{"resourceType":"Patient","id":"a","id":"${CANARY}"}`],
    ['deep nesting', `{"resourceType":"Patient","id":"a","extension":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['a wrong type', `{"resourceType":"Patient","id":"a","name":"${CANARY}"}`],
    [
      'a modifier extension',
      `{"resourceType":"Patient","id":"a","modifierExtension":[{"url":"urn:x","valueString":"${CANARY}"}]}`,
    ],
    ['__proto__', `{"resourceType":"Patient","id":"a","__proto__":{"gender":"male"}}`],
    [
      '10,000 identifiers',
      JSON.stringify({
        resourceType: 'Patient',
        id: 'a',
        identifier: Array.from({ length: 10_000 }, (_, value) => ({ system: 'urn:x', value: `v${value}` })),
      }),
    ],
    [
      'a line of 10 MB',
      JSON.stringify({ resourceType: 'Patient', id: 'a', name: [{ family: 'x'.repeat(10_000_000) }] }),
    ],
    ['no JSON', CANARY],
  ])(
    '%s costs its own line',
    async (_what, bad) => {
      const good = (id: string) => JSON.stringify({ resourceType: 'Patient', id, name: [{ family: 'Okello' }] });
      const summary = await loadBytes([good('g1'), bad, good('g2')].join('\n'), { fileName: 'x.ndjson' });
      expect(summary).toMatchObject({ read: 3, created: 2, rejected: 1 });
      const line = (await reasons(summary.loadId)).split('\r\n')[1] ?? '';
      // What follows the line's own text (and its number) is the reason.
      expect(line.slice(line.lastIndexOf(',2,'))).not.toContain(CANARY);
    },
    60_000,
  );
});
