import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../kernel/principal.ts';
import { readCookie } from './cookies.ts';
import type { RouteRequest } from './route.ts';

/** What admission found out about a request; attached to that request and to nothing else. */
export interface Admitted {
  readonly actor: Actor;
  readonly baseUrl: string;
}

/** One per request. Methods live on the prototype and the abort signal is made only when asked for: this is the hot path. */
export class DoorRequest implements RouteRequest<unknown, unknown, unknown> {
  readonly actor: Actor;
  readonly baseUrl: string;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly #raw: FastifyRequest;
  readonly #closing: AbortSignal;
  #signal: AbortSignal | undefined;

  constructor(raw: FastifyRequest, admitted: Admitted, input: DoorInput, closing: AbortSignal) {
    this.actor = admitted.actor;
    this.baseUrl = admitted.baseUrl;
    this.params = input.params;
    this.query = input.query;
    this.body = input.body;
    this.#raw = raw;
    this.#closing = closing;
  }

  get method(): string {
    return this.#raw.method;
  }

  get url(): string {
    return this.#raw.url;
  }

  header(name: string): string | undefined {
    const value = this.#raw.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  cookie(name: string): string | undefined {
    return readCookie(this.#raw.headers.cookie, name);
  }

  get signal(): AbortSignal {
    this.#signal ??= goneSignal(this.#raw, this.#closing);
    return this.#signal;
  }
}

export interface DoorInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

function goneSignal(raw: FastifyRequest, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const socket = raw.raw.socket;
  if (socket.destroyed) gone.abort();
  else socket.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, closing]);
}
