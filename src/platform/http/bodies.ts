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
  if (body === 'none') return { bodyLimit };
  if (body === 'stream') {
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
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
