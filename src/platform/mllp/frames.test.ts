import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFrameReader, type FrameEvent, framed } from './index.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const read = (...pieces: Uint8Array[]): FrameEvent[] => {
  const reader = createFrameReader(100);
  return pieces.flatMap((piece) => reader.read(piece));
};
const shown = (events: FrameEvent[]): string[] =>
  events.map((event) => ('frame' in event ? Buffer.from(event.frame).toString('latin1') : event.fault));

describe('MLLP frames', () => {
  test('however a stream is cut, the same messages come out', () => {
    const content = fc
      .uint8Array({ maxLength: 80 })
      .map((raw) => raw.map((byte) => (byte === 0x0b || byte === 0x1c ? 0x20 : byte)));
    fc.assert(
      fc.property(
        fc.array(content, { maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
        (messages, cuts) => {
          const stream = Buffer.concat(messages.map(framed));
          const pieces: Uint8Array[] = [];
          for (let at = 0; at < stream.length; ) {
            const length = cuts.next().value;
            pieces.push(stream.subarray(at, at + length));
            at += length;
          }
          expect(shown(read(...pieces))).toEqual(messages.map((one) => Buffer.from(one).toString('latin1')));
        },
      ),
    );
  });
  test('line ends between messages are passed over', () => {
    expect(shown(read(bytes('\r\n\x0ba\x1c\r\n\x0bb\x1c\r')))).toEqual(['a', 'b']);
  });
  test.each([
    ['no <VT>', 'MSH|', 'unframed'],
    ['text after a message', '\x0ba\x1c\rMSH', 'unframed'],
    ['<FS> without <CR>', '\x0ba\x1cb', 'unfinished'],
    ['a message in a message', '\x0ba\x0bb\x1c\r', 'nested'],
    ['more than is taken', `\x0b${'x'.repeat(101)}`, 'too-large'],
  ])('%s: a fault, and nothing after it', (_what, text, fault) => {
    expect(shown(read(bytes(text), bytes('\x0bc\x1c\r'))).at(-1)).toBe(fault);
  });
});
