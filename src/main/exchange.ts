/** How other systems talk with the registry: FHIR with its aliases and rules, subscriptions and what is sent to them. */
import type { Audit } from '../features/audit/index.ts';
import { mayReceive, type Nodes } from '../features/nodes/index.ts';
import { type Aliases, createAliases, fhirRoutes, type Registry } from '../features/registry/index.ts';
import { createHl7Service, type Hl7Service } from '../features/hl7v2/index.ts';
import { createSubscriptions, type Subscriptions } from '../features/subscriptions/index.ts';
import type { Clock } from '../kernel/time.ts';
import type { Config } from '../platform/config/index.ts';
import type { Database } from '../platform/db/index.ts';
import type { RouteDeclaration } from '../platform/http/index.ts';
import type { Logger } from '../platform/log/index.ts';
import { createOutbound } from '../platform/outbound/index.ts';
import type { KeyRing, ResealParticipant } from '../store/index.ts';

export interface Exchange {
  readonly aliases: Aliases;
  readonly subscriptions: Subscriptions;
  readonly hl7: Hl7Service;
  readonly routes: readonly RouteDeclaration[];
  readonly resealParticipants: readonly ResealParticipant[];
}

export interface ExchangeInput {
  readonly config: Config;
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly nodes: Nodes;
  readonly registry: Registry;
  readonly log: Logger;
  readonly softwareVersion: string;
  /** Where systems reach FHIR. */
  readonly fhirUrl: string;
  /** Throws where systems of this network are not let in. */
  readonly admitNetwork: (address: string | undefined) => Promise<void>;
}

export function composeExchange(input: ExchangeInput): Exchange {
  const { config, database, keyRing, clock, audit, nodes, registry, log, softwareVersion, fhirUrl } = input;
  const common = { database, keyRing, clock, audit };
  const aliases = createAliases({ ...common, domains: nodes.domains });
  const subscriptions = createSubscriptions({
    ...common,
    registry,
    changes: registry.changes,
    // Subscribers of the same country often have certificates of our own authority.
    outbound: createOutbound({ allowedNetworks: config.outboundNetworks, authoritiesPem: nodes.authorities.rootsPem }),
    mayReceive: (nodeId) => mayReceive(database, nodeId),
    fhirUrl,
    random: Math.random,
    onFailure: (error) => log.error('Subscribers could not be told of changes; it is tried again', { error }),
  });
  const hl7 = createHl7Service({
    registry,
    nodes,
    aliases,
    identityRules: config.identityRules,
    audit,
    clock,
    admitNetwork: input.admitNetwork,
    processingIds: config.development ? ['P', 'T', 'D'] : ['P'],
    onFailure: (error) => log.error('An HL7 v2 message could not be processed', { error }),
  });
  const fhir = fhirRoutes(
    {
      ...common,
      registry,
      domains: nodes.domains,
      softwareVersion,
      aliases,
      identityRules: config.identityRules,
      openCrCalls: config.openCrCalls,
    },
    subscriptions.fhir,
  );
  return {
    aliases,
    subscriptions,
    hl7,
    routes: [...fhir, ...subscriptions.routes],
    resealParticipants: subscriptions.resealParticipants,
  };
}
