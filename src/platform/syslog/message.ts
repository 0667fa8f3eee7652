import { instant } from '../../kernel/time.ts';

/**
 * Syslog messages (RFC 5424). What is sent has no structured data and a body of UTF-8 without byte order mark, as IHE ITI-20
 * has it; what comes in may be anything, so the parser answers `undefined` rather than guess.
 */
export interface SyslogHeader {
  /** facility × 8 + severity. */
  readonly priority: number;
  readonly timestampMs: number;
  readonly hostName: string;
  readonly appName: string;
  readonly processId: string;
  readonly messageId: string;
}

export interface ParsedSyslog {
  readonly priority: number;
  /** Unix ms; undefined where the sender knew no time. */
  readonly timestampMs: number | undefined;
  readonly hostName: string | undefined;
  readonly appName: string | undefined;
  readonly messageId: string | undefined;
  /** What follows the structured data, without byte order mark. */
  readonly body: Uint8Array;
}

const LENGTHS = { hostName: 255, appName: 48, processId: 128, messageId: 32 } as const;

/** `<85>1 2026-… host Careseal 1 IHE+RFC-3881 - ` and the body. Header fields lose what RFC 5424 does not allow in them. */
export function printSyslog(header: SyslogHeader, body: string): Buffer {
  return Buffer.from(`${printHeader(header)}${body}`);
}

function printHeader(header: SyslogHeader): string {
  const field = (name: keyof typeof LENGTHS): string =>
    header[name].replaceAll(/[^\x21-\x7e]/g, '').slice(0, LENGTHS[name]) || '-';
  return `<${header.priority}>1 ${instant(header.timestampMs)} ${field('hostName')} ${field('appName')} ${field('processId')} ${field('messageId')} - `;
}

/** PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID, in ASCII; lengths are bounded so that no header is searched for long. */
const HEADER =
  /^<(\d{1,3})>1 (-|\S{1,64}) (-|[\x21-\x7e]{1,255}) (-|[\x21-\x7e]{1,48}) (-|[\x21-\x7e]{1,128}) (-|[\x21-\x7e]{1,32}) /;
const HEADER_BYTES_MAX = 640;
const PRIORITY_MAX = 191;
const STRUCTURED_BYTES_MAX = 8_192;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const SPACE = 0x20;
const NIL = 0x2d;

/** Undefined where the bytes are no RFC 5424 message. */
export function parseSyslog(message: Uint8Array): ParsedSyslog | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const head = HEADER.exec(bytes.toString('latin1', 0, HEADER_BYTES_MAX));
  if (head === null || Number(head[1]) > PRIORITY_MAX) return undefined;
  const after = afterStructuredData(bytes, head[0].length);
  if (after === undefined) return undefined;
  const timestamp = Date.parse(head[2] ?? '');
  const field = (index: number): string | undefined => (head[index] === '-' ? undefined : head[index]);
  return {
    priority: Number(head[1]),
    timestampMs: Number.isNaN(timestamp) ? undefined : timestamp,
    hostName: field(3),
    appName: field(4),
    messageId: field(6),
    body: withoutMark(bytes.subarray(after)),
  };
}

/** Where the body begins; `-` or any number of `[id name="value"]`, in which `\` takes the meaning from `"` and `]`. */
function afterStructuredData(bytes: Buffer, from: number): number | undefined {
  if (bytes[from] === NIL) return afterSpace(bytes, from + 1);
  let at = from;
  const limit = Math.min(bytes.length, from + STRUCTURED_BYTES_MAX);
  while (at < limit && bytes[at] === OPEN) {
    let quoted = false;
    for (at += 1; at < limit && (quoted || bytes[at] !== CLOSE); at++) {
      if (bytes[at] === BACKSLASH && quoted) at += 1;
      else if (bytes[at] === QUOTE) quoted = !quoted;
    }
    if (at >= limit) return undefined;
    at += 1;
  }
  return at === from ? undefined : afterSpace(bytes, at);
}

function afterSpace(bytes: Buffer, at: number): number | undefined {
  if (at === bytes.length) return at;
  return bytes[at] === SPACE ? at + 1 : undefined;
}

function withoutMark(body: Buffer): Buffer {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}
