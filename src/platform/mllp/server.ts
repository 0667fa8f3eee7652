import { createServer, type Server, type TLSSocket } from 'node:tls';
import {
  type Connections,
  createConnections,
  type LiveTls,
  type PeerCertificate,
  peerCertificate,
  plainAddress,
} from '../http/index.ts';
import { createFrameReader, type FrameFault, framed } from './frames.ts';

/** What a slow, greedy or broken sender can take. */
export interface MllpLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly handshakeTimeoutMs: number;
  /** From the first byte of a message to its last. */
  readonly messageTimeoutMs: number;
  /** Between messages; senders keep their connection for hours. */
  readonly idleTimeoutMs: number;
  readonly messageBytesMax: number;
}

const DEFAULT_MLLP_LIMITS: MllpLimits = {
  connectionsMax: 500,
  connectionsPerAddressMax: 64,
  handshakeTimeoutMs: 10_000,
  messageTimeoutMs: 30_000,
  idleTimeoutMs: 30 * 60_000,
  messageBytesMax: 1_048_576,
};

/** Where a message came from. */
export interface MllpSender {
  readonly peer: PeerCertificate | undefined;
  readonly address: string | undefined;
}

export interface MllpOptions {
  readonly tls: LiveTls;
  readonly limits?: Partial<MllpLimits>;
  /** Where open connections are counted; missing: here alone. */
  readonly connections?: Connections;
  /** Asked once per connection before anything is read; false closes it. */
  admit(sender: MllpSender): Promise<boolean>;
  /**
   * Answers a message, by none, one or several of its own; undefined closes the connection without an answer. Messages of a
   * connection come one after the other.
   */
  handle(message: Uint8Array, sender: MllpSender): Promise<readonly Uint8Array[] | undefined>;
  /** The last words on a connection that lost its framing; undefined says nothing. */
  fault(fault: FrameFault | 'too-slow', sender: MllpSender): Promise<Uint8Array | undefined>;
  /** Something failed here, not in a message. */
  onFailure(error: unknown): void;
}

export interface MllpServer {
  listen(where: { readonly host: string; readonly port: number }): Promise<{ readonly port: number }>;
  /** No new connections; messages under way are answered within `drainMs`. */
  close(drainMs: number): Promise<void>;
}

/** MLLP over TLS. Who may send is decided by `admit` and, for each message anew, by `handle`. */
export function createMllpServer(options: MllpOptions): MllpServer {
  const limits = { ...DEFAULT_MLLP_LIMITS, ...options.limits };
  const open = new Set<TLSSocket>();
  const busy = new Set<Promise<void>>();
  let closing = false;
  const server: Server = createServer({ ...options.tls.current(), handshakeTimeout: limits.handshakeTimeoutMs });
  const stop = options.tls.onChange((tls) => server.setSecureContext(tls));
  server.maxConnections = limits.connectionsMax;
  (options.connections ?? createConnections()).cap(server, 'hl7', limits);
  server.on('tlsClientError', (_error: unknown, socket: TLSSocket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => open.delete(socket));
    const served = serve(socket, { options, limits, isClosing: () => closing }).catch((error: unknown) => {
      options.onFailure(error);
      socket.destroy();
    });
    busy.add(served);
    void served.finally(() => busy.delete(served));
  });
  return {
    async listen({ host, port }) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      const at = server.address();
      return { port: typeof at === 'object' && at !== null ? at.port : port };
    },
    async close(drainMs) {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.emit('careseal-drain');
      const cut = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, drainMs);
      await Promise.all([closed, ...busy]);
      clearTimeout(cut);
      stop();
    },
  };
}

interface Serving {
  readonly options: MllpOptions;
  readonly limits: MllpLimits;
  readonly isClosing: () => boolean;
}

/** One connection from its first byte to its last. */
async function serve(socket: TLSSocket, { options, limits, isClosing }: Serving): Promise<void> {
  const sender: MllpSender = { peer: peerCertificate(socket), address: plainAddress(socket.remoteAddress) };
  if (!(await options.admit(sender))) return void socket.destroy();
  const reader = createFrameReader(limits.messageBytesMax);
  const lastWords = async (fault: FrameFault) => {
    const words = await options.fault(fault, sender);
    return words === undefined ? undefined : [words];
  };
  const clock = messageClock(socket, limits);
  socket.once('careseal-drain', () => {
    if (!reader.isInside) socket.end();
  });
  clock.between();
  try {
    // Reading pauses while a message is worked on, so a sender cannot pile up work.
    for await (const piece of socket as AsyncIterable<Uint8Array>) {
      for (const event of reader.read(piece)) {
        clock.working();
        const answers = 'frame' in event ? await options.handle(event.frame, sender) : await lastWords(event.fault);
        for (const answer of answers ?? []) await write(socket, framed(answer));
        if (answers === undefined || 'fault' in event || isClosing()) return void socket.end();
      }
      if (reader.isInside) clock.inside();
      else clock.between();
    }
  } catch (error) {
    if (!clock.isOver() && !socket.destroyed) throw error;
  } finally {
    clock.stop();
    socket.destroySoon();
  }
  if (clock.isTooSlow()) await options.fault('too-slow', sender);
}

/** Ends a connection whose message takes too long, or that says nothing for long. */
function messageClock(socket: TLSSocket, limits: MllpLimits) {
  let timer: NodeJS.Timeout | undefined;
  let state: 'between' | 'inside' | 'working' = 'working';
  let over: 'idle' | 'too-slow' | undefined;
  const arm = (ms: number, why: 'idle' | 'too-slow'): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      over = why;
      socket.destroy();
    }, ms);
  };
  return {
    between() {
      state = 'between';
      arm(limits.idleTimeoutMs, 'idle');
    },
    /** The deadline is the message's, not the byte's: it is not put off by a byte now and then. */
    inside() {
      if (state === 'inside') return;
      state = 'inside';
      arm(limits.messageTimeoutMs, 'too-slow');
    },
    working() {
      state = 'working';
      clearTimeout(timer);
    },
    stop: () => clearTimeout(timer),
    isOver: () => over !== undefined,
    isTooSlow: () => over === 'too-slow',
  };
}

function write(socket: TLSSocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
