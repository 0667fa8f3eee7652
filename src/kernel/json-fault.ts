/**
 * Finds the first fault of a JSON text that `strict-json.ts` has refused, by reading the grammar of RFC 8259 character by
 * character. Slow beside `JSON.parse`, and only run on refused texts. Iterative, since the text may be nested without end.
 */
export interface JsonFault {
  readonly reason: 'syntax' | 'duplicate' | 'deep' | 'surrogate' | 'number' | 'proto';
  /** UTF-16 offset into the text. */
  readonly offset: number;
}

const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

/** An open object remembers its names, an open array is `null`. */
type Frame = Set<string> | null;

/** The first fault in reading order, or `undefined` for a text without one. */
export function locateJsonFault(text: string, depthMax: number): JsonFault | undefined {
  const reader = createReader(text);
  const frames: Frame[] = [];
  try {
    readValue(reader, frames, depthMax);
    while (frames.length > 0) continueFrame(reader, frames, depthMax);
    reader.space();
    if (reader.at() < text.length) reader.fail('syntax');
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Found) return thrown.fault;
    throw thrown;
  }
}

class Found extends Error {
  readonly fault: JsonFault;
  constructor(fault: JsonFault) {
    super(fault.reason);
    this.fault = fault;
  }
}

interface Reader {
  at(): number;
  peek(): string;
  space(): void;
  /** Takes the expected character or fails. */
  take(character: string): void;
  /** Takes what the pattern matches here, or fails. */
  match(pattern: RegExp): string;
  /** Takes a string with its quotes, or fails inside it. */
  string(): string;
  fail(reason: JsonFault['reason'], offset?: number): never;
}

function createReader(text: string): Reader {
  let at = 0;
  const fail = (reason: JsonFault['reason'], offset = at): never => {
    throw new Found({ reason, offset });
  };
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return fail('syntax');
    at += found[0].length;
    return found[0];
  };
  const take = (character: string): void => (text.charAt(at) === character ? void at++ : fail('syntax'));
  // A loop, not one pattern: a pattern over a string of megabytes overflows the pattern matcher's stack.
  const string = (): string => {
    const start = at;
    take('"');
    for (let next = text.charAt(at); next !== '"'; next = text.charAt(at)) {
      if (next === '\\') match(ESCAPE);
      else if (next < ' ') return fail('syntax');
      else at++;
    }
    at++;
    return text.slice(start, at);
  };
  return { at: () => at, peek: () => text.charAt(at), space: () => void match(SPACE), take, match, string, fail };
}

/** Reads one value, going down into arrays and objects up to the first that is not nested further. */
function readValue(reader: Reader, frames: Frame[], depthMax: number): void {
  for (;;) {
    reader.space();
    const start = reader.at();
    const first = reader.peek();
    if (first !== '{' && first !== '[') {
      if (first === '"') readString(reader);
      else if (first !== '-' && !(first >= '0' && first <= '9')) reader.match(WORD);
      else if (!Number.isFinite(Number(reader.match(NUMBER)))) reader.fail('number', start);
      return;
    }
    if (frames.length >= depthMax) reader.fail('deep');
    reader.take(first);
    reader.space();
    const close = first === '{' ? '}' : ']';
    if (reader.peek() === close) return reader.take(close);
    frames.push(first === '{' ? new Set() : null);
    if (first === '{') readName(reader, frames);
  }
}

/** After a value inside an open array or object: the next one, or the closing. */
function continueFrame(reader: Reader, frames: Frame[], depthMax: number): void {
  reader.space();
  const names = frames.at(-1) ?? null;
  if (reader.peek() === ',') {
    reader.take(',');
    if (names !== null) readName(reader, frames);
    readValue(reader, frames, depthMax);
  } else {
    reader.take(names === null ? ']' : '}');
    frames.pop();
  }
}

function readName(reader: Reader, frames: readonly Frame[]): void {
  reader.space();
  const start = reader.at();
  const name = readString(reader);
  if (name === '__proto__') reader.fail('proto', start);
  const names = frames.at(-1);
  if (names?.has(name)) reader.fail('duplicate', start);
  names?.add(name);
  reader.space();
  reader.take(':');
}

function readString(reader: Reader): string {
  const start = reader.at();
  const value: unknown = JSON.parse(reader.string());
  if (typeof value !== 'string') return reader.fail('syntax', start);
  return value.isWellFormed() ? value : reader.fail('surrogate', start);
}
