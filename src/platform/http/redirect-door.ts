import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Connections, createConnections } from './connection-cap.ts';
import type { DoorHandle } from './options.ts';
import { DEFAULT_CONNECTION_LIMITS } from './server.ts';

/**
 * Plain HTTP for people who typed the name without https: answers every request with 308 to the users' door and nothing
 * else. The target's host comes from the configured names; a Host header we do not know is sent to the first of them.
 */
export function createRedirectDoor(
  hostNames: readonly string[],
  usersPort: number,
  connections: Connections = createConnections(),
): DoorHandle {
  const known = new Set(hostNames.map((name) => name.toLowerCase()));
  const first = hostNames[0] ?? 'localhost';
  const limits = DEFAULT_CONNECTION_LIMITS;
  const server = createServer(
    { headersTimeout: limits.headersTimeoutMs, requestTimeout: limits.headersTimeoutMs, maxHeaderSize: 8_192 },
    (request, response) => {
      const asked = (request.headers.host ?? '')
        .replace(/:\d+$/, '')
        .replace(/^\[|\]$/g, '')
        .toLowerCase();
      const host = known.has(asked) ? asked : first;
      const port = usersPort === 443 ? '' : `:${usersPort}`;
      // Only a path in origin form goes into Location; anything else becomes the front page.
      const path = /^\/(?![/\\])[\x21-\x7e]*$/.test(request.url ?? '') ? request.url : '/';
      response.writeHead(308, {
        location: `https://${host.includes(':') ? `[${host}]` : host}${port}${path}`,
        connection: 'close',
        'content-length': 0,
        'x-content-type-options': 'nosniff',
      });
      response.end();
    },
  );
  server.maxConnections = limits.connectionsMax;
  connections.cap(server, 'redirect', limits);
  server.setTimeout(limits.headersTimeoutMs);
  return {
    async listen({ host, port }) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
      const bound = server.address() as AddressInfo; // a TCP server's address is never a string
      return { host, port: bound.port };
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
