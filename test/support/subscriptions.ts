/** Subscriptions on a registry of their own, with a subscriber that can be reached and everything real between them. */
import type { Subscription } from '@medplum/fhirtypes';
import { createSubscriptions, type Subscriptions } from '../../src/features/subscriptions/index.ts';
import type { NodeId } from '../../src/kernel/ids.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { createOutbound, type Outbound } from '../../src/platform/outbound/index.ts';
import { type FhirClient, type FhirFixture, fhirFixture } from './fhir-client.ts';
import { type RegistryFixture, registryFixture } from './registry.ts';
import { type TestSubscriber, testSubscriber } from './subscriber.ts';

export interface SubscriptionsFixture {
  readonly f: RegistryFixture;
  readonly subscriber: TestSubscriber;
  readonly subscriptions: Subscriptions;
  readonly fhir: FhirFixture;
  readonly clinic: FhirClient;
  readonly clinicActor: Actor;
  /** Nodes that may be told nothing. */
  readonly silenced: Set<NodeId>;
  /** A Subscription to send; `more` replaces elements. */
  resource(more?: Partial<Subscription>, channel?: Partial<Subscription['channel']>): object;
  close(): Promise<void>;
}

/** Subscribers are reached on loopback unless said otherwise. */
export async function subscriptionsFixture(
  allowedNetworks = ['127.0.0.0/8'],
  way?: Outbound,
): Promise<SubscriptionsFixture> {
  const f = await registryFixture();
  const subscriber = await testSubscriber();
  const silenced = new Set<NodeId>();
  const outbound = way ?? createOutbound({ allowedNetworks, authoritiesPem: subscriber.authority.ca });
  const subscriptions = createSubscriptions({
    database: f.db.database,
    keyRing: f.keyRing,
    audit: f.audit,
    clock: f.clock,
    registry: f.registry,
    changes: f.registry.changes,
    outbound,
    mayReceive: async (nodeId) => !silenced.has(nodeId),
    fhirUrl: 'https://registry.test:8444/fhir',
    random: () => 0,
    onFailure: (error) => {
      throw error;
    },
  });
  const fhir = fhirFixture(f, {}, subscriptions.fhir);
  const clinicActor = await f.node('clinic', 'urn:subscribed');
  return {
    f,
    subscriber,
    subscriptions,
    fhir,
    clinic: fhir.as(clinicActor),
    clinicActor,
    silenced,
    resource: (more = {}, channel = {}) => ({
      resourceType: 'Subscription',
      status: 'requested',
      reason: 'to keep our copy fresh',
      criteria: 'Patient',
      contact: [{ system: 'email', value: 'it@clinic.example' }],
      channel: { type: 'message', endpoint: `${subscriber.url}/feed`, payload: 'application/fhir+json', ...channel },
      ...more,
    }),
    async close() {
      await subscriber.close();
      outbound.close();
      await f.close();
    },
  };
}
