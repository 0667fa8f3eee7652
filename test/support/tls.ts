import { Agent, type RequestOptions, request as httpsRequest } from 'node:https';
import {
  type ClientRequest as HttpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import type { TlsOptions } from 'node:tls';
import type { LiveTls } from '../../src/platform/http/index.ts';
import {
  type Authority,
  type Certificate,
  issueLeaf,
  type KeyMaterial,
  newIssuing,
  newLeafKey,
  newRoot,
} from '../../src/platform/tls/index.ts';

/** A certificate authority with real keys, made for one test file. */
export interface TestAuthority {
  readonly root: Authority;
  readonly issuing: Authority;
  /** PEM of the root: what clients trust. */
  readonly ca: string;
}

export async function testAuthority(name = 'Test'): Promise<TestAuthority> {
  const root = await newRoot(name, Date.now());
  const issuing = await newIssuing(root, name, Date.now());
  return { root, issuing, ca: root.certificate.pem };
}

export interface TestLeaf extends KeyMaterial {
  readonly leaf: Certificate;
}

export interface LeafOptions {
  readonly usage: 'server' | 'client';
  readonly names?: readonly string[];
  readonly kind?: 'ec' | 'rsa';
  readonly days?: number;
  readonly nowMs?: number;
}

export async function testLeaf(authority: TestAuthority, options: LeafOptions): Promise<TestLeaf> {
  const key = await newLeafKey(options.kind ?? 'ec');
  const leaf = await issueLeaf(authority.issuing, {
    usage: options.usage,
    commonName: 'test',
    spki: key.spki,
    names: options.names ?? ['localhost', '127.0.0.1'],
    days: options.days ?? 30,
    nowMs: options.nowMs ?? Date.now(),
  });
  return { leaf, certificate: leaf.pem + authority.issuing.certificate.pem, key: key.pem };
}

/** Settings that never change. */
export function fixedTls(options: TlsOptions): LiveTls {
  return { current: () => options, onChange: () => () => undefined };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; tests look into it freely. */
  json<T = Record<string, unknown>>(): T;
}

export interface Client {
  readonly port: number;
  readonly ca: string;
  /** The client's own certificate. */
  readonly identity?: KeyMaterial;
  readonly agent?: Agent;
  /** Of this machine: where the connection comes from. */
  readonly localAddress?: string;
}

export interface ClientRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** One request with Node's own client; a new connection unless the client has an agent. */
export function send(client: Client, what: ClientRequest): Promise<Answer> {
  const options: RequestOptions = {
    host: '127.0.0.1',
    servername: 'localhost',
    port: client.port,
    ca: client.ca,
    method: what.method ?? 'GET',
    path: what.path,
    headers: { host: `localhost:${client.port}`, ...what.headers },
    agent: client.agent ?? new Agent({ keepAlive: false, maxCachedSessions: 0 }),
    ...(client.localAddress === undefined ? {} : { localAddress: client.localAddress }),
    ...(client.identity === undefined ? {} : { cert: client.identity.certificate, key: client.identity.key }),
  };
  return exchange((done) => httpsRequest(options, done), what.body);
}

/** The same without TLS, for the operations and redirect doors. */
export function sendPlain(port: number, what: ClientRequest): Promise<Answer> {
  const headers = { host: `localhost:${port}`, ...what.headers };
  const options = {
    host: '127.0.0.1',
    port,
    method: what.method ?? 'GET',
    path: what.path,
    headers,
    agent: false,
  } as const;
  return exchange((done) => httpRequest(options, done), what.body);
}

function exchange(
  open: (done: (response: IncomingMessage) => void) => HttpRequest,
  body: string | Uint8Array | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = open((response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: <T>() => JSON.parse(text) as T,
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** An unsafe request as our own pages send it. */
export const OWN_PAGE = { 'x-careseal': '1', 'sec-fetch-site': 'same-origin' } as const;
