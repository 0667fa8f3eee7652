import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Programme, programme, type Who } from '../support/organisations.ts';

/**
 * P61, over real TLS. Attacker: somebody with an account, or with the address of the interface, who leaves the pages out. Goal:
 * to work on without having read what must be read; to see or end tokens of people one does not administer.
 */
let p: Programme;
beforeAll(async () => {
  p = await programme();
}, 120_000);
afterAll(() => p.close());

const status = async (who: Who, method: string, path: string, body?: unknown): Promise<number> =>
  (await p.ask(who, method, path, body)).status;
const bySecret = async (secret: string): Promise<number> =>
  (await p.send({ method: 'GET', path: '/fhir/Patient', headers: { authorization: `Bearer ${secret}` } })).status;

async function token(who: Who): Promise<{ secret: string; token: { id: string } }> {
  const wanted = { label: 'nightly', permissions: ['client.read'], days: 7 };
  const made = await p.ask(who, 'POST', '/api/personal-tokens', wanted);
  expect(made.status, made.text).toBe(201);
  return made.json();
}

test('a notice that must be read stops pages, FHIR and tokens until it is acknowledged, and nobody else', async () => {
  const { secret } = await token('north registrar');
  expect(await bySecret(secret)).toBe(200);
  const notice = { title: 'Rules of use', text: 'Read them.', roles: ['registrar'] };
  expect(await status('centre administrator', 'POST', '/api/notices', notice)).toBe(204);
  await expect.poll(() => status('north registrar', 'GET', '/fhir/Patient')).toBe(403);
  const refused = await p.ask('north registrar', 'GET', '/fhir/Patient');
  expect(refused.text).toContain('notice that you must read');
  expect(await bySecret(secret)).toBe(403);
  expect(await status('north steward', 'GET', '/fhir/Patient')).toBe(200);
  // Their own account stays open: that is where it is read.
  expect(await status('north registrar', 'GET', '/api/session')).toBe(200);
  const { notices } = (await p.ask('north registrar', 'GET', '/api/notices/pending')).json<{
    notices: { id: string }[];
  }>();
  const acknowledge = `/api/notices/${notices[0]?.id}/acknowledge`;
  expect(await status('north registrar', 'POST', acknowledge)).toBe(204);
  await expect.poll(() => status('north registrar', 'GET', '/fhir/Patient')).toBe(200);
  expect(await bySecret(secret)).toBe(200);
  // Somebody else's reading is not one's own.
  expect(await status('south registrar', 'GET', '/fhir/Patient')).toBe(403);
});

test('tokens of a person are seen and ended by who administers them, and by nobody else', async () => {
  const made = await token('north steward');
  const path = `/api/users/${p.users.get('north steward')?.id}/personal-tokens`;
  for (const who of ['south administrator', 'north registrar'] as const) {
    expect([403, 404]).toContain(await status(who, 'GET', path));
    expect([403, 404]).toContain(await status(who, 'DELETE', `${path}/${made.token.id}`));
  }
  const seen = await p.ask('north administrator', 'GET', path);
  expect(seen.json<{ tokens: { label: string }[] }>().tokens).toMatchObject([{ label: 'nightly', state: 'active' }]);
  expect(seen.text).not.toContain(made.secret);
  expect(await bySecret(made.secret)).toBe(200);
  // A token of somebody else does not end by another person's address.
  const other = `/api/users/${p.users.get('north registrar')?.id}/personal-tokens/${made.token.id}`;
  expect(await status('north administrator', 'DELETE', other)).toBe(404);
  expect(await status('north administrator', 'DELETE', `${path}/${made.token.id}`)).toBe(204);
  expect(await bySecret(made.secret)).toBe(401);
});
