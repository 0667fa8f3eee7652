import { hostname, userInfo } from 'node:os';
import { newId } from '../crypto/index.ts';
import { type Audit, createAudit } from '../features/audit/index.ts';
import { ALL_PERMISSIONS, createIdentity, type Identity } from '../features/identity/index.ts';
import { compileModel, DEFAULT_MODEL } from '../features/matching/index.ts';
import { createNodes, type Nodes } from '../features/nodes/index.ts';
import { createMatcher, createRegistry, type Registry } from '../features/registry/index.ts';
import { searchTerms } from '../fhir/index.ts';
import type { Actor } from '../kernel/principal.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config/index.ts';
import { type Connection, createDatabase, type Database } from '../platform/db/index.ts';
import type { RouteDeclaration } from '../platform/http/index.ts';
import { createJobs, type Jobs } from '../platform/jobs/index.ts';
import type { Logger } from '../platform/log/index.ts';
import {
  createResourceParticipants,
  createResourceStore,
  type KeyVault,
  openKeyVault,
  type ResealParticipant,
} from '../store/index.ts';
import { rootKeySource } from './root-key.ts';

/** Everything Careseal does, wired together: what doors, background work and the command line are made of. */
export interface Services {
  readonly config: Config;
  readonly database: Database;
  readonly vault: KeyVault;
  readonly jobs: Jobs;
  readonly audit: Audit;
  readonly identity: Identity;
  readonly nodes: Nodes;
  readonly registry: Registry;
  readonly routes: readonly RouteDeclaration[];
  readonly resealParticipants: readonly ResealParticipant[];
  /** Where people reach the users' door: for links. */
  readonly baseUrl: string;
  stop(): Promise<void>;
}

export interface ServicesInput {
  readonly config: Config;
  readonly connection: Connection;
  readonly log: Logger;
  readonly poolSize?: number;
}

const STATEMENT_TIMEOUT_MS = 30_000;

/** Composes the features, bottom up. Opens keys, starts what listens for changes; no door, no background work. */
export async function composeServices(input: ServicesInput): Promise<Services> {
  const { config, log } = input;
  const database = createDatabase({
    connection: input.connection,
    poolSize: input.poolSize ?? config.databaseConnections,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    onConnectionLost: (error) => log.warn('A database connection was lost', { error }),
  });
  try {
    return await composeOn(database, input);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function composeOn(database: Database, { config, log }: ServicesInput): Promise<Services> {
  const baseUrl = usersUrl(config);
  const failed = (message: string) => (error: unknown) => log.error(message, { error });
  const clock = systemClock;
  const vault = await openKeyVault({
    database,
    rootKey: await rootKeySource(config),
    onReloadFailed: failed('Keys could not be read again'),
  });
  const { keyRing } = vault;
  const resources = createResourceStore(vault);
  const jobs = createJobs({ database, log, runner: `${hostname()}:${config.home}` });
  const audit = createAudit({
    database,
    keyRing,
    clock,
    source: { site: config.hostnames[0] ?? hostname(), baseUrl },
    onFailure: (code, error) => log.error('The audit log has a problem', { problemCode: code, error }),
  });
  const identity = createIdentity({
    database,
    keyRing,
    audit,
    clock,
    onHousekeepingFailure: failed('Expired sessions could not be cleared'),
  });
  const nodes = createNodes({
    database,
    keyRing,
    audit,
    clock,
    organisationFor: identity.organisationFor,
    onBackgroundFailure: failed('Last-seen times of nodes could not be written'),
  });
  const registry = createRegistry({
    database,
    keyRing,
    resources,
    audit,
    matcher: createMatcher(compileModel(DEFAULT_MODEL)),
    domains: nodes.domains,
    clock,
    termsOf: searchTerms,
  });
  const routes = [...audit.routes, ...identity.routes, ...nodes.routes, ...registry.routes];
  audit.assertKnownEvents(routes);
  await identity.start();
  await nodes.start();
  return {
    config,
    database,
    vault,
    jobs,
    audit,
    identity,
    nodes,
    registry,
    routes,
    resealParticipants: [
      ...createResourceParticipants({
        keyRing,
        async tokensOf(tx, stored) {
          const tokens = await registry.tokensOfStored(tx, stored);
          return stored.map(({ id }) => tokens.get(id) ?? []);
        },
      }),
      ...identity.resealParticipants,
      ...nodes.reseal,
      ...registry.resealParticipants,
    ],
    baseUrl,
    async stop() {
      await registry.drained();
      await nodes.stop();
      await identity.stop();
      await vault.close();
      await database.close();
    },
  };
}

/** `https://first-host-name:port`. */
export function usersUrl(config: Config): string {
  const host = config.hostnames[0] ?? 'localhost';
  const shown = host.includes(':') ? `[${host}]` : host;
  return `https://${shown}${config.usersPort === 443 ? '' : `:${config.usersPort}`}`;
}

/** The person at this server's own command line, who may do everything there. */
export function operator(): Actor {
  return {
    principal: { kind: 'operator', osUser: userInfo().username, permissions: ALL_PERMISSIONS },
    origin: { door: 'command-line', requestId: newId() },
  };
}
