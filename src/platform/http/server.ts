import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer, type ServerOptions } from 'node:https';
import type { TlsOptions } from 'node:tls';
import type { Connections } from './connection-cap.ts';

/** TLS settings that may change while the door is open. Made by platform/tls. */
export interface LiveTls {
  current(): TlsOptions;
  /** Calls `apply` with new settings each time certificates change; returns how to stop that. */
  onChange(apply: (options: TlsOptions) => void): () => void;
}

/** What a slow or greedy client can take. Each has a bound, so that a thousand of them cannot hold the door. */
export interface ConnectionLimits {
  readonly connectionsMax: number;
  /** Per IPv4 address or IPv6 /56. Raise it where a TCP balancer in front makes all connections come from one address. */
  readonly connectionsPerAddressMax: number;
  readonly handshakeTimeoutMs: number;
  readonly headersTimeoutMs: number;
  /** For a body of bounded size to arrive as a whole. Streams (uploads) are bounded by `idleTimeoutMs` instead. */
  readonly bodyTimeoutMs: number;
  /** Last resort for a whole request, uploads included. */
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly requestsPerConnectionMax: number;
  readonly headerBytesMax: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  connectionsMax: 2_000,
  connectionsPerAddressMax: 256,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  requestTimeoutMs: 3_600_000,
  idleTimeoutMs: 120_000,
  keepAliveTimeoutMs: 65_000,
  requestsPerConnectionMax: 100_000,
  headerBytesMax: 16_384,
};

/** A Node server with those bounds, plain or TLS, under whose name connections are counted. fastify is given it through `serverFactory`. */
export function boundedServer(
  listener: RequestListener,
  tls: LiveTls | undefined,
  limits: ConnectionLimits,
  counted: { readonly connections: Connections; readonly name: string },
): Server {
  const http = {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, limits.headersTimeoutMs),
    requireHostHeader: true,
  };
  const server = tls === undefined ? createHttpServer(http, listener) : tlsServer(http, listener, tls, limits);
  server.maxHeadersCount = 100;
  server.maxRequestsPerSocket = limits.requestsPerConnectionMax;
  server.setTimeout(limits.idleTimeoutMs);
  server.maxConnections = limits.connectionsMax;
  counted.connections.cap(server, counted.name, limits);
  return server;
}

function tlsServer(
  http: ServerOptions,
  listener: RequestListener,
  tls: LiveTls,
  limits: ConnectionLimits,
): HttpsServer {
  const server = createHttpsServer(
    { ...tls.current(), ...http, handshakeTimeout: limits.handshakeTimeoutMs },
    listener,
  );
  const stop = tls.onChange((options) => server.setSecureContext(options));
  server.on('close', stop);
  return server;
}
