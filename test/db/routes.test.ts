import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { composeServices, type Services } from '../../src/main/services.ts';
import { readConfig } from '../../src/platform/config/config.ts';
import { assertRoutes, operationsRoutes, routeLines } from '../../src/platform/http/index.ts';
import { silentLogger } from '../../src/platform/log/index.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const home = mkdtempSync(join(tmpdir(), 'careseal-routes-'));
let db: TestDatabase;
let services: Services;
beforeAll(async () => {
  db = await testDatabase();
  const config = readConfig({
    home,
    homeSource: 'default',
    workingDirectory: home,
    document: undefined,
    variables: {},
  });
  services = await composeServices({ config, connection: db.connection, log: silentLogger() });
});
afterAll(async () => {
  await services.stop();
  await db.close();
  rmSync(home, { recursive: true });
});

it('every route of the whole application is as test/golden/routes.txt shows it (npm run schema writes it)', async () => {
  const operations = operationsRoutes({ notReady: async () => undefined, metrics: async () => '' });
  const routes = [...services.routes, ...operations];
  assertRoutes(routes);
  await expect(`${routeLines(routes).join('\n')}\n`).toMatchFileSnapshot('../golden/routes.txt');
});
