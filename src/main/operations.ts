import { newId } from '../crypto/index.ts';
import { systemClock } from '../platform/clock.ts';
import { type Database, statement } from '../platform/db/index.ts';
import { createDoor, type DoorHandle, operationsRoutes } from '../platform/http/index.ts';
import type { Logger } from '../platform/log/index.ts';
import { doorLog } from './door-log.ts';
import type { Services } from './services.ts';

const ping = statement('main.ping', 'SELECT 1');

export interface OperationsInput {
  readonly services: Services;
  readonly log: Logger;
  readonly metrics: () => Promise<string>;
  /** What is missing besides the database; undefined when nothing is. */
  readonly notReady: () => string | undefined;
}

/** The door for probes and metrics, on the loopback address. */
export function createOperationsDoor({ services, log, metrics, notReady }: OperationsInput): DoorHandle {
  return createDoor({
    name: 'operations',
    routes: operationsRoutes({
      metrics,
      notReady: async () => notReady() ?? (await databaseProblem(services.database)),
    }),
    hostNames: ['127.0.0.1', 'localhost', '::1'],
    authenticate: () => ({ kind: 'anonymous', permissions: new Set() }),
    decideAccess: services.identity.decideAccess,
    recordRefusal: services.audit.recordRefusal,
    clock: systemClock,
    newRequestId: newId,
    log: doorLog(log),
  });
}

async function databaseProblem(database: Database): Promise<string | undefined> {
  return await database.rows(ping).then(
    () => undefined,
    () => 'the database cannot be reached',
  );
}
