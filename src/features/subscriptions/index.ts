/** Telling other systems of changes: PMIR ITI-94 subscriptions, their deliveries, and dead letters. See README.md. */
import type { RouteDeclaration } from '../../platform/http/index.ts';
import type { ResealParticipant } from '../../store/index.ts';
import type { ServedRoute } from '../registry/index.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import type { SubscriptionDeps } from './deps.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { subscriptionFhirRoutes } from './fhir-routes.ts';
import { deliveryRoutes } from './routes.ts';
import { resealParticipants } from './sealing.ts';
import { createSubscriptionService, type SubscriptionService } from './service.ts';

export interface Subscriptions extends SubscriptionService {
  readonly deliveries: Deliveries;
  /** Sends; started where background work is done. */
  readonly dispatcher: Dispatcher;
  /** The user API. */
  readonly routes: readonly RouteDeclaration[];
  /** `/fhir/Subscription`, for the routes and the capability statement of the registry. */
  readonly fhir: readonly ServedRoute[];
  readonly resealParticipants: readonly ResealParticipant[];
}

/** `deps` are in deps.ts; nothing is sent before `dispatcher.start()`. */
export function createSubscriptions(deps: SubscriptionDeps): Subscriptions {
  const service = createSubscriptionService(deps);
  const deliveries = createDeliveries(deps);
  return {
    ...service,
    deliveries,
    dispatcher: createDispatcher(deps),
    routes: deliveryRoutes({ deliveries, audit: deps.audit }),
    fhir: subscriptionFhirRoutes({ service, audit: deps.audit }),
    resealParticipants: resealParticipants(deps.keyRing),
  };
}

export type { SubscriptionDeps } from './deps.ts';
