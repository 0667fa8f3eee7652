/** Matching models, as the fixture door answers them. */
import { ago } from './web-fixture-answers.ts';
import { idOf, indexOf, reviewDetail } from './web-fixture-data.ts';
import type { FixtureAnswer, FixtureRequest, FixtureState } from './web-fixture.ts';

type Handler = (state: FixtureState, request: FixtureRequest, parts: readonly string[]) => FixtureAnswer;

const VERSIONS = ['kampala-2026-2', 'kampala-2026-1', 'careseal-default-1'] as const;
const ORIGINS = ['trained', 'adjusted', 'shipped'] as const;
const model = (index: number) => ({
  id: idOf(20, index),
  version: VERSIONS[index] ?? 'careseal-default-1',
  origin: ORIGINS[index] ?? 'shipped',
  createdAt: ago(600 * (index + 1)),
  createdBy: index === 2 ? 'Careseal' : 'Dr. Amina Okello',
  notes: index === 0 ? 'After the load of the northern clinics' : '',
  contentHash: 'ab12'.repeat(16),
  thresholds: { match: 0.99, review: 0.3, probable: 0.8 },
  state: index === 2 ? 'active' : index === 1 ? 'shadow' : 'stored',
  ...(index < 2 ? { simulatedAt: ago(300) } : {}),
  ...(index === 0 ? { proposedBy: { name: 'Ben Otieno', isMe: false } } : {}),
});

const STUDIES = ['simulation', 'training', 'clusters', 'training', 'evaluation'] as const;
const study = (index: number) => ({
  id: idOf(21, index),
  kind: STUDIES[index] ?? 'training',
  state: index === 3 ? 'failed' : 'done',
  model: VERSIONS[0],
  createdAt: ago(100 * (index + 1)),
  finishedAt: ago(90 * (index + 1)),
  by: 'Dr. Amina Okello',
  ...{ done: 1, total: 1 },
  ...(index === 3 ? { error: 'There are too few records to train on. The shipped model works without training.' } : {}),
});

const overview: Handler = (state) => ({
  body: {
    models: state.clients === 0 ? [model(2)] : [0, 1, 2].map(model),
    activations:
      state.clients === 0
        ? []
        : [
            {
              id: idOf(22, 0),
              kind: 'promote',
              at: ago(4_000),
              by: 'Dr. Amina Okello',
              from: VERSIONS[1],
              to: VERSIONS[2],
              state: 'done',
              ...{ visited: 84_211, total: 84_211, joined: 312, parted: 17, reviews: 96, takenBack: 0, kept: 0 },
              undone: false,
            },
          ],
    studies: state.clients === 0 ? [] : [0, 1, 2, 3, 4].map(study),
    labels: { same: 212, different: 31, needed: 50 },
    records: state.clients === 0 ? 0 : 84_211,
    secondPerson: true,
    goingOver: false,
    ...(state.clients === 0 ? {} : { rollBackTo: VERSIONS[1] }),
  },
});

const levels = (of: readonly string[], shift: number) =>
  of.map((level, at) => ({ level, m: 0.5, u: 0.01, weight: 12 - 5 * at + shift }));
const detail: Handler = (_state, _request, parts) => {
  const index = indexOf(parts[2]);
  return {
    body: {
      model: model(index),
      description: 'Trained on 84,211 of the registry’s own records, without labels.',
      population: 182_400,
      fields: [
        { field: 'given', levels: levels(['exact', 'nickname', 'close', 'different'], index) },
        { field: 'birthDate', levels: levels(['exact', 'day-month-swapped', 'year', 'different'], -index) },
        { field: 'gender', levels: levels(['same', 'different'], 0) },
      ],
      blocking: [{ name: 'nb', parts: ['name-sound', 'birth-date'] }],
      uniqueIdentifier: true,
      names: { given: 1_420, family: 1_988 },
      judged: { same: { link: 151, review: 55, none: 6 }, different: { link: 0, review: 22, none: 9 } },
    },
  };
};

const BINS = 96;
const hill = (top: number, width: number, most: number) =>
  Array.from({ length: BINS }, (_, at) => Math.round(most * Math.exp(-(((at - top) / width) ** 2))));
const explanation = (version: string, score: number) => ({
  ...reviewDetail(0, 1).review.explanation,
  modelVersion: version,
  score,
});
const REPORTS = {
  simulation: () => ({
    kind: 'simulation',
    candidate: VERSIONS[0],
    active: VERSIONS[2],
    ...{ records: 84_211, looked: 10_000, pairs: 41_882 },
    thresholds: { match: 0.95, review: 0.3 },
    activeThresholds: { match: 0.99, review: 0.3 },
    newRules: ['nc'],
    changes: {
      'match->match': 2_911,
      'review->match': 88,
      'match->review': 12,
      'none->none': 38_002,
      'review->review': 411,
      'none->review': 302,
      'review->none': 156,
    },
    ...{ gained: 61, lost: 4, bound: 220, cut: 12 },
    rules: [
      { rule: 'id', parts: 'identifier', records: 9_800, met: 4_100, full: 0, links: 3_900, linksAlone: 120 },
      {
        rule: 'nb',
        parts: 'name-sound + birth-date',
        records: 9_640,
        met: 21_300,
        full: 88,
        links: 4_412,
        linksAlone: 611,
      },
    ],
    linksUnmet: 37,
    histogram: { from: -12, to: 12, step: 0.25, together: hill(84, 9, 900), apart: hill(8, 16, 9_000) },
    examples: (['gained', 'lost', 'asked'] as const).map((kind) => ({
      kind,
      before: explanation(VERSIONS[2], 0.62),
      after: explanation(VERSIONS[0], 0.96),
    })),
  }),
  training: () => ({
    kind: 'training',
    version: VERSIONS[0],
    ...{
      records: 84_211,
      drawn: 84_211,
      converged: true,
      rounds: 41,
      matchesExpected: 20_412.4,
      householdsExpected: 3_120.9,
    },
  }),
  clusters: () => ({
    kind: 'clusters',
    active: VERSIONS[2],
    ...{ groups: 9_120, records: 20_004, largest: 14 },
    sizes: [8_100, 800, 150, 60, 10, 0],
    faults: { contradiction: 3, chain: 1, 'weak-link': 22, 'too-large': 0 },
    examples: [
      { clientId: idOf(1, 3), size: 3, kind: 'chain', hasPair: true },
      { clientId: idOf(1, 5), size: 2, kind: 'contradiction', hasPair: true },
    ],
  }),
  evaluation: () => ({
    kind: 'evaluation',
    fileName: 'northern-clinics-checked.csv',
    truth: 'person_id',
    found: evaluated(),
  }),
} as const;

