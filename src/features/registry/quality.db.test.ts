import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { handled } from '../../../test/support/handled.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import type { RouteRequest } from '../../platform/http/route.ts';
import { wilson } from './quality-rules.ts';
import type { LinkCheckReply, QualityReply } from './wire-quality.ts';

let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

async function call<T>(path: string, parts: { params?: object; body?: object } = {}): Promise<T> {
  const [method, url] = path.split(' ');
  const found = f.registry.routes.find((one) => one.method === method && one.path === url);
  if (!found) throw new Error(`no route ${path}`);
  const { body } = found.input;
  const request = {
    actor: userActor,
    params: parts.params ?? {},
    query: {},
    body: typeof body === 'string' ? undefined : body.parse(parts.body ?? {}),
  } as unknown as RouteRequest<never, never, never>;
  const reply = await handled(found, request);
  expect(reply.audited).not.toBeNull();
  if (typeof found.output !== 'string') found.output.parse(reply.body);
  return reply.body as T;
}

async function put(system: string, key: string, fields: Parameters<typeof person>[0]): Promise<string> {
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain: await f.domain(system), key, patient: person({ ...fields, key: [system, key] }) },
  ]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error('refused');
  return outcome.goldenId;
}

test('the interval is where the literature has it', () => {
  // Newcombe 1998, table I: 81 of 263 and 0 of 20.
  expect(wilson(81, 263).low).toBeCloseTo(0.2553, 3);
  expect(wilson(81, 263).high).toBeCloseTo(0.3662, 3);
  expect(wilson(0, 20).low).toBe(0);
  expect(wilson(0, 20).high).toBeCloseTo(0.1611, 3);
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
});

describe('quality', () => {
  const people = [
    ['Prossy', 'Namutebi', '1991-09-17'],
    ['Okello', 'Banda', '1984-03-12'],
    ['Amina', 'Mirembe', '1975-12-02'],
  ] as const;

  it('is empty before there is anything to measure', async () => {
    const quality = await call<QualityReply>('GET /api/quality');
    expect(quality).toMatchObject({ sources: [], checksWaiting: 0, precision: { judged: 0, low: 0, high: 1 } });
    await expect(call('POST /api/quality/checks', { body: { size: 10 } })).rejects.toMatchObject({
      code: 'no-links-to-check',
    });
  });

  it('is estimated from links that people judged without seeing the score', async () => {
    for (const [at, [given, family, birthDate]] of people.entries()) {
      const one = { given, family, birthDate, gender: 'female', phone: `0782 111 99${at}` } as const;
      const first = await put('urn:q:a', `k${at}`, one);
      expect(await put('urn:q:b', `k${at}`, one)).toBe(first);
    }
    expect(await call('POST /api/quality/checks', { body: { size: 10 } })).toEqual({ drawn: 3 });
    for (const verdict of ['right', 'right', 'wrong'] as const) {
      const { check } = await call<LinkCheckReply>('GET /api/quality/checks/next');
      expect(check?.comparison.length).toBeGreaterThan(2);
      expect(JSON.stringify(check)).not.toContain('score');
      const id = check?.id ?? '';
      await call('POST /api/quality/checks/:id', { params: { id }, body: { verdict } });
      await expect(
        call('POST /api/quality/checks/:id', { params: { id }, body: { verdict: 'right' } }),
      ).rejects.toMatchObject({ code: 'link-check-done' });
    }
    const { precision, checksWaiting, months } = await call<QualityReply>('GET /api/quality');
    expect(precision).toMatchObject({ right: 2, judged: 3 });
    expect(precision.low).toBeLessThan(2 / 3);
    expect(checksWaiting).toBe(0);
    expect(months).toMatchObject([{ right: 2, wrong: 1 }]);
  });

  it('puts aside a drawn link that was parted since', async () => {
    const one = {
      given: 'Sunday',
      family: 'Zziwa',
      birthDate: '1966-01-30',
      gender: 'male',
      phone: '0701 555 111',
    } as const;
    const golden = await put('urn:q:a', 'k9', one);
    await put('urn:q:b', 'k9', one);
    await call('POST /api/quality/checks', { body: { size: 10 } });
    const { check } = await call<LinkCheckReply>('GET /api/quality/checks/next');
    await call('POST /api/clients/:id/unlink', {
      params: { id: golden },
      body: { sourceId: check?.a.sourceId, reason: 'two people' },
    });
    expect(await call<LinkCheckReply>('GET /api/quality/checks/next')).toEqual({ waiting: 0 });
  });
});
