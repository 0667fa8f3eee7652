import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { handled } from '../../../test/support/handled.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { RouteRequest } from '../../platform/http/route.ts';
import type { SubmissionOutcome } from './index.ts';
import type { ClientDetailReply, ReviewDetailReply, ReviewSummary } from './wire.ts';

let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

type Written = Exclude<SubmissionOutcome, { status: 'refused' }>;
const steward: Actor = userActor;

/** Calls a route's handler as the door would, with what it parses. */
async function call(path: string, parts: { params?: object; query?: object; body?: object } = {}): Promise<unknown> {
  const [method, url] = path.split(' ');
  const found = f.registry.routes.find((one) => one.method === method && one.path === url);
  if (!found) throw new Error(`no route ${path}`);
  const { query } = found.input;
  const request = {
    actor: steward,
    params: parts.params ?? {},
    query: query === 'raw' ? '' : query.parse(parts.query ?? {}),
    body: typeof found.input.body === 'string' ? undefined : found.input.body.parse(parts.body ?? {}),
  } as unknown as RouteRequest<never, never, never>;
  const reply = await handled(found, request);
  expect(reply.audited).not.toBeNull();
  return reply.body;
}

let serial = 0;
async function put(fields: Parameters<typeof person>[0], system = `urn:s:${serial++}`): Promise<Written> {
  const domain = await f.domain(system);
  const key = `k-${serial++}`;
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain, key, patient: person({ ...fields, key: [system, key] }) },
  ]);
  const outcome = outcomes[0];
  if (!outcome || outcome.status === 'refused') throw new Error('refused');
  return outcome;
}

async function detail(id: string): Promise<ClientDetailReply> {
  return (await call('GET /api/clients/:id', { params: { id } })) as ClientDetailReply;
}

async function reviews(): Promise<ReviewSummary[]> {
  return ((await call('GET /api/reviews', { query: {} })) as { reviews: ReviewSummary[] }).reviews;
}

/** Two people of different names whom only a steward may link. */
async function strangers(): Promise<[Written, Written]> {
  const names = ['Achieng', 'Barasa', 'Chebet', 'Dalmar', 'Ekwamu', 'Fadhili', 'Gathoni', 'Hamisi', 'Ikwap', 'Jelani'];
  const name = () => names[(serial * 7) % names.length] ?? 'X';
  const a = await put({ given: name(), family: `Kato${serial}ba`, birthDate: `19${50 + (serial % 40)}-02-11` });
  const b = await put({ given: name(), family: `Zziwa${serial}so`, birthDate: `19${50 + (serial % 40)}-11-23` });
  expect(a.goldenId).not.toBe(b.goldenId);
  return [a, b];
}

