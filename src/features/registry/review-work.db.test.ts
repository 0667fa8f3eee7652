import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { handled } from '../../../test/support/handled.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { RouteRequest } from '../../platform/http/route.ts';
import type { ReviewRules, ReviewSummary } from './wire.ts';

/** Two stewards and their queue. */
let f: RegistryFixture;
/** Which colleagues were asked for: the directory's own test is identity's. */
const askedFor: object[] = [];
beforeAll(async () => {
  f = await registryFixture({
    reviewers: async (_reach, which) => {
      askedFor.push(which);
      const people = which.id === undefined || which.id === CHI ? [{ id: CHI, name: 'Chi' }] : [];
      return { people, more: which.id === undefined };
    },
  });
});
beforeEach(() => void askedFor.splice(0));
afterAll(() => f.close());

const AMA = '0198f3a0-0000-7000-8000-0000000000a1' as UserId;
const BEN = '0198f3a0-0000-7000-8000-0000000000b2' as UserId;
const CHI = '0198f3a0-0000-7000-8000-0000000000c3' as UserId;
const steward = (userId: UserId): Actor => ({
  ...userActor,
  principal: { ...userActor.principal, kind: 'user', userId } as Actor['principal'],
});

async function call<T>(
  who: UserId,
  path: string,
  parts: { params?: object; query?: object; body?: object } = {},
): Promise<T> {
  const [method, url] = path.split(' ');
  const found = f.registry.routes.find((one) => one.method === method && one.path === url);
  if (!found) throw new Error(`no route ${path}`);
  const { query, body } = found.input;
  const request = {
    actor: steward(who),
    params: parts.params ?? {},
    query: query === 'raw' ? '' : query.parse(parts.query ?? {}),
    body: typeof body === 'string' ? undefined : body.parse(parts.body ?? {}),
  } as unknown as RouteRequest<never, never, never>;
  const reply = await handled(found, request);
  expect(reply.audited).not.toBeNull();
  return reply.body as T;
}

const rules = (secondPerson: ReviewRules['secondPerson']) =>
  call<ReviewRules>(AMA, 'PUT /api/review-rules', { body: { secondPerson } });
const queue = async (who: UserId, query: object = {}) =>
  await call<{ reviews: ReviewSummary[]; next?: string; counts: { mine: number; waitingForSecond: number } }>(
    who,
    'GET /api/reviews',
    { query },
  );
const decide = (who: UserId, id: string, decision: 'link' | 'different' | 'later') =>
  call<{ entryId?: string; waitsForSecond?: true }>(who, 'POST /api/reviews/:id/decision', {
    params: { id },
    body: { decision },
  });

let serial = 0;
async function put(fields: Parameters<typeof person>[0]): Promise<string> {
  const system = `urn:work:${serial}`;
  const key = `k-${serial++}`;
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain: await f.domain(system), key, patient: person({ ...fields, key: [system, key] }) },
  ]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error('refused');
  return outcome.goldenId;
}

/** Twins of a home of their own, each registered twice: two clients of two records, and questions between them. */
async function twins(family: string): Promise<readonly [string, string]> {
  const home = {
    family,
    birthDate: `${1930 + serial}-05-16`,
    gender: 'female',
    phone: `0771 2${String(serial).padStart(2, '0')} 998`,
  } as const;
  const more = { address: [{ line: [`${20 + serial} Independence Close`], city: 'Jinja' }] };
  const goldens: string[] = [];
  for (const given of ['Babirye', 'Nakato', 'Babirye', 'Nakato']) goldens.push(await put({ ...home, given, more }));
  const [first = '', second = ''] = new Set(goldens);
  expect(new Set(goldens).size).toBe(2);
  return [first, second];
}
const between = async (who: UserId, pair: readonly [string, string]) =>
  (await queue(who)).reviews.find((one) => pair.includes(one.a.clientId) && pair.includes(one.b.clientId));

beforeEach(() => rules('never'));

describe('a queue', () => {
  it('is walked oldest first or likeliest first, page by page, each pair once', async () => {
    await twins('Nakitto');
    await twins('Mirembe');
    const oldest = (await queue(AMA)).reviews;
    expect(oldest.length).toBeGreaterThan(2);
    const seen: ReviewSummary[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await queue(AMA, { order: 'likeliest', limit: 1, ...(cursor ? { cursor } : {}) });
      seen.push(...page.reviews);
      cursor = page.next;
      if (cursor === undefined) break;
    }
    expect(seen.map(({ score }) => score)).toEqual(seen.map(({ score }) => score).toSorted((x, y) => y - x));
    expect(seen.map(({ id }) => id).toSorted()).toEqual(oldest.map(({ id }) => id).toSorted());
  });

  it('refuses a page position of another view', async () => {
    await twins('Nalwoga');
    const { next } = await queue(AMA, { limit: 1 });
    await expect(queue(AMA, { limit: 1, order: 'likeliest', cursor: next })).rejects.toMatchObject({
      code: 'bad-cursor',
    });
  });

  it('shows what is one’s own and what is nobody’s', async () => {
    const review = await between(AMA, await twins('Namutebi'));
    const id = review?.id ?? '';
    await call(AMA, 'POST /api/reviews/assign', { body: { reviews: [id], to: AMA } });
    expect((await queue(AMA, { whose: 'mine' })).reviews).toMatchObject([{ id, assignee: { id: AMA, isMe: true } }]);
    expect((await queue(AMA)).counts.mine).toBe(1);
    expect((await queue(BEN, { whose: 'mine' })).reviews).toEqual([]);
    expect((await queue(BEN, { whose: 'nobodys' })).reviews.map((one) => one.id)).not.toContain(id);
    await call(BEN, 'POST /api/reviews/assign', { body: { reviews: [id] } });
    expect((await queue(AMA, { whose: 'mine' })).reviews).toEqual([]);
  });

  it('is not handed to somebody who may not decide', async () => {
    const review = await between(AMA, await twins('Nabwire'));
    await expect(
      call(AMA, 'POST /api/reviews/assign', { body: { reviews: [review?.id], to: BEN } }),
    ).rejects.toMatchObject({ code: 'reviewer-unknown' });
  });
});

