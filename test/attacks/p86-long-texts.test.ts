import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameWords } from '../../src/features/alerts/rules.ts';
import { parseDicom } from '../../src/features/atna/dicom-parse.ts';
import { parseHl7 } from '../../src/features/hl7v2/message.ts';
import { createCsvReader } from '../../src/features/load/csv-reader.ts';
import { compileDates } from '../../src/features/load/dates.ts';
import { digitsOf, fold as matchingFold } from '../../src/features/matching/fold.ts';
import { searchTerms } from '../../src/fhir/index.ts';
import { fold } from '../../src/fhir/search-fold.ts';
import { parseFhirXml } from '../../src/fhir/xml-parse.ts';
import { normalised } from '../../src/kernel/normalise.ts';
import { isProblem } from '../../src/kernel/problem.ts';
import { parseStrictJson } from '../../src/kernel/strict-json.ts';
import { readCookie } from '../../src/platform/http/cookies.ts';
import { createFrameReader } from '../../src/platform/mllp/index.ts';
import { parseSyslog } from '../../src/platform/syslog/index.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { person } from '../support/registry.ts';

/**
 * P86. Attacker: whoever may send a message, a record, a file or a datagram. Goal: to hold the server for minutes with one of them, by a
 * shape for which the work grows with the square of its length. Nothing is timed: at this length what grows so takes minutes to hours,
 * and a test that goes on for so long fails.
 */
const LONG = 480_000;
const MARKS = '\u0301\u0315\u0300\u05ae'; // none of them in its order

/** Texts of about `LONG` letters that parsers like to stumble over. */
const SHAPES: readonly (readonly [string, string])[] = [
  ['marks out of their order', `e${MARKS.repeat(LONG / 4)}`],
  ['letters that fold to eighteen', '\ufdfa'.repeat(LONG / 18)],
  ['syllables', '\uac01'.repeat(LONG)],
  ...[' ', 'a', '1', '-', ',', ';', '=', '"', '\\', '|', '^', '~', '&', '<', '[', '\r', '\n', '\u001c', '\u000b'].map(
    (sign) => [`${JSON.stringify(sign)} over and over`, sign.repeat(LONG)] as const,
  ),
  ...[
    'a,',
    'a b="c" ',
    '<a>',
    '<a></a>',
    '<!--',
    '<![CDATA[',
    '<!-- -',
    '&amp;',
    '&#65;',
    '"a","',
    '\\T\\',
    '\\X41\\',
    '1.',
    'a@',
  ].map((part) => [`${JSON.stringify(part)} over and over`, part.repeat(LONG / part.length)] as const),
  ['a quote that is never closed', `"${'a,\n'.repeat(LONG / 3)}`],
  [
    'JSON with a name twice at its end',
    `{${Array.from({ length: LONG / 10 }, (_, at) => `"a${at}":1`).join(',')},"a0":2}`,
  ],
  ['JSON that breaks at its end', `[${'1,'.repeat(LONG / 2)}]`],
  ['attributes, each another', Array.from({ length: LONG / 10 }, (_, at) => `a${at}="1" `).join('')],
];

const bytes = (text: string) => Buffer.from(text, 'utf8');
const HL7 = 'MSH|^~\\&|A|B|C|D|20200101||ADT^A04|1|P|2.3.1\r';
const dates = compileDates(['auto', 'D MMM YYYY', 'MM/DD/YY'], '2026-06-01');
const namedAll = (text: string) => ({
  ...person({ given: text, family: text, phone: text }),
  address: [{ city: text, line: [text] }],
});

