import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../../kernel/problem.ts';
import { plainAddress } from './address.ts';
import { ANONYMOUS, type RequestState } from './admission.ts';
import { isRefusalAudited } from './audited.ts';
import { asProblem, errorFacts } from './errors.ts';
import type { HeaderSet } from './headers.ts';
import type { DoorOptions } from './options.ts';
import { isBrokenRequest } from './plain-request.ts';
import { operationOutcome, problemDocument, problemHeaders, problemStatus, wantsXml } from './problem-reply.ts';
import type { Refusal, RefusalReporter } from './refusals.ts';

/** fastify's error handler for a door: everything that is thrown on the way of a request ends here. */
export type Refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

export function createRefuse(options: DoorOptions, reporter: RefusalReporter, base: HeaderSet): Refuse {
  return async function refuse(error, request, reply) {
    const problem = asProblem(error);
    const status = problemStatus(problem);
    request.refusedAs = problem.code;
    if (status >= 500) logFailure(options, problem, request);
    if (!isRefusalAudited(problem)) await reporter.report(refusalOf(options, problem, status, request));
    reply.code(status).header('x-request-id', request.id).headers(base).headers(problemHeaders(problem, options.name));
    // What is left of the body is not waited for: a slow sender of a refused request would hold the connection.
    if (!request.raw.complete || isBrokenRequest(problem)) reply.header('connection', 'close');
    return sendProblem(options, problem, request, reply);
  };
}

function refusalOf(options: DoorOptions, problem: Problem, status: number, request: FastifyRequest): Refusal {
  const state = request.careseal ?? stateBeforeAdmission(options, request);
  const { route } = state;
  return {
    actor: state.actor,
    stage: state.stage,
    method: request.method,
    problem,
    status,
    count: 1,
    ...(route === undefined ? {} : { route: route.path }),
    ...(route?.audit.kind === 'event' ? { event: route.audit.event } : {}),
    ...(state.peer === undefined ? {} : { certificateSha256: state.peer.sha256 }),
  };
}

/** fastify turned the request away (an impossible URL) before any of our hooks ran. */
function stateBeforeAdmission(options: DoorOptions, request: FastifyRequest): RequestState {
  const origin = {
    door: options.name,
    address: plainAddress(request.raw.socket.remoteAddress),
    requestId: request.id,
  };
  const actor = { principal: ANONYMOUS, origin };
  return { actor, baseUrl: '', stage: 'authentication', route: undefined, peer: undefined };
}

function logFailure(options: DoorOptions, problem: Problem, request: FastifyRequest): void {
  const fields = {
    door: options.name,
    requestId: request.id,
    method: request.method,
    route: request.careseal?.route?.path,
    code: problem.code,
    detail: problem.options.privateDetail,
    ...errorFacts(problem.options.cause ?? problem),
  };
  options.log.error(fields, 'Request failed');
}

function sendProblem(
  options: DoorOptions,
  problem: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const id = request.id;
  if (!/^\/fhir(?:[/?]|$)/.test(request.url))
    return reply.type('application/problem+json; charset=utf-8').send(JSON.stringify(problemDocument(problem, id)));
  const outcome = operationOutcome(problem, id);
  if (options.fhirXml !== undefined && wantsXml(request.url, request.headers.accept))
    return reply.type('application/fhir+xml; charset=utf-8').send(options.fhirXml(outcome));
  return reply.type('application/fhir+json; charset=utf-8').send(JSON.stringify(outcome));
}
