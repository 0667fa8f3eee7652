import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { type Programme, programme } from '../support/organisations.ts';

/**
 * P67. Attacker: owns the database (its superuser), has no keys, and is one of two people who have to agree before two clients
 * become one. Goal: to make them one alone, by writing the rule, or whom a proposal is by.
 */
let p: Programme;
let survivor = '';
let other = '';
let number = 0;

beforeAll(async () => {
  p = await programme();
}, 120_000);
afterAll(() => p.close());

const NAMES = [
  'Amina Okello',
  'Brighton Mukasa',
  'Chidi Banda',
  'Eshe Wanjiru',
  'Hamza Nakato',
  'Ifeoma Zziwa',
] as const;
async function register(): Promise<string> {
  const [given = '', family = ''] = (NAMES[number % NAMES.length] ?? '').split(' ');
  const key: [string, string] = ['urn:north:mrn', `N-${++number}`];
  const born = `${1930 + number * 3}-0${(number % 9) + 1}-1${number % 9}`;
  return (await p.register('north registrar', { key, given, family, birthDate: born })).golden;
}
beforeEach(async () => {
  await rule('always');
  survivor = await register();
  other = await register();
});

const rule = async (secondPerson: string): Promise<void> => {
  const answer = await p.ask('centre administrator', 'PUT', '/api/review-rules', { secondPerson });
  expect(answer.status, answer.text).toBe(200);
};

/** SQL as the superuser; it must have changed something. */
async function attack(sql: string, ...values: string[]): Promise<void> {
  await withMaintenanceSession(p.db.superuserConnection, async (session) => {
    expect(await session.rows(`${sql} RETURNING 1`, values)).not.toEqual([]);
  });
}

const merge = () => p.ask('north steward', 'POST', '/api/clients/merge', { survivor, other, reason: 'I say so' });
const merged = async (): Promise<boolean> =>
  (await p.ask('north steward', 'GET', `/fhir/Patient/${other}`)).text.includes('replaced-by');

describe('the rule', () => {
  test.each([
    ['is changed', `UPDATE registry.setting SET value = 'never' WHERE name = 'second-person'`],
    [
      'is changed, and looks as if written before there were bindings',
      `UPDATE registry.setting SET value = 'never', binding = NULL`,
    ],
    ['is taken away', 'DELETE FROM registry.setting'],
    ['is a word that nobody knows', `UPDATE registry.setting SET value = 'whatever'`],
  ])('%s: two have to agree', async (_how, sql) => {
    await attack(sql);
    const answer = await merge();
    expect([answer.status, answer.json()], answer.text).toEqual([
      200,
      expect.objectContaining({ waitsForSecond: true }),
    ]);
    expect((await merge()).status).toBe(409);
    expect(await merged()).toBe(false);
    const shown = await p.ask('north steward', 'GET', '/api/review-rules');
    expect(shown.json()).toEqual({ secondPerson: 'always' });
  });

  test('of another time does not fit a word it was not made for', async () => {
    await rule('never');
    const [row] = await withMaintenanceSession(p.db.superuserConnection, (session) =>
      session.rows<{ binding: string }>(`SELECT encode(binding, 'hex') AS binding FROM registry.setting`),
    );
    await rule('merges');
    // A row put back whole fits (SECURITY.md); its binding beside another word does not.
    await attack(`UPDATE registry.setting SET value = 'always', binding = decode($1, 'hex')`, row?.binding ?? '');
    await attack(`UPDATE registry.setting SET value = 'merges'`);
    expect((await p.ask('north steward', 'GET', '/api/review-rules')).json()).toEqual({ secondPerson: 'always' });
  });
});

describe('a proposal', () => {
  test('of one’s own that is made somebody else’s is nobody’s: it waits for a second person still', async () => {
    const first = (await merge()).json<{ reviewId: string }>();
    const colleague = p.users.get('centre steward')?.id ?? '';
    await attack('UPDATE registry.review SET proposed_by = $1 WHERE review_id = $2', colleague, first.reviewId);
    expect((await merge()).json()).toMatchObject({ waitsForSecond: true });
    expect((await merge()).status).toBe(409);
    expect(await merged()).toBe(false);
  });

  test('of somebody else moved here from another review is nobody’s', async () => {
    const theirs = await p.ask('centre steward', 'POST', '/api/clients/merge', {
      survivor: await register(),
      other: await register(),
      reason: 'another pair',
    });
    const mine = (await merge()).json<{ reviewId: string }>();
    await attack(
      `UPDATE registry.review r SET proposed_by = o.proposed_by, proposed_binding = o.proposed_binding
       FROM registry.review o WHERE o.review_id = $1 AND r.review_id = $2`,
      theirs.json<{ reviewId: string }>().reviewId,
      mine.reviewId,
    );
    expect((await merge()).json()).toMatchObject({ waitsForSecond: true });
    expect(await merged()).toBe(false);
  });

  test('that really is somebody else’s is agreed to', async () => {
    await merge();
    const answer = await p.ask('centre steward', 'POST', '/api/clients/merge', { survivor, other, reason: 'I agree' });
    expect([answer.status, await merged()], answer.text).toEqual([200, true]);
  });
});