describe('colleagues', () => {
  const told = { reviewers: [{ id: CHI, name: 'Chi' }], more: true };

  it('are named, found by name, and said to be more than are named', async () => {
    expect(await call(AMA, 'GET /api/reviewers')).toEqual(told);
    expect(await call(AMA, 'POST /api/reviewers/search', { body: { text: 'ch' } })).toEqual(told);
    expect(askedFor.splice(0)).toEqual([{ text: '' }, { text: 'ch' }]);
  });

  it('take over what is handed to them, whether or not they were among those named', async () => {
    const review = await between(AMA, await twins('Nansubuga'));
    const ids = [review?.id];
    expect(await call(AMA, 'POST /api/reviews/assign', { body: { reviews: ids, to: CHI } })).toEqual({ assigned: ids });
    expect(askedFor.splice(0)).toEqual([{ id: CHI }]);
  });
});

describe('two pairs of eyes', () => {
  it('are not needed unless the rules say so', async () => {
    const review = await between(AMA, await twins('Atim'));
    expect(await decide(AMA, review?.id ?? '', 'link')).toMatchObject({ entryId: expect.any(String) });
  });

  it('a link waits for a second person, who is not the first', async () => {
    const pair = await twins('Akello');
    await rules('merges');
    const id = (await between(AMA, pair))?.id ?? '';
    expect(await decide(AMA, id, 'link')).toEqual(expect.objectContaining({ waitsForSecond: true }));
    expect(await decide(AMA, id, 'link').catch((error: unknown) => error)).toMatchObject({
      code: 'second-person-needed',
    });
    expect((await queue(AMA, { whose: 'waiting-for-second' })).reviews).toEqual([]);
    const waiting = await queue(BEN, { whose: 'waiting-for-second' });
    expect(waiting.reviews).toMatchObject([{ id, proposedBy: { isMe: false } }]);
    expect(waiting.counts.waitingForSecond).toBe(1);
    expect(await decide(BEN, id, 'link')).toMatchObject({ entryId: expect.any(String) });
    expect((await queue(BEN, { whose: 'waiting-for-second' })).reviews).toEqual([]);
  });

  it('the second person may disagree, and the first may change their mind', async () => {
    const pair = await twins('Apio');
    await rules('always');
    const id = (await between(AMA, pair))?.id ?? '';
    await decide(AMA, id, 'link');
    expect(await decide(BEN, id, 'different')).toMatchObject({ entryId: expect.any(String) });
    const other = await twins('Adong');
    const second = (await between(AMA, other))?.id ?? '';
    await decide(AMA, second, 'link');
    expect(await decide(AMA, second, 'different')).toMatchObject({ entryId: expect.any(String) });
  });

  it('the first person may take the proposal back, nobody else', async () => {
    const pair = await twins('Acen');
    await rules('always');
    const id = (await between(AMA, pair))?.id ?? '';
    await decide(AMA, id, 'link');
    const undo = (who: UserId) => call(who, 'POST /api/reviews/:id/undo', { params: { id } });
    await expect(undo(BEN)).rejects.toMatchObject({ code: 'nothing-to-undo' });
    await undo(AMA);
    expect((await queue(BEN, { whose: 'waiting-for-second' })).reviews).toEqual([]);
    expect(await between(AMA, pair)).toMatchObject({ id, state: 'open' });
  });

  it('a merge by hand becomes a review, and a second person’s same merge is the agreement', async () => {
    const first = await put({ given: 'Okot', family: 'Lubega', birthDate: '1950-01-20' });
    const second = await put({ given: 'Sunday', family: 'Zziwa', birthDate: '1983-11-02' });
    await rules('always');
    const body = { survivor: first, other: second, reason: 'same card seen' };
    const proposed = await call<{ reviewId?: string }>(AMA, 'POST /api/clients/merge', { body });
    expect(proposed).toMatchObject({ waitsForSecond: true });
    const waiting = (await queue(BEN, { whose: 'waiting-for-second' })).reviews;
    expect(waiting).toMatchObject([{ id: proposed.reviewId, cause: 'merge-proposed' }]);
    await expect(call(AMA, 'POST /api/clients/merge', { body })).rejects.toMatchObject({
      code: 'second-person-needed',
    });
    expect(await call(BEN, 'POST /api/clients/merge', { body })).toMatchObject({ clientId: first });
    expect((await queue(BEN, { whose: 'waiting-for-second' })).reviews).toEqual([]);
  });

  it('the rule and its change stand in the log', async () => {
    await rules('merges');
    expect(await call(BEN, 'GET /api/review-rules')).toEqual({ secondPerson: 'merges' });
  });
});
