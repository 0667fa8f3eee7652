import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAlerts } from '../../src/features/alerts/alerts.ts';
import type { AlertsReply, RulesReply } from '../../src/features/alerts/wire.ts';
import { type Programme, programme, type Who } from '../support/organisations.ts';

/** P70: whoever an alert is about neither takes it on nor closes it, and has no mail about alerts sent where nobody may see them. */
let p: Programme;
const ACCUSED: Who = 'centre administrator';
const OTHER: Who = 'centre steward';
const idOf = (who: Who): string => p.users.get(who)?.id ?? '';
beforeAll(async () => {
  p = await programme();
  // A second person who answers for alerts.
  const roles = await p.ask(ACCUSED, 'PUT', `/api/users/${idOf(OTHER)}/roles`, { roles: ['administrator'] });
  if (roles.status !== 200) throw new Error(`The second administrator was not made: ${roles.text}`);
  const { database, vault, audit } = p.services;
  const alerts = createAlerts({ database, keyRing: vault.keyRing, clock: { nowMs: Date.now }, audit });
  const about = { what: 'Seven files in an hour', atMs: Date.now(), mail: false };
  const actor = { kind: 'user', id: idOf(ACCUSED), name: 'Somebody' } as const;
  await alerts.raise({ ...about, rule: 'export', subject: actor.id, actor });
  await alerts.raise({ ...about, rule: 'witness-silent', subject: 'witness' });
}, 60_000);
afterAll(() => p.close());

const open = async (): Promise<AlertsReply['alerts']> =>
  (await p.ask(OTHER, 'GET', '/api/alerts')).json<AlertsReply>().alerts;
const idOfAlert = async (rule: string): Promise<string> => (await open()).find((one) => one.rule === rule)?.id ?? '';
const note = 'It was the yearly report';

test('not the one it is about: it stays open, and the attempt is in the log', async () => {
  const id = await idOfAlert('export');
  for (const [act, body] of [
    ['acknowledge', {}],
    ['close', { note }],
  ] as const) {
    const answer = await p.ask(ACCUSED, 'POST', `/api/alerts/${id}/${act}`, body);
    expect([answer.status, answer.json()['code']]).toEqual([403, 'alert-own']);
    const { events } = await p.services.audit.search({ actors: [idOf(ACCUSED)], limit: 1 });
    expect(events[0]).toMatchObject({ event: `alert.${act}`, outcome: 'minor-failure' });
  }
  const still = (await open()).find((one) => one.id === id);
  expect([still?.acknowledged, still?.closed]).toEqual([undefined, undefined]);
});

test('but everybody else who answers for alerts, and they themselves what is about nobody', async () => {
  const id = await idOfAlert('export');
  expect((await p.ask(OTHER, 'POST', `/api/alerts/${id}/acknowledge`, {})).status).toBe(204);
  expect((await p.ask(OTHER, 'POST', `/api/alerts/${id}/close`, { note })).status).toBe(204);
  const silent = await idOfAlert('witness-silent');
  expect((await p.ask(ACCUSED, 'POST', `/api/alerts/${silent}/close`, { note })).status).toBe(204);
  expect(await open()).toEqual([]);
});

test('mails go to people who may see all alerts, and are taken from the list of these', async () => {
  const rules = (await p.ask(ACCUSED, 'GET', '/api/alerts/rules')).json<RulesReply>();
  const ids = rules.people.map(({ id }) => id);
  expect(ids.toSorted()).toEqual([idOf(ACCUSED), idOf(OTHER)].toSorted());
  const put = async (recipients: readonly string[]) =>
    (await p.ask(ACCUSED, 'PUT', '/api/alerts/recipients', { recipients })).status;
  expect(await put(['mallory@evil.example'])).toBe(400);
  for (const who of ['north administrator', 'centre registrar'] as const) {
    if (p.users.has(who)) expect(await put([idOf(who)]), who).toBe(400);
  }
  expect(await put([idOf(OTHER)])).toBe(204);
  expect((await p.ask(ACCUSED, 'GET', '/api/alerts/rules')).json<RulesReply>().recipients).toEqual([idOf(OTHER)]);
});
