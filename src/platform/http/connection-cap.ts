import type { Server, Socket } from 'node:net';
import { addressGroup, plainAddress } from './address.ts';

/** Ends connections beyond `max` of one IPv4 address or IPv6 /56. Counts raw TCP connections, before any TLS work is spent on them. */
export function capPerAddress(server: Server, max: number): void {
  const open = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const group = addressGroup(plainAddress(socket.remoteAddress));
    const count = (open.get(group) ?? 0) + 1;
    open.set(group, count);
    socket.once('close', () => {
      const left = (open.get(group) ?? 1) - 1;
      if (left > 0) open.set(group, left);
      else open.delete(group);
    });
    if (count > max) socket.destroy();
  });
}
