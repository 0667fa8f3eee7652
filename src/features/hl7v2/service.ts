/** One HL7 message in, one answer out: who sent it, what it is, what came of it. */
import { newId } from '../../crypto/index.ts';
import type { NodeScope, Permission } from '../../kernel/access.ts';
import { mayUse, type NodePrincipal } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import { createRefusalReporter, type RefusalReporter } from '../../platform/http/index.ts';
import type { FrameFault, MllpSender } from '../../platform/mllp/index.ts';
import type { AuditInput } from '../audit/index.ts';
import { acknowledging } from './acknowledging.ts';
import { type BatchFault, batchReply, readBatch } from './batch.ts';
import type { Caller } from './caller.ts';
import type { Hl7Deps } from './deps.ts';
import { feed } from './feed.ts';
import { fieldOf, type Hl7Fault, type Hl7Message, parseHl7 } from './message.ts';
import { demographicsQuery, echoed, pixQuery, type Query, queryAck, type QueryAnswer, queryOf } from './query.ts';
import { type AckCode, Hl7Refusal, type Refused, type ReplyFrame, replyText } from './reply.ts';

export interface Hl7Service {
  /** Whether a connection with this certificate may go on; a refusal is recorded. */
  admit(sender: MllpSender): Promise<boolean>;
  /** The answers to a message, none where none was wanted; undefined where its sender is not let in any more. */
  handle(bytes: Uint8Array, sender: MllpSender): Promise<readonly Uint8Array[] | undefined>;
  /** The last words on a connection that lost its framing. */
  fault(fault: FrameFault | 'too-slow', sender: MllpSender): Promise<Uint8Array | undefined>;
  /** Writes the refusals counted so far. */
  stop(): Promise<void>;
}

type Kind =
  | { readonly kind: 'feed'; readonly event: string; readonly reply: string }
  | { readonly kind: 'pix' | 'demographics'; readonly reply: string };

const ADT_EVENTS = ['A01', 'A04', 'A05', 'A08', 'A40'];
const VERSION = /^2\.([3-9])(\.\d)?$/;

export function createHl7Service(deps: Hl7Deps): Hl7Service {
  const answer = (text: string): Uint8Array => utf8Encode(text);
  // Strangers may knock as often as they like: equal refusals are counted by the minute.
  const reporter = createRefusalReporter({ record: deps.audit.recordRefusal, onFailure: deps.onFailure });
  const frame = () => ({ controlId: newId().replaceAll('-', '').slice(0, 20), nowMs: deps.clock.nowMs() });

  const callerOf = (sender: MllpSender): Promise<Caller | undefined> => letIn(deps, reporter, sender);

  return {
    stop: () => reporter.stop(),
    admit: async (sender) => (await callerOf(sender)) !== undefined,
    async handle(bytes, sender) {
      const caller = await callerOf(sender);
      if (caller === undefined) return undefined;
      const file = readBatch(bytes);
      if (file === undefined) return (await answersTo(caller, bytes, frame)).map(answer);
      if (typeof file === 'string') return [answer(await refusedFrame(caller, FAULTS[file], frame()))];
      const answers: string[][] = [];
      for (const { messages } of file.batches) {
        const texts: string[] = [];
        for (const message of messages) {
          // Anew for each message: a node that was revoked is not heard on its old connection.
          const still = await callerOf(sender);
          if (still === undefined) return undefined;
          texts.push(...(await answersTo(still, message, frame)));
        }
        answers.push(texts);
      }
      return [answer(batchReply(file, answers, frame))];
    },
    async fault(fault, sender) {
      const caller = await callerOf(sender);
      if (caller === undefined) return undefined;
      const refused: Refused = { ack: 'AR', code: '207', text: FRAMING[fault], reason: `mllp-${fault}` };
      await record(caller, { event: 'hl7.refused', action: 'E', outcome: 'minor-failure', reason: refused.reason });
      return answer(replyText(undefined, { type: 'ACK', ack: 'AR', refused }, frame()));
    },
  };
}

/** A frame that could not be read as a message. */
async function refusedFrame(caller: Caller, refused: Refused, frame: ReplyFrame): Promise<string> {
  await record(caller, { event: 'hl7.refused', action: 'E', outcome: 'minor-failure', reason: refused.reason });
  return replyText(undefined, { type: 'ACK', ack: 'AR', refused }, frame);
}

