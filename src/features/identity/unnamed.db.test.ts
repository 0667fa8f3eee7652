import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { BASE_URL, identityFixture, operator, setUp } from '../../../test/support/identity.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

it('lets the command line work before set-up, which then names the organisation that is there', async () => {
  const fixture = identityFixture(db.database);
  const { identity } = fixture;
  const made = await Promise.all([1, 2, 3].map(() => identity.organisationFor(operator)));
  expect(new Set(made).size).toBe(1);
  const invitation = { name: 'A', email: 'a@example.org', roles: ['registrar'] as const };
  await expect(identity.users.add(operator, invitation, BASE_URL)).rejects.toMatchObject({ code: 'set-up-first' });

  const administrator = await setUp(fixture);
  const principal = await administrator.browser.principal();
  expect(principal).toMatchObject({ kind: 'user', organisationId: made[0] });
  expect(await identity.organisationFor(operator)).toBe(made[0]);
  await identity.users.add(operator, invitation, BASE_URL);
});
