import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type Atna, createAtna } from '../features/atna/index.ts';
import type { Audit } from '../features/audit/index.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config/index.ts';
import type { Database } from '../platform/db/index.ts';
import type { RouteDeclaration } from '../platform/http/index.ts';
import type { Logger } from '../platform/log/index.ts';

/** What is built on the audit log: forwarding it. */
export interface LogFollowers {
  readonly atna: Atna;
  readonly routes: readonly RouteDeclaration[];
  /** Begins to follow the log. In one process per home, beside the doors: a command that runs for a second follows nothing. */
  start(): void;
  stop(): Promise<void>;
}

export interface LogFollowersInput {
  readonly config: Config;
  readonly database: Database;
  readonly audit: Audit;
  readonly log: Logger;
}

export function composeLogFollowers({ config, database, audit, log }: LogFollowersInput): LogFollowers {
  const atna = createAtna({
    database,
    clock: systemClock,
    audit,
    log,
    site: config.hostnames[0] ?? hostname(),
    identity: () => clientCertificate(config),
  });
  return {
    atna,
    routes: atna.routes,
    start: () => atna.forwarder.start(),
    stop: () => atna.forwarder.stop(),
  };
}

/** Read anew for each connection, so that a renewed certificate is used at once. */
async function clientCertificate({ atnaCertificateFile, atnaKeyFile }: Config) {
  if (atnaCertificateFile === undefined || atnaKeyFile === undefined) return undefined;
  const [certificate, key] = await Promise.all([readFile(atnaCertificateFile, 'utf8'), readFile(atnaKeyFile, 'utf8')]);
  return { certificate, key };
}
