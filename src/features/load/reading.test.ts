import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detectDelimiter } from './csv-format.ts';
import { type CsvRow, createCsvReader, FIELD_LENGTH_MAX } from './csv-reader.ts';
import { compileDates } from './dates.ts';
import { type FileReading, findReading, inspect } from './file-format.ts';
import type { Row } from './model.ts';
import { createRowReader } from './row-reader.ts';
import { detectEncoding } from './text-encoding.ts';
import { MapDocument } from './wire.ts';

function readCsv(text: string, delimiter = ',', pieceLength = text.length || 1): CsvRow[] {
  const rows: CsvRow[] = [];
  const reader = createCsvReader(delimiter, (row) => rows.push(row));
  for (let at = 0; at < text.length; at += pieceLength) reader.push(text.slice(at, at + pieceLength));
  reader.end();
  return rows;
}
const fieldsOf = (text: string, delimiter?: string) => readCsv(text, delimiter).map((row) => row.fields);

describe('CSV', () => {
  test.each<[string, string, string[][]]>([
    [
      'plain',
      'a,b\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['line ends of all kinds', 'a\r\nb\nc\rd\r\n', [['a'], ['b'], ['c'], ['d']]],
    ['quotes', '"a,1","say ""hi""","x\ny"', [['a,1', 'say "hi"', 'x\ny']]],
    ['a quote inside a plain field', 'O"Hara,b', [['O"Hara', 'b']]],
    ['empty fields', ',,\n""', [['', '', '']]],
    ['a delimiter at the end of the file', 'a,', [['a', '']]],
    ['blank lines', 'a\n\n  \nb\n', [['a'], ['b']]],
    ['blanks after a closing quote', '"a" ,b', [['a', 'b']]],
    ['nothing', '', []],
  ])('%s', (_what, text, expected) => {
    expect(fieldsOf(text)).toEqual(expected);
  });

  test('reads the same in pieces of any size, and back what was written', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é'), maxLength: 8 });
    const rows = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 7 }), (table, pieceLength) => {
        const text = table.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join('\r\n');
        expect(readCsv(text, ',', pieceLength).map((row) => row.fields)).toEqual(table);
      }),
    );
  });

  test('says on which line a row begins', () => {
    expect(readCsv('h\n"a\nb"\nc\n').map((row) => row.line)).toEqual([1, 2, 4]);
  });

  test('a field of ten megabytes costs its row, not the memory nor the next row', () => {
    const rows = readCsv(`a,b\n1,${'x'.repeat(10_000_000)}\n2,y\n`);
    expect(rows[1]).toMatchObject({ line: 2, fault: { field: 1 } });
    expect(rows[1]?.fault?.reason).toContain(String(FIELD_LENGTH_MAX));
    expect(JSON.stringify(rows[1]).length).toBeLessThan(2_000);
    expect(rows[2]?.fields).toEqual(['2', 'y']);
  });

  test('a quotation mark that is never closed is told with all the lines it swallowed', () => {
    const rows = readCsv('a,b\n1,"open\n2,x\n3,y\n');
    expect(rows[1]?.fault).toMatchObject({ lines: 4 });
    expect(rows[1]?.fault?.reason).toContain('line 2');
  });

  test('text after a closing quotation mark costs its row alone', () => {
    const rows = readCsv('a,b\n"Bob" Smith,x\n2,y\n');
    expect(rows[1]?.fault?.reason).toContain('closing quotation mark');
    expect(rows[2]?.fields).toEqual(['2', 'y']);
  });

  test.each([
    ['a;b;c\n1;2;3', ';'],
    ['a\tb\n1\t2', '\t'],
    ['a|b\n1|2', '|'],
    ['a,b\n"x;y;z",2', ','],
    ['alone\n1', ','],
  ])('finds the delimiter of %j', (text, delimiter) => expect(detectDelimiter(text)).toBe(delimiter));
});

describe('encodings', () => {
  const csv = 'id;näme\n1;Müller\n';
  const utf16be = () => {
    const bytes = Buffer.from(`\ufeff${csv}`, 'utf16le');
    return bytes.swap16();
  };
  test.each<[string, Uint8Array, string, boolean]>([
    ['UTF-8', Buffer.from(csv), 'utf-8', false],
    ['UTF-8 with byte-order mark', Buffer.from(`\ufeff${csv}`), 'utf-8', false],
    ['UTF-16 little-endian', Buffer.from(`\ufeff${csv}`, 'utf16le'), 'utf-16le', false],
    ['UTF-16 little-endian, no mark', Buffer.from(csv, 'utf16le'), 'utf-16le', false],
    ['UTF-16 big-endian', utf16be(), 'utf-16be', false],
    ['Windows-1252', Buffer.from(csv, 'latin1'), 'utf-8', true],
  ])('%s', (_what, bytes, encoding, doubtful) => {
    expect(detectEncoding(bytes)).toEqual({ encoding, doubtful });
    const inspected = inspect({ bytes, isWhole: true, fileName: 'x.csv' }, '2026-01-01');
    expect(inspected.columns.map((column) => [column.name, column.samples])).toEqual([
      ['id', ['1']],
      ['näme', ['Müller']],
    ]);
  });

  test.each([
    ['an Excel workbook', Buffer.from([0x50, 0x4b, 3, 4, 0])],
    ['an empty file', Buffer.from('  \n')],
  ])('refuses %s', (_what, bytes) => {
    expect(() => findReading({ bytes, isWhole: true, fileName: 'x.csv' })).toThrow(/Nothing was loaded/);
  });
});