const shares = (pairs: number, precision: number, recall: number) => ({
  ...{ pairs, precision, recall },
  f1: (2 * precision * recall) / (precision + recall),
});
const wrong = (first: string, second: string, score: number) => ({
  records: [first, second],
  score,
  ...{ weight: Math.log2(score / (1 - score)), priorWeight: -13.1 },
  fields: [
    { field: 'given', level: 'exact', weight: 8.2 },
    { field: 'family', level: 'exact', weight: 7.1 },
    { field: 'birthDate', level: 'different', weight: -4.4 },
    { field: 'gender', level: 'exact', weight: 0.9 },
  ],
  values: [
    { field: 'given', a: 'aisha', b: 'aisha' },
    { field: 'family', a: 'namutebi', b: 'namutebi' },
    { field: 'birthDate', a: '1991-02-03', b: '1994-11-30' },
  ],
});
const rule = (name: string, pairs: number, links: number, used = true) => ({
  ...{ rule: name, used, pairs, largestBlock: 41, overfullBlocks: used ? 1 : 0, pairsNotCompared: 120, overfull: [] },
  ...{ links, linksAlone: Math.round(links / 20), linksMissed: 12 },
});
const evaluated = () => ({
  ...{ records: 12_400, rejected: 3, truePairs: 3_310, seconds: 1.4, steps: { reading: 0.2, comparing: 0.9 } },
  linked: shares(3_120, 0.996, 0.938),
  linkedOrReviewed: shares(3_702, 0.874, 0.977),
  clusters: { ...shares(3_190, 0.994, 0.957), groups: 2_411, conflicts: 8 },
  worst: {
    falseLinks: [wrong('r-1001', 'r-2044', 0.981), wrong('r-17', 'r-9120', 0.955)],
    misses: [wrong('r-880', 'r-881', 0.12)],
  },
  thresholds: { match: 0.85, review: 0.15 },
  model: { version: 'trained-on-this-file', trained: true, converged: true, rounds: 31, pairsExpected: 3_288 },
  blocking: {
    ...{ pairsCompared: 88_210, pairsPossible: 76_873_800, links: 3_120, truePairsCompared: 3_301 },
    rules: [rule('name-sound + birth-date', 21_300, 2_900), rule('city', 9_000_000, 0, false)],
  },
  warnings: ['Some values are so common that 120 pairs of records which share them were not compared by that rule.'],
});

const report: Handler = (_state, _request, parts) => {
  const one = study(indexOf(parts[3]));
  return { body: { study: one, report: REPORTS[one.kind]() } };
};
const pair = (): FixtureAnswer => {
  const { a, b, comparison } = reviewDetail(0, 1).review;
  return { body: { pair: { a, b, comparison } } };
};
const shadow: Handler = (state) => ({
  body:
    state.clients === 0
      ? { days: [], examples: [] }
      : {
          shadow: VERSIONS[1],
          days: [
            { day: '2026-03-01', outcomes: { 'none->none': 812, 'link->link': 211, 'review->link': 14, skipped: 2 } },
          ],
          examples: [{ id: idOf(23, 0), at: ago(30), now: 'review', beside: 'link', scoreNow: 0.88, scoreThen: 0.97 }],
        },
});

export const MODEL_ROUTES: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ['GET', /^\/api\/models$/, overview],
  ['GET', /^\/api\/models\/shadow$/, shadow],
  ['PUT', /^\/api\/models\/shadow$/, shadow],
  ['GET', /^\/api\/models\/shadow\/examples\/([^/]+)$/, pair],
  ['GET', /^\/api\/models\/studies\/([^/]+)\/examples\/(\d+)$/, pair],
  ['GET', /^\/api\/models\/studies\/([^/]+)$/, report],
  ['POST', /^\/api\/models\/studies\/([^/]+)\/cancel$/, () => ({ body: { study: study(0) } })],
  ['GET', /^\/api\/models\/([^/]+)$/, detail],
  [
    'POST',
    /^\/api\/models\/(?:train|simulate|check-groups|evaluate)$/,
    () => ({ status: 202, body: { study: study(0) } }),
  ],
  ['POST', /^\/api\/models\/([^/]+)\/adjust$/, () => ({ status: 201, body: { model: model(0) } })],
  ['POST', /^\/api\/models\/([^/]+)\/promote$/, () => ({ status: 202, body: { activationId: idOf(22, 1) } })],
  ['POST', /^\/api\/models\/(?:roll-back|re-link)$/, () => ({ status: 202, body: { activationId: idOf(22, 1) } })],
  ['POST', /^\/api\/models$/, () => ({ status: 201, body: { model: model(0) } })],
];
