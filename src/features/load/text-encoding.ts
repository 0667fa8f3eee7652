/** Which encoding a file has, and how its bytes become text. Only what the first bytes prove is found; the rest is UTF-8 until said otherwise. */
export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** What a byte sequence that is no UTF-8 becomes; a row that has it is rejected. */
export const REPLACEMENT = '\ufffd';

export interface EncodingGuess {
  readonly encoding: Encoding;
  /** The bytes are no UTF-8 and nothing proves what they are; `windows-1252` would read them. */
  readonly doubtful: boolean;
}

export function detectEncoding(head: Uint8Array): EncodingGuess {
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', doubtful: false };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', doubtful: false };
  const zeros = zeroBytes(head);
  if (zeros.odd > head.length / 5 && zeros.even === 0) return { encoding: 'utf-16le', doubtful: false };
  if (zeros.even > head.length / 5 && zeros.odd === 0) return { encoding: 'utf-16be', doubtful: false };
  // The head may end inside a character; `stream` leaves such a rest alone.
  const text = new TextDecoder('utf-8').decode(head, { stream: true });
  return { encoding: 'utf-8', doubtful: text.includes(REPLACEMENT) };
}

function zeroBytes(head: Uint8Array): { even: number; odd: number } {
  const counts = { even: 0, odd: 0 };
  for (let i = 0; i < head.length; i++) {
    if (head[i] === 0) counts[i % 2 === 0 ? 'even' : 'odd']++;
  }
  return counts;
}

/** Pieces of bytes to pieces of text, byte-order mark removed, characters across pieces put together. */
export function textDecoder(encoding: Encoding): { push(bytes: Uint8Array): string; end(): string } {
  const decoder = new TextDecoder(encoding);
  return {
    push: (bytes) => decoder.decode(bytes, { stream: true }),
    end: () => decoder.decode(),
  };
}