describe('dates', () => {
  test.each<[string, string, string | undefined, boolean]>([
    ['YYYYMMDD', '19671207', '1967-12-07', true],
    ['YYYYMMDD', '1997 1122', '1997-11-22', true],
    ['YYYYMMDD', '19590193', '1959-01', false],
    ['YYYYMMDD', '19151806', '1915', false],
    ['YYYYMMDD', '1g810213', undefined, false],
    ['YYYYMMDD', '20000230', '2000-02', false],
    ['YYYYMMDD', '20000229', '2000-02-29', true],
    ['YYYYMMDD', '29991231', undefined, false],
    ['DD/MM/YYYY', '7/12/1967', '1967-12-07', true],
    ['DD/MM/YYYY', '31/04/1967', '1967', false],
    ['MM/DD/YYYY', '12/07/1967 00:00:00', '1967-12-07', true],
    ['DD MMM YYYY', '7 December 1967', '1967-12-07', true],
    ['DD-MMM-YY', '07-Dec-67', '1967-12-07', true],
    ['M/D/YY', '1/5/05', '2005-01-05', true],
    ['YYYY', '1967', '1967', true],
    ['auto', '1967-12-07T10:00:00Z', '1967-12-07', true],
    ['auto', '07/12/1967', undefined, false],
    ['auto', '0000-00-00', undefined, false],
  ])('%s reads %s as %s', (format, text, date, whole) => {
    const read = compileDates([format], '2026-06-01')(text);
    expect(read.date).toBe(date);
    expect(read.fault === undefined).toBe(whole);
  });

  test('a date that was read always exists', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789 /-'), maxLength: 10 }), (text) => {
        const { date } = compileDates(['auto', 'DD/MM/YYYY'], '2026-06-01')(text);
        if (date?.length !== 10) return;
        expect(new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10)).toBe(date);
      }),
      { numRuns: 2_000 },
    );
  });
});

const READING: FileReading = { format: 'csv', encoding: 'utf-8', delimiter: ',' };
function rowsOf(csv: string | Uint8Array, map: unknown, reading = READING): Row[] {
  const reader = createRowReader({ reading, map: MapDocument.parse(map), domain: 'urn:d', today: '2026-06-01' });
  return [...reader.push(typeof csv === 'string' ? Buffer.from(csv) : csv), ...reader.end()];
}
const patientOf = (csv: string, map: unknown) => {
  const [row] = rowsOf(csv, map);
  if (row?.kind !== 'good') throw new Error(row === undefined ? 'no row' : row.reason);
  return row.patient;
};

