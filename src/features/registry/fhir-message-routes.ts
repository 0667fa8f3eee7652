/** Where Bundles of every kind and feed messages come in: `POST /fhir`, `/fhir/Bundle`, `/fhir/$process-message`. */
import { parseBundleRequest } from '../../fhir/index.ts';
import { mayUse } from '../../kernel/principal.ts';
import { Problem, scopeMissing } from '../../kernel/problem.ts';
import { event, permission, type RouteReply, route } from '../../platform/http/route.ts';
import { answerBundle } from './fhir-bundles.ts';
import { type Exchange, type FhirDeps, type FhirRouteDeps, seenBy } from './fhir-exchange.ts';
import { answerMessage } from './fhir-message.ts';
import { messageIn } from './fhir-message-request.ts';
import { answerOpenCrBundle, isOpenCrBundle, speaksOpenCr } from './fhir-opencr.ts';
import { A_BUNDLE, bodyOf, doors, exchangeOf, type FhirRoute, none, plainExchange } from './fhir-route.ts';

/** A message is processed, a batch or transaction carried out. `asCreate`: what a message made is answered by 201. */
export function answerPosted(
  deps: FhirDeps,
  exchange: Exchange,
  body: unknown,
  asCreate = false,
): Promise<RouteReply<never>> {
  const message = messageIn(body);
  if (message !== undefined) return answerMessage(deps, exchange, message, asCreate);
  if (speaksOpenCr(deps, exchange.actor) && isOpenCrBundle(body)) {
    if (!mayUse(exchange.actor.principal, 'feed')) throw scopeMissing('feed');
    return answerOpenCrBundle(deps, exchange, body);
  }
  return answerBundle(deps, exchange, parseBundleRequest(body));
}

export function messageRoutes(deps: FhirRouteDeps): FhirRoute[] {
  const common = {
    doors,
    method: 'POST',
    input: { params: none, query: 'raw', body: 'bytes' },
    output: 'fhir',
    limits: A_BUNDLE,
  } as const;
  return [
    {
      // The OpenHIE tests post every Bundle here; FHIR's own address for it is the base.
      interactions: ['batch', 'transaction', '$process-message'],
      route: route({
        ...common,
        path: '/fhir/Bundle',
        access: permission('client.read', { scope: 'by-entry' }),
        audit: event('client.bundle'),
        handle: (request) => answerPosted(seenBy(deps, request.actor), plainExchange(request), bodyOf(request), true),
      }),
    },
    {
      interactions: ['$process-message'],
      route: route({
        ...common,
        path: '/fhir/$process-message',
        access: permission('client.write', { scope: 'feed' }),
        audit: event('client.feed'),
        handle(request) {
          const exchange = exchangeOf(request);
          if (exchange.query.some(([name, value]) => name === 'async' && value === 'true')) throw asynchronous();
          const message = messageIn(bodyOf(request));
          if (message === undefined) throw noMessage();
          return answerMessage(seenBy(deps, request.actor), exchange, message, false);
        },
      }),
    },
  ];
}

const asynchronous = (): Problem =>
  new Problem('unprocessable', 'fhir-operation', 'Messages are answered at once, not asynchronously.', {
    fhirCode: 'not-supported',
  });
const noMessage = (): Problem =>
  new Problem('invalid', 'fhir-message', 'A Bundle of type message was expected, or Parameters with it as content.', {
    fhirCode: 'structure',
  });
