import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResourceId } from '../../kernel/ids.ts';
import {
  decideAfterChange,
  decideLink,
  type PairScore,
  REVIEWS_PER_RECORD_MAX,
  type ScoredGolden,
  SOURCES_PER_CLIENT_MAX,
} from './rules.ts';

const id = (text: string) => text as ResourceId;
const scores = {
  match: { score: 0.99, weight: 12, grade: 'certain', decision: 'match', contradicted: false, speaksAgainst: false },
  strong: { score: 0.999, weight: 20, grade: 'certain', decision: 'match', contradicted: false, speaksAgainst: false },
  doubt: { score: 0.7, weight: 3, grade: 'probable', decision: 'review', contradicted: false, speaksAgainst: false },
  none: {
    score: 0.01,
    weight: -9,
    grade: 'certainly-not',
    decision: 'none',
    contradicted: false,
    speaksAgainst: false,
  },
  stranger: {
    score: 0.01,
    weight: -25,
    grade: 'certainly-not',
    decision: 'none',
    contradicted: false,
    speaksAgainst: true,
  },
  against: {
    score: 0.01,
    weight: -9,
    grade: 'certainly-not',
    decision: 'none',
    contradicted: true,
    speaksAgainst: true,
  },
} satisfies Record<string, PairScore>;

function golden(name: string, ...members: readonly (keyof typeof scores | 'never')[]): ScoredGolden {
  return {
    goldenId: id(name),
    members: members.map((kind, index) => ({
      sourceId: id(`${name}-${index}`),
      comparison: kind === 'never' ? scores.strong : scores[kind],
      neverLinked: kind === 'never',
    })),
  };
}

const outcome = (goldens: readonly ScoredGolden[]) => {
  const decision = decideLink(goldens);
  return {
    join: decision.join?.goldenId,
    reviews: decision.reviews.map((review) => `${review.other} ${review.cause}`),
  };
};

describe('linking a record', () => {
  it.each([
    ['nobody', [], undefined, []],
    ['only strangers', [golden('g', 'none')], undefined, []],
    ['one match', [golden('g', 'match')], 'g', []],
    ['one doubt', [golden('g', 'doubt')], undefined, ['g-0 between-thresholds']],
    [
      'the better of two matches; the other waits',
      [golden('g', 'match'), golden('h', 'strong')],
      'h',
      ['g-0 two-people-match'],
    ],
    ['a match, one member of which is weak', [golden('g', 'match', 'none')], 'g', []],
    ['a match, one member of which contradicts', [golden('g', 'match', 'against')], undefined, ['g-0 contradiction']],
    ['a match that a steward ruled out', [golden('g', 'never')], undefined, []],
    ['a person of whom one member was ruled out', [golden('g', 'strong', 'never')], undefined, []],
    ['a match and a doubt', [golden('g', 'doubt'), golden('h', 'match')], 'h', ['g-0 between-thresholds']],
  ] as const)('%s', (_name, goldens, join, reviews) => {
    expect(outcome(goldens)).toEqual({ join, reviews });
  });

  it('never depends on the order in which candidates came', () => {
    const kinds = fc.constantFrom(...(['match', 'strong', 'doubt', 'none', 'against', 'never'] as const));
    const goldens = fc.array(fc.array(kinds, { minLength: 1, maxLength: 3 }), { maxLength: 5 });
    fc.assert(
      fc.property(goldens, fc.integer(), (all, turn) => {
        const named = all.map((members, index) => golden(`g${index}`, ...members));
        const shift = named.length === 0 ? 0 : Math.abs(turn) % named.length;
        expect(outcome([...named.slice(shift), ...named.slice(0, shift)])).toEqual(outcome(named));
      }),
    );
  });

  it('opens a bounded number of reviews, however many resemble it', () => {
    const all = Array.from({ length: 40 }, (_, index) => golden(`g${index}`, 'doubt'));
    expect(decideLink(all).reviews).toHaveLength(REVIEWS_PER_RECORD_MAX);
  });
});

it('asks instead of linking where a person has more records than anybody could', () => {
  const crowd = golden('crowd', ...Array.from({ length: SOURCES_PER_CLIENT_MAX }, () => 'match' as const));
  expect(outcome([crowd])).toEqual({ join: undefined, reviews: ['crowd-0 two-people-match'] });
});

describe('a linked record that changed', () => {
  it('stays, silently, while it resembles one of its people', () => {
    expect(decideAfterChange(golden('own', 'none', 'match'), [])).toEqual({ reviews: [] });
  });
  it('stays and asks when it resembles none of them any more', () => {
    const { join, reviews } = decideAfterChange(golden('own', 'none'), [golden('other', 'strong')]);
    expect(join).toBeUndefined();
    expect(reviews.map((review) => review.cause)).toEqual(['record-changed', 'two-people-match']);
  });
});

describe('a chain', () => {
  it('is asked and not linked: the record fits one of a person’s records and looks like a stranger to another', () => {
    expect(outcome([golden('p', 'strong', 'stranger')])).toEqual({ join: undefined, reviews: ['p-0 chain'] });
    expect(outcome([golden('p', 'strong', 'none')]).join).toBe('p');
  });
});
