import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Programme, programme, type Who } from '../support/organisations.ts';
import type { Answer } from '../support/tls.ts';

/**
 * P84. Attacker: two people, or one person twice, at the same moment. Goal: to have one act done twice, a rule passed by both of
 * them before either is counted, or two answers that contradict each other both be told that they hold. (Groups of alike reviews:
 * src/features/registry/bulk.db.test.ts; legal holds: src/features/audit/retention.db.test.ts; enrolment, links, codes: p38, p02, p23.)
 */
let p: Programme;
beforeAll(async () => {
  p = await programme();
}, 120_000);
afterAll(() => p.close());

const reason = 'both of us said so at once';
let number = 0;
const NAMES = ['Amina Okello', 'Brighton Mukasa', 'Chidi Banda', 'Eshe Wanjiru', 'Hamza Nakato', 'Ifeoma Zziwa'];
async function register(): Promise<string> {
  const [given = '', family = ''] = (NAMES[number % NAMES.length] ?? '').split(' ');
  const key: [string, string] = ['urn:north:mrn', `N-${++number}`];
  const birthDate = `${1930 + number * 3}-0${(number % 9) + 1}-1${number % 9}`;
  return (await p.register('north registrar', { key, given, family, birthDate })).golden;
}
type Asked = readonly [who: Who, method: string, path: string, body?: unknown];
const atOnce = (...asked: readonly Asked[]): Promise<Answer[]> =>
  Promise.all(asked.map(([who, method, path, body]) => p.ask(who, method, path, body)));
const statuses = (answers: readonly Answer[]): number[] =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);
const many = (asked: Asked): Asked[] => Array.from({ length: 6 }, () => asked);

describe('clients', () => {
  test('merged in both directions and again, are merged once; the merge is taken back once', async () => {
    const [a, b] = [await register(), await register()];
    const merge = (survivor: string, other: string): Asked => [
      'north steward',
      'POST',
      '/api/clients/merge',
      { survivor, other, reason },
    ];
    const merged = await atOnce(merge(a, b), merge(b, a), merge(a, b), merge(b, a));
    expect(statuses(merged).filter((status) => status < 300)).toEqual([200]);
    expect(Math.max(...statuses(merged))).toBeLessThan(500);
    const kept = merged.find(({ status }) => status === 200)?.json<{ clientId: string }>().clientId ?? '';
    const parted = await atOnce(...many(['north steward', 'POST', `/api/clients/${kept}/unmerge`, { reason }]));
    expect(statuses(parted).filter((status) => status < 300)).toEqual([200]);
    for (const id of [a, b])
      expect((await p.ask('north steward', 'GET', `/fhir/Patient/${id}`)).text).not.toContain('replaced-by');
  });

  test('where two have to agree, stay apart however often one of them says it at once', async () => {
    const rule = (secondPerson: string) => p.ask('centre administrator', 'PUT', '/api/review-rules', { secondPerson });
    expect((await rule('always')).status).toBe(200);
    const [survivor, other] = [await register(), await register()];
    const answers = await atOnce(
      ...many(['north steward', 'POST', '/api/clients/merge', { survivor, other, reason }]),
      ...many(['north steward', 'POST', '/api/clients/merge', { survivor: other, other: survivor, reason }]),
    );
    expect(answers.filter(({ status }) => status === 200).map((answer) => answer.json())).toEqual([
      { waitsForSecond: true, reviewId: expect.any(String) },
    ]);
    expect((await p.ask('north steward', 'GET', `/fhir/Patient/${other}`)).text).not.toContain('replaced-by');
    expect((await rule('never')).status).toBe(200);
  });

  test('shared and withdrawn at once, are seen by the other organisation exactly where a share stands', async () => {
    const id = await register();
    const at = `/api/clients/${id}/shares`;
    const body = { organisationId: p.organisations.south, reason };
    for (let round = 0; round < 3; round++) {
      const answers = await atOnce(
        ['north registrar', 'POST', at, body],
        ['north registrar', 'POST', `${at}/end`, body],
        ['north registrar', 'POST', at, body],
        ['north registrar', 'POST', `${at}/end`, body],
      );
      expect(Math.max(...statuses(answers))).toBeLessThan(500);
      const { shares } = (await p.ask('north registrar', 'GET', at)).json<{ shares: unknown[] }>();
      const seen = (await p.ask('south registrar', 'GET', `/fhir/Patient/${id}`)).status;
      expect([shares.length, seen]).toEqual(shares.length === 0 ? [0, 404] : [1, 200]);
    }
  });
});

test('a review is decided once, by whoever comes first; the others are told', async () => {
  const near = (value: string, birthDate: string) => ({
    ...{ given: 'Zulaika', family: 'Nantongo', gender: 'female' as const, birthDate },
    ...{ phone: `+25677200${value}`, key: ['urn:south:mrn', value] as [string, string] },
  });
  await p.register('south registrar', near('1001', '1984-03-12'));
  await p.register('south registrar', near('2002', '1984-03-21'));
  const { reviews } = (await p.ask('south steward', 'GET', '/api/reviews')).json<{ reviews: { id: string }[] }>();
  expect(reviews).toHaveLength(1);
  const at = `/api/reviews/${reviews[0]?.id}/decision`;
  const answers = await atOnce(
    ...many(['south steward', 'POST', at, { decision: 'link' }]),
    ...many(['centre steward', 'POST', at, { decision: 'different' }]),
  );
  expect(statuses(answers)).toEqual([200, ...Array.from({ length: 11 }, () => 409)]);
});

test('an uploaded file is loaded once', async () => {
  const csv = 'id,given,family,birthDate\n1,Amina,Okello,1984-03-12\n';
  const headers = { 'content-type': 'text/csv', 'x-file-name': 'Clinic.csv' };
  const uploaded = await p.ask('north registrar', 'POST', '/api/loads/uploads', csv, headers);
  const { uploadId, guess } = uploaded.json<{ uploadId: string; guess: object }>();
  const load = { uploadId, domain: 'urn:north:mrn', map: guess, dryRun: false };
  const answers = await atOnce(...many(['north registrar', 'POST', '/api/loads', load]));
  expect(statuses(answers).filter((status) => status < 300)).toHaveLength(1);
  expect((await p.ask('north registrar', 'GET', '/api/loads')).json<{ loads: unknown[] }>().loads).toHaveLength(1);
});

test('a policy that two people change at once has both changes', async () => {
  const set = (settings: object): Asked => ['centre administrator', 'PUT', '/api/policy', { settings }];
  const answers = await atOnce(
    set({ sessionIdleMinutes: 7 }),
    set({ stepUpMinutes: 6 }),
    set({ sessionIdleMinutes: 7 }),
  );
  expect(Math.max(...statuses(answers)), answers.map(({ text }) => text).join('\n')).toBeLessThan(300);
  const { settings } = (await p.ask('centre administrator', 'GET', '/api/policy')).json<{
    settings: { name: string; value: unknown }[];
  }>();
  const valueOf = (wanted: string) => settings.find(({ name }) => name === wanted)?.value;
  expect([valueOf('stepUpMinutes'), valueOf('sessionIdleMinutes')]).toEqual([6, 7]);
});

test('the glass is broken once by one session, however often it is asked at once', async () => {
  const answers = await atOnce(...many(['south steward', 'POST', '/api/emergency', { reason, minutes: 5 }]));
  expect(statuses(answers).filter((status) => status < 300)).toEqual([201]);
  const listed = await p.ask('south administrator', 'GET', '/api/emergencies');
  expect(listed.json<{ total: number }>().total).toBe(1);
});
