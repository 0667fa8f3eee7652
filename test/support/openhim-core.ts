/**
 * A small imitation of an OpenHIM core, since none is here: its API with the core's own authentication, the checks that it makes of
 * a mediator's registration, heartbeats, and a router that sends a request to the mediator over mutual TLS and unpacks the answer.
 * Written after jembi/openhim-core-js (src/api/authentication.js, mediators.js, middleware/router.js).
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { send, type TestAuthority, testAuthority, testLeaf } from './tls.ts';

export interface OpenHimCore {
  readonly url: string;
  readonly authority: TestAuthority;
  readonly mediators: Map<string, { readonly document: Record<string, never>; readonly heartbeats: number[] }>;
  /** Method and path of what was taken with its authentication, and its body. */
  readonly taken: { readonly call: string; readonly body: Readonly<Record<string, unknown>> }[];
  /** Requests refused for their authentication. */
  readonly refused: string[];
  /** The core's database is replaced. */
  forget(): void;
  /** As the router does for a client: through the mediator, unpacked. */
  route(
    what: { path: string; method?: string; body?: string; headers?: Record<string, string> },
    to: { port: number; ca: string; identity: KeyMaterial },
  ): Promise<Routed>;
  close(): Promise<void>;
}

export interface Routed {
  readonly status: number;
  readonly body: string;
  readonly contentType: string | undefined;
  /** The transaction as the core would show it: undefined where the mediator answered plainly. */
  readonly transaction: { readonly status: string; readonly urn: string } | undefined;
}

const sha512 = (text: string): string => createHash('sha512').update(text).digest('hex');

export async function openHimCore(user: string, password: string): Promise<OpenHimCore> {
  const authority = await testAuthority();
  const { certificate, key } = await testLeaf(authority, { usage: 'server', names: ['localhost', '127.0.0.1'] });
  const salt = randomBytes(16).toString('hex');
  const passwordHash = sha512(salt + password);
  const mediators: OpenHimCore['mediators'] = new Map();
  const refused: string[] = [];
  const taken: OpenHimCore['taken'] = [];
  const used = new Set<string>();

  function isAuthenticated({ headers }: IncomingMessage): boolean {
    // As it comes, a core takes both: a token, which proves the password, or the password itself.
    const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (basic !== undefined) return Buffer.from(basic, 'base64').toString() === `${user}:${password}`;
    const [name, at, requestSalt, token] = ['auth-username', 'auth-ts', 'auth-salt', 'auth-token'].map((header) =>
      String(headers[header] ?? ''),
    );
    const seconds = Math.abs(Date.now() - Date.parse(at ?? '')) / 1_000;
    if (name !== user || !(seconds < 10) || used.has(token ?? '')) return false;
    used.add(token ?? '');
    return token === sha512(`${passwordHash}${requestSalt}${at}`);
  }

  function register(document: Record<string, never>): number {
    const { urn, version, name, endpoints } = document as Record<string, unknown>;
    const complete = typeof urn === 'string' && /^\d+\.\d+\.\d+$/.test(String(version)) && typeof name === 'string';
    const [first] = (Array.isArray(endpoints) ? endpoints : []) as Record<string, unknown>[];
    if (!complete || !first?.['name'] || !first['host'] || !first['port']) return 400;
    mediators.set(urn, { document, heartbeats: [] });
    return 201;
  }

  const server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', method } = request;
      const answer = (status: number, body?: object): void =>
        void response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(body === undefined ? '' : JSON.stringify(body));
      const asked = /^\/authenticate\/(.+)$/.exec(url)?.[1];
      if (asked !== undefined)
        return decodeURIComponent(asked) === user ? answer(200, { salt, ts: new Date().toISOString() }) : answer(404);
      if (!isAuthenticated(request)) {
        refused.push(`${method} ${url}`);
        return answer(401);
      }
      const body = JSON.parse(Buffer.concat(chunks).toString() || '{}');
      taken.push({ call: `${method} ${decodeURIComponent(url)}`, body });
      if (method === 'POST' && url === '/mediators') return answer(register(body));
      const urn = /^\/mediators\/(.+)\/heartbeat$/.exec(url)?.[1];
      const known = mediators.get(decodeURIComponent(urn ?? ''));
      if (method !== 'POST' || known === undefined) return answer(404);
      if (typeof body.uptime !== 'number') return answer(400);
      known.heartbeats.push(body.uptime);
      answer(200);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    authority,
    mediators,
    taken,
    refused,
    forget: () => mediators.clear(),
    async route(what, to) {
      const headers = {
        ...what.headers,
        'x-openhim-transactionid': randomBytes(12).toString('hex'),
        'x-openhim-clientid': 'openmrs',
      };
      const got = await send(to, { ...what, headers });
      const type = String(got.headers['content-type'] ?? '');
      if (!type.startsWith('application/json+openhim'))
        return { status: got.status, body: got.text, contentType: type, transaction: undefined };
      const {
        response,
        status,
        'x-mediator-urn': urn,
      } = got.json<Record<string, never>>() as unknown as {
        response: { status: number; body?: string; headers: Record<string, string> };
        status: string;
        'x-mediator-urn': string;
      };
      return {
        status: response.status,
        body: response.body ?? '',
        contentType: response.headers['content-type'],
        transaction: { status, urn },
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
