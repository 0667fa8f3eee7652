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
