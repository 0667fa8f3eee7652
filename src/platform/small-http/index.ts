/**
 * HTTP at its smallest, for what is no door of Careseal: a server for one kind of request (the witness), and a client for
 * addresses that an administrator has set. Bodies are short texts; times and sizes are bounded.
 */
import { readFile } from 'node:fs/promises';
import {
  createServer as createPlainServer,
  type IncomingMessage,
  request as plainRequest,
  type Server,
} from 'node:http';
import { createServer as createTlsServer, request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { rootCertificates } from 'node:tls';

export interface SmallReply {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

export interface SmallServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** PEM files; without them plain HTTP, for loopback, a private network or a proxy in front. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  handle(request: { readonly method: string; readonly path: string; readonly body: string }): Promise<SmallReply>;
}

const BODY_BYTES_MAX = 65_536;
const TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 100;

/** Listens; answers the port and how to close. */
export async function startSmallServer(options: SmallServerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = await createServer(options);
  server.maxConnections = CONNECTIONS_MAX;
  server.headersTimeout = TIMEOUT_MS;
  server.requestTimeout = TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    // A server that listens on a port has an address of this kind.
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function createServer({ tls, handle }: SmallServerOptions): Promise<Server> {
  const answer = async (request: IncomingMessage): Promise<SmallReply> => {
    const body = await bodyOf(request).catch(() => undefined);
    if (body === undefined) return { status: 413, body: 'The body is too long.\n' };
    // Cut by hand: `//` and `http://[` are request targets that Node lets through and URL throws at.
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    return await handle({ method: request.method ?? '', path, body });
  };
  const listener: Parameters<typeof createPlainServer>[1] = (request, response) => {
    // Whatever a request makes fail is an answer: a rejection that nobody takes would end the process.
    void answer(request)
      .catch((): SmallReply => ({ status: 500, body: 'Failed.\n' }))
      .then(({ status, contentType = 'text/plain; charset=utf-8', body }) => {
        response.writeHead(status, { 'content-type': contentType }).end(body);
      });
  };
  if (tls === undefined) return createPlainServer({ maxHeaderSize: 8_192 }, listener);
  const [cert, key] = await Promise.all([readFile(tls.certificateFile), readFile(tls.keyFile)]);
  return createTlsServer({ cert, key, minVersion: 'TLSv1.2', maxHeaderSize: 8_192 }, listener);
}

async function bodyOf(stream: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    // Streams of bytes yield Buffers.
    const buffer = part as Buffer;
    bytes += buffer.length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError('too long');
    parts.push(buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

export interface SmallRequest {
  /** `http:` or `https:`; certificates are always verified. */
  readonly url: string;
  readonly body: string;
  /** Authority (PEM) to trust beside the public ones. */
  readonly authorityPem?: string;
}

/** POSTs a text. Rejects when nobody answers in ten seconds; any status is an answer. */
export function postText({ url, body, authorityPem }: SmallRequest): Promise<SmallReply> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) },
      timeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(authorityPem === undefined ? {} : { ca: [...rootCertificates, authorityPem] }),
    };
    const send = new URL(url).protocol === 'https:' ? tlsRequest : plainRequest;
    const request = send(url, options, (response) => {
      bodyOf(response).then((text) => {
        const contentType = response.headers['content-type'];
        resolve({
          status: response.statusCode ?? 0,
          body: text,
          ...(contentType === undefined ? {} : { contentType }),
        });
      }, reject);
    });
    request.once('error', reject);
    request.end(body);
  });
}
