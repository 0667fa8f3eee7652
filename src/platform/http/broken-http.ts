import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Problem } from '../../kernel/problem.ts';
import { plainAddress } from './address.ts';
import { ANONYMOUS } from './admission.ts';
import { type DoorCode, errorCode } from './errors.ts';
import type { DoorOptions } from './options.ts';
import { peerCertificate } from './peer.ts';
import type { RefusalReporter } from './refusals.ts';

const BROKEN: Readonly<Record<string, readonly [number, string, DoorCode]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'request-too-slow'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'headers-too-large'],
};
const NO_HTTP = [400, 'Bad Request', 'request-broken'] as const;
const LAST_WORDS_MS = 1_000;

/**
 * Requests that are not HTTP, too long or too slow never become a request; they get a bare status, the connection ends, and the
 * refusal is told like all others. Failed and unfinished TLS handshakes arrive here as well: nothing can be said there, and
 * waiting until it is said would keep the connection for ever; handshakes.ts tells of them.
 */
export function createBrokenHttp(
  options: Pick<DoorOptions, 'name' | 'newRequestId'>,
  reporter: Pick<RefusalReporter, 'report'>,
): (error: unknown, socket: Socket) => void {
  return (error, socket) => {
    const code = errorCode(error) ?? '';
    const isHttp = code.startsWith('HPE_') || code.startsWith('ERR_HTTP_');
    if (!isHttp || socket.destroyed || !socket.writable) {
      socket.destroy();
      return;
    }
    const underWay = answerUnderWay(socket);
    if (underWay !== undefined) {
      endAfter(underWay, socket);
      return;
    }
    const [status, words, reason] = BROKEN[code] ?? NO_HTTP;
    const peer = socket instanceof TLSSocket ? peerCertificate(socket) : undefined;
    const address = plainAddress(socket.remoteAddress);
    void reporter.report({
      actor: { principal: ANONYMOUS, origin: { door: options.name, address, requestId: options.newRequestId() } },
      stage: 'request',
      method: 'HTTP',
      problem: new Problem('invalid', reason, 'The connection brought no request that could be read.'),
      status,
      ...(peer === undefined ? {} : { certificateSha256: peer.sha256 }),
      count: 1,
    });
    socket.setTimeout(LAST_WORDS_MS, () => socket.destroy());
    socket.end(`HTTP/1.1 ${status} ${words}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
  };
}

/** Node's own name for the answer that is being made on a connection; its handler of such errors goes by it too. */
interface AnsweringSocket extends Socket {
  readonly _httpMessage?: ServerResponse | null;
}

/**
 * The answer to an earlier, whole request of the connection, or one that has begun: words of ours would be taken for it, so that
 * somebody whose change was made reads that it was not.
 */
function answerUnderWay(socket: AnsweringSocket): ServerResponse | undefined {
  // oxlint-disable-next-line eslint/no-underscore-dangle -- Node's name
  const answer = socket._httpMessage ?? undefined;
  return answer !== undefined && (answer.req.complete || answer.headersSent) ? answer : undefined;
}

/** What came after whole requests is broken: these are answered, and nothing else. */
function endAfter(answer: ServerResponse, socket: Socket): void {
  answer.once('close', () => {
    const next = answerUnderWay(socket);
    if (next === undefined || next === answer) socket.destroySoon();
    else endAfter(next, socket);
  });
}
