import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OperationOutcome } from '@medplum/fhirtypes';
import { newId, randomToken } from '../crypto/index.ts';
import { printFhirXml } from '../fhir/index.ts';
import { utf8Decode } from '../kernel/bytes.ts';
import { systemClock } from '../platform/clock.ts';
import {
  type Connections,
  createConnections,
  createDoor,
  createRedirectDoor,
  type DoorHandle,
  type DoorOptions,
  loadSite,
} from '../platform/http/index.ts';
import type { Logger } from '../platform/log/index.ts';
import type { Metrics } from '../platform/metrics/index.ts';
import { answeredNames, openDoorTls } from '../platform/tls/index.ts';
import { doorLog } from './door-log.ts';
import { tellDropped } from './dropped-datagrams.ts';
import { type Hl7Door, openHl7Door } from './hl7-door.ts';
import { homePaths, WEB_DIRECTORY } from './place.ts';
import { requestMetrics } from './request-metrics.ts';
import type { Services } from './services.ts';
import { trialSite } from './trial-site.ts';

/** Where the doors of one process listen. */
export interface OpenDoors {
  readonly usersPort: number;
  readonly nodesPort: number;
  readonly redirectPort: number | undefined;
  /** HL7 v2 over MLLP, where it is switched on. */
  readonly hl7Port: number | undefined;
  /** No new connections; requests under way finish within `drainMs`. */
  close(drainMs: number): Promise<void>;
}

/** What a process has to know of others that serve the same doors. */
export interface SharedDoors {
  /** Where open connections are counted; missing: here alone. */
  readonly connections?: Connections;
  /** False where another process takes datagrams: their bound counts within one. */
  readonly datagrams?: boolean;
}

/** Opens the users', the nodes' and, where it is switched on, the redirect door. */
export async function openDoors(
  services: Services,
  log: Logger,
  metrics: Metrics,
  { connections = createConnections(), datagrams = true }: SharedDoors = {},
): Promise<OpenDoors> {
  const { config, identity, nodes } = services;
  const hostNames = answeredNames(config.hostnames);
  const tls = await openDoorTls({
    directory: homePaths(config.home).tls,
    names: hostNames,
    ownUsers: files(config.usersCertificateFile, config.usersKeyFile),
    ownNodes: files(config.nodesCertificateFile, config.nodesKeyFile),
    sign: nodes.authorities.signServerCertificate,
    clientAuthorities: nodes.clientAuthorities,
    log: doorLog(log),
    clock: systemClock,
  });
  const { users, nodesDoor } = createDoors(services, { log, metrics, tls, hostNames, connections });
  const untrust = nodes.onTrustChanged(() => {
    // Tried again at the next change or renewal round; the old set stays in use meanwhile.
    tls.reloadAuthorities().catch((error: unknown) => log.error('Trusted authorities could not be read', { error }));
  });
  const open: DoorHandle[] = [];
  let hl7: Hl7Door | undefined;
  let syslog: { close(): Promise<void> } | undefined;
  const dropped = tellDropped(log, metrics);
  const listen = async (door: DoorHandle, port: number): Promise<number> => {
    const at = await door.listen({ host: config.bindAddress, port });
    open.push(door);
    return at.port;
  };
  try {
    const usersPort = await listen(users, config.usersPort);
    const nodesPort = await listen(nodesDoor, config.nodesPort);
    const redirect =
      config.redirectPort === undefined ? undefined : createRedirectDoor(hostNames, usersPort, connections);
    const redirectPort =
      redirect === undefined || config.redirectPort === undefined
        ? undefined
        : await listen(redirect, config.redirectPort);
    hl7 = await openHl7Door(services, { tls: tls.nodes, connections, log });
    syslog = await services.logFollowers.atna.openDoors({
      host: config.bindAddress,
      tls: tls.nodes,
      connections,
      datagrams,
      onDropped: dropped.one,
      async authenticateNode(peer, address) {
        await identity.admitNodeNetwork(address);
        return await nodes.authenticateNode(peer, { address, authorization: undefined });
      },
    });
    return { usersPort, nodesPort, redirectPort, hl7Port: hl7?.port, close };
  } catch (error) {
    await close(0);
    throw error;
  }

  async function close(drainMs: number): Promise<void> {
    await Promise.all([...open.map((door) => door.close(drainMs)), hl7?.close(drainMs), syslog?.close()]);
    dropped.stop();
    untrust();
    tls.stop();
  }
}

interface DoorParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tls: Awaited<ReturnType<typeof openDoorTls>>;
  readonly hostNames: readonly string[];
  readonly connections: Connections;
}

/** The users' and the nodes' door, not yet listening. */
function createDoors(services: Services, { log, metrics, tls, hostNames, connections }: DoorParts) {
  const { config, identity, nodes, audit, rates } = services;
  const count = requestMetrics(metrics);
  const common: Omit<DoorOptions, 'name' | 'authenticate'> = {
    routes: services.routes,
    rates,
    connections,
    hostNames,
    decideAccess: identity.decideAccess,
    recordRefusal: audit.recordRefusal,
    clock: systemClock,
    newRequestId: newId,
    log: doorLog(log),
    validateOutput: config.development,
    // The door prints its own OperationOutcomes and nothing else.
    fhirXml: (outcome) => utf8Decode(printFhirXml(outcome as OperationOutcome)),
    observe(sample) {
      count(sample);
      nodes.calls.observe(sample);
    },
  };
  const users = createDoor({
    ...common,
    name: 'users',
    tls: tls.users,
    authenticate: ({ cookieHeader, authorization, origin }) =>
      identity.authenticateUser(cookieHeader, origin, authorization),
    ...webSite(config.development, log),
  });
  const nodesDoor = createDoor({
    ...common,
    name: 'nodes',
    tls: tls.nodes,
    async authenticate({ peer, origin, authorization }) {
      await identity.admitNodeNetwork(origin.address);
      return await nodes.authenticateNode(peer, { address: origin.address, authorization });
    },
  });
  return { users, nodesDoor };
}

function files(certificateFile: string | undefined, keyFile: string | undefined) {
  return certificateFile === undefined || keyFile === undefined ? undefined : { certificateFile, keyFile };
}

function webSite(trial: boolean, log: Logger): Pick<DoorOptions, 'site'> {
  if (existsSync(join(WEB_DIRECTORY, 'index.html'))) {
    const site = loadSite({ directory: WEB_DIRECTORY, makeNonce: () => randomToken(128) });
    return { site: trial ? trialSite(site) : site };
  }
  log.warn('The web pages are not built; only the interfaces for programs are served');
  return {};
}
