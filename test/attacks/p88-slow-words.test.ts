import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileDates } from '../../src/features/load/dates.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { person } from '../support/registry.ts';

/**
 * P88. Attacker: somebody who may send a record, look for one, or map a file. Goal: to take the server's time by words, numbers or
 * formats that are short to send and long to understand. Nothing here is timed: what these took before was minutes to years, and
 * a test that goes on for so long fails.
 */
const LONG = 6_000;
const blanks = ' '.repeat(LONG);

describe('formats of dates that people write themselves', () => {
  test.each([
    ['many blanks in a row', `D${' '.repeat(38)}Y`, `1${blanks}x`],
    ['the same part over and over, nothing between', `${'MMM'.repeat(12)}-D`, `${'a'.repeat(90)}!`],
    ['days over and over', `${'DD'.repeat(19)}-`, `${'1'.repeat(60)}!`],
    ['separators over and over', 'D - - - - - - - - - - - - - - - M', `1${blanks}x`],
  ])('%s', (_name, format, text) => {
    const read = compileDates([format, 'auto', format, format, format], '2026-06-01');
    for (const one of [text, text.slice(0, 100), text.slice(0, 60)]) expect(read(one).date).toBeUndefined();
  });

  test('that are sensible read what they did', () => {
    const read = compileDates(['D  MMM YYYY', 'DD/MM/YYYY'], '2026-06-01');
    expect([read('3 March 1984'), read('3   Mar   1984'), read('12/03/1984 00:00:00')]).toEqual([
      { date: '1984-03-03' },
      { date: '1984-03-03' },
      { date: '1984-03-12' },
    ]);
  });
});

describe('records and questions', () => {
  let p: Programme;
  beforeAll(async () => {
    p = await programme();
  }, 120_000);
  afterAll(() => p.close());

  const named = { given: 'Zulaika', family: 'Nantongo', birthDate: '1984-03-12' } as const;
  const texts: readonly (readonly [string, string])[] = [
    ['blanks around a sign', `7${blanks}x${blanks}y`],
    ['signs and blanks', `${'x '.repeat(LONG / 2)}y`],
    ['blanks around dots', `${blanks}.${blanks}.${blanks}`],
    ['slashes', `${'/'.repeat(LONG)}x`],
    ['one letter', 'a'.repeat(LONG)],
    ['very many words', 'ab '.repeat(LONG / 3)],
    ['marks upon a letter', `e${'\u0301'.repeat(LONG)}`],
    ['hyphens', 'a-'.repeat(LONG / 2)],
    ['dots after an at', `a@${'.'.repeat(LONG)}`],
  ];
  const places: readonly (readonly [string, (text: string) => object])[] = [
    ['family', (text) => ({ name: [{ given: ['Zulaika'], family: text }] })],
    ['given', (text) => ({ name: [{ given: [text], family: 'Nantongo' }] })],
    ['phone', (text) => ({ telecom: [{ system: 'phone', value: text }] })],
    ['e-mail', (text) => ({ telecom: [{ system: 'email', value: text }] })],
    ['address', (text) => ({ address: [{ city: text, line: [text] }] })],
    [
      'identifier',
      (text) => ({
        identifier: [
          { system: 'urn:north:mrn', value: text },
          { system: text, value: '1' },
        ],
      }),
    ],
  ];
  let serial = 0;

  test.each(places)('a very long %s, of whatever it is made, is answered', async (_name, make) => {
    for (const [what, text] of texts) {
      // Two of each, so that they are compared with each other as well.
      for (const more of ['', 'b']) {
        const key: [string, string] = ['urn:north:mrn', `N-${serial++}`];
        const patient = { ...person({ ...named, key }), ...make(`${text}${more}`) };
        const made = await p.ask('north registrar', 'POST', '/fhir/Patient', patient);
        expect([201, 400, 422], `${what}: ${made.text.slice(0, 300)}`).toContain(made.status);
      }
      const parameters = {
        resourceType: 'Parameters',
        parameter: [{ name: 'resource', resource: { ...person(named), ...make(text) } }],
      };
      const matched = await p.ask('north registrar', 'POST', '/fhir/Patient/$match', parameters);
      expect([200, 400, 413, 422], what).toContain(matched.status);
      const { status } = await p.ask('north registrar', 'POST', '/api/clients/search', {
        q: text.slice(0, 200),
        limit: 5,
      });
      expect([200, 400, 422], what).toContain(status);
    }
  });

  test('a mapping and a file made for each other are previewed', async () => {
    const csv = `id,given,born,mail\n1,Zulaika,"1${' '.repeat(60_000)}x","a@${'.'.repeat(60_000)}"\n`;
    const headers = { 'content-type': 'text/csv', 'x-file-name': 'Clinic.csv' };
    const uploaded = await p.ask('north registrar', 'POST', '/api/loads/uploads', csv, headers);
    expect(uploaded.status, uploaded.text.slice(0, 300)).toBe(201);
    const { uploadId } = uploaded.json<{ uploadId: string }>();
    const map = { id: 'id', given: 'given', birthDate: { column: 'born', format: `D${' '.repeat(38)}M` } };
    const previewed = await p.ask('north registrar', 'POST', `/api/loads/uploads/${uploadId}/preview`, { map });
    expect([previewed.status, previewed.text.slice(0, 300)]).toEqual([200, expect.any(String)]);
  });
});
