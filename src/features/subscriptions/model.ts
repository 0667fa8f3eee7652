import type { Subscription } from '@medplum/fhirtypes';
import type { Branded, NodeId, OrganisationId } from '../../kernel/ids.ts';

export type SubscriptionId = Branded<'SubscriptionId'>;
export type DeliveryId = Branded<'DeliveryId'>;

/** R4 subscription-status. `requested` becomes `active` when the dispatcher has taken it up; `off`: given up, or its time is over. */
export type SubscriptionStatus = 'requested' | 'active' | 'error' | 'off';

/** `waiting`: to be sent, now or later; `dead`: given up, to be looked at and sent again by hand. */
export type DeliveryState = 'waiting' | 'delivered' | 'dead';

export interface StoredSubscription {
  readonly id: SubscriptionId;
  readonly nodeId: NodeId;
  readonly organisationId: OrganisationId;
  readonly status: SubscriptionStatus;
  readonly version: number;
  readonly updatedAtMs: number;
  readonly endsAtMs: number | undefined;
  readonly failures: number;
  readonly failingSinceMs: number | undefined;
  readonly lastFailure: string | undefined;
  readonly lastSuccessAtMs: number | undefined;
  /** As the node sent it, without id, meta and status. */
  readonly resource: Subscription;
}

export type SubscriptionProblemCode =
  | 'subscription-not-found'
  | 'subscription-refused'
  | 'subscriptions-too-many'
  | 'delivery-not-found'
  | 'delivery-not-dead';
