import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type AlertsFeature, createAlertsFeature } from '../features/alerts/index.ts';
import { type Atna, createAtna } from '../features/atna/index.ts';
import type { Audit } from '../features/audit/index.ts';
import type { Identity } from '../features/identity/index.ts';
import { readNodesOf } from '../features/nodes/index.ts';
import type { Registry } from '../features/registry/index.ts';
import { createReports, type ReportsDeps } from '../features/reports/index.ts';
import { type OrganisationId, parseId } from '../kernel/ids.ts';
import type { Actor } from '../kernel/principal.ts';
import { reachOf } from '../kernel/reach.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config/index.ts';
import type { Database } from '../platform/db/index.ts';
import type { RouteDeclaration } from '../platform/http/index.ts';
import type { Mail } from '../platform/mail/index.ts';
import type { Logger } from '../platform/log/index.ts';
import type { KeyRing } from '../store/index.ts';
import { boundMark } from './bound-mark.ts';
import { auditsClient, clientNames, clientPerson, clientRecords, recordsNamed, seesClient } from './client-records.ts';

/** What is built on the audit log: forwarding it, reports, alerts. */
export interface LogFollowers {
  readonly atna: Atna;
  readonly alerts: AlertsFeature;
  readonly routes: readonly RouteDeclaration[];
  /** Begins to follow the log. In one process per home, beside the doors: a command that runs for a second follows nothing. */
  start(): void;
  stop(): Promise<void>;
}

export interface LogFollowersInput {
  readonly config: Config;
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: Audit;
  readonly identity: Identity;
  readonly registry: Registry;
  readonly mail: Mail;
  /** Where people reach the users' door. */
  readonly baseUrl: string;
  readonly log: Logger;
}

export function composeLogFollowers(input: LogFollowersInput): LogFollowers {
  const { config, database, keyRing, audit, identity, registry, mail, baseUrl, log } = input;
  const known = members(database, identity);
  const startedMs = systemClock.nowMs();
  const atna = createAtna({
    database,
    keyRing,
    clock: systemClock,
    audit,
    log,
    site: config.hostnames[0] ?? hostname(),
    identity: () => clientCertificate(config),
    bound: boundMark(config.home, 'targets-bound'),
    placesBound: boundMark(config.home, 'target-places-bound'),
    recordsOf: recordsNamed(registry),
    personOf: clientPerson(registry),
    repository: {
      takes: config.auditRepository,
      tlsPort: config.auditTlsPort,
      udpPort: config.auditUdpPort,
    },
  });
  const reports = createReports({
    database,
    keyRing,
    clock: systemClock,
    audit,
    idsOf: clientRecords(registry),
    sees: seesClient(registry),
    audits: auditsClient(registry),
    organisations: () => identity.directory.organisations(database),
    members: known,
    onFailure: (error) => log.warn('Events could not be counted for the pictures of activity; tried again', { error }),
  });
  const alerts = createAlertsFeature({
    database,
    keyRing,
    clock: systemClock,
    audit,
    mail,
    namesOf: clientNames(registry),
    people: async () => {
      const { actors } = await reports.actors();
      return actors.flatMap(({ kind, name }) => (kind === 'user' ? [name] : []));
    },
    readers: () => identity.everywhere('audit.read'),
    ...alertMarks(config.home),
    logIsWhole: async () => (await audit.status()).ok,
    witnessedMs: () => newestWitness(audit, startedMs),
    stoppedTargets: atna.stoppedTargets,
    changedTargets: atna.changedTargets,
    pageUrl: `${baseUrl}/audit/alerts`,
    within: known.within,
    onFailure: (error) => log.warn('The rules for alerts could not be looked at; tried again', { error }),
  });
  return {
    atna,
    alerts,
    routes: [...atna.routes, ...reports.routes, ...alerts.routes],
    start() {
      atna.forwarder.start();
      reports.activity.start();
      alerts.start();
    },
    async stop() {
      await Promise.all([atna.forwarder.stop(), reports.activity.stop(), alerts.stop()]);
    },
  };
}

/** When a witness last signed the head; one that never did counts from our start. Undefined where none is set up. */
async function newestWitness(audit: Audit, startedMs: number): Promise<number | undefined> {
  const { witnesses } = await audit.status();
  if (witnesses.length === 0) return undefined;
  return Math.max(
    startedMs,
    ...witnesses.map(({ cosignedAt }) => (cosignedAt === undefined ? 0 : Date.parse(cosignedAt))),
  );
}

/** Auditors of one organisation see what its people and nodes did, and no more. */
export function members(database: Database, { directory }: Identity): ReportsDeps['members'] {
  async function ofAll(organisations: readonly OrganisationId[]): Promise<readonly string[]> {
    const [people, nodes] = await Promise.all([
      directory.membersOf(database, organisations),
      readNodesOf(database, organisations),
    ]);
    return [...people, ...nodes];
  }
  const reach = ({ principal }: Actor) => reachOf(principal, 'audit.read');
  return {
    async of(actor, organisation) {
      const id = parseId<OrganisationId>(organisation);
      const reached = reach(actor);
      return id === undefined || (reached !== 'all' && !reached.includes(id)) ? [] : await ofAll([id]);
    },
    async within(actor) {
      const reached = reach(actor);
      return reached === 'all' ? undefined : await ofAll(reached);
    },
  };
}

/** Read anew for each connection, so that a renewed certificate is used at once. */
async function clientCertificate({ atnaCertificateFile, atnaKeyFile }: Config) {
  if (atnaCertificateFile === undefined || atnaKeyFile === undefined) return undefined;
  const [certificate, key] = await Promise.all([readFile(atnaCertificateFile, 'utf8'), readFile(atnaKeyFile, 'utf8')]);
  return { certificate, key };
}

/** Which rows of alerts have been bound. */
const alertMarks = (home: string) => ({
  bound: boundMark(home, 'alert-rules-bound'),
  laterBound: boundMark(home, 'later-alert-rules-bound'),
  recipientsBound: boundMark(home, 'alert-recipients-bound'),
  placeBound: boundMark(home, 'alert-place-bound'),
});
