/**
 * MLLP release 1: `<VT> message <FS><CR>`. Bytes come in as the network has them; frames, or one fault, come out. After a fault
 * nothing more is read: where a stream has lost its framing, a guess could take one message's end for another's beginning.
 */
export const VT = 0x0b;
export const FS = 0x1c;
export const CR = 0x0d;
const LF = 0x0a;

export type FrameFault =
  | 'unframed' // something other than <VT> where a message begins
  | 'unfinished' // <FS> without <CR>
  | 'nested' // a second <VT> within a message
  | 'too-large';

export type FrameEvent = { readonly frame: Uint8Array } | { readonly fault: FrameFault };

export interface FrameReader {
  /** Frames that this piece completes, in order; at most one fault, last. */
  read(piece: Uint8Array): FrameEvent[];
  /** A frame has begun and not ended. */
  readonly isInside: boolean;
}

export function createFrameReader(bytesMax: number): FrameReader {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let state: 'outside' | 'inside' | 'ending' | 'broken' = 'outside';

  function fault(kind: FrameFault): FrameEvent {
    state = 'broken';
    parts = [];
    return { fault: kind };
  }

  function take(part: Uint8Array): boolean {
    bytes += part.length;
    if (bytes > bytesMax) return false;
    if (part.length > 0) parts.push(part);
    return true;
  }

  return {
    get isInside() {
      return state === 'inside' || state === 'ending';
    },
    read(piece) {
      const events: FrameEvent[] = [];
      let at = 0;
      while (at < piece.length && state !== 'broken') {
        if (state === 'outside') {
          const byte = piece[at];
          at += 1;
          // Line ends between messages are what some senders add; anything else is no MLLP.
          if (byte === VT) state = 'inside';
          else if (byte !== CR && byte !== LF) events.push(fault('unframed'));
        } else if (state === 'ending') {
          if (piece[at] !== CR) events.push(fault('unfinished'));
          else {
            events.push({ frame: joined(parts) });
            parts = [];
            bytes = 0;
            state = 'outside';
          }
          at += 1;
        } else {
          const end = piece.indexOf(FS, at);
          const part = piece.subarray(at, end < 0 ? piece.length : end);
          if (part.includes(VT)) events.push(fault('nested'));
          else if (!take(part)) events.push(fault('too-large'));
          else if (end >= 0) state = 'ending';
          at = end < 0 ? piece.length : end + 1;
        }
      }
      return events;
    },
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

export function framed(message: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(VT), message, Uint8Array.of(FS, CR)]);
}
