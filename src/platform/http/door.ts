import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { AddressInfo } from 'node:net';
import { Problem } from '../../kernel/problem.ts';
import { createAdmission, type GuardedRoute } from './admission.ts';
import { assertAudited, assertDeclaredEvent, assertOutput, sendAnswer } from './answer.ts';
import { readBodies } from './bodies.ts';
import { createBrokenHttp } from './broken-http.ts';
import { assertRoutes } from './check-routes.ts';
import { type DoorCode, errorFacts } from './errors.ts';
import { dataHeaders, type HeaderSet } from './headers.ts';
import { inputParser } from './input.ts';
import { createLimits, type Limits } from './limiter.ts';
import { watchHandshakes } from './handshakes.ts';
import type { DoorHandle, DoorOptions, RequestSample } from './options.ts';
import { checkBrowserOrigin, checkHost, type HostNames, hostNames, isDataPath } from './origin-checks.ts';
import { assertPlainRequest, requestTarget } from './plain-request.ts';
import { createRefusalReporter } from './refusals.ts';
import { createRefuse } from './refuse.ts';
import { DoorRequest } from './request.ts';
import type { RouteDeclaration } from './route.ts';
import { createConnections } from './connection-cap.ts';
import { boundedServer, type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from './server.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/;
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
const DRAIN_MS = 10_000;

/**
 * A door: one listening port with its way of authenticating and its share of the routes. Refuses to be built when a route
 * has no access, audit or limits.
 */
export function createDoor(options: DoorOptions): DoorHandle {
  assertRoutes(options.routes);
  if (options.tls === undefined && options.name !== 'operations')
    throw new Error(`The ${options.name} door needs TLS.`);
  const limits: ConnectionLimits = { ...DEFAULT_CONNECTION_LIMITS, ...options.connectionLimits };
  const base = dataHeaders(options.tls !== undefined);
  const closing = new AbortController();
  const scheme = options.tls === undefined ? 'http' : 'https';
  let names: HostNames = hostNames(options.hostNames, scheme, options.publicPort ?? 0);
  const reporter = createRefusalReporter({
    record: options.recordRefusal,
    onFailure: (error) => options.log.error(errorFacts(error), 'A refusal could not be written to the audit log'),
  });
  const admit = createAdmission(options, () => names);
  const refuse = createRefuse(options, reporter, base);
  const app = bareApp(options, limits, { refuse, broken: createBrokenHttp(options, reporter) });
  const rates = options.rates ?? createLimits();
  const common = { options, app, admit, refuse, base, limits, rates };
  const parts: DoorParts = { ...common, closing: closing.signal, names: () => names };
  if (options.name === 'nodes') watchHandshakes(app.server, options, reporter);
  const own = options.routes.filter((route) => route.doors.includes(options.name));
  for (const route of own) addRoute(parts, route);
  addOtherMethods(parts, own);
  addNotFound(parts);
  return {
    async listen({ host, port }) {
      if (options.name === 'operations' && !LOOPBACK.has(host))
        throw new Error(`The operations door listens on the loopback address only, not on ${host}.`);
      await app.listen({ host, port });
      const bound = app.server.address() as AddressInfo; // a TCP server's address is never a string
      names = hostNames(options.hostNames, scheme, options.publicPort ?? bound.port);
      return { host, port: bound.port };
    },
    async close(drainMs = DRAIN_MS) {
      const cut = setTimeout(() => {
        closing.abort();
        app.server.closeAllConnections();
      }, drainMs);
      await app.close();
      clearTimeout(cut);
      closing.abort();
      await reporter.stop();
    },
  };
}

interface DoorParts {
  readonly options: DoorOptions;
  readonly app: FastifyInstance;
  readonly admit: ReturnType<typeof createAdmission>;
  readonly refuse: ReturnType<typeof createRefuse>;
  readonly base: HeaderSet;
  readonly limits: ConnectionLimits;
  readonly rates: Limits;
  readonly closing: AbortSignal;
  readonly names: () => HostNames;
}

function bareApp(
  options: DoorOptions,
  limits: ConnectionLimits,
  { refuse, broken }: Pick<DoorParts, 'refuse'> & { readonly broken: ReturnType<typeof createBrokenHttp> },
): FastifyInstance {
  const { connections = createConnections() } = options;
  const app = fastify({
    serverFactory: (listener) => boundedServer(listener, options.tls, limits, { connections, name: options.name }),
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 256 },
    rewriteUrl: requestTarget,
    genReqId: (raw) => {
      const given = raw.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : options.newRequestId();
    },
    frameworkErrors: (error, request, reply) => {
      void refuse(error, request, reply);
    },
    clientErrorHandler: broken,
  });
  app.removeAllContentTypeParsers();
  app.decorateRequest('careseal', null);
  app.decorateRequest('refusedAs', null);
  app.setErrorHandler(refuse);
  const { observe } = options;
  if (observe !== undefined)
    app.addHook('onResponse', (request, reply, done) => {
      observe(sampleOf(options.name, request, reply));
      done();
    });
  return app;
}

