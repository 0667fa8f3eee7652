import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { NO_INPUT, type TestDoor, testDoor, testRoute } from '../support/door.ts';
import { OWN_PAGE, send } from '../support/tls.ts';

/** P04 at the door: a page of another site, however it asks, changes nothing and reads nothing. */
let door: TestDoor;
beforeAll(async () => {
  door = await testDoor([
    testRoute({}),
    testRoute({
      method: 'POST',
      path: '/api/change',
      input: { ...NO_INPUT, body: z.object({}) },
      limits: { bodyBytesMax: 1000, perMinute: 1000 },
    }),
  ]);
});
afterAll(() => door.close());

describe('other sites', () => {
  const change = (headers: Record<string, string>) =>
    send(door.client, {
      method: 'POST',
      path: '/api/change',
      body: '{}',
      headers: { 'content-type': 'application/json', ...headers },
    });

  test('cannot change anything, our own pages can', async () => {
    expect((await change(OWN_PAGE)).status).toBe(200);
    expect((await change({})).status).toBe(403);
    expect((await change({ ...OWN_PAGE, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await change({ 'x-careseal': '1', origin: 'https://evil.example' })).status).toBe(403);
  });

  test('cannot pose as this host (DNS rebinding)', async () => {
    const answer = await send(door.client, { path: '/api/test', headers: { host: 'evil.example' } });
    expect(answer.status).toBe(421);
    expect(answer.text).not.toContain('evil.example');
  });

  test('get no CORS permission', async () => {
    const answer = await send(door.client, { path: '/api/test', headers: { origin: 'https://evil.example' } });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});
