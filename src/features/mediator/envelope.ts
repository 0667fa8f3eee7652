/**
 * Answers in the form that OpenHIM takes from mediators, for requests that came through it: its core marks them with a transaction
 * id, and unpacks what it gets. Who may ask is decided before, by the core's own client certificate: the header says nothing of that.
 */
import { utf8Decode } from '../../kernel/bytes.ts';
import { instant, type Clock } from '../../kernel/time.ts';
import type { RouteDeclaration, RouteReply } from '../../platform/http/index.ts';

const TRANSACTION = 'x-openhim-transactionid';
const TYPE = 'application/json+openhim';

/** The same routes; systems that ask through OpenHIM get their answers wrapped. */
export function answeringOpenHim(
  routes: readonly RouteDeclaration[],
  { urn, clock }: { readonly urn: string; readonly clock: Clock },
): RouteDeclaration[] {
  return routes.map((route) =>
    route.doors.includes('nodes') && route.output === 'fhir'
      ? {
          ...route,
          async handle(request) {
            const reply = await route.handle(request);
            const { kind } = request.actor.principal;
            return kind === 'node' && request.header(TRANSACTION) !== undefined ? wrapped(reply, urn, clock) : reply;
          },
        }
      : route,
  );
}

/** Refusals are not wrapped: they are the door's, and OpenHIM takes a plain answer as it is. */
function wrapped(reply: RouteReply<unknown>, urn: string, clock: Clock): RouteReply<never> {
  const { status, body, contentType, headers, cookies: _none, ...rest } = reply;
  const envelope = {
    'x-mediator-urn': urn,
    status: status < 400 ? 'Successful' : 'Failed',
    response: {
      status,
      headers: { ...headers, ...(contentType === undefined ? {} : { 'content-type': contentType }) },
      ...(body instanceof Uint8Array ? { body: utf8Decode(body) } : {}),
      timestamp: instant(clock.nowMs()),
    },
    orchestrations: [],
    properties: {},
  };
  return {
    ...rest,
    // The core reads the status from within; 204 and 304 could carry no envelope.
    status: 200,
    body: new TextEncoder().encode(JSON.stringify(envelope)),
    contentType: TYPE,
    headers: {},
  };
}
