import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';

/** Somebody else's syslog receiver, with real TLS. Takes frames apart by itself, so that ours are checked by other code. */
export interface SyslogServer {
  readonly port: number;
  /** Messages of connections that ended well or are open, in order of arrival. */
  readonly messages: string[];
  /** Connections so far. */
  connections: number;
  /** Fingerprints of the client certificates that came, '' where there was none. */
  readonly certificates: string[];
  /** What to do with the next connections. */
  mode: 'take' | 'ignore' | 'cut-after-first' | 'never-close';
  close(): Promise<void>;
}

export interface SyslogServerOptions {
  /** Without it the receiver is plain TCP. */
  readonly tls?: KeyMaterial & { readonly clientCa?: string };
  readonly port?: number;
}

export async function syslogServer(options: SyslogServerOptions = {}): Promise<SyslogServer> {
  const sockets = new Set<Socket>();
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    state.connections += 1;
    if ('getPeerX509Certificate' in socket && typeof socket.getPeerX509Certificate === 'function') {
      const peer = socket.getPeerX509Certificate() as { fingerprint256: string } | undefined;
      state.certificates.push(peer?.fingerprint256 ?? '');
    }
    if (state.mode === 'ignore') return void socket.pause();
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        const space = bytes.indexOf(' ');
        const length = space < 0 ? Number.NaN : Number(bytes.subarray(0, space).toString());
        if (space < 0 || bytes.length < space + 1 + length) return;
        state.messages.push(bytes.subarray(space + 1, space + 1 + length).toString('utf8'));
        bytes = bytes.subarray(space + 1 + length);
        if (state.mode === 'cut-after-first') return void socket.destroy();
      }
    });
    socket.on('end', () => {
      if (state.mode !== 'never-close') socket.end();
    });
  };
  const { tls } = options;
  const server: Server =
    tls === undefined
      ? createTcpServer({ allowHalfOpen: true }, take)
      : createTlsServer(
          {
            cert: tls.certificate,
            key: tls.key,
            allowHalfOpen: true,
            ...(tls.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: tls.clientCa }),
          },
          take,
        );
  server.on('tlsClientError', () => undefined);
  // Those whose handshake never ends, too.
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const state: SyslogServer = {
    port: (server.address() as AddressInfo).port,
    messages: [],
    connections: 0,
    certificates: [],
    mode: 'take',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return state;
}
