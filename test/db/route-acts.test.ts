import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { composeServices, operator, type Services } from '../../src/main/services.ts';
import { readConfig } from '../../src/platform/config/config.ts';
import { receiptEvents } from '../../src/platform/http/audited.ts';
import { makeCrl } from '../../src/platform/tls/crl.ts';
import { silentLogger } from '../../src/platform/log/index.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { handled } from '../support/handled.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

/**
 * Acts of an operator, one after the other over the routes of the whole program: each writes the event its route declares. What needs
 * a person's session, a certificate or a file is called by the tests of its feature, through test/support/handled.ts or a door; the
 * golden list test/golden/route-events.txt says which test proves which route.
 */
const home = mkdtempSync(join(tmpdir(), 'careseal-route-acts-'));
const LATER = new Date(Date.now() + 30 * 86_400_000).toISOString();
let db: TestDatabase;
let services: Services;
beforeAll(async () => {
  db = await testDatabase();
  const config = readConfig({
    ...{ home, homeSource: 'default', workingDirectory: home },
    document: { auditRepository: true },
    variables: {},
  });
  services = await composeServices({ config, connection: db.connection, log: silentLogger() });
});
afterAll(async () => {
  await services.stop();
  await db.close();
  rmSync(home, { recursive: true });
});

interface Call {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly header?: string;
}

async function act(key: string, { params = {}, query, body, header }: Call = {}): Promise<Record<string, never>> {
  const route = services.routes.find(({ method, path }) => `${method} ${path}` === key);
  if (route?.audit.kind !== 'event') throw new Error(`There is no route ${key} with an event`);
  const schema = route.input.body;
  const reply = await handled(route, {
    ...{ actor: operator(), method: route.method, url: route.path, baseUrl: 'https://localhost:8443', params },
    query: query ?? (route.input.query === 'raw' ? '' : route.input.query.parse({})),
    body: typeof schema === 'string' ? body : schema.parse(body ?? {}),
    header: () => header,
    cookie: () => undefined,
    signal: new AbortController().signal,
  });
  expect(receiptEvents(reply.audited), key).toContain(route.audit.event);
  // A test looks into the answer freely.
  return (reply.body ?? {}) as Record<string, never>;
}

it('receivers of the log', async () => {
  const body = {
    ...{ name: 'Ministry', protocol: 'tls', host: 'audit.example.org', port: 6514, path: '', authorities: '' },
    ...{ filter: { events: [], outcome: 'all' }, from: 'now' },
  };
  const { target } = (await act('POST /api/forwarding', { body })) as unknown as { target: { id: string } };
  const { from: _from, ...change } = body;
  await act('PUT /api/forwarding/:id', { params: { id: target.id }, body: { ...change, paused: true } });
  await act('DELETE /api/forwarding/:id', { params: { id: target.id } });
});

it('systems', async () => {
  const wanted = { name: 'Clinic', domain: 'urn:clinic:one', way: 'later', scopes: ['feed'] };
  const { node } = (await act('POST /api/nodes', { body: wanted })) as unknown as { node: { id: string } };
  const params = { id: node.id };
  await act('GET /api/nodes/:id', { params });
  await act('PATCH /api/nodes/:id', { params, body: { name: 'Clinic at the lake' } });
  await act('PUT /api/nodes/:id/keys', { params, body: {} });
  await act('POST /api/nodes/:id/invitation', { params });
  await act('POST /api/nodes/:id/suspend', { params, body: { reason: 'It sends nonsense' } });
  await act('POST /api/nodes/:id/resume', { params });
  await act('POST /api/nodes/:id/revoke', { params, body: { reason: 'It was closed' } });
});

