import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CSV_HEADER, CSV_MAP, csvLine, people } from '../../../bench/people.ts';
import { type LoadFixture, loadFixture, memoryFile, OPERATOR, UGANDA_MAP } from '../../../test/support/load.ts';
import type { MapDocument } from './wire.ts';

let f: LoadFixture;
beforeAll(async () => {
  f = await loadFixture();
});
afterAll(() => f.close());

const MAP: MapDocument = { id: 'id', given: 'given', family: 'family', birthDate: 'born', gender: 'sex' };
const never = new AbortController().signal;

async function load(
  content: string | Uint8Array,
  options: { domain: string; map?: MapDocument; dryRun?: boolean; fileName?: string },
) {
  const { domain, map, dryRun = false, fileName } = options;
  return await f.load.loadFile(OPERATOR, {
    file: memoryFile(content, { pieceBytes: 1_000, ...(fileName !== undefined && { fileName }) }),
    domain,
    map: map ?? MAP,
    dryRun,
    signal: never,
  });
}

async function rejected(loadId: string | undefined): Promise<string> {
  let text = '';
  for await (const piece of f.load.rejectedRows(f.operator, loadId ?? '')) text += piece;
  return text;
}

const sources = (domain: string) =>
  f.count(
    `SELECT count(*) AS n FROM registry.source s JOIN nodes.domain d ON d.id = s.domain_id WHERE d.system = '${domain}'`,
  );

describe('loading a file', () => {
  test('registers every good row and says why the others were not', async () => {
    const csv = [
      'id,given,family,born,sex',
      '1,Amina,Okello,1984-03-12,f',
      '2,Peter,Banda,19991212,m',
      ',Nobody,Known,1990-01-01,m',
      '4,Too,Few,1990-01-01',
      '5,"Quo""ted, name",Mugisha,1971-02-03,M',
      '6,Bad\u0007Bell,Achieng,1980-01-02,f',
    ].join('\n');
    const summary = await load(csv, { domain: 'urn:l:one' });
    expect(summary).toMatchObject({ read: 6, created: 3, updated: 0, unchanged: 0, rejected: 3, warnings: 0 });
    const file = await rejected(summary.loadId);
    expect(file.split('\r\n').slice(0, -1)).toEqual([
      'id,given,family,born,sex,careseal_line,careseal_column,careseal_reason',
      ',Nobody,Known,1990-01-01,m,4,id,the record has no id',
      '4,Too,Few,1990-01-01,,5,,"the row has 4 fields, the header has 5"',
      '6,Bad\u0007Bell,Achieng,1980-01-02,f,7,given,holds control characters',
    ]);
    expect(await sources('urn:l:one')).toBe(3);
  });

  test('changes nothing when it comes again, and updates what changed', async () => {
    const csv = 'id,given,family,born,sex\n1,Zoe,Wanjala,1984-03-12,f\n2,Ivan,Njoroge,1999-12-12,m\n';
    await load(csv, { domain: 'urn:l:two' });
    const before = await f.count('SELECT count(*) AS n FROM store.resource_history');
    expect(await load(csv, { domain: 'urn:l:two' })).toMatchObject({ read: 2, created: 0, updated: 0, unchanged: 2 });
    expect(await f.count('SELECT count(*) AS n FROM store.resource_history')).toBe(before);
    const changed = csv.replace('Njoroge', 'Kamau');
    expect(await load(changed, { domain: 'urn:l:two' })).toMatchObject({ created: 0, updated: 1, unchanged: 1 });
  });

  test('a dry run finds the same and writes no record and no domain', async () => {
    const csv = 'id,given,family,born,sex\n1,Dora,Tembo,1984-03-12,f\n2,,,,\nx\n';
    const goldens = await f.count('SELECT count(*) AS n FROM registry.golden');
    expect(await load(csv, { domain: 'urn:l:dry', dryRun: true })).toMatchObject({
      read: 3,
      created: 2,
      rejected: 1,
      dryRun: true,
    });
    expect(await f.count('SELECT count(*) AS n FROM registry.golden')).toBe(goldens);
    expect(await f.count(`SELECT count(*) AS n FROM nodes.domain WHERE system = 'urn:l:dry'`)).toBe(0);
    expect(await load(csv, { domain: 'urn:l:dry' })).toMatchObject({ created: 2, rejected: 1 });
  });

  test('a dry run counts links between rows that lie far apart, and rows that come again', async () => {
    const map: MapDocument = { ...CSV_MAP, identifier: CSV_MAP.identifier.map((one) => ({ ...one })) };
    const lines = Array.from(people({ seed: 11, count: 600, duplicates: 0.3 }), csvLine);
    const first = lines[0] ?? '';
    // The first record again, unchanged, then another that says more of itself than before.
    const second = (lines[1] ?? '').replace(/,[^,]*$/, ',later');
    const csv = `${CSV_HEADER}\n${[...lines, first, second].join('\n')}\n`;
    const dry = await load(csv, { domain: 'urn:l:rehearsed', map, dryRun: true });
    expect(dry).toMatchObject({ rejected: 0, dryRun: true });
    expect(dry.linked).toBeGreaterThan(100);
    const real = await load(csv, { domain: 'urn:l:rehearsed', map });
    const counts = ({ read, created, updated, unchanged, linked, reviews }: typeof dry) => ({
      read,
      created,
      updated,
      unchanged,
      linked,
      reviews,
    });
    expect(counts(dry)).toEqual(counts(real));
    // And when half of it stands in the database.
    const half = `${CSV_HEADER}\n${lines.slice(0, 300).join('\n')}\n`;
    await load(half, { domain: 'urn:l:half', map });
    const dryRest = await load(csv, { domain: 'urn:l:half', map, dryRun: true });
    expect(counts(dryRest)).toEqual(counts(await load(csv, { domain: 'urn:l:half', map })));
  });

  test('keeps what it cannot read as text, and warns', async () => {
    const csv = 'id,given,family,born,sex\n1,Una,Mbeki,1984-02-30,q\n2,Leo,Mbeki,1984-02-28,f\n';
    const summary = await load(csv, { domain: 'urn:l:warn' });
    expect(summary).toMatchObject({ created: 2, rejected: 0, warnings: 2 });
    const { domains } = f.nodes;
    const id = await f.registry.findByKey((await domains.resolve('urn:l:warn'))?.system ?? '', '1');
    const stored = id === undefined ? undefined : await f.registry.read(id);
    const patient = JSON.parse(Buffer.from(stored?.content ?? []).toString());
    expect(patient.birthDate).toBe('1984-02');
    expect(JSON.stringify(patient['_birthDate'])).toContain('1984-02-30');
    expect(JSON.stringify(patient['_gender'])).toContain('"q"');
  });

  test('refuses a row that speaks for a domain of a node, and goes on', async () => {
    await f.node('lab', 'urn:l:lab');
    const csv = 'id,given,family,born,sex,lab\n1,Ada,Phiri,1984-03-12,f,L-1\n2,Eve,Zulu,1985-03-12,f,\n';
    const map: MapDocument = { ...MAP, identifier: [{ system: 'urn:l:lab', column: 'lab' }] };
    const summary = await load(csv, { domain: 'urn:l:foreign', map });
    expect(summary).toMatchObject({ created: 1, rejected: 1 });
    expect(await rejected(summary.loadId)).toContain('belongs to a domain that another system owns');
  });

  test('reads NDJSON of Patients', async () => {
    const lines = [
      JSON.stringify({
        resourceType: 'Patient',
        id: 'x1',
        name: [{ family: 'Sesay', given: ['Abu'] }],
        birthDate: '1970-05-05',
      }),
      JSON.stringify({ resourceType: 'Patient', identifier: [{ system: 'urn:l:nd', value: 'k2' }], gender: 'female' }),
      '{"resourceType":"Patient","gender":"female"}',
      '{"resourceType":"Patient","id":"x4","birthDate":"1970-02-30"}',
      '{"resourceType":"Patient","id":"x5","id":"x6"}',
      '{broken',
      '',
      '{"resourceType":"Observation"}',
    ].join('\n');
    const summary = await load(lines, { domain: 'urn:l:nd', fileName: 'people.ndjson' });
    expect(summary).toMatchObject({ read: 7, created: 2, rejected: 5 });
    const file = await rejected(summary.loadId);
    for (const place of [',3,', ',4,', ',5,', ',6,', ',8,']) expect(file).toContain(place);
    expect(file).toContain('Patient.birthDate');
  });
});

