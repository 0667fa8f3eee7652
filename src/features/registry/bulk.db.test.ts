import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { handled } from '../../../test/support/handled.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { RouteRequest } from '../../platform/http/route.ts';
import { compileModel, DEFAULT_MODEL } from '../matching/index.ts';
import { takeRegistryLock } from './store.ts';
import type { BulkView, ReviewSummary } from './wire.ts';

/** Many alike pairs, accepted together after a sample. */
let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

const AMA = '0198f3a0-0000-7000-8000-0000000000a1' as UserId;
const BEN = '0198f3a0-0000-7000-8000-0000000000b2' as UserId;

async function call<T>(
  userId: UserId,
  path: string,
  parts: { params?: object; query?: object; body?: object } = {},
): Promise<T> {
  const [method, url] = path.split(' ');
  const found = f.registry.routes.find((one) => one.method === method && one.path === url);
  if (!found) throw new Error(`no route ${path}`);
  const { query, body } = found.input;
  const request = {
    actor: { ...userActor, principal: { ...userActor.principal, kind: 'user', userId } as Actor['principal'] },
    params: parts.params ?? {},
    query: query === 'raw' ? '' : query.parse(parts.query ?? {}),
    body: typeof body === 'string' ? undefined : body.parse(parts.body ?? {}),
  } as unknown as RouteRequest<never, never, never>;
  return (await handled(found, request)).body as T;
}

let serial = 0;
const PAIRS = 26;
let family = 0;
/** A family name of its own for each pair, so that no two pairs are alike. */
function familyName(): string {
  const syllables = ['ba', 'ki', 'lo', 'mu', 'ne', 'so', 'ta', 'ze', 'wi', 'ru'];
  const at = family++;
  return [at % 10, Math.floor(at / 10) % 10, (at * 7) % 10, (at * 3) % 10].map((n) => syllables[n]).join('');
}

/** Pairs of records that are alike, but not enough to be linked without a person: of one only the year of birth is known. */
async function alikePairs(): Promise<void> {
  for (let at = 0; at < PAIRS; at++) {
    // A year of its own as well: a pair must not resemble one of an earlier call.
    const year = 1910 + family;
    const one = { given: 'Prossy', family: familyName(), gender: 'female' } as const;
    for (const birthDate of [`${year}-03-14`, `${year}`]) {
      const system = `urn:bulk:${serial}`;
      const key = `k-${serial++}`;
      await f.registry.submit(f.operator, [
        {
          kind: 'upsert',
          domain: await f.domain(system),
          key,
          patient: person({ ...one, birthDate, key: [system, key] }),
        },
      ]);
    }
  }
}
const open = async (): Promise<ReviewSummary[]> =>
  (await call<{ reviews: ReviewSummary[] }>(AMA, 'GET /api/reviews', { query: { limit: 100 } })).reviews;
const begin = (scoreFrom: number) =>
  call<{ bulk: BulkView }>(AMA, 'POST /api/review-groups', { body: { scoreFrom, sampleSize: 20 } });
const accept = (who: UserId, id: string) =>
  call<{ done: number; skipped: number; more: boolean }>(who, 'POST /api/review-groups/:id/accept', { params: { id } });
const decide = (id: string, decision: 'link' | 'different') =>
  call(AMA, 'POST /api/reviews/:id/decision', { params: { id }, body: { decision } });

