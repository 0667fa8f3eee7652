import type { Config } from '../platform/config/index.ts';
import { type HomeLock, lockHome } from '../platform/home/index.ts';
import type { Logger } from '../platform/log/index.ts';
import { createMetrics } from '../platform/metrics/index.ts';
import { startBackground } from './background.ts';
import { openDatabase, type ReadyDatabase } from './database.ts';
import { type OpenDoors, openDoors } from './doors.ts';
import { keepRotating } from './key-rotation.ts';
import { nodeMetrics } from './node-upkeep.ts';
import { createOperationsDoor } from './operations.ts';
import { processLogger } from './process-log.ts';
import { programVersion } from './place.ts';
import { warnOfReadableSecrets } from './readable-secrets.ts';
import { rootKeyPlace } from './root-key.ts';
import { startSequencerThread } from './sequencer.ts';
import {
  AUDIT_FAILURES,
  auditSource,
  composeServices,
  operator,
  type Services,
  nodesUrl,
  system,
  usersUrl,
} from './services.ts';
import { startWorkers } from './workers.ts';

export interface RunningServer {
  readonly usersPort: number;
  readonly nodesPort: number;
  readonly operationsPort: number;
  /** Serves until the signal comes, then drains and stops everything, the database last. */
  runUntil(signal: AbortSignal): Promise<void>;
}

export interface StartOptions {
  /** Plain lines for the person who started us. */
  readonly print: (line: string) => void;
}

/** Requests under way get this long to finish. */
const DRAIN_MS = 10_000;
/** A server on the same home that is stopping right now. */
const WAIT_FOR_STOPPING_MS = 30_000;

/** What was started so far, to be stopped in reverse. */
class Started {
  readonly #stops: (() => Promise<void>)[] = [];
  add(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }
  async stopAll(log: Logger): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) {
      // One part that fails to stop must not keep the database from stopping well.
      await stop().catch((error: unknown) => log.error('A part did not stop well', { error }));
    }
  }
}

/** Starts everything on one home: lock, database, services, background work, doors. Refuses whole or runs whole. */
export async function startServer(config: Config, options: StartOptions): Promise<RunningServer> {
  const startedAt = performance.now();
  const log = processLogger(config);
  warnOfReadableSecrets(config, log);
  const started = new Started();
  const lost = new AbortController();
  const lock = await lockHome(config.home, {
    command: 'careseal start',
    waitMs: WAIT_FOR_STOPPING_MS,
    onLost: () => {
      log.error('Another process has taken over this home; stopping');
      lost.abort();
    },
  });
  started.add(() => lock.release());
  try {
    const database = await openDatabase(config, log);
    started.add(() => database.stop());
    const services = await composeServices({ config, connection: database.app, log });
    started.add(() => services.stop());
    const ports = await serve({ config, services, database, log, started });
    const url = usersUrl({ ...config, usersPort: ports.usersPort });
    await announceServing(lock, database, {
      usersUrl: url,
      fhirUrl: nodesUrl({ ...config, nodesPort: ports.nodesPort }),
    });
    await printWelcome({ config, services, ports, url, print: options.print });
    log.info('Serving', { milliseconds: Math.round(performance.now() - startedAt), workers: config.workers });
    return {
      ...ports,
      async runUntil(signal) {
        await aborted(AbortSignal.any([signal, lost.signal]));
        log.info('Stopping');
        if (!lost.signal.aborted) await lock.update({ state: 'stopping' });
        await started.stopAll(log);
        log.info('Stopped');
      },
    };
  } catch (error) {
    await started.stopAll(log);
    throw error;
  }
}

interface Ports {
  readonly usersPort: number;
  readonly nodesPort: number;
  readonly redirectPort: number | undefined;
  readonly hl7Port: number | undefined;
  readonly operationsPort: number;
}

interface ServeInput {
  readonly config: Config;
  readonly services: Services;
  readonly database: ReadyDatabase;
  readonly log: Logger;
  readonly started: Started;
}

