import { readFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { newId } from '../crypto/index.ts';
import { type Audit, type AuditDeps, createAudit, type WitnessSetting } from '../features/audit/index.ts';
import { ALL_PERMISSIONS, createIdentity, createUserDirectory, type Identity } from '../features/identity/index.ts';
import { compileModel, DEFAULT_MODEL } from '../features/matching/index.ts';
import { createNodes, type Nodes } from '../features/nodes/index.ts';
import { createEncodings, type Encodings } from '../features/encodings/index.ts';
import { createHome } from '../features/home/index.ts';
import { createLoad, type Load } from '../features/load/index.ts';
import {
  bindRule,
  createMatcher,
  createRegistry,
  estimateSources,
  type Registry,
  walkClients,
} from '../features/registry/index.ts';
import { searchTerms } from '../fhir/index.ts';
import type { Actor } from '../kernel/principal.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config/index.ts';
import { type Connection, createDatabase, type Database } from '../platform/db/index.ts';
import { createLimits, type Limits, type RouteDeclaration } from '../platform/http/index.ts';
import { createJobs, type Jobs } from '../platform/jobs/index.ts';
import { createOutbound } from '../platform/outbound/index.ts';
import type { Logger } from '../platform/log/index.ts';
import { createMail, createSmtpTransport, type Mail, type Transport } from '../platform/mail/index.ts';
import {
  createResourceParticipants,
  createResourceStore,
  type KeyVault,
  openKeyVault,
  type ResealParticipant,
} from '../store/index.ts';
import { composeExchange, type Exchange } from './exchange.ts';
import { composeModels, type ComposedModels } from './models.ts';
import { boundMark, keptMark } from './bound-mark.ts';
import { tellOfEnding } from './node-warnings.ts';
import { openApiRoute } from './openapi-route.ts';
import { programVersion } from './place.ts';
import { startLoadMaker } from './load-maker.ts';
import { composeLogFollowers, type LogFollowers, members } from './log-followers.ts';
import { rootKeyPlace, rootKeySource } from './root-key.ts';
import { startVerifyThreads } from './verify-threads.ts';

/** Everything Careseal does, wired together: what doors, background work and the command line are made of. */
export interface Services {
  readonly config: Config;
  readonly database: Database;
  readonly vault: KeyVault;
  readonly jobs: Jobs;
  readonly mail: Mail;
  readonly audit: Audit;
  readonly identity: Identity;
  readonly nodes: Nodes;
  readonly registry: Registry;
  /** The matching model's life: versions, training, promotion. */
  readonly models: ComposedModels;
  readonly load: Load;
  readonly encodings: Encodings;
  readonly logFollowers: LogFollowers;
  /** What other systems are told and asked of. */
  readonly exchange: Exchange;
  readonly routes: readonly RouteDeclaration[];
  readonly resealParticipants: readonly ResealParticipant[];
  /** Where people reach the users' door: for links. */
  readonly baseUrl: string;
  /** Where systems reach FHIR at the nodes' door. */
  readonly fhirUrl: string;
  /** How often callers come. */
  readonly rates: Limits;
  stop(): Promise<void>;
}

export interface ServicesInput {
  readonly config: Config;
  readonly connection: Connection;
  readonly log: Logger;
  readonly poolSize?: number;
  /** Where several processes count their callers together. */
  readonly rates?: Limits;
  /** Where the doors of a server that runs already are reached; default: what the settings say. */
  readonly reachedAt?: { readonly usersUrl?: string | undefined; readonly fhirUrl?: string | undefined };
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

async function composeOn(database: Database, input: ServicesInput): Promise<Services> {
  const { config, connection, log, reachedAt, rates = createLimits() } = input;
  const baseUrl = reachedAt?.usersUrl ?? usersUrl(config);
  const fhirUrl = reachedAt?.fhirUrl ?? nodesUrl(config);
  const vault = await openKeyVault({
    database,
    rootKey: await rootKeySource(config),
    onReloadFailed: (error) => log.error('Keys could not be read again', { error }),
  });
  const jobs = createJobs({ database, log, runner: `${hostname()}:${config.home}` });
  const mail = createMail({
    database,
    clock: systemClock,
    log,
    seals: vault.keyRing,
    transport: mailTransport(config),
  });
  const common = { config, connection, database, vault, jobs, mail, log, baseUrl, fhirUrl, rates };
  const features = await composeFeatures(common);
  features.audit.assertKnownEvents(features.routes);
  await features.identity.start();
  await features.nodes.start();
  return {
    config,
    database,
    vault,
    jobs,
    mail,
    ...features,
    resealParticipants: [...resealParticipants(vault, features), mail.resealParticipant],
    baseUrl,
    fhirUrl,
    rates,
    async stop() {
      await features.registry.drained();
      await features.models.stop();
      await features.nodes.stop();
      await features.identity.stop();
      await vault.close();
      await database.close();
    },
  };
}

type Features = Pick<
  Services,
  'audit' | 'identity' | 'nodes' | 'registry' | 'models' | 'load' | 'encodings' | 'logFollowers' | 'exchange' | 'routes'
>;

interface FeaturesInput
  extends Pick<Services, 'config' | 'database' | 'vault' | 'jobs' | 'mail' | 'baseUrl' | 'fhirUrl' | 'rates'> {
  readonly log: Logger;
  readonly connection: Connection;
}

type Common = Pick<FeaturesInput, 'database'> & {
  readonly keyRing: KeyVault['keyRing'];
  readonly clock: typeof systemClock;
};

/** The features, bottom up: audit, then who acts, then the registry, then what stands on it. */
async function composeFeatures(input: FeaturesInput): Promise<Features> {
  const { config, database, vault, jobs, mail, log, baseUrl, fhirUrl } = input;
  const common: Common = { database, keyRing: vault.keyRing, clock: systemClock };
  const actors = composeActors(input, common);
  const { audit, identity, nodes } = actors;
  const resources = createResourceStore(vault);
  const registry = await composeRegistry(input, common, { ...actors, resources });
  const load = createLoad({
    ...{ ...common, audit, registry, domains: nodes.domains, jobs, stillMay: identity.stillMay },
    memoryBytes: config.loadMemoryMegabytes * 2 ** 20,
  });
  const models = await composeModels({ ...common, config, audit, registry, uploads: load.uploads, log });
  const encodings = createEncodings({ audit, walkClients: (page) => walkClients({ database, resources }, page) });
  const home = createHome({
    ...common,
    audit,
    registry,
    loadFigures: load.figures,
    oldKeys: models.oldKeys,
    emergenciesWaiting: identity.emergenciesWaiting,
    alertsWaiting: (actor) => logFollowers.alerts.waiting(actor),
    changedRules: () => logFollowers.alerts.changedRules(),
    auditHealth: async () => ({ proven: (await audit.status()).ok }),
  });
  const softwareVersion = await programVersion();
  const exchange = composeExchange({
    ...{ ...common, config, audit, nodes, registry, log, softwareVersion },
    fhirUrl,
    admitNetwork: identity.admitNodeNetwork,
  });
  const logFollowers = composeLogFollowers({ ...common, config, audit, identity, registry, mail, baseUrl, log });
  const parts = [audit, identity, nodes, registry, models, load, home, logFollowers, exchange];
  const routes = parts.flatMap((part) => part.routes);
  const servers = { usersUrl: baseUrl, nodesUrl: new URL(fhirUrl).origin };
  const openApi = openApiRoute(routes, { version: softwareVersion, ...servers });
  const all = { audit, identity, nodes, registry, models, load, encodings, logFollowers, exchange };
  return { ...all, routes: [...routes, openApi] };
}

/** The log, and who acts: people and systems. */
function composeActors(input: FeaturesInput, common: Common) {
  const { config, connection, mail, log, baseUrl, fhirUrl, rates } = input;
  const failed = (message: string) => (error: unknown) => log.error(message, { error });
  const audit = createAudit({
    ...common,
    source: auditSource(config),
    witnesses: config.auditWitnesses.map((text) => witnessSetting(text, config.auditWitnessAuthorityFile)),
    keepYears: config.auditKeepYears,
    verifyThreads: () => startVerifyThreads({ root: rootKeyPlace(config), connection }),
    onFailure: (code, error) => log.error(AUDIT_FAILURES[code], { problemCode: code, error }),
    // Who belongs where, identity knows, which itself is made with the log.
    within: (actor) => members(common.database, identity).within(actor),
  });
  const identity = createIdentity({
    ...common,
    bound: boundMark(config.home),
    processes: config.workers,
    audit,
    mail,
    async mailStatus() {
      const { configured, waiting, givenUp, lastFailure } = await mail.status();
      return { configured, waiting, givenUp, ...(lastFailure === undefined ? {} : { lastFailure }) };
    },
    onHousekeepingFailure: failed('Expired sessions could not be cleared'),
  });
  const nodes = createNodes({
    ...common,
    audit,
    organisationFor: identity.organisationFor,
    organisationNames: identity.organisationNames,
    domainsBound: keptMark(config.home, 'domains-bound'),
    fhirUrl,
    onBackgroundFailure: failed('Last-seen times of nodes could not be written'),
    publicUrl: baseUrl,
    rates,
    outbound: createOutbound({ allowedNetworks: config.outboundNetworks }),
    onEnding: tellOfEnding(log),
  });
  return { audit, identity, nodes };
}

interface RegistryParts extends Pick<Features, 'audit' | 'identity' | 'nodes'> {
  readonly resources: ReturnType<typeof createResourceStore>;
}

async function composeRegistry({ config, database, vault }: FeaturesInput, common: Common, parts: RegistryParts) {
  const { audit, identity, nodes, resources } = parts;
  const people = createUserDirectory(common);
  const rulesBound = boundMark(config.home, 'rules-bound');
  await bindRule({ ...common, rulesBound }, common.clock.nowMs());
  return createRegistry({
    ...common,
    rulesBound,
    goldensBound: keptMark(config.home, 'goldens-bound'),
    resources,
    audit,
    matcher: createMatcher(compileModel(DEFAULT_MODEL, { population: await population(database) })),
    domains: nodes.domains,
    centralOrganisation: identity.centralOrganisation,
    informativeIdentifiers: config.identityRules === 'openhie',
    organisationNames: identity.organisationNames,
    termsOf: searchTerms,
    roundMaker: () => startLoadMaker(() => vault.keys()),
    userNames: people.names,
    reviewers: (reach, which) => people.holdersOf('review.decide', reach, which),
  });
}

export const AUDIT_FAILURES = {
  'sequencing-failed': 'Audit events could not be taken into the signed log; it is tried again',
  'tree-damaged': 'THE AUDIT LOG IS DAMAGED: its tree does not fit its signed head. Run `careseal audit verify`',
} as const;

/** Two records are less likely to be one person, the more people there are; never fewer than the model was made for. */
async function population(database: Database): Promise<number> {
  return Math.max(DEFAULT_MODEL.prior.population, await estimateSources(database));
}

function resealParticipants({ keyRing }: KeyVault, features: Features): ResealParticipant[] {
  const { identity, nodes, registry, models, load, exchange } = features;
  return [
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
    ...models.resealParticipants,
    ...load.resealParticipants,
    ...exchange.resealParticipants,
  ];
}

/** Undefined where no mail server is set up. */
function mailTransport(config: Config): Transport | undefined {
  const { mailHost: host, mailPort: port, mailFrom: from, mailUser: user } = config;
  if (host === undefined || from === undefined) return undefined;
  const { mailPasswordFile: passwordFile, mailAuthorityFile: authorityFile } = config;
  return createSmtpTransport({ host, port, from, user, passwordFile, authorityFile });
}

/** `https://witness.example.org witness.example.org+1234abcd+BA…`, as the settings have checked. */
function witnessSetting(text: string, authorityFile: string | undefined): WitnessSetting {
  const space = text.indexOf(' ');
  const authorityPem =
    authorityFile === undefined
      ? undefined
      : () =>
          readFile(authorityFile, 'utf8').catch((cause: unknown) => {
            throw new Error('the file of auditWitnessAuthorityFile cannot be read', { cause });
          });
  return { url: text.slice(0, space), key: text.slice(space + 1), authorityPem };
}

/** How this installation is named in its audit events. */
export function auditSource(config: Config): AuditDeps['source'] {
  return { site: config.hostnames[0] ?? hostname(), baseUrl: usersUrl(config) };
}

/** `https://first-host-name:port`. */
export function usersUrl(config: Config): string {
  return urlAt(config, config.usersPort);
}

/** `https://first-host-name:port/fhir`, for systems with a certificate. */
export function nodesUrl(config: Config): string {
  return `${urlAt(config, config.nodesPort)}/fhir`;
}

function urlAt({ hostnames }: Config, port: number): string {
  const host = hostnames[0] ?? 'localhost';
  const shown = host.includes(':') ? `[${host}]` : host;
  return `https://${shown}${port === 443 ? '' : `:${port}`}`;
}

/** The person at this server's own command line, who may do everything there. */
export function operator(): Actor {
  return {
    principal: { kind: 'operator', osUser: userInfo().username, permissions: ALL_PERMISSIONS },
    origin: { door: 'command-line', requestId: newId() },
  };
}

/** Careseal itself, at work in the background. */
export function system(): Actor {
  return {
    principal: { kind: 'system', permissions: new Set() },
    origin: { door: 'background', requestId: newId() },
  };
}
