import { channel } from 'node:diagnostics_channel';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Problem } from '../../kernel/problem.ts';
import { isGenuineReceipt, isReceiptFor, receiptEvents } from './audited.ts';
import { writeCookie } from './cookies.ts';
import type { DoorCode } from './errors.ts';
import type { HeaderSet } from './headers.ts';
import type { RouteDeclaration, RouteReply } from './route.ts';

/** Told of every answer of a route that declares an event: `RouteAnswer`. */
export const ANSWERED_CHANNEL = 'careseal:route-answered';

export interface RouteAnswer {
  readonly method: string;
  readonly path: string;
  /** The declared one. */
  readonly event: string;
  /** Those that were written. */
  readonly events: readonly string[];
}

const JSON_TYPE = 'application/json; charset=utf-8';
const FHIR_TYPE = 'application/fhir+json; charset=utf-8';

/** What a route answered with, for whoever counts them: tests do, and the list of routes with a proven event is made from it. */
const answered = channel(ANSWERED_CHANNEL);

/**
 * A route that declared an event cannot answer without the receipt of one. By then the data is made but not sent, so a
 * handler that forgot its audit event shows nothing.
 */
export function assertAudited(route: RouteDeclaration, answer: RouteReply<unknown>): void {
  if (route.audit.kind === 'none') return;
  if (!isGenuineReceipt(answer.audited)) throw unaudited(route, 'without an audit receipt');
  if (answered.hasSubscribers) {
    const { method, path, audit } = route;
    const events = receiptEvents(answer.audited);
    answered.publish({ method, path, event: audit.event, events } satisfies RouteAnswer);
  }
}

/** Development and tests only: what was written is the event the route declares, or another way that act may end. */
export function assertDeclaredEvent(route: RouteDeclaration, answer: RouteReply<unknown>): void {
  if (route.audit.kind === 'none') return;
  const { event, or = [] } = route.audit;
  if ([event, ...or].some((one) => isReceiptFor(answer.audited, one))) return;
  throw unaudited(route, `with another event than ${event}`);
}

function unaudited({ method, path }: RouteDeclaration, how: string): Problem<DoorCode> {
  return new Problem<DoorCode>('internal', 'internal-error', 'Something went wrong on the server; nothing was shown.', {
    privateDetail: `${method} ${path} answered ${how}`,
  });
}

/** Development and tests only: the answer must have the shape the route declares, since the web is built on it. */
export function assertOutput(route: RouteDeclaration, answer: RouteReply<unknown>): void {
  if (typeof route.output === 'string' || answer.status >= 300) return;
  const result = route.output.safeParse(answer.body);
  if (result.success) return;
  const places = result.error.issues.map((issue) => `${issue.path.join('.')} (${issue.code})`).join(', ');
  throw new Problem<DoorCode>('internal', 'internal-error', 'Something went wrong on the server; nothing was shown.', {
    privateDetail: `${route.method} ${route.path} broke its output schema at ${places}`,
  });
}

export function sendAnswer(
  reply: FastifyReply,
  route: RouteDeclaration,
  answer: RouteReply<unknown>,
  base: HeaderSet,
): FastifyReply {
  reply.code(answer.status).header('x-request-id', reply.request.id).headers(base);
  if (answer.headers !== undefined) reply.headers(answer.headers);
  if (answer.cookies !== undefined)
    for (const change of answer.cookies) reply.header('set-cookie', writeCookie(change));
  const { body } = answer;
  if (body === undefined) return reply.send();
  if (body instanceof Readable) return reply.type(answer.contentType ?? 'application/octet-stream').send(body);
  if (body instanceof Uint8Array) {
    // A view, not a copy: fastify sends Buffers as they are.
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    return reply.type(answer.contentType ?? 'application/octet-stream').send(bytes);
  }
  const fallback = route.output === 'fhir' ? FHIR_TYPE : JSON_TYPE;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return reply.type(answer.contentType ?? fallback).send(text);
}
