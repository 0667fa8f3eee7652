/** Reviews, their groups and quality, as the fixture door answers them. */
import { ago } from './web-fixture-answers.ts';
import { idOf, indexOf, reviewDetail } from './web-fixture-data.ts';
import type { FixtureAnswer, FixtureRequest, FixtureState } from './web-fixture.ts';

type Handler = (state: FixtureState, request: FixtureRequest, parts: readonly string[]) => FixtureAnswer;

const counts = (state: FixtureState) => ({
  open: state.reviews,
  later: 2,
  mine: 3,
  waitingForSecond: 1,
  decidedToday: 7,
});

const reviews: Handler = (state, { query }) => {
  const wanted = query.get('state') ?? 'open';
  const length = wanted === 'open' ? state.reviews : wanted === 'later' ? Math.min(2, state.reviews) : 0;
  const list = Array.from({ length }, (_, index) => {
    const {
      explanation: _e,
      comparison: _c,
      sourceA: _a,
      sourceB: _b,
      ...summary
    } = reviewDetail(index, length).review;
    return { ...summary, state: wanted, ...workOn(index) };
  });
  return { body: { counts: counts(state), reviews: list } };
};

/** The second pair is taken, the third waits for a second person. */
const workOn = (index: number) => ({
  ...(index === 1 ? { assignee: { id: idOf(9, 0), name: 'Dr. Amina Okello', isMe: true } } : {}),
  ...(index === 2 ? { proposedBy: { name: 'Ben Otieno', isMe: false } } : {}),
});

const GROUP_STATES = ['sampling', 'sampling', 'done'] as const;
const group = (_state: FixtureState, index: number) => ({
  id: idOf(12, index),
  state: GROUP_STATES[index] ?? 'sampling',
  createdAt: ago(60 * (index + 1)),
  createdBy: { name: index === 1 ? 'Ben Otieno' : 'Dr. Amina Okello', isMe: index !== 1 },
  scoreFrom: 0.85,
  total: 412 + index,
  accepted: index === 2 ? 361 : 0,
  skipped: index === 2 ? 3 : 0,
  sample: Array.from({ length: 50 }, (_, at) => ({
    id: idOf(4, at),
    score: 0.9,
    ...(index > 0 || at < 18 ? { state: 'decided', decision: 'link' } : { state: 'open' }),
  })),
});
const groups: Handler = (state) => ({ body: { bulks: GROUP_STATES.map((_, index) => group(state, index)) } });

const COMPLETE = ['given', 'family', 'birthDate', 'gender', 'phone', 'identifier', 'address'];
const SHARES = [1, 0.99, 0.93, 0.98, 0.71, 0.55, 0.86];
const QUALITY = {
  precision: { right: 197, judged: 200, low: 0.957, high: 0.995 },
  months: [
    { month: '2026-03', right: 98, wrong: 1, unsure: 1, low: 0.945, high: 0.998 },
    { month: '2026-02', right: 99, wrong: 2, unsure: 3, low: 0.931, high: 0.995 },
  ],
  checksWaiting: 12,
  queue: { day: 14, week: 6, month: 2, older: 1 },
  sources: ['Mulago clinic', 'Central laboratory', 'urn:ug:old-register'].map((label, at) => ({
    label,
    records: 41_200 - at * 12_000,
    linked: 9_800 - at * 3_000,
    complete: COMPLETE.map((field, column) => ({
      field,
      share: (SHARES[column] ?? 0) - at * 0.1,
    })),
  })),
  sampled: 3000,
};
const linkCheck: Handler = () => {
  const { a, b, comparison } = reviewDetail(1, 5).review;
  return { body: { check: { id: idOf(13, 1), a, b, comparison }, waiting: 12 } };
};

const changeRules: Handler = (state, { body }) => {
  const { secondPerson } = body as { secondPerson: 'never' | 'merges' | 'always' };
  state.secondPerson = secondPerson;
  return { body: { secondPerson } };
};

const assign: Handler = (_state, { body }) => ({ body: { assigned: (body as { reviews: string[] }).reviews } });

const decide: Handler = (state, { path }, [, , id]) => {
  state.reviews -= 1;
  const next = indexOf(id) + 1;
  if (path.endsWith('/undo')) state.reviews += 2;
  return path.endsWith('/undo')
    ? { body: { review: reviewDetail(indexOf(id), 5).review } }
    : { body: { entryId: idOf(3, 1), alsoAnswered: 2, ...(state.reviews > 0 ? { next: idOf(4, next) } : {}) } };
};

const COLLEAGUES = [{ id: idOf(7, 2), name: 'Ben Otieno' }];

export const REVIEW_ROUTES: readonly (readonly [string, RegExp, Handler])[] = [
  ['GET', /^\/api\/reviews$/, reviews],
  ['GET', /^\/api\/quality$/, () => ({ body: QUALITY })],
  ['GET', /^\/api\/quality\/checks\/next$/, linkCheck],
  ['POST', /^\/api\/quality\/checks\/[^/]+$/, () => ({ body: { waiting: 11 } })],
  ['GET', /^\/api\/review-groups$/, groups],
  ['POST', /^\/api\/review-groups$/, (state) => ({ status: 201, body: { bulk: group(state, 0) } })],
  ['POST', /^\/api\/review-groups\/[^/]+\/(accept|undo)$/, () => ({ body: { done: 12, skipped: 1, more: false } })],
  ['GET', /^\/api\/reviewers$/, () => ({ body: { reviewers: COLLEAGUES, more: true } })],
  ['POST', /^\/api\/reviewers\/search$/, () => ({ body: { reviewers: COLLEAGUES, more: false } })],
  ['GET', /^\/api\/review-rules$/, (state) => ({ body: { secondPerson: state.secondPerson } })],
  ['PUT', /^\/api\/review-rules$/, changeRules],
  ['POST', /^\/api\/reviews\/assign$/, assign],
  [
    'GET',
    /^\/api\/reviews\/[^/]+$/,
    (state, _request, [, , id]) => {
      const detail = reviewDetail(indexOf(id), 23);
      const review = { ...detail.review, ...workOn(indexOf(id)) };
      return { body: { ...detail, review, counts: counts(state) } };
    },
  ],
  ['POST', /^\/api\/reviews\/[^/]+\/(decision|undo)$/, decide],
];
