import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../crypto/index.ts';
import { readListFigures, readNodeFigures } from '../features/nodes/index.ts';
import type { Clock } from '../kernel/time.ts';
import { systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/log/index.ts';
import type { Metrics } from '../platform/metrics/index.ts';
import { homePaths } from './place.ts';
import type { Services } from './services.ts';

const ROUND_MS = 6 * 3_600_000;
const LISTS_MS = 5 * 60_000;

/**
 * What nodes and certificates need from time to time, in one process per home: warnings before certificates end, fresh lists
 * of revoked certificates, our own and those of foreign authorities, and these lists as files (`tls/crl/`), for whoever serves them from elsewhere too.
 */
export function keepNodes({ nodes, config }: Services, log: Logger): { stop(): Promise<void> } {
  const directory = join(homePaths(config.home).tls, 'crl');
  let last: Promise<void> = Promise.resolve();
  const next = (work: () => Promise<unknown>): void => {
    last = last
      .then(work)
      .then(() => undefined)
      .catch((error: unknown) =>
        log.error('The upkeep of nodes and certificates did not succeed; it is tried again', { error }),
      );
  };
  const writeLists = async (): Promise<void> => {
    for (const { id, kind } of await nodes.authorities.status()) {
      const crl = await nodes.authorities.crl(id);
      if (crl !== undefined) writeBeside(directory, `${kind}-${id}.crl`, crl);
    }
  };
  const round = async (): Promise<void> => {
    await nodes.housekeep();
    await writeLists();
  };
  const refreshLists = async (): Promise<void> => {
    for (const { authority, what, code } of await nodes.refreshLists())
      log.warn(
        what === 'list-over'
          ? 'The list of revoked certificates of a foreign authority has run out'
          : 'The list of revoked certificates of a foreign authority could not be fetched; the one before stays in use',
        { authority, ...(code === undefined ? {} : { code }) },
      );
  };
  next(round);
  next(refreshLists);
  const timers = [setInterval(() => next(round), ROUND_MS), setInterval(() => next(refreshLists), LISTS_MS)];
  for (const timer of timers) timer.unref();
  const unsubscribe = nodes.onTrustChanged(() => next(writeLists));
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      unsubscribe();
      await last;
    },
  };
}

/** Written beside and renamed, so that whoever reads it finds a whole list. */
function writeBeside(directory: string, name: string, content: Uint8Array): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const beside = join(directory, `.${name}.${newId()}`);
  writeFileSync(beside, content, { flag: 'wx', mode: 0o644 }); // never into a file or link that is there
  chmodSync(beside, 0o644);
  renameSync(beside, join(directory, name));
}

/** How many nodes are left without a certificate soon, and authorities without a list: gauges, asked for when somebody looks. */
export function nodeMetrics(
  { database }: Pick<Services, 'database'>,
  metrics: Metrics,
  clock: Clock = systemClock,
): void {
  const figures = () => readNodeFigures(database, clock.nowMs());
  const lists = () => readListFigures(database, clock.nowMs());
  metrics.gauge('nodes', 'Nodes that are not revoked', async () => (await figures()).nodes);
  metrics.gauge('nodes_certificate_ended', 'Nodes without a valid certificate', async () => (await figures()).expired);
  for (const days of [30, 14, 7] as const)
    metrics.gauge(
      `nodes_certificate_ending_${days}_days`,
      `Nodes whose last certificate ends within ${days} days`,
      async () => (await figures()).endingWithin[days],
    );
  metrics.gauge(
    'foreign_revocation_lists_over_refusing',
    'Foreign authorities whose list of revoked certificates ran out, so that they let nobody in',
    async () => (await lists()).required,
  );
  metrics.gauge(
    'foreign_revocation_lists_over',
    'Foreign authorities whose list of revoked certificates ran out, and which go on without',
    async () => (await lists()).others,
  );
}