function sampleOf(door: DoorOptions['name'], request: FastifyRequest, reply: FastifyReply): RequestSample {
  const principal = request.careseal?.actor.principal;
  const [bytesIn, bytesOut] = [Number(request.headers['content-length']), Number(reply.getHeader('content-length'))];
  return {
    door,
    method: request.method,
    route: request.careseal?.route?.path ?? '-',
    status: reply.statusCode,
    seconds: reply.elapsedTime / 1000,
    requestId: request.id,
    ...(principal?.kind === 'node' ? { nodeId: principal.nodeId } : {}),
    ...(request.refusedAs === null ? {} : { code: request.refusedAs }),
    ...(Number.isSafeInteger(bytesIn) ? { bytesIn } : {}),
    ...(Number.isSafeInteger(bytesOut) ? { bytesOut } : {}),
  };
}

function addRoute(parts: DoorParts, declaration: RouteDeclaration): void {
  const { options, app, admit, base, closing, rates } = parts;
  const { method, path, limits } = declaration;
  const limiter = rates.limiter(`${options.name} ${method} ${path}`, limits.perMinute);
  const guarded: GuardedRoute = { declaration, limiter };
  const parse = inputParser(declaration);
  const validate = options.validateOutput === true;
  // Each kind of body has its own parsers, so each route gets an encapsulated context.
  void app.register(async (scope) => {
    const bodies = readBodies(scope, declaration, parts.limits);
    scope.route({
      method: declaration.method,
      url: declaration.path,
      ...bodies,
      onRequest: (request: FastifyRequest) => admit(request, guarded),
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        // Set by admit in onRequest; without it there is no principal to act for.
        if (request.careseal === null) throw new Error('The request was not admitted.');
        const answer = await declaration.handle(new DoorRequest(request, request.careseal, parse(request), closing));
        assertAudited(declaration, answer);
        if (validate) {
          assertDeclaredEvent(declaration, answer);
          assertOutput(declaration, answer);
        }
        return sendAnswer(reply, declaration, answer, base);
      },
    });
  });
}

/** A known address with another method: 405 with Allow, after the same admission as everything else. */
function addOtherMethods(parts: DoorParts, routes: readonly RouteDeclaration[]): void {
  const byPath = new Map<string, string[]>();
  for (const { path, method } of routes) byPath.set(path, [...(byPath.get(path) ?? []), method]);
  for (const [url, allowed] of byPath) {
    const allow = allowed.sort().join(', ');
    const refuseMethod = async (request: FastifyRequest, reply: FastifyReply) => {
      // An address may be a page's for who reads and a route's for who posts: /enrol.
      const page = parts.options.site !== undefined && sitePage(parts, request, reply);
      if (page !== false) return page;
      await parts.admit(request, undefined);
      reply.header('allow', allow);
      throw new Problem<DoorCode>('method-not-allowed', 'method-not-allowed', `This address takes ${allow} only.`);
    };
    const method = METHODS.filter((name) => !allowed.includes(name));
    if (method.length > 0) parts.app.route({ method, url, onRequest: refuseMethod, handler: unreachable });
  }
}

function unreachable(): never {
  throw new Error('onRequest refuses before this runs.');
}

function addNotFound(parts: DoorParts): void {
  const { options, app } = parts;
  app.setNotFoundHandler(async (request, reply) => {
    const page = options.site !== undefined && sitePage(parts, request, reply);
    if (page !== false) return page;
    await parts.admit(request, undefined);
    throw new Problem<DoorCode>('not-found', 'route-unknown', 'There is nothing at this address.');
  });
}

function sitePage({ options, names }: DoorParts, request: FastifyRequest, reply: FastifyReply): FastifyReply | false {
  const path = request.url.split('?', 1)[0] ?? '/';
  if ((request.method !== 'GET' && request.method !== 'HEAD') || isDataPath(path)) return false;
  assertPlainRequest(request.raw);
  checkBrowserOrigin(request.method, path, request.headers, checkHost(request.headers, names()));
  const found = options.site?.find(path, request.headers['accept-encoding']);
  if (found === undefined) return false;
  reply.headers(found.headers).header('x-request-id', request.id);
  if (found.etag !== undefined && request.headers['if-none-match'] === found.etag) return reply.code(304).send();
  return reply.code(200).send(found.body);
}
