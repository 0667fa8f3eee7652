import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { createReports, type Reports } from '../../src/features/reports/index.ts';
import type { RouteRequest } from '../../src/platform/http/route.ts';
import { nodeActor, readInput, testKeyRing, userActor } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/** P52: an auditor of one organisation learns from no report what others' people did. */
const CLIENT = '0198f3a0-0000-7000-8000-0000000000c1';
const OWN = userActor.principal.kind === 'user' ? userActor.principal.userId : '';
let db: TestDatabase;
let audit: Audit;
let reports: Reports;
beforeAll(async () => {
  db = await testDatabase();
  const common = { database: db.database, keyRing: testKeyRing(), clock: { nowMs: () => Date.now() } };
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ ...common, source, onFailure: () => undefined });
  reports = createReports({
    ...common,
    audit,
    sees: async () => true,
    audits: async () => true,
    idsOf: (id) => Promise.resolve([id]),
    organisations: () => Promise.resolve([]),
    members: { of: () => Promise.resolve([]), within: () => Promise.resolve([OWN]) },
    onFailure: () => undefined,
  });
  await audit.recordNow([readInput(CLIENT, nodeActor), readInput(CLIENT, userActor)]);
  await audit.sequence();
  await reports.activity.catchUp();
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

const DAYS = {
  from: new Date(Date.now() - 86_400_000).toISOString(),
  to: new Date(Date.now() + 86_400_000).toISOString(),
};
const PARAMS = { id: CLIENT };
test.each([
  ['GET', '/api/audit/activity', { query: DAYS }],
  ['GET', '/api/audit/actors', {}],
  ['POST', '/api/audit/report', { body: DAYS }],
  [
    'POST',
    '/api/audit/report',
    { body: { ...DAYS, actor: nodeActor.principal.kind === 'node' ? nodeActor.principal.nodeId : '' } },
  ],
  ['POST', '/api/audit/report', { body: { ...DAYS, client: CLIENT } }],
  ['POST', '/api/audit/report/file', { body: { ...DAYS, format: 'csv' } }],
  ['GET', '/api/clients/:id/accesses', { params: PARAMS, query: {} }],
  ['GET', '/api/clients/:id/disclosures', { params: PARAMS, query: { years: 6 } }],
  ['GET', '/api/clients/:id/own-view', { params: PARAMS, query: { years: 6 } }],
  ['POST', '/api/clients/:id/files', { params: PARAMS, body: { kind: 'own-view', format: 'csv', years: 6 } }],
])('%s %s', async (method, path, asked) => {
  const route = reports.routes.find((one) => one.method === method && one.path === path);
  const reply = await route?.handle({ actor: userActor, ...asked } as unknown as RouteRequest<never, never, never>);
  const { body } = reply ?? {};
  let text = '';
  if (body instanceof Uint8Array) text = Buffer.from(body).toString();
  else if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body)
    for await (const chunk of body as AsyncIterable<unknown>) text += String(chunk);
  else text = JSON.stringify(body);
  expect(text.length).toBeGreaterThan(2);
  expect(text).not.toContain('Clinic at the lake');
});
