import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AggregatorRegistry, type Registry } from 'prom-client';
import type { Config } from '../platform/config/index.ts';
import type { Connection } from '../platform/db/index.ts';
import type { OpenConnections } from '../platform/http/index.ts';
import type { Logger } from '../platform/log/index.ts';
import type { OpenDoors } from './doors.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

export interface Workers extends OpenDoors {
  /** Adds this process's and every worker's metrics up. */
  metrics(own: Registry): Promise<string>;
  /** Says when fewer workers serve than should. */
  readonly missing: () => string | undefined;
}

interface WorkersInput {
  readonly config: Config;
  readonly connection: Connection;
  readonly log: Logger;
}

const METRICS_WAIT_MS = 1_000;
const RESTART_DELAY_MS = 1_000;
type Serving = Extract<FromWorker, { kind: 'serving' }>;

interface State {
  stopping: boolean;
  requests: number;
  /** Who takes datagrams: one alone, so that what it takes within a second is all that is taken. Ended: the next one that starts. */
  taker: Worker | undefined;
}

/** Starts the worker processes; they share the doors' ports. One that dies is replaced. */
export async function startWorkers({ config, connection, log }: WorkersInput): Promise<Workers> {
  cluster.setupPrimary({ exec: join(import.meta.dirname, 'worker.ts'), args: [] });
  const serving = new Set<Worker>();
  const open = createOpenCounts();
  const state: State = { stopping: false, requests: 0, taker: undefined };

  async function startOne(): Promise<Serving> {
    const worker = cluster.fork();
    state.taker ??= worker;
    worker.on('exit', () => {
      const served = serving.delete(worker);
      open.forget(worker.id);
      if (state.taker === worker) state.taker = undefined;
      // When all of them end, nobody counts any more.
      if (!state.stopping) tellOthers(worker, { kind: 'ended', worker: worker.id });
      if (served && !state.stopping) void replace();
    });
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'spent') tellOthers(worker, message);
      if (message.kind === 'open') {
        open.note(worker.id, message.open);
        tellOthers(worker, { kind: 'open', worker: worker.id, open: message.open });
      }
    });
    tell(worker, { kind: 'serve', config, connection, datagrams: state.taker === worker });
    const answer = await firstAnswer(worker);
    serving.add(worker);
    for (const one of open.all()) if (one.worker !== worker.id) tell(worker, { kind: 'open', ...one });
    return answer;
  }

  /** Callers and connections are counted by all workers together. */
  function tellOthers(from: Worker, message: ToWorker): void {
    for (const worker of serving) if (worker !== from) tell(worker, message);
  }

  async function replace(): Promise<void> {
    while (!state.stopping) {
      log.error('A worker process ended unexpectedly; starting another');
      await sleep(RESTART_DELAY_MS);
      try {
        await startOne();
        return;
      } catch (error) {
        log.error('A worker process did not start', { error });
      }
    }
  }

  async function close(drainMs: number): Promise<void> {
    state.stopping = true;
    const all = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    await Promise.all(all.map((worker) => stop(worker, drainMs)));
  }

  try {
    // The first alone: it makes certificates, and finds out whether the ports are free.
    const { usersPort, nodesPort, redirectPort, hl7Port } = await startOne();
    await Promise.all(Array.from({ length: config.workers - 1 }, () => startOne()));
    return {
      ...{ usersPort, nodesPort, redirectPort, hl7Port, close },
      metrics: (own) => collect(own, serving, state),
      missing: () => (serving.size < config.workers ? `${serving.size} of ${config.workers} workers serve` : undefined),
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}

/** What each worker has open, by its number, door and address: for workers that begin later. */
function createOpenCounts() {
  const byWorker = new Map<number, Map<string, OpenConnections[number]>>();
  return {
    note(worker: number, told: OpenConnections): void {
      const counts = byWorker.get(worker) ?? new Map<string, OpenConnections[number]>();
      byWorker.set(worker, counts);
      for (const one of told) {
        if (one[2] > 0) counts.set(`${one[0]} ${one[1]}`, one);
        else counts.delete(`${one[0]} ${one[1]}`);
      }
    },
    forget: (worker: number) => void byWorker.delete(worker),
    all: () => [...byWorker].map(([worker, counts]) => ({ worker, open: [...counts.values()] })),
  };
}

async function stop(worker: Worker, drainMs: number): Promise<void> {
  const ended = once(worker, 'exit');
  tell(worker, { kind: 'stop', drainMs });
  const late = setTimeout(() => worker.process.kill('SIGKILL'), drainMs + 5_000);
  await ended;
  clearTimeout(late);
}

function tell(worker: Worker, message: ToWorker): void {
  // A worker that has just died, which its connection may not know yet, is replaced by its exit handler.
  if (worker.isConnected()) worker.send(message, () => undefined);
}

async function firstAnswer(worker: Worker): Promise<Serving> {
  return await new Promise((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'serving') resolve(message);
      if (message.kind === 'failed') {
        reject(Object.assign(new Error(message.reason), message.code === undefined ? {} : { code: message.code }));
      }
    });
    worker.once('exit', () => reject(new Error('A worker process ended before it served.')));
  });
}

async function collect(own: Registry, workers: ReadonlySet<Worker>, state: { requests: number }): Promise<string> {
  const request = ++state.requests;
  const answers = [...workers].map(async (worker) => {
    const answered = new Promise<FromWorker>((resolve) => {
      const listen = (message: FromWorker): void => {
        if (message.kind !== 'metrics' || message.request !== request) return;
        worker.off('message', listen);
        resolve(message);
      };
      worker.on('message', listen);
    });
    tell(worker, { kind: 'metrics', request });
    const message = await Promise.race([answered, sleep(METRICS_WAIT_MS)]);
    return message?.kind === 'metrics' ? message.values : [];
  });
  const all = [await own.getMetricsAsJSON(), ...(await Promise.all(answers))];
  return await AggregatorRegistry.aggregate(all).metrics();
}