/** What one message is answered by: nothing, an acknowledgement, or two in enhanced mode. */
async function answersTo(caller: Caller, bytes: Uint8Array, newFrame: () => ReplyFrame): Promise<string[]> {
  const message = parseHl7(bytes);
  if (typeof message === 'string') return [await refusedFrame(caller, FAULTS[message], newFrame())];
  // An acknowledgement is never acknowledged, or two systems would talk for ever.
  if (fieldOf(message, message.segments[0], 9).component(1).value() === 'ACK') return [];
  const came = await processed(caller, message);
  const { accept, application } = acknowledging(message, { ack: came.ack, isQuery: came.type.startsWith('RSP') });
  const enhanced = accept !== undefined || fieldOf(message, message.segments[0], 16).value() !== undefined;
  const refused = application || accept === 'CA' ? undefined : came.refused;
  return [
    ...(accept === undefined ? [] : [replyText(message, { type: 'ACK', ack: accept, refused, enhanced }, newFrame())]),
    ...(application ? [replyText(message, { ...came, enhanced }, newFrame())] : []),
  ];
}

interface Came {
  readonly type: string;
  readonly ack: AckCode;
  readonly refused?: Refused;
  readonly segments?: readonly string[];
}

/** Who sends, decided anew for each message; undefined where they are not let in, which is recorded. */
async function letIn(deps: Hl7Deps, reporter: RefusalReporter, sender: MllpSender): Promise<Caller | undefined> {
  const origin = {
    door: 'nodes',
    requestId: newId(),
    ...(sender.address ? { address: sender.address } : {}),
  } as const;
  try {
    await deps.admitNetwork(sender.address);
    const principal = await deps.nodes.authenticateNode(sender.peer, { address: sender.address });
    return { deps, actor: { principal, origin }, principal, registry: deps.registry.as(principal) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const anonymous = { kind: 'anonymous', permissions: new Set<never>() } as const;
    await reporter.report({
      actor: { principal: anonymous, origin },
      stage: 'authentication',
      method: 'MLLP',
      problem: error as Problem,
      status: 401,
      ...(sender.peer ? { certificateSha256: sender.peer.sha256 } : {}),
      count: 1,
    });
    return undefined;
  }
}

async function record({ deps, actor }: Caller, input: Omit<AuditInput, 'actor'>): Promise<void> {
  await deps.audit.recordNow([{ actor, ...input }]);
}

/** A message that could be read, from a caller who is let in. */
async function processed(caller: Caller, message: Hl7Message): Promise<Came> {
  const { deps } = caller;
  let query: Query | undefined;
  let type = 'ACK';
  try {
    const kind = kindOf(message, deps.processingIds);
    type = kind.reply;
    assertMay(caller.principal, kind);
    if (kind.kind === 'feed') {
      await feed(caller, message, kind.event);
      return { type, ack: 'AA' };
    }
    query = queryOf(message);
    const found =
      kind.kind === 'pix' ? await pixQuery(caller, message, query) : await demographicsQuery(caller, message, query);
    await record(caller, queryEvent(kind.kind, echoed(message, query), found));
    return { type, ack: 'AA', segments: found.segments };
  } catch (error) {
    const refused = refusedBy(error);
    if (refused === undefined) deps.onFailure(error);
    const told = refused ?? INTERNAL;
    await record(caller, { event: 'hl7.refused', action: 'E', outcome: 'minor-failure', reason: told.reason });
    const segments = query === undefined ? [] : [queryAck(query, told.ack), echoed(message, query)];
    return { type, ack: told.ack, refused: told, segments };
  }
}

/** What the message is. Throws Hl7Refusal (AR) where it is nothing that is done here. */
function kindOf(message: Hl7Message, processingIds: readonly string[]): Kind {
  const [msh] = message.segments;
  const type = fieldOf(message, msh, 9);
  const [code, event] = [type.component(1).value() ?? '', type.component(2).value() ?? ''];
  if (fieldOf(message, msh, 10).value() === undefined)
    throw new Hl7Refusal({
      ack: 'AR',
      code: '101',
      text: 'A message control id is needed.',
      location: 'MSH^1^10',
      reason: 'hl7-control-id',
    });
  if (!VERSION.test(fieldOf(message, msh, 12).value() ?? ''))
    throw rejected('203', 'Versions 2.3 to 2.9 are understood.', 'MSH^1^12');
  if (!processingIds.includes(fieldOf(message, msh, 11).value() ?? ''))
    throw rejected('202', 'This is the registry itself: processing id P is taken.', 'MSH^1^11');
  if (code === 'ADT') {
    if (!ADT_EVENTS.includes(event))
      throw rejected('201', `ADT events taken are ${ADT_EVENTS.join(', ')}.`, 'MSH^1^9^1^2');
    return { kind: 'feed', event, reply: `ACK^${event}^ACK` };
  }
  if (code === 'QBP' && event === 'Q23') return { kind: 'pix', reply: 'RSP^K23^RSP_K23' };
  if (code === 'QBP' && event === 'Q22') return { kind: 'demographics', reply: 'RSP^K22^RSP_K21' };
  if (code === 'QBP') throw rejected('201', 'Queries answered are Q22 and Q23.', 'MSH^1^9^1^2');
  throw rejected('200', 'Messages taken are ADT and QBP.', 'MSH^1^9^1^1');
}

const NEEDS: Readonly<Record<Kind['kind'], { readonly scope: NodeScope; readonly permission: Permission }>> = {
  feed: { scope: 'feed', permission: 'client.write' },
  pix: { scope: 'pix', permission: 'client.read' },
  demographics: { scope: 'search', permission: 'client.read' },
};

function assertMay(principal: NodePrincipal, { kind }: Kind): void {
  const { scope, permission } = NEEDS[kind];
  if (mayUse(principal, scope) && principal.permissions.has(permission)) return;
  throw new Hl7Refusal({
    ack: 'AR',
    code: '200',
    text: `This system lacks the scope "${scope}".`,
    location: 'MSH^1^9',
    reason: 'scope-missing',
  });
}

function queryEvent(kind: 'pix' | 'demographics', qpd: string, found: QueryAnswer): Omit<AuditInput, 'actor'> {
  const event = kind === 'pix' ? 'hl7.pix' : 'hl7.search';
  return { event, action: 'E', outcome: 'success', query: qpd, patients: found.patients };
}

/** A refusal in HL7's terms; undefined for what went wrong here. */
function refusedBy(error: unknown): Refused | undefined {
  if (error instanceof Hl7Refusal) return error.refused;
  if (!(error instanceof Problem) || error.kind === 'internal') return undefined;
  const { code, kind, publicDetail: text } = error as Problem;
  if (kind === 'unavailable') return { ack: 'AR', code: '207', text, reason: code };
  if (kind === 'conflict' || kind === 'precondition-failed') return { ack: 'AE', code: '205', text, reason: code };
  if (kind === 'not-found' || kind === 'gone') return { ack: 'AE', code: '204', text, reason: code };
  return { ack: 'AE', code: kind === 'forbidden' ? '204' : '102', text, reason: code };
}

const rejected = (code: '200' | '201' | '202' | '203', text: string, location: string): Hl7Refusal =>
  new Hl7Refusal({ ack: 'AR', code, text, location, reason: `hl7-unsupported-${code}` });

const INTERNAL: Refused = {
  ack: 'AR',
  code: '207',
  text: 'Something went wrong here. Nothing of this message was written; send it again.',
  reason: 'internal',
};

const fileFault = (text: string, reason: BatchFault): Refused => ({
  ack: 'AR',
  code: '100',
  text: `${text} Nothing of this file was done.`,
  reason: `hl7-${reason}`,
});

const FAULTS: Readonly<Record<Hl7Fault | BatchFault, Refused>> = {
  'several-messages': {
    ack: 'AR',
    code: '100',
    text: 'A frame holds one message; several come as a batch (BHS to BTS).',
    location: 'MSH^2',
    reason: 'hl7-several-messages',
  },
  'batch-order': fileFault('FHS, BHS, messages, BTS and FTS come in this order.', 'batch-order'),
  'batch-unfinished': fileFault('A batch or file has no end.', 'batch-unfinished'),
  'batch-count': fileFault('BTS-1 or FTS-1 counts otherwise than what came.', 'batch-count'),
  'batch-too-many': fileFault('A file has at most 1000 messages.', 'batch-too-many'),
  'no-msh': { ack: 'AR', code: '100', text: 'A message begins with MSH.', location: 'MSH', reason: 'hl7-no-msh' },
  'bad-delimiters': {
    ack: 'AR',
    code: '102',
    text: 'MSH-1 and MSH-2 are five different characters.',
    location: 'MSH^1^2',
    reason: 'hl7-delimiters',
  },
  charset: {
    ack: 'AR',
    code: '102',
    text: 'The text is not in the charset that MSH-18 names, or that charset is not taken.',
    location: 'MSH^1^18',
    reason: 'hl7-charset',
  },
  'too-many-segments': { ack: 'AR', code: '207', text: 'The message has too many segments.', reason: 'hl7-too-large' },
  'bad-segment': { ack: 'AR', code: '100', text: 'A line is no segment.', reason: 'hl7-segment' },
};

const FRAMING: Readonly<Record<FrameFault | 'too-slow', string>> = {
  unframed: 'A message is framed by <VT> and <FS><CR>. The connection is closed.',
  unfinished: 'After <FS> a <CR> was expected. The connection is closed.',
  nested: 'A message began within another one. The connection is closed.',
  'too-large': 'The message is larger than is taken. The connection is closed.',
  'too-slow': 'The message did not arrive in time. The connection is closed.',
};