const READERS: readonly (readonly [string, (text: string) => unknown])[] = [
  ['the fold of searches', fold],
  ['the terms of a record', (text) => searchTerms(namedAll(text.slice(0, LONG / 8)))],
  ['the fold of matching', (text) => [matchingFold(text), digitsOf(text)]],
  ['words of names in alerts', nameWords],
  ['JSON', (text) => parseStrictJson(text)],
  ['JSON, as a value', (text) => parseStrictJson(JSON.stringify({ a: text }))],
  ['FHIR as XML', (text) => parseFhirXml(text)],
  ['FHIR as XML, in an element', (text) => parseFhirXml(`<Patient xmlns="http://hl7.org/fhir"><id ${text}/>`)],
  ['HL7, as segments', (text) => parseHl7(bytes(HL7 + text))],
  ['HL7, as a field', (text) => parseHl7(bytes(`${HL7}PID|1||${text}`))],
  ['syslog', (text) => parseSyslog(bytes(`<85>1 ${text}`))],
  ['syslog, as structured data', (text) => parseSyslog(bytes(`<85>1 2020-01-01T00:00:00Z h a p m [${text}`))],
  ['an audit message', (text) => parseDicom(bytes(`<AuditMessage>${text}`))],
  ['an audit message, in an element', (text) => parseDicom(bytes(`<AuditMessage><EventIdentification ${text}`))],
  ['a date', (text) => dates(text)],
  ['cookies', (text) => readCookie(text, 'session')],
  [
    'frames of HL7, in small pieces',
    (text) => {
      const reader = createFrameReader(2 * LONG);
      const sent = bytes(`\u000b${text}`);
      for (let at = 0; at < sent.length; at += 512) reader.read(sent.subarray(at, at + 512));
    },
  ],
  [
    'rows of a CSV file, in pieces',
    (text) => {
      const reader = createCsvReader(',', () => undefined);
      for (let at = 0; at < text.length; at += 4_096) reader.push(text.slice(at, at + 4_096));
    },
  ],
];

describe.each(READERS)('%s', (_name, read) => {
  test('reads or refuses every shape in time that grows with its length', () => {
    for (const [shape, text] of SHAPES) {
      try {
        read(text);
      } catch (error) {
        // A refusal says what is wrong; running out of stack or memory, or stumbling, would be another way to fall.
        expect(
          isProblem(error) || (error instanceof Error && error.constructor === Error),
          `${shape}: ${String(error)}`,
        ).toBe(true);
      }
    }
  }, 60_000);
});

test('of marks in a row thirty count; what people write is normalised as ever', () => {
  expect(normalised(`e${'\u0301'.repeat(100)}x`, 'NFD')).toBe(`e${'\u0301'.repeat(30)}x`);
  for (const text of ['Zoë', 'Ƙasim', 'Nguyễn', 'أحمد', 'עֲבֹדָה', 'क्षत्रिय', '한국', 'e\u0323\u0301'])
    for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const)
      expect(normalised(text, form)).toBe(text.normalize(form));
});

describe('the whole server', () => {
  let p: Programme;
  beforeAll(async () => {
    p = await programme();
  }, 120_000);
  afterAll(() => p.close());

  test('takes or refuses a record that is a megabyte of marks, finds it, and compares it', async () => {
    const text = `e${MARKS.repeat(50_000)}`;
    for (const value of ['M-1', 'M-2']) {
      const patient = person({ key: ['urn:north:mrn', value], given: text, family: text, birthDate: '1984-03-12' });
      const made = await p.ask('north registrar', 'POST', '/fhir/Patient', patient);
      expect([201, 413, 422], made.text.slice(0, 300)).toContain(made.status);
    }
    expect((await p.ask('north registrar', 'GET', '/api/home')).status).toBe(200);
  });

  test('imports nobody whose name is a megabyte of marks', async () => {
    const csv = `name,email,roles\n${MARKS.repeat(100_000)},a@example.org,registrar\n`;
    const answer = await p.ask('centre administrator', 'POST', '/api/users/import', { csv, dryRun: true });
    expect([answer.status, answer.json<{ refused: number }>().refused]).toEqual([200, 1]);
  });

  test.each([
    ['thousands of headers', Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`x-${at}`, '1'])), 431],
    ['a body that is compressed', { 'content-encoding': 'gzip', 'content-type': 'application/json' }, 400],
  ] as const)('%s', async (_name, headers, status) => {
    const answer = await p.ask('north registrar', 'POST', '/api/clients/search', '\u001f\u008b', { ...headers });
    expect(answer.status, answer.text).toBe(status);
  });
});