describe('the mapping', () => {
  test('makes the Patient of the example in the documentation', () => {
    const header =
      'rec_id, given_name, surname, street_number, address_1, suburb, postcode, state, date_of_birth, sex, phone_number, uganda_nin';
    const row = 'r1, lachlan, berry, 69, giblin street, bittern, 4814, qld, 19990219, m, 0712 300633, CF123';
    const map = {
      id: 'rec_id',
      given: 'given_name',
      family: 'surname',
      gender: 'sex',
      birthDate: { column: 'date_of_birth', format: 'YYYYMMDD' },
      phone: 'phone_number',
      identifier: [{ system: 'urn:ug:nin', column: 'uganda_nin' }],
      address: { line: ['street_number', 'address_1'], city: 'suburb', postalCode: 'postcode', state: 'state' },
    };
    expect(patientOf(`${header}\n${row}\n`, map)).toEqual({
      resourceType: 'Patient',
      identifier: [
        { system: 'urn:d', value: 'r1' },
        { system: 'urn:ug:nin', value: 'CF123' },
      ],
      name: [{ family: 'berry', given: ['lachlan'] }],
      telecom: [{ system: 'phone', value: '0712 300633' }],
      gender: 'male',
      birthDate: '1999-02-19',
      address: [{ line: ['69 giblin street'], city: 'bittern', state: 'qld', postalCode: '4814' }],
    });
  });

  test('whole names, own words for the sexes, fixed values, yes and no', () => {
    const map = {
      id: 'id',
      name: { column: 'n', order: 'family-comma-given' },
      gender: { column: 's', values: { '1': 'male', '2': 'female' } },
      address: { country: { value: 'UG' } },
      active: 'a',
      deceased: 'd',
      multipleBirth: 't',
      email: ['e1', 'e2'],
      mothersMaidenName: 'm',
    };
    expect(
      patientOf('id,n,s,a,d,t,e1,e2,m\n7,"Okello, Anna Maria",2,yes,2020-01-31,2,,a@b.org,Akello\n', map),
    ).toMatchObject({
      name: [{ family: 'Okello', given: ['Anna Maria'] }],
      gender: 'female',
      address: [{ country: 'UG' }],
      active: true,
      deceasedDateTime: '2020-01-31',
      multipleBirthInteger: 2,
      telecom: [{ system: 'email', value: 'a@b.org' }],
      extension: [{ valueString: 'Akello' }],
    });
  });

  test.each<[string, unknown, RegExp]>([
    ['an id is missing', { given: 'g' }, /which column names a record/],
    ['columns are missing', { id: 'id', given: 'nope', family: 'neither' }, /"nope", "neither"/],
    ['a column is there twice', { id: 'twice' }, /more than one column/],
  ])('is refused as a whole when %s', (_why, map, message) => {
    expect(() => rowsOf('id,g,twice,twice\n1,2,3,4\n', map)).toThrow(message);
  });

  test.each<[string, unknown]>([
    ['an unknown key', { id: 'a', surname: 'b' }],
    ['a date format that is none', { id: 'a', birthDate: { column: 'b', format: '%Y' } }],
    ['a sex that is none', { id: 'a', gender: { column: 'b', values: { x: 'boy' } } }],
    ['an identifier without a system', { id: 'a', identifier: [{ column: 'b' }] }],
  ])('the document refuses %s', (_why, map) => {
    expect(MapDocument.safeParse(map).success).toBe(false);
  });

  test('prototype names as columns and values do no harm', () => {
    const rows = rowsOf('__proto__,constructor,id\nx,toString,1\n', {
      id: 'id',
      given: '__proto__',
      gender: { column: 'constructor', values: { __proto__: 'male' } },
    });
    expect(rows[0]).toMatchObject({ kind: 'good', patient: { name: [{ given: ['x'] }] } });
    expect(rows[0]?.kind === 'good' && rows[0].patient.gender).toBeFalsy();
  });

  test('bad bytes, control characters and monstrous values are the row’s own fault', () => {
    const csv = Buffer.concat([
      Buffer.from('id,g\n1,ok\n2,'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('\n3,a\u0000b\n4,fine\n'),
    ]);
    const rows = rowsOf(csv, { id: 'id', given: 'g' });
    expect(rows.map((row) => (row.kind === 'good' ? row.key : row.reason))).toEqual([
      '1',
      'holds bytes that are no valid text in the encoding of the file',
      'holds control characters',
      '4',
    ]);
  });

  test('a reason never tells the value', () => {
    const rows = rowsOf('id,g,b\n1,Secretname\u0007,x\n2,y\n3,ok,1999-99-99\n', {
      id: 'id',
      given: 'g',
      birthDate: 'b',
    });
    const told = rows
      .flatMap((row) => (row.kind === 'good' ? row.warnings.map(({ reason }) => reason) : [row.reason]))
      .join();
    expect(told).not.toMatch(/Secret|1999/);
  });
});

describe('guesses', () => {
  const guess = (csv: string) => inspect({ bytes: Buffer.from(csv), isWhole: true, fileName: 'x.csv' }, '2026-06-01');

  test('maps what the issue’s example has', () => {
    const csv =
      'rec_id, sex, date_of_birth, given_name, surname, phone_number,uganda_nin\nr1, f, 19671207, zuwena, acile, 712 300633, CF1\n';
    expect(guess(csv).guess).toEqual({
      id: 'rec_id',
      given: 'given_name',
      family: 'surname',
      gender: 'sex',
      birthDate: 'date_of_birth',
      phone: 'phone_number',
      identifier: [{ system: 'urn:careseal:identifier:uganda-nin', column: 'uganda_nin' }],
    });
  });

  test('finds date formats and says when they can be read in two ways', () => {
    expect(guess('id,dob\n1,25/12/1999\n2,03/04/1988\n').guess.birthDate).toEqual({
      column: 'dob',
      format: 'DD/MM/YYYY',
    });
    expect(guess('id,dob\n1,12/25/1999\n').guess.birthDate).toEqual({ column: 'dob', format: 'MM/DD/YYYY' });
    expect(guess('id,dob\n1,03/04/1988\n').problems).toContainEqual(
      expect.objectContaining({ code: 'ambiguous-date' }),
    );
  });

  test('looks at the values where the name says nothing', () => {
    expect(guess('id,c1,c2,c3\n1,m,a@b.org,+256712300633\n2,f,c@d.org,+256712300634\n').guess).toMatchObject({
      gender: 'c1',
      email: 'c2',
      phone: 'c3',
    });
  });

  test('what it guesses is a valid mapping', () => {
    const name = fc.constantFrom('id', 'name', 'sex', 'dob', 'tel', 'x', '', 'given name', 'CITY', 'nin');
    const value = fc.string({ unit: 'binary', maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 6 }),
        fc.array(value, { minLength: 6, maxLength: 6 }),
        (names, values) => {
          const csv = `${names.join(',')}\n${names.map((_, index) => `"${(values[index] ?? '').replaceAll('"', '')}"`).join(',')}\nx\n`;
          const { guess: map } = guess(csv);
          expect(MapDocument.safeParse(map).error?.issues ?? []).toEqual([]);
        },
      ),
    );
  });
});
