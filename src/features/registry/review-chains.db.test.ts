import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { handled } from '../../../test/support/handled.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import type { RouteRequest } from '../../platform/http/route.ts';
import type { SubmissionOutcome } from './index.ts';
import type { ReviewDetailReply, ReviewSummary } from './wire.ts';

/** Two people with several records each have several reviews between them: one answer answers all, one undo asks all again. */
let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

type Written = Exclude<SubmissionOutcome, { status: 'refused' }>;

async function call(path: string, parts: { params?: object; query?: object; body?: object } = {}): Promise<unknown> {
  const [method, url] = path.split(' ');
  const found = f.registry.routes.find((one) => one.method === method && one.path === url);
  if (!found) throw new Error(`no route ${path}`);
  const { query, body } = found.input;
  const request = {
    actor: userActor,
    params: parts.params ?? {},
    query: query === 'raw' ? '' : query.parse(parts.query ?? {}),
    body: typeof body === 'string' ? undefined : body.parse(parts.body ?? {}),
  } as unknown as RouteRequest<never, never, never>;
  return (await handled(found, request)).body;
}

const steward = (path: string, id: string | undefined, body: object = {}) => call(path, { params: { id }, body });
const decide = (id: string | undefined, decision: 'link' | 'different') =>
  steward('POST /api/reviews/:id/decision', id, { decision }) as Promise<{ next?: string; alsoAnswered: number }>;
const undo = async (id: string | undefined) =>
  ((await steward('POST /api/reviews/:id/undo', id)) as { review: ReviewSummary }).review;

let serial = 0;
async function put(fields: Parameters<typeof person>[0], key = `k-${serial++}`): Promise<Written> {
  const system = `urn:chain:${key}`;
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain: await f.domain(system), key, patient: person({ ...fields, key: [system, key] }) },
  ]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error('refused');
  return outcome;
}

const reviewsIn = async (state: string): Promise<ReviewSummary[]> =>
  ((await call('GET /api/reviews', { query: { state, limit: 100 } })) as { reviews: ReviewSummary[] }).reviews;
/** Waiting reviews between two of these people. */
async function between(...people: readonly Written[]): Promise<ReviewSummary[]> {
  const goldens = new Set([...(await f.registry.goldenOf(people.map((one) => one.id))).values()] as string[]);
  return (await reviewsIn('open')).filter((one) => goldens.has(one.a.clientId) && goldens.has(one.b.clientId));
}
const ids = (reviews: readonly ReviewSummary[]) => reviews.map((one) => one.id);

let families = 0;
/** Siblings born together, of another home at each call: everything the same but the given name. */
function home() {
  const at = families++;
  const syllables = ['ba', 'ki', 'lo', 'mu', 'ne', 'so', 'ta', 'ze'];
  const family = [at % 8, (at * 3 + 1) % 8, (at * 5 + 2) % 8, Math.floor(at / 8) % 8].map((n) => syllables[n]).join('');
  return {
    family: `N${family}`,
    birthDate: `${1950 + at * 2}-05-16`,
    gender: 'female',
    phone: `0771 2${String(at).padStart(2, '0')} 998`,
    address: { line: `${20 + at} Independence Close`, city: 'Jinja' },
  } as const;
}

async function siblings(names: readonly string[], lived = home()): Promise<Written[]> {
  const written: Written[] = [];
  for (const given of names) written.push(await put({ ...lived, given }));
  expect(new Set(written.map((one) => one.goldenId)).size).toBe(new Set(names).size);
  return written;
}

const ORDERS = [
  ['Babirye', 'Nakato', 'Babirye', 'Nakato'],
  ['Babirye', 'Babirye', 'Nakato', 'Nakato'],
  ['Nakato', 'Babirye', 'Babirye', 'Nakato'],
] as const;
const CASES = ORDERS.flatMap((order) => [0, -1].map((place) => ({ order, place })));