describe('interruption', () => {
  test('a failure in the middle neither loses nor doubles a row', async () => {
    const csv = [CSV_HEADER, ...[...people({ seed: 3, count: 1_200, duplicates: 0.2 })].map(csvLine)].join('\n');
    const map = CSV_MAP as unknown as MapDocument;
    let batches = 0;
    const failing = f.another({
      async submit(actor, submissions, options) {
        if (++batches === 4) throw new Error('killed');
        return await f.registry.submit(actor, submissions, options);
      },
    });
    const broken = { file: memoryFile(csv), domain: 'urn:l:kill', map, dryRun: false, signal: never };
    await expect(failing.load.loadFile(OPERATOR, broken)).rejects.toThrow('killed');
    const done = await sources('urn:l:kill');
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(csv.split('\n').length - 1);
    const again = await load(csv, { domain: 'urn:l:kill', map });
    expect(again.created + again.unchanged).toBe(csv.split('\n').length - 1);
    expect(again.unchanged).toBe(done);
    expect(await sources('urn:l:kill')).toBe(csv.split('\n').length - 1);
  });
});

const uganda = new URL('../../../../shared/data/linkage/uganda.csv', import.meta.url);
describe.skipIf(!existsSync(uganda))('uganda.csv', () => {
  test('all rows load, fast, and the links are right', async () => {
    const dry = await load(readFileSync(uganda), { domain: 'urn:l:ug', map: UGANDA_MAP, dryRun: true });
    const summary = await load(readFileSync(uganda), { domain: 'urn:l:ug', map: UGANDA_MAP });
    expect(dry).toMatchObject({ created: summary.created, linked: summary.linked, reviews: summary.reviews });
    expect(summary).toMatchObject({ read: 5000, created: 5000, rejected: 0 });
    expect(summary.linked).toBeGreaterThanOrEqual(990);
    const goldens = `SELECT count(DISTINCT golden_id) AS n FROM registry.source s JOIN nodes.domain d ON d.id = s.domain_id WHERE d.system = 'urn:l:ug'`;
    expect(await f.count(goldens)).toBe(5000 - summary.linked);
    expect(summary.seconds).toBeLessThan(20);
  }, 60_000);
});
