/** One of `--workers N` processes: serves the doors; database, lock and background work are the primary's. */
import { systemClock } from '../platform/clock.ts';
import { createConnections, createLimits } from '../platform/http/index.ts';
import { createMetrics } from '../platform/metrics/index.ts';
import { openDoors } from './doors.ts';
import { processLogger } from './process-log.ts';
import { composeServices } from './services.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

const metrics = createMetrics();
const rates = createLimits({ share: (spent) => tell({ kind: 'spent', spent }) });
const connections = createConnections({ share: (open) => tell({ kind: 'open', open }) });
let stop: ((drainMs: number) => Promise<void>) | undefined;

function tell(message: FromWorker): void {
  process.send?.(message);
}

async function serve({ config, connection, datagrams }: Extract<ToWorker, { kind: 'serve' }>): Promise<void> {
  const log = processLogger(config).with({ worker: process.pid });
  const services = await composeServices({ config, connection, log, rates });
  const doors = await openDoors(services, log, metrics, { connections, datagrams });
  stop = async (drainMs) => {
    await doors.close(drainMs);
    await services.stop();
  };
  const { usersPort, nodesPort, redirectPort, hl7Port } = doors;
  tell({
    kind: 'serving',
    usersPort,
    nodesPort,
    ...(redirectPort === undefined ? {} : { redirectPort }),
    ...(hl7Port === undefined ? {} : { hl7Port }),
  });
}

async function receive(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'serve':
      return await serve(message);
    case 'spent':
      return rates.add(message.spent, systemClock.nowMs());
    case 'open':
      return connections.learn(message.worker, message.open);
    case 'ended':
      return connections.forget(message.worker);
    case 'metrics':
      return tell({ kind: 'metrics', request: message.request, values: await metrics.registry.getMetricsAsJSON() });
    case 'stop':
      await stop?.(message.drainMs);
      process.exit(0);
  }
}

// Node delivers what the primary of the same program sent.
process.on('message', (message) => {
  receive(message as ToWorker).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? { code: String(error.code) } : {};
    tell({ kind: 'failed', reason: error instanceof Error ? error.message : 'unknown', ...code });
    process.exitCode = 1;
    process.disconnect?.();
  });
});
// A primary that was killed cannot say so; without it there is no database, and a new primary brings its own workers.
process.on('disconnect', () => process.exit(1));
// Ctrl-C reaches the whole group; the primary decides when workers stop.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
