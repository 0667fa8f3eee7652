import { readFileSync } from 'node:fs';
import type { AuditEvent } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FhirClient, fhirFixture } from '../support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../support/registry.ts';

/**
 * Members of a batch and of a transaction are events of their own, and look as if they had been asked for alone: the rows of
 * test/golden/event-shapes.txt that the acts have hold for them, with the bundle's own event beside them.
 */
const rows = new Map(
  readFileSync('test/golden/event-shapes.txt', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' | '))
    .map(([name = '', type, action, profile, agents, , entities]) => [name, [type, action, profile, agents, entities]]),
);
let f: RegistryFixture;
let clinic: FhirClient;
beforeAll(async () => {
  f = await registryFixture();
  clinic = fhirFixture(f).as(await f.node('clinic', 'urn:clinic'));
});
afterAll(() => f.close());

const codes = (all: readonly { readonly type?: { readonly coding?: { code?: string }[] } }[]): string =>
  all.map(({ type }) => type?.coding?.[0]?.code).join(' ');
/** An event as a row of the table. */
const rowOf = ({ type, subtype, action, meta, agent, entity = [] }: AuditEvent): (string | undefined)[] => [
  `${type.code} ${subtype?.[0]?.code}`,
  action,
  meta?.profile?.[0]?.split('IHE.BasicAudit.')[1] ?? '-',
  codes(agent),
  entity.map((one) => one.type?.code).join(' '),
];
const record = (key: string, given: string) =>
  person({ key: ['urn:clinic', key], given, family: `Q${given}`, birthDate: '1931-05-06' });

it.each([
  ['batch', 'client.bundle'],
  ['transaction', 'client.transaction'],
] as const)('of a %s', async (type, own) => {
  const made = [record(`${type}-1`, 'Zarbec'), record(`${type}-2`, 'Wolufi')];
  const ids: string[] = [];
  for (const one of made) ids.push((await clinic.post('/fhir/Patient', one)).json.id);
  const entry = [
    { resource: record(`${type}-3`, 'Kemigo'), request: { method: 'POST', url: 'Patient' } },
    { resource: { ...made[0], id: ids[0], gender: 'female' }, request: { method: 'PUT', url: `Patient/${ids[0]}` } },
    { request: { method: 'DELETE', url: `Patient/${ids[1]}` } },
    { request: { method: 'GET', url: `Patient/${ids[0]}` } },
    { request: { method: 'GET', url: `Patient?identifier=urn:clinic%7C${type}-1` } },
  ];
  await f.audit.sequence();
  const before = new Set((await f.audit.searchWhole({ limit: 200 })).events.map(({ summary }) => summary.id));
  const { status } = await clinic.post('/fhir', { resourceType: 'Bundle', type, entry });
  expect(status).toBe(200);
  await f.audit.sequence();
  const events = (await f.audit.searchWhole({ limit: 200 })).events.filter(({ summary }) => !before.has(summary.id));
  const shapes = (name: string) =>
    events
      .filter(({ summary }) => summary.event === name)
      .map(({ json = '' }) => rowOf(JSON.parse(json) as AuditEvent));
  for (const name of ['client.create', 'client.update', 'client.delete', 'client.read', 'client.search']) {
    expect(shapes(name).length, name).toBeGreaterThan(0);
    for (const shape of shapes(name)) expect([name, ...shape]).toEqual([name, ...(rows.get(name) ?? [])]);
  }
  // The bundle's own event is about nobody: its members name the clients and the questions.
  const [kind, action, profile, agents] = rows.get(own) ?? [];
  expect(shapes(own)).toEqual([[kind, action, profile, agents, 'XrequestId']]);
});
