/** How other systems talk with the registry: FHIR with its aliases and rules, subscriptions and what is sent to them. */
import { readFile } from 'node:fs/promises';
import { randomBytes } from '../crypto/index.ts';
import type { Audit } from '../features/audit/index.ts';
import { mayReceive, type Nodes } from '../features/nodes/index.ts';
import { type Aliases, createAliases, fhirRoutes, type Registry } from '../features/registry/index.ts';
import { createHl7Service, type Hl7Service } from '../features/hl7v2/index.ts';
import { answeringOpenHim, createMediator, type Mediator } from '../features/mediator/index.ts';
import { createSubscriptions, type Subscriptions } from '../features/subscriptions/index.ts';
import { Problem } from '../kernel/problem.ts';
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
  /** Where an OpenHIM is set up. */
  readonly mediator: Mediator | undefined;
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
    // Spreads retries; any number of 0–1 does.
    random: () => (randomBytes(1)[0] ?? 0) / 256,
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
  const mediator = mediatorOf(input);
  return {
    aliases,
    subscriptions,
    hl7,
    mediator,
    routes: [
      ...(mediator === undefined ? fhir : answeringOpenHim(fhir, { urn: mediator.urn, clock })),
      ...subscriptions.routes,
    ],
    resealParticipants: subscriptions.resealParticipants,
  };
}

/** Undefined where no OpenHIM is set up; half of the settings is a mistake that is told at the start. */
function mediatorOf({ config, fhirUrl, softwareVersion, log }: ExchangeInput): Mediator | undefined {
  const { openhimUrl: coreUrl, openhimUser: user, openhimPasswordFile: passwordFile, openhimAuthorityFile } = config;
  if (coreUrl === undefined) return undefined;
  if (user === undefined || passwordFile === undefined)
    throw new Problem(
      'invalid',
      'config-incomplete',
      'openhimUrl needs openhimUser and openhimPasswordFile beside it.',
    );
  return createMediator({
    coreUrl,
    user,
    // Read each time, so that a changed password needs no restart.
    password: async () => (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, ''),
    fhirUrl,
    softwareVersion,
    // An administrator set the address: it may be a private one.
    outbound: createOutbound({
      allowedNetworks: 'any',
      ...(openhimAuthorityFile === undefined ? {} : { authoritiesPem: () => readFile(openhimAuthorityFile, 'utf8') }),
    }),
    uptimeSeconds: () => process.uptime(),
    log: { info: (message) => log.info(message), warn: (message, facts) => log.warn(message, { ...facts }) },
  });
}
