/** Octet counting (RFC 5425 §4.3, RFC 6587 §3.4.1): `MSG-LEN SP SYSLOG-MSG`. The length counts octets, never characters. */

export function frame(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${message.byteLength} `, 'latin1'), message]);
}

/** Why a stream cannot be read on: after any of these nobody knows where the next message begins. */
export type FramingFault = 'no-length' | 'too-long';

export class FramingError extends Error {
  readonly fault: FramingFault;
  constructor(fault: FramingFault) {
    super(fault);
    this.name = 'FramingError';
    this.fault = fault;
  }
}

const LENGTH_DIGITS_MAX = 8;
const SPACE = 0x20;

/**
 * Takes a stream apart. Keeps at most one message of `sizeBytesMax` and what came with it; throws FramingError where the stream
 * is not framed this way or announces more.
 */
export function createFrameReader(sizeBytesMax: number): { push(chunk: Uint8Array): Buffer[]; readonly held: number } {
  let chunks: Buffer[] = [];
  let held = 0;
  /** Length of the message that is being gathered, once known. */
  let wanted: number | undefined;

  function whole(): Buffer {
    const [only] = chunks;
    const joined = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, held);
    chunks = [joined];
    return joined;
  }

  function keep(rest: Buffer): void {
    chunks = rest.length === 0 ? [] : [rest];
    held = rest.length;
  }

  function readLength(): boolean {
    const bytes = whole();
    const space = bytes.subarray(0, LENGTH_DIGITS_MAX + 1).indexOf(SPACE);
    const digits = bytes.toString('latin1', 0, space < 0 ? Math.min(bytes.length, LENGTH_DIGITS_MAX + 1) : space);
    // MSG-LEN = NONZERO-DIGIT *DIGIT.
    if (!/^[1-9]\d*$/.test(digits)) {
      if (digits === '' && space < 0) return false;
      throw new FramingError('no-length');
    }
    if (space < 0) {
      if (digits.length > LENGTH_DIGITS_MAX) throw new FramingError('too-long');
      return false;
    }
    wanted = Number(digits);
    if (wanted > sizeBytesMax) throw new FramingError('too-long');
    keep(bytes.subarray(space + 1));
    return true;
  }

  return {
    get held() {
      return held;
    },
    push(chunk) {
      chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      held += chunk.byteLength;
      const messages: Buffer[] = [];
      for (;;) {
        if (wanted === undefined && (held === 0 || !readLength())) return messages;
        if (wanted === undefined || held < wanted) return messages;
        const bytes = whole();
        messages.push(bytes.subarray(0, wanted));
        keep(bytes.subarray(wanted));
        wanted = undefined;
      }
    },
  };
}