describe('separating and joining by hand', () => {
  it('merges two clients, redirects the other for ever, and takes the merge back', async () => {
    const [a, b] = await strangers();
    await call('POST /api/clients/merge', {
      body: { survivor: a.goldenId, other: b.goldenId, reason: 'same card seen' },
    });
    const merged = await detail(a.goldenId);
    expect(merged.sources.map((one) => one.id).toSorted()).toEqual([a.id, b.id].toSorted());
    expect(merged.sources.every((one) => one.linkedBy !== undefined)).toBe(true);
    expect((await detail(b.goldenId)).client).toMatchObject({ active: false, replacedBy: a.goldenId });
    const redirect = JSON.parse(
      new TextDecoder().decode((await f.registry.read(b.goldenId))?.content ?? new Uint8Array()),
    );
    expect(redirect).toMatchObject({
      active: false,
      link: [{ type: 'replaced-by', other: { reference: `Patient/${a.goldenId}` } }],
    });

    await call('POST /api/clients/:id/unmerge', {
      params: { id: a.goldenId },
      body: { reason: 'two cards after all' },
    });
    expect((await detail(a.goldenId)).sources.map((one) => one.id)).toEqual([a.id]);
    expect((await detail(b.goldenId)).client).toMatchObject({ active: true });
    expect((await detail(b.goldenId)).sources.map((one) => one.id)).toEqual([b.id]);
    await expect(
      call('POST /api/clients/:id/unmerge', { params: { id: a.goldenId }, body: { reason: 'once more' } }),
    ).rejects.toMatchObject({ code: 'not-merged' });
  });

  it('breaks a link; the two never link again by themselves, however alike', async () => {
    const twice = {
      given: 'Prossy',
      family: 'Namutebi',
      birthDate: '1991-09-17',
      gender: 'female',
      phone: '0782 111 999',
    } as const;
    const a = await put(twice, 'urn:s:break-a');
    const b = await put(twice, 'urn:s:break-b');
    expect(b.goldenId).toBe(a.goldenId);
    const { newClientId } = (await call('POST /api/clients/:id/unlink', {
      params: { id: a.goldenId },
      body: { sourceId: b.id, reason: 'twins' },
    })) as { newClientId: string };
    expect((await detail(newClientId)).sources.map((one) => one.id)).toEqual([b.id]);
    expect((await detail(newClientId)).neverLinked).toHaveLength(1);
    // The record is sent again, changed: it stays where the steward put it.
    const domain = await f.domain('urn:s:break-b');
    const key = JSON.parse(new TextDecoder().decode(b.content ?? new Uint8Array())).identifier[0].value;
    const { outcomes } = await f.registry.submit(f.operator, [
      {
        kind: 'upsert',
        domain,
        key,
        patient: person({ ...twice, phone: '0782 111 998', key: ['urn:s:break-b', key] }),
      },
    ]);
    expect(outcomes[0]).toMatchObject({ status: 'updated', goldenId: newClientId });
    await expect(
      call('POST /api/clients/merge', { body: { survivor: a.goldenId, other: newClientId, reason: 'try anyway' } }),
    ).rejects.toMatchObject({ code: 'never-linked' });
  });

  it('takes a separation back, never-links included, once', async () => {
    const twice = { given: 'Harriet', family: 'Nakabuye', birthDate: '1979-06-06', gender: 'female' } as const;
    const a = await put({ ...twice, phone: '0782 400 111' }, 'urn:s:undo-a');
    const b = await put({ ...twice, phone: '0782 400 111' }, 'urn:s:undo-b');
    expect(b.goldenId).toBe(a.goldenId);
    const { entryId, newClientId } = (await call('POST /api/clients/:id/unlink', {
      params: { id: a.goldenId },
      body: { sourceId: b.id, reason: 'wrong click' },
    })) as { entryId: string; newClientId: string };
    const undo = () =>
      call('POST /api/clients/:id/undo', { params: { id: a.goldenId }, body: { entryId, reason: 'they are one' } });
    expect(await undo()).toMatchObject({ clientId: a.goldenId });
    const back = await detail(a.goldenId);
    expect(back.sources.map((one) => one.id).toSorted()).toEqual([a.id, b.id].toSorted());
    expect(back.neverLinked).toEqual([]);
    expect((await detail(newClientId)).client).toMatchObject({ active: false, replacedBy: a.goldenId });
    await expect(undo()).rejects.toMatchObject({ code: 'nothing-to-undo' });
  });

  it('takes a "never link" back, and nothing that it did not do', async () => {
    const [a, b] = await strangers();
    const { entryId } = (await call('POST /api/never-link', {
      body: { a: a.id, b: b.id, reason: 'father and son' },
    })) as { entryId: string };
    const of = [a, b].find((one) => [a.id, b.id].toSorted()[0] === one.id) ?? a;
    const undo = (id: string, what: string) =>
      call('POST /api/clients/:id/undo', { params: { id }, body: { entryId: what, reason: 'typed wrongly' } });
    await undo(of.goldenId, entryId);
    expect((await detail(of.goldenId)).neverLinked).toEqual([]);
    const created = (await detail(of.goldenId)).ledger.find((entry) => entry.kind === 'created');
    await expect(undo(of.goldenId, created?.entryId ?? '')).rejects.toMatchObject({ code: 'nothing-to-undo' });
    await call('POST /api/clients/merge', {
      body: { survivor: a.goldenId, other: b.goldenId, reason: 'one after all' },
    });
  });

  it('gives a separated record the golden record back that it had before it was linked', async () => {
    const twice = { given: 'Rosette', family: 'Nabwire', birthDate: '1988-03-21', gender: 'female' } as const;
    const a = await put({ ...twice, phone: '0782 700 111' }, 'urn:s:back-a');
    const key = 'back-b';
    const domain = await f.domain('urn:s:back-b');
    const send = async (fields: Parameters<typeof person>[0]) => {
      const patient = person({ ...fields, key: ['urn:s:back-b', key] });
      const { outcomes } = await f.registry.submit(f.operator, [{ kind: 'upsert', domain, key, patient }]);
      const [outcome] = outcomes;
      if (!outcome || outcome.status === 'refused') throw new Error('refused');
      return outcome;
    };
    // Nearly nothing is known of her at first.
    const before = await send({ given: 'Rosette', gender: 'female' });
    const after = await send({ ...twice, phone: '0782 700 111' });
    expect(after.goldenId).toBe(a.goldenId);
    expect((await detail(before.goldenId)).client.replacedBy).toBe(a.goldenId);
    const { newClientId } = (await call('POST /api/clients/:id/unlink', {
      params: { id: a.goldenId },
      body: { sourceId: after.id, reason: 'another woman' },
    })) as { newClientId: string };
    expect(newClientId).toBe(before.goldenId);
    expect((await detail(before.goldenId)).client).toMatchObject({ active: true });
    expect((await detail(before.goldenId)).sources.map((one) => one.id)).toEqual([after.id]);
  });

  it('says where every value of the golden record comes from, and what others say', async () => {
    const [a, b] = await strangers();
    await call('POST /api/clients/merge', { body: { survivor: a.goldenId, other: b.goldenId, reason: 'provenance' } });
    const { client } = await detail(a.goldenId);
    const birth = client.demographics.find((one) => one.path === 'birthDate');
    expect(birth?.alternatives).toHaveLength(1);
    expect(birth?.from.length).toBe(1);
    expect(client.demographics.filter((one) => one.path === 'name')).toHaveLength(2);
  });

  it('refuses to take out the only record, to merge a client with itself, and ids it does not know', async () => {
    const [a] = await strangers();
    const reason = 'just because';
    await expect(
      call('POST /api/clients/:id/unlink', { params: { id: a.goldenId }, body: { sourceId: a.id, reason } }),
    ).rejects.toMatchObject({ code: 'last-source' });
    await expect(
      call('POST /api/clients/merge', { body: { survivor: a.goldenId, other: a.goldenId, reason } }),
    ).rejects.toMatchObject({ code: 'same-client' });
    await expect(detail('0198f3a0-0000-7000-8000-0000000000ff')).rejects.toMatchObject({ code: 'client-not-found' });
    await expect(detail("1' OR 1=1")).rejects.toMatchObject({ code: 'client-not-found' });
  });
});

