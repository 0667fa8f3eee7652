import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFrameReader, frame, FramingError, parseSyslog, printSyslog } from './index.ts';

const HEADER = {
  priority: 85,
  timestampMs: Date.parse('2026-01-31T09:30:00.123Z'),
  hostName: 'careseal.example.org',
  appName: 'Careseal',
  processId: '-',
  messageId: 'IHE+RFC-3881',
};

describe('frames', () => {
  test('count octets, not characters', () => {
    expect(frame(Buffer.from('é漢😀')).toString()).toBe('9 é漢😀');
  });

  test('come out as they went in, however the stream is cut', () => {
    const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 12 });
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 50 }), (sent, step) => {
        const stream = Buffer.concat(sent.map(frame));
        const reader = createFrameReader(300);
        const got: Buffer[] = [];
        for (let at = 0; at < stream.length; at += step) got.push(...reader.push(stream.subarray(at, at + step)));
        expect(got.map((one) => one.toString('hex'))).toEqual(sent.map((one) => Buffer.from(one).toString('hex')));
        expect(reader.held).toBe(0);
      }),
    );
  });

  test.each([
    ['no number', 'hello', 'no-length'],
    ['a sign', '-5 hello', 'no-length'],
    ['a leading zero', '05 hello', 'no-length'],
    ['the LF framing of old', '<34>1 2026', 'no-length'],
    ['a number without end', '123456789012', 'too-long'],
    ['more than is taken', '1048577 x', 'too-long'],
    ['only blanks', ' 5 hello', 'no-length'],
  ])('with %s are refused', (_name, text, fault) => {
    const reader = createFrameReader(1_048_576);
    expect(() => reader.push(Buffer.from(text))).toThrow(new FramingError(fault as 'too-long'));
  });

  test('of a megabyte pass, and no more than one is held', () => {
    const reader = createFrameReader(1_048_576);
    const message = Buffer.alloc(1_048_576, 'x');
    const stream = frame(message);
    for (let at = 0; at < stream.length - 1; at += 65_536) {
      expect(reader.push(stream.subarray(at, Math.min(at + 65_536, stream.length - 1)))).toEqual([]);
      expect(reader.held).toBeLessThanOrEqual(stream.length);
    }
    expect(reader.push(stream.subarray(stream.length - 1))[0]?.equals(message)).toBe(true);
  });
});

describe('messages', () => {
  test('are printed as RFC 5424 says, the body without byte order mark', () => {
    expect(printSyslog(HEADER, '<AuditMessage/>').toString()).toBe(
      '<85>1 2026-01-31T09:30:00.123Z careseal.example.org Careseal - IHE+RFC-3881 - <AuditMessage/>',
    );
  });

  test('lose what a header field may not hold', () => {
    const printed = printSyslog({ ...HEADER, hostName: 'a b\né<x>', appName: 'y'.repeat(60) }, '').toString();
    expect(printed).toMatch(/ ab<x> y{48} - IHE/);
  });

  test('come back whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (body) => {
        const parsed = parseSyslog(printSyslog(HEADER, body));
        const text = body.toWellFormed().replace(/^\ufeff/, '');
        expect(Buffer.from(parsed?.body ?? []).toString()).toBe(text);
        expect(parsed).toMatchObject({ priority: 85, timestampMs: HEADER.timestampMs, appName: 'Careseal' });
      }),
    );
  });

  test.each([
    ['structured data with every escape', '<85>1 - - - - - [a x="\\"]\\\\"][b] body', 'body'],
    ['a byte order mark', '<85>1 - - - - - - \ufeffbody', 'body'],
    ['nothing after the structured data', '<85>1 - - - - - -', ''],
  ])('with %s are read', (_name, text, body) => {
    expect(Buffer.from(parseSyslog(Buffer.from(text))?.body ?? Buffer.from('?')).toString()).toBe(body);
  });

  test.each([
    'no header at all',
    '<192>1 - - - - - - x',
    '<85>2 - - - - - - x',
    '<85>1 - - - - - [a x="never closed',
    '<85>1 - - - - - [a]x',
    '<85>1 - - - - -',
    '',
  ])('like "%s" are not guessed at', (text) => {
    expect(parseSyslog(Buffer.from(text))).toBeUndefined();
  });
});