it('certificates of systems, ours and foreign ones', async () => {
  const wanted = { name: 'Laboratory', domain: 'urn:laboratory', way: 'later', scopes: ['feed'] };
  const { node } = (await act('POST /api/nodes', { body: wanted })) as unknown as { node: { id: string } };
  const params = { id: node.id };
  const issued = (await act('POST /api/nodes/:id/certificates', { params })) as unknown as {
    node: { certificates: { sha256: string }[] };
  };
  const reason = { why: 'superseded', reason: 'The machine was sold' };
  const sha256 = issued.node.certificates[0]?.sha256 ?? '';
  await act('POST /api/nodes/:id/certificates/:sha256/revoke', { params: { ...params, sha256 }, body: reason });
  const foreign = await testAuthority('Ministry');
  const { leaf } = await testLeaf(foreign, { usage: 'client' });
  await act('POST /api/nodes/:id/trusted-certificates', { params, body: { certificate: leaf.pem, acceptLong: true } });
  const added = { name: 'Ministry', certificate: foreign.ca, acceptLong: true, crlRequired: false };
  interface Trust {
    readonly foreign: readonly { readonly id: string; readonly rules: readonly { readonly id: string }[] }[];
  }
  const trust = (await act('POST /api/trust/authorities', { body: added })) as unknown as Trust;
  const authorityId = trust.foreign[0]?.id ?? '';
  const rule = { authorityId, nodeId: node.id, attribute: 'cn', value: 'laboratory-1' };
  const ruled = (await act('POST /api/trust/rules', { body: rule })) as unknown as Trust;
  const ruleId = ruled.foreign[0]?.rules[0]?.id ?? '';
  await act('POST /api/trust/rules/:id/remove', { params: { id: ruleId } });
  const crl = await makeCrl({
    authority: foreign.root,
    revoked: [],
    number: 1,
    nowMs: Date.now(),
    validMs: 86_400_000,
  });
  await act('POST /api/trust/authorities/:id/crl', { params: { id: authorityId }, body: Buffer.from(crl) });
  await act('POST /api/trust/authorities/:id/crl-url', { params: { id: authorityId }, body: { url: null } });
  await act('POST /api/trust/authorities/:id/remove', { params: { id: authorityId }, body: { reason: 'No longer' } });
});

it('bundles, at each of the addresses systems send them to', async () => {
  const bundle = {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [{ request: { method: 'GET', url: 'Patient?family=okello' } }],
  };
  for (const key of ['POST /fhir', 'POST /fhir/', 'POST /fhir/Bundle'])
    await act(key, { body: Buffer.from(JSON.stringify(bundle)), header: 'application/fhir+json' });
});

it('roles, notices and rules of signing in', async () => {
  const role = { name: 'Reader', about: 'Reads', permissions: ['client.read'] };
  const made = (await act('POST /api/roles', { body: role })) as unknown as { role: { id: string } };
  await act('PUT /api/roles/:id', { params: { id: made.role.id }, body: { ...role, name: 'Reads all' } });
  await act('DELETE /api/roles/:id', { params: { id: made.role.id } });
  const notice = { title: 'Tonight', text: 'The server restarts at ten.', roles: [] };
  await act('POST /api/notices', { body: notice });
  const { notices } = (await act('GET /api/notices')) as unknown as { notices: { id: string }[] };
  await act('DELETE /api/notices/:id', { params: { id: notices[0]?.id ?? '' } });
  await act('PUT /api/policy/networks', { body: { scope: 'role', scopeId: 'auditor', networks: ['192.0.2.0/24'] } });
  const organisation = (await act('POST /api/organisations', { body: { name: 'Lake district' } })) as unknown as {
    organisation: { id: string };
  };
  const params = { id: organisation.organisation.id };
  await act('PUT /api/organisations/:id', { params, body: { ceiling: ['client.read'] } });
  await act('PUT /api/policy/requirement', { body: { scope: 'role', scopeId: 'auditor', secondFactor: 'required' } });
});

it('rules of alerts', async () => {
  const { rules } = (await act('GET /api/alerts/rules')) as unknown as { rules: { name: string; settings: object }[] };
  const [rule] = rules;
  await act('PUT /api/alerts/rules/:name', { params: { name: rule?.name ?? '' }, body: rule?.settings });
});

it('audit events of other systems, and retrieval', async () => {
  await services.audit.sequence();
  const { events } = await services.audit.search({ limit: 1 });
  const id = events[0]?.id ?? '';
  await act('GET /api/audit/events/:id', { params: { id } });
  await act('GET /api/audit/events/:id/export', { params: { id } });
  await act('GET /fhir/AuditEvent', { query: `_id=${id}` });
  await act('GET /fhir/AuditEvent/:id', { params: { id } });
  const event = {
    ...{ resourceType: 'AuditEvent', recorded: LATER, outcome: '0', action: 'R' },
    type: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: '110110' },
    agent: [{ requestor: true, name: 'lab' }],
    source: { observer: { display: 'lab' } },
  };
  const sent = (resource: object) => ({ body: Buffer.from(JSON.stringify(resource)), header: 'application/fhir+json' });
  await act('POST /fhir/AuditEvent', sent(event));
  const came = (await act('POST /api/audit/received', { body: { outcome: '0' } })) as unknown as {
    events: { id: string }[];
  };
  await act('GET /api/audit/received/:id', { params: { id: came.events[0]?.id ?? '' } });
  await act('POST /atna/AuditEvent', sent(event));
  await act('POST /atna', sent({ resourceType: 'Bundle', type: 'batch', entry: [{ resource: event }] }));
});

it('deliveries', async () => {
  await act('POST /api/deliveries/rerun', { body: {} });
});