/** Background work, then the doors, here or in worker processes, then the operations door. */
async function serve({ config, services, database, log, started }: ServeInput): Promise<Ports> {
  const metrics = createMetrics();
  nodeMetrics(services, metrics);
  const sequencer = startSequencerThread({
    root: rootKeyPlace(config),
    connection: database.app,
    source: auditSource(config),
    onFailure: (code, error) => log.error(AUDIT_FAILURES[code], { problemCode: code, error }),
  });
  const background = await startBackground(services, log, { sequencer });
  started.add(() => background.stop());
  await recordServer(services, 'server.start');
  started.add(() => recordServer(services, 'server.stop'));
  services.logFollowers.start();
  started.add(() => services.logFollowers.stop());
  const rotating = keepRotating(services, log);
  started.add(() => rotating.stop());
  let doors: OpenDoors;
  let text = (): Promise<string> => metrics.text();
  let workersMissing = (): string | undefined => undefined;
  if (config.workers === 1) {
    doors = await openDoors(services, log, metrics);
  } else {
    const workers = await startWorkers({ config, connection: database.app, log });
    doors = workers;
    text = () => workers.metrics(metrics.registry);
    workersMissing = workers.missing;
  }
  started.add(() => doors.close(DRAIN_MS));
  const operations = createOperationsDoor({ services, log, metrics: text, notReady: workersMissing });
  const { port } = await operations.listen({ host: '127.0.0.1', port: config.operationsPort });
  started.add(() => operations.close(0));
  return {
    usersPort: doors.usersPort,
    nodesPort: doors.nodesPort,
    redirectPort: doors.redirectPort,
    hl7Port: doors.hl7Port,
    operationsPort: port,
  };
}

/** ATNA asks for the starts and stops of what keeps the log. */
async function recordServer({ audit, config }: Services, event: 'server.start' | 'server.stop'): Promise<void> {
  const detail = { version: await programVersion(), workers: String(config.workers) };
  await audit.recordNow([{ actor: system(), event, action: 'E', outcome: 'success', detail }]);
}

async function announceServing(
  lock: HomeLock,
  { app, embedded }: ReadyDatabase,
  urls: { readonly usersUrl: string; readonly fhirUrl: string },
): Promise<void> {
  const reachable = embedded && app.host !== undefined && app.port !== undefined;
  const database = reachable ? { database: { host: app.host, port: app.port } } : {};
  await lock.update({ state: 'serving', ...urls, ...database });
}

interface WelcomeInput {
  readonly config: Config;
  readonly services: Services;
  readonly ports: Ports;
  readonly url: string;
  readonly print: (line: string) => void;
}

async function printWelcome({ config, services, ports, url, print }: WelcomeInput): Promise<void> {
  const host = new URL(url).hostname;
  const link = await services.identity.setupLink(operator(), url);
  const lines = [
    ...(config.development ? ['TRIAL INSTALLATION: do not enter real data.'] : []),
    `Careseal is ready. Data and keys are in ${config.home}`,
    `  People:     ${url}`,
    `  Systems:    https://${host}:${ports.nodesPort}/fhir  (client certificate: careseal node add)`,
    ...(ports.redirectPort === undefined ? [] : [`  Redirect:   http://${host}:${ports.redirectPort}`]),
    ...(ports.hl7Port === undefined ? [] : [`  HL7 v2:     mllps://${host}:${ports.hl7Port}  (client certificate)`]),
    `  Operations: http://127.0.0.1:${ports.operationsPort}/readyz`,
    ...(link === undefined
      ? []
      : ['', 'There is no administrator yet. Open this link within 30 minutes; it works once:', `  ${link.url}`]),
  ];
  print(lines.join('\n'));
}

/** Command line and settings together; the command line wins. */
export function withStartOptions(
  config: Config,
  chosen: { readonly workers: number | undefined; readonly development: boolean },
): Config {
  return {
    ...config,
    ...(chosen.workers === undefined ? {} : { workers: chosen.workers }),
    ...(chosen.development ? { development: true } : {}),
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
