import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Programme, programme } from '../support/organisations.ts';

/** Acts over people by an administrator's pages, through the real door: each answers, so its route's event was written. */
let p: Programme;
beforeAll(async () => {
  p = await programme();
}, 60_000);
afterAll(() => p.close());

const WHO = 'centre administrator';
const idOf = (who: Parameters<Programme['ask']>[0]): string => p.users.get(who)?.id ?? '';

/** Asks, and says which event it wrote. */
async function acted(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ event: string | undefined; json: unknown }> {
  const answer = await p.ask(WHO, method, path, body);
  expect([200, 201, 204], answer.text).toContain(answer.status);
  const { events } = await p.services.audit.search({ actors: [idOf(WHO)], limit: 1 });
  return { event: events[0]?.event, json: answer.text === '' ? undefined : answer.json() };
}

it('rights are explained, and access is confirmed in review', async () => {
  expect((await acted('POST', '/api/rights', { userId: idOf('north registrar') })).event).toBe('user.rights');
  const confirmed = { userId: idOf('north registrar'), organisationId: p.organisations.north };
  expect((await acted('POST', '/api/access-review/confirm', confirmed)).event).toBe('access-review.confirm');
});

it('somebody joins another organisation, and leaves it', async () => {
  const path = `/api/users/${idOf('north registrar')}/memberships`;
  const joined = { organisationId: p.organisations.south, roles: ['registrar'] };
  expect((await acted('POST', path, joined)).event).toBe('user.join');
  expect((await acted('DELETE', `${path}/${p.organisations.south}`)).event).toBe('user.leave');
});

it('somebody’s personal tokens are looked at, and one is revoked', async () => {
  const made = await p.ask('north registrar', 'POST', '/api/personal-tokens', {
    ...{ label: 'nightly export', permissions: ['client.read'], days: 7 },
  });
  const { token } = made.json<{ token: { id: string } }>();
  const path = `/api/users/${idOf('north registrar')}/personal-tokens`;
  const listed = await acted('GET', path);
  expect([listed.event, JSON.stringify(listed.json)]).toEqual([
    'personal-token.list',
    expect.stringContaining(token.id),
  ]);
  expect((await acted('DELETE', `${path}/${token.id}`)).event).toBe('personal-token.revoke');
});

it('an account that wrong passwords had barred is let in again', async () => {
  expect((await acted('DELETE', `/api/bans/accounts/${idOf('north steward')}`)).event).toBe('ban.lift');
});

it('exceptions from the second factor are listed', async () => {
  const listed = await acted('GET', '/api/policy/exceptions');
  expect(listed.json).toEqual({ exceptions: [], total: 0 });
});

it('colleagues who may decide reviews are found by name, those within reach alone', async () => {
  const search = async (text: string) => {
    const answer = await p.ask('north steward', 'POST', '/api/reviewers/search', { text });
    return answer.json<{ reviewers: { id: string }[]; more: boolean }>();
  };
  expect(await search('north stew')).toMatchObject({ reviewers: [{ id: idOf('north steward') }], more: false });
  expect(await search('south')).toEqual({ reviewers: [], more: false });
});

it('a second factor gets another name', async () => {
  const factors = (await p.ask(WHO, 'GET', '/api/factors')).json<{ authenticators: { id: string }[] }>();
  const path = `/api/factors/${factors.authenticators[0]?.id}`;
  expect((await acted('PUT', path, { name: 'Telephone' })).event).toBe('factor.rename');
});
