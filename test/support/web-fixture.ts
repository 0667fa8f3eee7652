/**
 * A small in-memory stand-in for the users' door, for tests of the pages alone: serves the built pages under the real
 * content security policy and answers the user API from made-up data. The journeys use the real server instead.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fixtureRoutes } from './web-fixture-routes.ts';

/** The same policy as the users' door sends. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export interface FixtureRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface FixtureAnswer {
  readonly status?: number;
  readonly body?: unknown;
}

export interface WebFixture {
  readonly url: string;
  /** What the fake knows; tests change it to bring a page into a state. */
  readonly state: FixtureState;
  close(): Promise<void>;
}

export interface FixtureState {
  signedIn: 'anonymous' | 'second-factor' | 'signed-in';
  roles: string[];
  clients: number;
  reviews: number;
  secondPerson: 'never' | 'merges' | 'always';
  nodes: number;
  loads: number;
  idleTimeoutSeconds: number;
  /** A notice waits to be acknowledged. */
  noticePending: boolean;
  /** Glass is broken, in an organisation that is not the central one. */
  emergency: boolean;
  /** Path prefix → status: answers a problem there instead. */
  failures: Map<string, number>;
  /** Path prefix → milliseconds. */
  delays: Map<string, number>;
  /** Everything unsafe that was asked for, for assertions. */
  readonly acts: FixtureRequest[];
}

export function freshState(): FixtureState {
  return {
    signedIn: 'signed-in',
    roles: ['administrator'],
    clients: 5000,
    reviews: 23,
    secondPerson: 'never',
    nodes: 3,
    loads: 4,
    idleTimeoutSeconds: 900,
    noticePending: false,
    emergency: false,
    failures: new Map(),
    delays: new Map(),
    acts: [],
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '' || request.headers['content-type'] !== 'application/json') return text === '' ? undefined : text;
  return JSON.parse(text);
}

function problem(status: number): unknown {
  const code = { 401: 'not-signed-in', 403: 'not-allowed', 503: 'unavailable' }[status] ?? 'broken';
  return {
    type: 'about:blank',
    title: code,
    status,
    detail: '',
    code,
    requestId: '0195ffff-0000-7000-8000-00000000abcd',
  };
}

async function answerApi(state: FixtureState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://fixture');
  const asked: FixtureRequest = {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    body: await bodyOf(request),
  };
  const unsafe = asked.method !== 'GET';
  if (unsafe) state.acts.push(asked);
  const entryOf = <T>(map: ReadonlyMap<string, T>): T | undefined =>
    [...map].find(([prefix]) => url.pathname.startsWith(prefix))?.[1];
  const delay = entryOf(state.delays);
  if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay));
  const failure = entryOf(state.failures);
  const send = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
    response.end(body === undefined ? '' : JSON.stringify(body));
  };
  if (failure !== undefined) return send(failure, problem(failure));
  if (unsafe && request.headers['x-careseal'] !== '1') return send(403, problem(403));
  const answer = fixtureRoutes(state, asked);
  send(answer.status ?? (answer.body === undefined ? 204 : 200), answer.body);
}

export async function startWebFixture(directory = 'dist/web'): Promise<WebFixture> {
  const state = freshState();
  const server: Server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://fixture').pathname;
    if (path.startsWith('/api/')) return answerApi(state, request, response);
    const file = path.startsWith('/assets/') ? path : '/index.html';
    const content = await readFile(join(directory, file)).catch(() => undefined);
    if (!content) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
      etag: createHash('sha256').update(content).digest('hex').slice(0, 16),
    });
    response.end(content);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    state,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
