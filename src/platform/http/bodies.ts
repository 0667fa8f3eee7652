import { pipeline, type Readable, Transform } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { Problem } from '../../kernel/problem.ts';
import { parseStrictJson } from '../../kernel/strict-json.ts';
import type { DoorCode } from './errors.ts';
import type { RouteDeclaration } from './route.ts';
import type { ConnectionLimits } from './server.ts';

type BodyOptions = Pick<RouteOptions, 'bodyLimit' | 'preParsing' | 'preValidation'>;

/** Sets up how a route's body is read; returns what to add to the fastify route. */
export function readBodies(scope: FastifyInstance, route: RouteDeclaration, limits: ConnectionLimits): BodyOptions {
  const { body } = route.input;
  const bodyLimit = Math.max(1, route.limits.bodyBytesMax);
  if (body === 'none') {
    // Clients put a Content-Type on a DELETE without a body; admission has refused those that do have one.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    return { bodyLimit };
  }
  if (body === 'stream') {
    const max = route.limits.bodyBytesMax;
    scope.addContentTypeParser('*', (_request, payload, done) => {
      if (Number(payload.headers['content-length'] ?? 0) > max) done(tooLarge(), undefined);
      else done(null, counted(payload, max));
    });
    return { bodyLimit };
  }
  // Raw buffers in both cases: our JSON reader refuses duplicate names and broken UTF-8, and FHIR negotiates its own types.
  const toBody = body === 'bytes' ? (bytes: Buffer) => bytes : (bytes: Buffer) => parseStrictJson(bytes);
  scope.addContentTypeParser<Buffer>(
    body === 'bytes' ? '*' : 'application/json',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, bytes: Buffer) => toBody(bytes),
  );
  return { bodyLimit, ...bodyDeadline(limits.bodyTimeoutMs) };
}

/**
 * fastify leaves the length of unparsed bodies to the parser: this one ends a stream that grows beyond its limit. A client
 * that goes away ends it with an error too, so that a handler never waits for the rest.
 */
function counted(payload: Readable, bytesMax: number): Readable {
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytesMax) done(tooLarge());
      else done(null, chunk);
    },
  });
  // The counter is destroyed with the same error, which is where the handler learns of it.
  pipeline(payload, counter, () => undefined);
  return counter;
}

function tooLarge(): Problem<DoorCode> {
  return new Problem('too-large', 'body-too-large', 'The request body is larger than this address accepts.');
}

/** A bounded body has a deadline as a whole, so that sending it byte by byte does not hold a connection. */
function bodyDeadline(timeoutMs: number): Pick<BodyOptions, 'preParsing' | 'preValidation'> {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>();
  return {
    preParsing: (request: FastifyRequest, reply: FastifyReply, _payload, done) => {
      const timer = setTimeout(() => {
        if (!reply.sent) void reply.send(tooSlow());
      }, timeoutMs);
      timers.set(request, timer);
      request.raw.once('close', () => clearTimeout(timer));
      done();
    },
    preValidation: (request: FastifyRequest, _reply: FastifyReply, done) => {
      clearTimeout(timers.get(request));
      done();
    },
  };
}

function tooSlow(): Problem<DoorCode> {
  return new Problem('invalid', 'body-too-slow', 'The request body did not arrive in time.', { httpStatus: 408 });
}
