import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { handled } from '../../../test/support/handled.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import type { RouteRequest } from '../../platform/http/route.ts';
import type { ReviewDetailReply, ReviewSummary } from './wire.ts';

/** Two people with several records each have several reviews between them: one answer answers all, one undo asks all again. */
let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

async function call(path: string, parts: { params?: object; body?: object } = {}): Promise<unknown> {
  const [method, url] = path.split(' ');
  const found = f.registry.routes.find((one) => one.method === method && one.path === url);
  if (!found) throw new Error(`no route ${path}`);
  const { query, body } = found.input;
  const request = {
    actor: userActor,
    params: parts.params ?? {},
    query: query === 'raw' ? '' : query.parse({}),
    body: typeof body === 'string' ? undefined : body.parse(parts.body ?? {}),
  } as unknown as RouteRequest<never, never, never>;
  return (await handled(found, request)).body;
}

let serial = 0;
async function put(fields: Parameters<typeof person>[0]): Promise<string> {
  const system = `urn:chain:${serial}`;
  const key = `k-${serial++}`;
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain: await f.domain(system), key, patient: person({ ...fields, key: [system, key] }) },
  ]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error('refused');
  return outcome.goldenId;
}

const openReviews = async (): Promise<ReviewSummary[]> =>
  ((await call('GET /api/reviews')) as { reviews: ReviewSummary[] }).reviews;

/** Twins: everything the same but the given name, each registered twice. */
async function twinsTwice(): Promise<void> {
  const home = {
    family: 'Nakitto',
    birthDate: '2016-05-16',
    gender: 'female',
    phone: '0771 232 998',
    address: { line: '20 Independence Close', city: 'Jinja' },
  } as const;
  const goldens = [];
  for (const given of ['Babirye', 'Nakato', 'Babirye', 'Nakato']) goldens.push(await put({ ...home, given }));
  expect(new Set(goldens).size).toBe(2);
}

describe('several reviews between the same two people', () => {
  it('are answered by one link, which leads to a review that still waits; undoing it asks all of them again', async () => {
    await twinsTwice();
    const before = await openReviews();
    expect(before.length).toBeGreaterThan(1);
    const [first] = before;
    const params = { id: first?.id };
    const { next } = (await call('POST /api/reviews/:id/decision', { params, body: { decision: 'link' } })) as {
      next?: string;
    };
    expect(await openReviews()).toEqual([]);
    expect(next).toBeUndefined();

    await call('POST /api/reviews/:id/undo', { params });
    expect((await openReviews()).map((one) => one.id)).toEqual(before.map((one) => one.id));
    const { review } = (await call('GET /api/reviews/:id', { params })) as ReviewDetailReply;
    expect(review.a.clientId).not.toBe(review.b.clientId);
  });
});