describe('alike pairs', () => {
  it('are not a group while they are few', async () => {
    await expect(begin(0)).rejects.toMatchObject({ code: 'too-few-alike' });
  });

  it('are linked together only after every one of a sample was decided to be one person', async () => {
    await alikePairs();
    const waiting = await open();
    expect(waiting.length).toBe(PAIRS);
    const { bulk } = await begin(0);
    expect(bulk).toMatchObject({ total: PAIRS, state: 'sampling' });
    expect(bulk.sample).toHaveLength(20);
    await expect(accept(AMA, bulk.id)).rejects.toMatchObject({ code: 'sample-pending' });
    for (const one of bulk.sample) await decide(one.id, 'link');
    expect(await accept(AMA, bulk.id)).toEqual({ done: PAIRS - 20, skipped: 0, more: false });
    expect(await open()).toEqual([]);
    await expect(accept(AMA, bulk.id)).rejects.toMatchObject({ code: 'bulk-over' });
  });

  it('are all taken back together, but for the sample, which people decided one by one', async () => {
    const { bulks } = await call<{ bulks: BulkView[] }>(AMA, 'GET /api/review-groups');
    const id = bulks[0]?.id ?? '';
    const undone = await call(AMA, 'POST /api/review-groups/:id/undo', { params: { id } });
    expect(undone).toEqual({ done: PAIRS - 20, skipped: 0, more: false });
    expect(await open()).toHaveLength(PAIRS - 20);
  });

  it('are not linked when one of the sample was two people, nor by the one who drew it where two are needed', async () => {
    await alikePairs();
    const { bulk } = await begin(0);
    for (const [at, one] of bulk.sample.entries()) await decide(one.id, at === 3 ? 'different' : 'link');
    await expect(accept(BEN, bulk.id)).rejects.toMatchObject({ code: 'sample-failed' });

    await alikePairs();
    const second = (await begin(0)).bulk;
    for (const one of second.sample) await decide(one.id, 'link');
    await call(AMA, 'PUT /api/review-rules', { body: { secondPerson: 'always' } });
    await expect(accept(AMA, second.id)).rejects.toMatchObject({ code: 'second-person-needed' });
    // Nor does it help to have somebody else's name written into the database.
    const nameBegun = (by: UserId) =>
      f.db.ownerDatabase.run({ name: `test.begun-${by}`, text: 'UPDATE registry.bulk SET created_by = $1' }, [by]);
    await nameBegun(BEN);
    await expect(accept(AMA, second.id)).rejects.toMatchObject({ code: 'second-person-needed' });
    await nameBegun(AMA);
    expect((await accept(BEN, second.id)).done).toBeGreaterThan(0);
  });

  /** A group whose sample is one person each; nobody else’s reviews are open. */
  async function sampled(): Promise<string> {
    await call(AMA, 'PUT /api/review-rules', { body: { secondPerson: 'never' } });
    for (const one of await open()) await decide(one.id, 'different');
    await alikePairs();
    const { bulk } = await begin(0);
    for (const one of bulk.sample) await decide(one.id, 'link');
    return bulk.id;
  }
  const group = async (id: string) =>
    (await call<{ bulks: BulkView[] }>(AMA, 'GET /api/review-groups')).bulks.find((one) => one.id === id);

  it('are linked no further once the group is taken back, however far somebody else had come with it', async () => {
    const id = await sampled();
    const waiting = (await open()).length;
    let release = (): void => undefined;
    const held = Promise.withResolvers<void>();
    const holding = f.db.database.transaction(async (tx) => {
      await takeRegistryLock(tx);
      held.resolve();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await held.promise;
    // Ben’s request has chosen its pairs and waits for its turn; meanwhile all is taken back.
    const accepting = accept(BEN, id).catch((error: unknown) => (error as { code?: string }).code);
    try {
      await expect.poll(waitingForTheLock).toBeGreaterThan(0);
      await call(AMA, 'POST /api/review-groups/:id/undo', { params: { id } });
    } finally {
      release();
      await holding;
    }
    expect(await accepting).toBe('bulk-over');
    expect(await group(id)).toMatchObject({ state: 'given-up', accepted: 0 });
    expect(await open()).toHaveLength(waiting);
  });

  it('are not linked after another model took over, whatever the sample said', async () => {
    const id = await sampled();
    const waiting = (await open()).length;
    const model = (version: string) =>
      f.db.ownerDatabase.run({ name: `test.model-${version}`, text: 'UPDATE registry.bulk SET model_version = $1' }, [
        version,
      ]);
    await model('another');
    await expect(accept(BEN, id)).rejects.toMatchObject({ code: 'bulk-outdated' });
    expect(await open()).toHaveLength(waiting);
    await model(compileModel(DEFAULT_MODEL).version);
    expect(await accept(BEN, id)).toMatchObject({ skipped: 0, more: false });
    expect(await group(id)).toMatchObject({ state: 'done', accepted: PAIRS - 20 });
  });
});

async function waitingForTheLock(): Promise<number> {
  const text =
    'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())';
  const [row] = await f.db.ownerDatabase.rows<{ n: number }>({ name: 'test.waiting', text });
  return row?.n ?? 0;
}
