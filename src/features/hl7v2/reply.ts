/** Acknowledgements and query responses: MSH, MSA, ERR and what follows. Pure. */
import { escapedText, fieldOf, type Hl7Message, type Segment } from './message.ts';

/** HL7 table 0008. AE: the content is at fault; AR: the kind of message, or this server, is. */
export type AckCode = 'AA' | 'AE' | 'AR';

/** HL7 table 0357, as far as it is used. */
export const ERRORS = {
  '100': 'Segment sequence error',
  '101': 'Required field missing',
  '102': 'Data type error',
  '200': 'Unsupported message type',
  '201': 'Unsupported event code',
  '202': 'Unsupported processing id',
  '203': 'Unsupported version id',
  '204': 'Unknown key identifier',
  '205': 'Duplicate key identifier',
  '206': 'Application record locked',
  '207': 'Application internal error',
} as const;
export type ErrorCode = keyof typeof ERRORS;

/** A refusal in HL7's terms. `text` is for people and names no value of the message. */
export interface Refused {
  readonly ack: 'AE' | 'AR';
  readonly code: ErrorCode;
  readonly text: string;
  /** ERR-2: segment, its number, field, repetition, component: `QPD^1^3^1^4`. */
  readonly location?: string;
  /** For the audit log. */
  readonly reason: string;
}

export class Hl7Refusal extends Error {
  readonly refused: Refused;

  constructor(refused: Refused) {
    super(refused.reason);
    this.name = 'Hl7Refusal';
    this.refused = refused;
  }
}

export interface ReplyFrame {
  readonly controlId: string;
  readonly nowMs: number;
}

/** MSH-9 of the answer: `ACK^A01^ACK`, `RSP^K23^RSP_K23`. */
export function replyText(
  request: Hl7Message | undefined,
  what: {
    readonly type: string;
    readonly ack: AckCode | 'CA' | 'CE' | 'CR';
    readonly refused?: Refused | undefined;
    readonly segments?: readonly string[];
    /** In enhanced mode an answer says that it wants none itself. */
    readonly enhanced?: boolean;
  },
  frame: ReplyFrame,
): string {
  const msh = request?.segments[0];
  const raw = (n: number): string => plain(request, msh, n);
  const version = raw(12).split('^')[0] || '2.5.1';
  const header = [
    'MSH|^~\\&',
    raw(5) || 'CARESEAL',
    raw(6),
    raw(3),
    raw(4),
    timestamp(frame.nowMs),
    '',
    what.type,
    frame.controlId,
    raw(11) || 'P',
    version,
    ...['', '', ...(what.enhanced === true ? ['NE', 'NE'] : ['', '']), ''],
    'UNICODE UTF-8',
  ].join('|');
  const text = what.refused === undefined ? '' : escapedText(what.refused.text);
  // MSA-3 was where errors were told before 2.4; later versions have ERR for it, and readers of both exist.
  const msa = ['MSA', what.ack, raw(10), ...(text === '' ? [] : [text])].join('|');
  const err = what.refused === undefined ? [] : [errorSegment(what.refused, version)];
  return `${[header, msa, ...err, ...(what.segments ?? [])].join('\r')}\r`;
}

function errorSegment({ code, text, location = '' }: Refused, version: string): string {
  const coded = `${code}^${ERRORS[code]}^HL70357`;
  // Before 2.5 there was ERR-1 only: where, and what, in one.
  if (/^2\.[0-4](\.|$)/.test(version)) {
    const [segment = '', sequence = '', field = ''] = location.split('^');
    return `ERR|${segment}^${sequence}^${field}^${code}&${ERRORS[code]}&HL70357`;
  }
  return `ERR||${location}|${coded}|E||||${escapedText(text)}`;
}

/** A header field with the standard delimiters, whatever the request's were. */
export function plain(request: Hl7Message | undefined, segment: Segment | undefined, n: number): string {
  if (!request || !segment) return '';
  const field = fieldOf(request, segment, n);
  const parts = [1, 2, 3].map((component) => escapedText(field.component(component).subcomponent(1)).slice(0, 200));
  return parts.join('^').replace(/\^+$/, '');
}

export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:T]/g, '').replace(/\..*$/, '+0000');
}
