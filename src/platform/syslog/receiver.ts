import { createSocket } from 'node:dgram';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type PeerCertificate, peerCertificate } from '../http/peer.ts';
import { type Connections, createConnections, type LiveTls } from '../http/index.ts';
import { createFrameReader, FramingError, type FramingFault } from './framing.ts';
import { DATAGRAM_BYTES_MAX } from './sender.ts';

/** A message as it came, with what is known of its sender beyond its own word. */
export interface ReceivedMessage {
  readonly transport: 'tls' | 'udp';
  /** IP address of the sender; over UDP anybody may write any address. */
  readonly address: string;
  readonly message: Buffer;
  /** False where a datagram was as long as datagrams get: what is missing is gone. */
  readonly truncated: boolean;
}

export interface StreamSource {
  readonly address: string;
  readonly peer: PeerCertificate | undefined;
}

export interface SyslogReceiver {
  readonly port: number;
  /** Ends every connection, and waits for what was being kept. */
  close(): Promise<void>;
}

export interface TlsReceiverOptions<Sender> {
  readonly host: string;
  readonly port: number;
  /** Must ask for client certificates. */
  readonly tls: LiveTls;
  readonly sizeBytesMax: number;
  /** Raw TCP connections, those without a handshake included. */
  readonly connectionsMax: number;
  /** Per IPv4 address or IPv6 /56. */
  readonly connectionsPerAddressMax: number;
  /** Where open connections are counted; missing: here alone. */
  readonly connections?: Connections | undefined;
  /** From the connection to the end of the handshake. */
  readonly handshakeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Who the connection's certificate stands for, asked again for each batch. A rejection ends the connection. */
  readonly admit: (source: StreamSource) => Promise<Sender>;
  /** Keeps the messages; the next ones of this connection wait for it. A rejection ends the connection. */
  readonly take: (sender: Sender, messages: readonly ReceivedMessage[]) => Promise<void>;
  readonly refused: (source: StreamSource, because: FramingFault | 'too-many', error?: unknown) => void;
}

/** Syslog over TLS (RFC 5425). Slow keeping slows the sender down: nothing is read meanwhile, so nothing piles up here. */
export async function receiveOverTls<Sender>(options: TlsReceiverOptions<Sender>): Promise<SyslogReceiver> {
  const open = new Set<Socket>();
  const serving = new Set<Promise<void>>();
  const settings = {
    ...options.tls.current(),
    requestCert: true,
    ALPNProtocols: [],
    // We close after the sender did and everything is kept: it takes that for the receipt (RFC 5425 §4.4).
    allowHalfOpen: true,
    handshakeTimeout: options.handshakeTimeoutMs,
  };
  const server = createTlsServer(settings, (socket) => {
    const source = { address: socket.remoteAddress ?? 'unknown', peer: peerCertificate(socket) };
    socket.setTimeout(options.idleTimeoutMs, () => socket.destroy());
    const served = serve(socket, source, options).finally(() => serving.delete(served));
    serving.add(served);
  });
  // Before the handshake: whoever opens connections and says nothing would take every file handle of the process.
  server.maxConnections = options.connectionsMax;
  server.on('drop', (from) =>
    options.refused({ address: from?.remoteAddress ?? 'unknown', peer: undefined }, 'too-many'),
  );
  (options.connections ?? createConnections()).cap(server, 'audit', options);
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const stopFollowing = options.tls.onChange((changed) => server.setSecureContext(changed));
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  await listening(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopFollowing();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
      // What was read is kept, and who was refused is told, before anybody closes the database.
      await Promise.all(serving);
    },
  };
}

function listening(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: at.host, port: at.port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function serve<Sender>(
  socket: TLSSocket,
  source: StreamSource,
  options: TlsReceiverOptions<Sender>,
): Promise<void> {
  const reader = createFrameReader(options.sizeBytesMax);
  try {
    // Before a byte is read: who may not send is not listened to.
    await options.admit(source);
    for await (const chunk of socket) {
      const messages = reader.push(chunk as Buffer);
      if (messages.length === 0) continue;
      // A certificate revoked meanwhile ends the connection with the next message.
      const sender = await options.admit(source);
      await options.take(
        sender,
        messages.map((message) => ({ transport: 'tls', address: source.address, message, truncated: false })),
      );
    }
    socket.end();
  } catch (error) {
    if (error instanceof FramingError) options.refused(source, error.fault);
    socket.destroy();
  }
}

export interface UdpReceiverOptions {
  readonly host: string;
  readonly port: number;
  /** Datagrams taken within a second, whoever sent them: addresses in datagrams cost their sender nothing. */
  readonly perSecondMax: number;
  /** Their bytes together; one that would go beyond is lost, smaller ones after it are taken. */
  readonly bytesPerSecondMax: number;
  /** Never rejects; answers false when it is full, and the datagram is lost, as datagrams may be. */
  readonly take: (message: ReceivedMessage) => boolean;
  /** For each datagram that came and was lost here, beyond the bound or because it was full. */
  readonly dropped: () => void;
  /** A clock that never goes back. */
  readonly nowMs?: () => number;
}

const SECOND_MS = 1_000;

/** Answers whether one more of so many bytes may pass within the present second. */
function perSecond(max: number, bytesMax: number, nowMs: () => number): (bytes: number) => boolean {
  let beganMs = -Infinity;
  let passed = 0;
  let passedBytes = 0;
  return (bytes) => {
    const now = nowMs();
    if (now - beganMs >= SECOND_MS) {
      beganMs = now;
      passed = 0;
      passedBytes = 0;
    }
    if (passed >= max || passedBytes + bytes > bytesMax) return false;
    passed += 1;
    passedBytes += bytes;
    return true;
  };
}

/** Syslog over UDP (RFC 5426): one message per datagram, from whoever says so. */
export async function receiveOverUdp(options: UdpReceiverOptions): Promise<SyslogReceiver> {
  const socket = createSocket({ type: options.host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  const { perSecondMax, bytesPerSecondMax, nowMs = () => performance.now() } = options;
  const mayPass = perSecond(perSecondMax, bytesPerSecondMax, nowMs);
  socket.on('message', (message, { address }) => {
    const truncated = message.byteLength >= DATAGRAM_BYTES_MAX;
    if (!mayPass(message.byteLength) || !options.take({ transport: 'udp', address, message, truncated }))
      options.dropped();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: options.host, port: options.port }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  // An error on one datagram (an ICMP answer) must not end the receiver.
  socket.on('error', () => undefined);
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
