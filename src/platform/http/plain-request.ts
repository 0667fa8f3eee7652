import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Problem } from '../../kernel/problem.ts';
import type { DoorCode } from './errors.ts';

/** Node keeps the first of several and drops the others; a program before it may have gone by the last. By length, lower case. */
const SINGLE: ReadonlyMap<number, string> = new Map(
  ['host', 'authorization', 'content-type'].map((name) => [name.length, name]),
);

/** Connections on which a request was refused for that: what follows on them may be a part of it. */
const spoilt = new WeakSet<Socket>();

/**
 * Refuses what two programs on one way may understand in two ways (RFC 9112 §11.2), beyond what Node's parser refuses: a header given
 * twice that decides something, codings of the body other than chunks, versions that are not HTTP/1. The connection ends with it:
 * what was sent behind it is not done either.
 */
export function assertPlainRequest(raw: IncomingMessage): void {
  if (spoilt.has(raw.socket)) throw broken('It follows on a request that could not be understood.');
  try {
    assertPlain(raw);
  } catch (error) {
    spoilt.add(raw.socket);
    throw error;
  }
}

function assertPlain(raw: IncomingMessage): void {
  if (raw.httpVersionMajor !== 1) throw broken('Only HTTP/1.1 is spoken here.');
  const coding = raw.headers['transfer-encoding'];
  if (coding !== undefined) {
    if (raw.httpVersionMinor === 0) throw broken('HTTP/1.0 has no Transfer-Encoding.');
    if (coding.toLowerCase() !== 'chunked') throw broken('A body may be chunked, and coded in no other way.');
  }
  if (raw.url?.includes('#') === true) throw broken('The address has a part behind "#", which is never sent.');
  assertSingleHeaders(raw.rawHeaders);
}

function assertSingleHeaders(rawHeaders: readonly string[]): void {
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const single = SINGLE.get(name.length);
    if (single === undefined || name.toLowerCase() !== single) continue;
    const bit = 1 << name.length;
    if ((seen & bit) !== 0) throw broken(`The header "${single}" is given twice.`);
    seen |= bit;
  }
}

export function isBrokenRequest(problem: Problem): boolean {
  return (problem as Problem<DoorCode>).code === 'request-broken';
}

/**
 * The path that is asked for. An address with scheme and host, which proxies are sent, counts for both: its host takes the place of the
 * Host header (RFC 9112 §3.2.2) and is checked like it.
 */
export function requestTarget(raw: IncomingMessage): string {
  const url = raw.url ?? '/';
  if (url.startsWith('/')) return url;
  const [, host, path = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  if (host === undefined) return url;
  raw.headers.host = host;
  return path.startsWith('/') ? path : `/${path}`;
}

function broken(text: string): Problem<DoorCode> {
  return new Problem('invalid', 'request-broken', text);
}
