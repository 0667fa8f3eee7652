/**
 * Files and batches (HL7 2.5.1 §2.10.3): `[FHS] { [BHS] { MSH … } [BTS] } [FTS]` in one frame, answered by one of the same kind that
 * holds an answer for each message. A file that is not whole is refused before its first message is done. Pure.
 */
import { delimitersOf, fieldOf, type Hl7Message, segmentLike, STANDARD } from './message.ts';
import { plain, type ReplyFrame, timestamp } from './reply.ts';

export interface BatchFile {
  readonly header: Hl7Message | undefined;
  readonly batches: readonly Batch[];
}

export interface Batch {
  readonly header: Hl7Message | undefined;
  /** Bytes of each message, to be read with its own delimiters and charset. */
  readonly messages: readonly Uint8Array[];
}

export type BatchFault =
  | 'batch-order' // headers, messages and trailers in another order
  | 'batch-unfinished' // no trailer where there was a header
  | 'batch-count' // the trailer counts otherwise
  | 'batch-too-many';

const MESSAGES_MAX = 1_000;
const MARK = /(?:^|[\r\n])(FHS|BHS|MSH|BTS|FTS)(?=[^\r\nA-Za-z0-9])/g;

/** Undefined where the frame holds a plain message, or nothing that begins like a file. */
export function readBatch(bytes: Uint8Array): BatchFile | BatchFault | undefined {
  // Names of segments and delimiters are ASCII in every charset that is taken; one character is one byte here.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (!/^\s{0,16}(FHS|BHS)/.test(text)) return undefined;
  const parts = [...text.matchAll(MARK)].map((found) => ({
    name: found[1] ?? '',
    at: found.index + found[0].length - 3,
  }));
  const reader = createBatchReader();
  for (const [index, { name, at }] of parts.entries()) {
    const end = parts[index + 1]?.at ?? bytes.length;
    const fault = reader.take(name, bytes.subarray(at, end));
    if (fault !== undefined) return fault;
  }
  return reader.end();
}

function createBatchReader() {
  let file: Hl7Message | undefined;
  let fileEnded = false;
  let open: { header: Hl7Message | undefined; messages: Uint8Array[] } | undefined;
  const batches: Batch[] = [];
  let messages = 0;

  function take(name: string, part: Uint8Array): BatchFault | undefined {
    if (fileEnded) return 'batch-order';
    if (name === 'MSH') {
      messages += 1;
      if (messages > MESSAGES_MAX) return 'batch-too-many';
      open ??= { header: undefined, messages: [] };
      open.messages.push(part);
      return undefined;
    }
    const header = headerIn(part);
    if (header === undefined) return 'batch-order';
    if (name === 'FHS') {
      if (file !== undefined || open !== undefined || batches.length > 0) return 'batch-order';
      file = header;
    } else if (name === 'BHS') {
      if (open !== undefined) return open.header === undefined ? 'batch-order' : 'batch-unfinished';
      open = { header, messages: [] };
    } else if (name === 'BTS') return endBatch(header);
    else return endFile(header);
    return undefined;
  }

  function endBatch(trailer: Hl7Message): BatchFault | undefined {
    if (open?.header === undefined) return 'batch-order';
    if (isMiscounted(trailer, open.messages.length)) return 'batch-count';
    batches.push(open);
    open = undefined;
    return undefined;
  }

  function endFile(trailer: Hl7Message): BatchFault | undefined {
    if (file === undefined) return 'batch-order';
    if (open?.header !== undefined) return 'batch-unfinished';
    if (open !== undefined) batches.push(open);
    open = undefined;
    fileEnded = true;
    return isMiscounted(trailer, batches.length) ? 'batch-count' : undefined;
  }

  function end(): BatchFile | BatchFault {
    if (open !== undefined || (file !== undefined && !fileEnded)) return 'batch-unfinished';
    return { header: file, batches };
  }

  return { take, end };
}

/** BTS-1 and FTS-1 are optional; where they stand they must be right, or something was lost on the way. */
function isMiscounted(trailer: Hl7Message, count: number): boolean {
  const told = fieldOf(trailer, trailer.segments[0], 1).value();
  return told !== undefined && Number(told) !== count;
}

function headerIn(part: Uint8Array): Hl7Message | undefined {
  const line =
    Buffer.from(part)
      .toString('utf8')
      .split(/[\r\n]/, 1)[0] ?? '';
  const isTrailer = line.startsWith('BTS') || line.startsWith('FTS');
  const delimiters = isTrailer ? { ...STANDARD, field: line.charAt(3) } : delimitersOf(line);
  const segment = delimiters === undefined ? undefined : segmentLike(line, delimiters);
  return delimiters === undefined || segment === undefined ? undefined : { delimiters, segments: [segment] };
}

/** The answer: the same nesting, each message's answers in its batch. */
export function batchReply(
  { header, batches }: BatchFile,
  answers: readonly (readonly string[])[],
  newFrame: () => ReplyFrame,
): string {
  const lines: string[] = [];
  if (header !== undefined) lines.push(headerLine('FHS', header, newFrame()));
  for (const [index, batch] of batches.entries()) {
    const texts = answers[index] ?? [];
    if (batch.header !== undefined) lines.push(headerLine('BHS', batch.header, newFrame()));
    lines.push(...texts.map((text) => text.replace(/\r$/, '')));
    if (batch.header !== undefined) lines.push(`BTS|${texts.length}`);
  }
  if (header !== undefined) lines.push(`FTS|${batches.length}`);
  return `${lines.join('\r')}\r`;
}

function headerLine(name: 'FHS' | 'BHS', request: Hl7Message, { controlId, nowMs }: ReplyFrame): string {
  const raw = (n: number): string => plain(request, request.segments[0], n);
  const to = [raw(5) || 'CARESEAL', raw(6), raw(3), raw(4)];
  return [name, '^~\\&', ...to, timestamp(nowMs), '', '', '', controlId, raw(11)].join('|').replace(/\|+$/, '');
}