describe('several reviews between the same two people', () => {
  it.each(CASES)(
    'are answered by one link, and asked again when it is taken back ($order, $place)',
    async ({ order, place }) => {
      const people = await siblings(order);
      const before = await between(...people);
      expect(before.length).toBeGreaterThan(1);
      const decided = before.at(place)?.id;
      expect((await decide(decided, 'link')).alsoAnswered).toBe(before.length - 1);
      expect(await between(...people)).toEqual([]);
      expect(await undo(decided)).toMatchObject({ id: decided, state: 'open' });
      expect(ids(await between(...people))).toEqual(ids(before));
      const { review } = (await call('GET /api/reviews/:id', { params: { id: decided } })) as ReviewDetailReply;
      expect(review.a.clientId).not.toBe(review.b.clientId);
    },
  );

  it.each(CASES)(
    'are answered by one "different", and asked again when it is taken back ($order, $place)',
    async ({ order, place }) => {
      const people = await siblings(order);
      const before = await between(...people);
      expect(before.length).toBeGreaterThan(1);
      const decided = before.at(place)?.id;
      const answer = await decide(decided, 'different');
      expect(answer.alsoAnswered).toBe(before.length - 1);
      expect(ids(before)).not.toContain(answer.next);
      expect(await between(...people)).toEqual([]);
      const shown = (await reviewsIn('decided')).filter((one) => ids(before).includes(one.id));
      expect(shown.map((one) => one.decision)).toEqual(before.map(() => 'different'));
      // What was answered along with another is taken back there.
      await expect(undo(ids(before).find((id) => id !== decided))).rejects.toMatchObject({ code: 'nothing-to-undo' });
      expect(await undo(decided)).toMatchObject({ id: decided, state: 'open' });
      expect(ids(await between(...people))).toEqual(ids(before));
      // Open means open to either answer.
      await decide(before.at(place)?.id, 'link');
      expect(new Set((await f.registry.goldenOf(people.map((one) => one.id))).values()).size).toBe(1);
    },
  );

  it('are not opened by records that come, change or come again after the two were kept apart', async () => {
    const lived = home();
    const people = await siblings(ORDERS[0], lived);
    const [decided] = await between(...people);
    await decide(decided?.id, 'different');
    for (const given of ['Babirye', 'Nakato']) {
      const key = `again-${given}`;
      const third = await put({ ...lived, given }, key);
      expect(await between(...people, third)).toEqual([]);
      await put({ ...lived, given, phone: '0771 111 000' }, key);
      expect(await between(...people, third)).toEqual([]);
    }
    // The very record of the decision is deleted and sent again: it brings the decision along.
    const gone = people.find((one) => one.id === decided?.a.sourceId);
    const at = people.findIndex((one) => one.id === gone?.id);
    const content = JSON.parse(new TextDecoder().decode(gone?.content ?? new Uint8Array()));
    await f.registry.submit(f.operator, [{ kind: 'delete', id: gone?.id ?? (decided?.a.sourceId as never) }]);
    const again = await put({ ...lived, given: ORDERS[0][at] ?? '' }, content.identifier[0].value);
    expect(await between(...people.filter((one) => one !== gone), again)).toEqual([]);
  });

  it('stay answered while another decision keeps the two apart', async () => {
    const people = await siblings(ORDERS[1]);
    const before = await between(...people);
    const [first] = before;
    const used = new Set([first?.a.sourceId, first?.b.sourceId] as (string | undefined)[]);
    const [a, b] = [people.slice(0, 2), people.slice(2)].map((side) => side.find((one) => !used.has(one.id)));
    const { entryId } = (await call('POST /api/never-link', {
      body: { a: a?.id, b: b?.id, reason: 'two cards' },
    })) as { entryId: string };
    expect(await between(...people)).toEqual([]);
    await steward('POST /api/clients/:id/undo', a?.goldenId, { entryId, reason: 'one card' });
    expect(ids(await between(...people))).toEqual(ids(before));

    await decide(first?.id, 'different');
    const { entryId: again } = (await call('POST /api/never-link', {
      body: { a: a?.id, b: b?.id, reason: 'two cards' },
    })) as { entryId: string };
    expect(await undo(first?.id)).toMatchObject({ state: 'decided', decision: 'different' });
    expect(await between(...people)).toEqual([]);
    await steward('POST /api/clients/:id/undo', a?.goldenId, { entryId: again, reason: 'one card' });
    expect(ids(await between(...people))).toEqual(ids(before));
  });
});

describe('a question about a third person', () => {
  it('is answered when one of its two is linked with somebody who is kept apart from the other', async () => {
    const [one, two, three] = await siblings(['Babirye', 'Nakato', 'Kizza']);
    if (!one || !two || !three) throw new Error('three were registered');
    const [apart] = await between(one, two);
    await decide(apart?.id, 'different');
    const waiting = await between(one, three);
    expect(waiting).toHaveLength(1);
    const [linking] = await between(two, three);
    await decide(linking?.id, 'link');
    expect(ids(await reviewsIn('open'))).not.toContain(waiting[0]?.id);
    await undo(linking?.id);
    expect(ids(await between(one, three))).toEqual(ids(waiting));
    // Apart from two, and again after the link was broken in another way.
    await decide((await between(two, three))[0]?.id, 'link');
    const golden = (await f.registry.goldenOf([two.id])).get(two.id);
    await steward('POST /api/clients/:id/unlink', golden, { sourceId: three.id, reason: 'not one' });
    expect(ids(await between(one, three))).toEqual(ids(waiting));
  });

  it('is not left to a second person where the two are kept apart', async () => {
    const people = await siblings(ORDERS[0]);
    const [first] = await between(...people);
    await decide(first?.id, 'different');
    await call('PUT /api/review-rules', { body: { secondPerson: 'always' } });
    const [survivor, other] = [first?.a.clientId, first?.b.clientId];
    await expect(
      call('POST /api/clients/merge', { body: { survivor, other, reason: 'try anyway' } }),
    ).rejects.toMatchObject({ code: 'never-linked' });
    await call('PUT /api/review-rules', { body: { secondPerson: 'never' } });
    expect(await between(...people)).toEqual([]);
  });
});
