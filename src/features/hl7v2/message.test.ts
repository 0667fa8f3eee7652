import { Hl7Message as OtherParser } from '@medplum/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapedText, fieldOf, parseHl7, segmentsNamed, STANDARD } from './message.ts';

const HEADER = 'MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1';
const parse = (text: string, encoding: BufferEncoding = 'utf8') => parseHl7(Buffer.from(text, encoding));

describe('HL7 v2 messages', () => {
  test('any text comes back from an escaped field, beside the same in another parser', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0x21, max: 0x17f }).map((code) => String.fromCharCode(code)) }),
        (text) => {
          const message = parse(`${HEADER}||||||UNICODE UTF-8\rPID|||${escapedText(text)}^x\r`);
          if (typeof message === 'string') throw new Error(message);
          const value = fieldOf(message, segmentsNamed(message, 'PID')[0], 3).value();
          // Blanks around a value say nothing, the unbreakable one included.
          const said = text.trim();
          expect(value).toBe(said === '""' || said === '' ? undefined : said);
        },
      ),
    );
  });
  test('the other parser finds the same fields', () => {
    const text = `${HEADER}\rPID|1||a^b^^N&1.2&ISO~c||Family^Given\rNK1|1|X^Y`;
    const mine = parse(text);
    const other = OtherParser.parse(text);
    if (typeof mine === 'string') throw new Error(mine);
    const [pid] = segmentsNamed(mine, 'PID');
    const ids = fieldOf(mine, pid, 3).repetitions();
    expect(ids.map((one) => one.value())).toEqual(['a', 'c']);
    expect(other.getSegment('PID')?.getField(3)?.getComponent(1, 0, 0)).toBe('a');
    expect(fieldOf(mine, pid, 5).component(2).value()).toBe(other.getSegment('PID')?.getField(5)?.getComponent(2));
    expect(ids[0]?.component(4).subcomponent(2)).toBe('1.2');
    expect(fieldOf(mine, mine.segments[0], 9).component(2).value()).toBe('A01');
    expect(mine.delimiters).toEqual(STANDARD);
  });
  test.each([
    ['', 'no-msh'],
    ['PID|1', 'no-msh'],
    ['MSH', 'bad-delimiters'],
    ['MSH|^^^^|', 'bad-delimiters'],
    ['MSHA^~\\&A', 'bad-delimiters'],
    ['MSH|^~\\', 'bad-delimiters'],
    [`${HEADER}\rpid|1`, 'bad-segment'],
    [`${HEADER}\rPID${'|'.repeat(600)}`, 'bad-segment'],
    [`${HEADER}\r${'OBX|1\r'.repeat(2_001)}`, 'too-many-segments'],
    [`${HEADER}||||||UNICODE UTF-16\rPID|1`, 'charset'],
    [`${HEADER}||||||GB 18030-2000\rPID|1`, 'charset'],
    [`${HEADER}||||||ASCII\rPID|||é`, 'charset'],
    [`${HEADER}\rPID|||a\0b`, 'charset'],
  ])('%j is refused', (text, fault) => {
    expect(parse(text)).toBe(fault);
  });
  test('Latin-1 bytes are no UTF-8', () => {
    expect(parse(`${HEADER}||||||UNICODE UTF-8\rPID|||Müller`, 'latin1')).toBe('charset');
    expect(typeof parse(`${HEADER}||||||8859/1\rPID|||Müller`, 'latin1')).toBe('object');
  });
  test('any bytes are read or refused, never more', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        (raw) => void parseHl7(Buffer.concat([Buffer.from('MSH|^~\\&'), raw])),
      ),
    );
  });
});
