import type { Server } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { Problem } from '../../kernel/problem.ts';
import { plainAddress } from './address.ts';
import { ANONYMOUS } from './admission.ts';
import { errorCode } from './errors.ts';
import type { DoorOptions } from './options.ts';
import type { RefusalReporter } from './refusals.ts';

/**
 * IHE ITI-19: a failed node authentication is an event, and some fail before there is a request: no common TLS version or
 * suite, a certificate without its key, a client that does not trust us. Bounded like all refusals of strangers.
 */
export function watchHandshakes(
  server: Server,
  options: Pick<DoorOptions, 'name' | 'newRequestId'>,
  reporter: RefusalReporter,
): void {
  server.on('tlsClientError', (error: unknown, socket: TLSSocket) => {
    const origin = {
      door: options.name,
      address: plainAddress(socket.remoteAddress),
      requestId: options.newRequestId(),
    };
    void reporter.report({
      actor: { principal: ANONYMOUS, origin },
      stage: 'authentication',
      method: 'TLS',
      problem: new Problem('unauthenticated', reasonOf(error), 'The TLS handshake failed.'),
      status: 401,
      count: 1,
    });
  });
}

/** OpenSSL's and Node's codes are closed lists: `ERR_SSL_NO_SHARED_CIPHER` becomes `handshake-no-shared-cipher`. */
function reasonOf(error: unknown): string {
  const code = (errorCode(error) ?? 'failed').replace(/^ERR_(?:SSL_|TLS_)?/, '');
  return `handshake-${code.toLowerCase().replaceAll('_', '-')}`;
}
