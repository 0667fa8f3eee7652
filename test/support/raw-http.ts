import { connect, type TLSSocket } from 'node:tls';
import type { Client } from './tls.ts';

/** What a door said on one connection until it ended. */
export interface RawTalk {
  /** Of each answer, in order. */
  readonly statuses: readonly number[];
  readonly text: string;
}

export function rawConnection({ port, ca, identity }: Client, alpn?: readonly string[]): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const own = identity === undefined ? {} : { cert: identity.certificate, key: identity.key };
    const wanted = alpn === undefined ? {} : { ALPNProtocols: [...alpn] };
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca, ...own, ...wanted });
    socket.once('secureConnect', () => resolve(socket)).once('error', reject);
  });
}

/** Writes bytes as they are and listens until the door ends the connection: its limits for silence have to be short. */
export async function talk(client: Client, ...parts: readonly (string | Uint8Array)[]): Promise<RawTalk> {
  const socket = await rawConnection(client);
  const chunks: Buffer[] = [];
  socket.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  for (const part of parts) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  await ended;
  const text = Buffer.concat(chunks).toString('latin1');
  return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)), text };
}