describe('reviews', () => {
  /** Alike enough to ask, not enough to link. */
  async function doubtful(): Promise<[Written, Written, ReviewSummary]> {
    const family =
      ['Wanyama', 'Nakimuli', 'Byaruhanga', 'Tushabe', 'Kisakye', 'Lubega', 'Mbabazi'][serial % 7] ?? 'Okot';
    const year = 1940 + (serial % 60);
    const a = await put({ given: 'Florence', family, birthDate: `${year}-04-19`, gender: 'female' });
    const b = await put({ given: 'Florance', family, birthDate: `${year}-04-12`, gender: 'female' });
    const found = (await reviews()).find((one) => [one.a.sourceId, one.b.sourceId].includes(b.id));
    if (!found) throw new Error(`no review was opened: ${b.goldenId === a.goldenId ? 'linked' : 'apart'}`);
    return [a, b, found];
  }

  it('opens for a pair between the thresholds, shows both sides, and links on the steward’s word; undo opens it again', async () => {
    const [a, b, review] = await doubtful();
    const shown = (await call('GET /api/reviews/:id', { params: { id: review.id } })) as ReviewDetailReply;
    expect(shown.review.comparison.find((row) => row.path === 'birthDate')?.same).toBe('different');
    await call('POST /api/reviews/:id/decision', { params: { id: review.id }, body: { decision: 'link' } });
    const linked = await f.registry.goldenOf([a.id, b.id]);
    expect(linked.get(a.id)).toBe(linked.get(b.id));
    await expect(
      call('POST /api/reviews/:id/decision', { params: { id: review.id }, body: { decision: 'different' } }),
    ).rejects.toMatchObject({ code: 'review-already-decided' });
    await call('POST /api/reviews/:id/undo', { params: { id: review.id } });
    const apart = await f.registry.goldenOf([a.id, b.id]);
    expect(apart.get(a.id)).not.toBe(apart.get(b.id));
    expect((await reviews()).some((one) => one.id === review.id)).toBe(true);
    // Undone means open to either answer: linking again is possible.
    await call('POST /api/reviews/:id/decision', { params: { id: review.id }, body: { decision: 'link' } });
    const again = await f.registry.goldenOf([a.id, b.id]);
    expect(again.get(a.id)).toBe(again.get(b.id));
  });

  it('keeps different people apart for ever, until that decision is taken back', async () => {
    const [a, b, review] = await doubtful();
    await call('POST /api/reviews/:id/decision', { params: { id: review.id }, body: { decision: 'different' } });
    const merge = { survivor: a.goldenId, other: b.goldenId, reason: 'after all one' };
    await expect(call('POST /api/clients/merge', { body: merge })).rejects.toMatchObject({ code: 'never-linked' });
    await call('POST /api/reviews/:id/undo', { params: { id: review.id } });
    await call('POST /api/clients/merge', { body: merge });
    expect((await reviews()).some((one) => one.id === review.id)).toBe(false);
  });

  it('puts a review aside for later and counts it there', async () => {
    const [, , review] = await doubtful();
    await call('POST /api/reviews/:id/decision', { params: { id: review.id }, body: { decision: 'later' } });
    const list = (await call('GET /api/reviews', { query: { state: 'later' } })) as {
      reviews: ReviewSummary[];
      counts: { later: number };
    };
    expect(list.reviews.some((one) => one.id === review.id)).toBe(true);
    expect(list.counts.later).toBeGreaterThan(0);
  });

  it('vanishes when one of its records is deleted', async () => {
    const [, b, review] = await doubtful();
    await f.registry.submit(f.operator, [{ kind: 'delete', id: b.id }]);
    await expect(call('GET /api/reviews/:id', { params: { id: review.id } })).rejects.toMatchObject({
      code: 'review-not-found',
    });
  });
});

describe('the ledger', () => {
  it('cannot be changed or emptied, even by the owner of the database', async () => {
    const run = (text: string) => f.db.ownerDatabase.rows({ name: text.slice(0, 40), text });
    await expect(run(`UPDATE registry.ledger SET kind = 'linked'`)).rejects.toThrow();
    await expect(run('DELETE FROM registry.ledger')).rejects.toThrow();
    await expect(run('TRUNCATE registry.ledger')).rejects.toThrow();
  });
});
