import { createSocket } from 'node:dgram';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { frame } from './framing.ts';

/** Where syslog goes. `tls` is RFC 5425, `tcp` the same framing in the clear, `udp` RFC 5426. */
export interface SyslogTarget {
  readonly protocol: 'tls' | 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  /** PEM of the authorities to trust (`tls`); the system's own when absent. */
  readonly ca?: string | undefined;
  /** The client certificate chain and its key, PEM. */
  readonly identity?: { readonly certificate: string; readonly key: string } | undefined;
}

/** A way to one receiver, for messages in their order. */
export interface SyslogConnection {
  /** Resolves once all of them are handed to the network and there is room for more. Rejects when the connection is broken. */
  send(messages: readonly Uint8Array[]): Promise<void>;
  /** The same for messages that are framed already, one after the other; not for datagrams. */
  sendFrames(frames: Uint8Array): Promise<void>;
  /**
   * Ends in an orderly way. Syslog has no acknowledgement; the nearest there is: a receiver that closes after we did has read
   * everything (`confirmed`). `unconfirmed`: it did not close in time. Rejects when the connection broke: messages may be lost.
   */
  finish(): Promise<'confirmed' | 'unconfirmed'>;
  /** Drops the connection at once. */
  destroy(): void;
}

/** A datagram cannot hold the message (RFC 5426 §3.2); it can never be sent this way. */
export class DatagramTooLong extends Error {
  readonly sizeBytes: number;
  constructor(sizeBytes: number) {
    super(`A message of ${sizeBytes} bytes does not fit into a datagram`);
    this.name = 'DatagramTooLong';
    this.sizeBytes = sizeBytes;
  }
}

/** The largest datagram there is over IPv4. */
export const DATAGRAM_BYTES_MAX = 65_507;

export interface SyslogOptions {
  readonly connectTimeoutMs: number;
  /** How long a write may wait for a slow receiver before the connection counts as broken. */
  readonly stallTimeoutMs: number;
  readonly finishTimeoutMs: number;
}

export async function openSyslog(target: SyslogTarget, options: SyslogOptions): Promise<SyslogConnection> {
  if (target.protocol === 'udp') return openDatagrams(target);
  const socket = await opened(target, options.connectTimeoutMs);
  return overStream(socket, options);
}

function opened(target: SyslogTarget, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = target;
    const socket: Socket =
      target.protocol === 'tcp'
        ? connectTcp({ host, port, noDelay: true })
        : connectTls({
            host,
            port,
            // SNI takes names only; the certificate is checked against the host either way.
            ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
            minVersion: 'TLSv1.2',
            ...(target.ca === undefined ? {} : { ca: target.ca }),
            ...(target.identity === undefined ? {} : { cert: target.identity.certificate, key: target.identity.key }),
          });
    const timer = setTimeout(() => socket.destroy(coded('ETIMEDOUT')), timeoutMs);
    const refused = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', refused);
    socket.once(target.protocol === 'tcp' ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', refused);
      resolve(socket);
    });
  });
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Handed over and not yet taken by the network; more waits. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

interface StreamState {
  broken: Error | undefined;
  ended: boolean;
  finishing: boolean;
}

/** Keeps the state as the socket tells it; `wake` is called at each change. */
function follow(socket: Socket, state: StreamState, wake: () => void): void {
  socket.on('error', (error) => {
    state.broken ??= error;
    wake();
  });
  // A receiver that closes first may not have read what was under way.
  socket.on('end', () => {
    state.ended = true;
    if (!state.finishing) state.broken ??= coded('ECONNRESET');
    wake();
  });
  socket.on('close', () => {
    if (!state.ended) state.broken ??= coded('ECONNRESET');
    state.ended = true;
    wake();
  });
  // Nothing is expected from the other side, but what comes must be read, or its end is never seen.
  socket.resume();
  socket.setKeepAlive(true, 30_000);
}

function overStream(socket: Socket, options: SyslogOptions): SyslogConnection {
  const state: StreamState = { broken: undefined, ended: false, finishing: false };
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const one of waiting) one();
  };
  follow(socket, state, wake);

  function assertWhole(): void {
    if (state.broken !== undefined) throw state.broken;
  }

  const until = (done: () => boolean, timeoutMs: number) =>
    waitUntil(() => state.broken !== undefined || done(), waiting, timeoutMs);

  let waitingBytes = 0;

  async function write(frames: Uint8Array): Promise<void> {
    assertWhole();
    waitingBytes += frames.byteLength;
    socket.write(frames, () => {
      waitingBytes -= frames.byteLength;
      wake();
    });
    // What comes next is made while this travels: a sender that waits for an empty pipe leaves it empty half of the time.
    await takenDownTo(WAITING_BYTES_MAX);
  }

  async function takenDownTo(bytes: number): Promise<void> {
    if (!(await until(() => waitingBytes <= bytes, options.stallTimeoutMs))) {
      state.broken ??= coded('ESTALLED');
      socket.destroy();
    }
    // `until` may have seen it break.
    assertWhole();
  }

  return {
    send: (messages) => write(Buffer.concat(messages.map(frame))),
    sendFrames: write,
    async finish() {
      assertWhole();
      // What has not left this process was not read by anybody, however patient we are afterwards.
      await takenDownTo(0);
      state.finishing = true;
      socket.end();
      const inTime = await until(() => state.ended, options.finishTimeoutMs);
      socket.destroy();
      assertWhole();
      return inTime ? 'confirmed' : 'unconfirmed';
    },
    destroy: () => void socket.destroy(),
  };
}

/** Looks again whenever somebody in `waiting` is woken; false when the time is over. */
function waitUntil(done: () => boolean, waiting: Set<() => void>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (result: boolean): void => {
      clearTimeout(timer);
      waiting.delete(look);
      resolve(result);
    };
    const timer = setTimeout(() => settle(false), timeoutMs);
    const look = (): void => {
      if (done()) settle(true);
    };
    waiting.add(look);
    look();
  });
}

/** Datagrams are neither ordered nor confirmed by anybody; an address that cannot be reached shows at most now and then. */
async function openDatagrams({ host, port }: SyslogTarget): Promise<SyslogConnection> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  let broken: Error | undefined;
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(port, host, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  socket.on('error', (error) => {
    broken ??= error;
  });
  return {
    async send(messages) {
      for (const message of messages) {
        if (message.byteLength > DATAGRAM_BYTES_MAX) throw new DatagramTooLong(message.byteLength);
        if (broken !== undefined) throw broken;
        await new Promise<void>((resolve, reject) => {
          socket.send(message, (error) => (error === null ? resolve() : reject(error)));
        });
      }
    },
    sendFrames: () => Promise.reject(new RangeError('A datagram is one message, without a frame')),
    finish() {
      socket.close();
      return broken === undefined ? Promise.resolve('confirmed') : Promise.reject(broken);
    },
    destroy: () => void socket.close(),
  };
}
