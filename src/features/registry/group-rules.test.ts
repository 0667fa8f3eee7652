import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResourceId } from '../../kernel/ids.ts';
import { checkGroup, type GroupMember, judgeGroup } from './group-rules.ts';
import type { PairScore } from './rules.ts';

const id = (text: string) => text as ResourceId;
const base = { grade: 'certain', contradicted: false, speaksAgainst: false } as const;
const MATCH: PairScore = { ...base, score: 0.999, weight: 12, decision: 'match' };
const REVIEW: PairScore = { ...base, score: 0.6, weight: 1, decision: 'review' };
const NONE: PairScore = { ...base, score: 0.01, weight: -6, decision: 'none' };
const STRANGERS: PairScore = { ...NONE, weight: -20, speaksAgainst: true };

const members = (names: string, pinned = ''): GroupMember[] =>
  [...names].map((name) => ({ id: id(name), pinned: pinned.includes(name) }));
/** `ab` → score; pairs that are not named are strangers. */
const by =
  (pairs: Readonly<Record<string, PairScore>>, other: PairScore = NONE) =>
  (a: ResourceId, b: ResourceId): PairScore =>
    pairs[[a, b].toSorted().join('')] ?? other;

describe('a group judged anew', () => {
  it('stays whole while likenesses hold it together', () => {
    expect(judgeGroup(members('abc'), by({ ab: MATCH, bc: MATCH }))).toEqual({ leaving: [], doubts: [] });
  });

  it('loses what nothing holds, the larger part stays', () => {
    const { leaving, doubts } = judgeGroup(members('abcd'), by({ ab: MATCH, bc: MATCH }));
    expect(leaving).toEqual([['d']]);
    expect(doubts).toEqual([]);
  });

  it('that only a doubtful likeness holds is asked about, by its strongest pair', () => {
    const { leaving, doubts } = judgeGroup(members('abcd'), by({ ab: MATCH, cd: MATCH, bc: REVIEW }));
    expect(leaving).toEqual([]);
    expect(doubts).toMatchObject([{ a: 'b', b: 'c' }]);
  });

  it('keeps what a steward placed, though it is the smaller part and nothing holds it', () => {
    const { leaving } = judgeGroup(members('abcde', 'ae'), by({ bc: MATCH, cd: MATCH }));
    expect(leaving).toEqual([['b', 'c', 'd']]);
  });

  it('loses nobody and keeps one part, whatever the likenesses', () => {
    const outcome = fc.constantFrom(MATCH, REVIEW, NONE, STRANGERS);
    fc.assert(
      fc.property(
        fc.array(outcome, { minLength: 15, maxLength: 15 }),
        fc.string({ maxLength: 6 }),
        (scores, pinned) => {
          const group = members('abcdef', pinned);
          const names = 'abcdef';
          const pairs: Record<string, PairScore> = {};
          let at = 0;
          for (const [x, a] of [...names].entries()) {
            for (const b of [...names].slice(x + 1)) pairs[`${a}${b}`] = scores[at++] ?? NONE;
          }
          const { leaving } = judgeGroup(group, by(pairs));
          const gone = leaving.flat();
          expect(new Set(gone).size).toBe(gone.length);
          expect(gone.length).toBeLessThan(6);
          const placed = group.filter((one) => one.pinned).map((one) => one.id);
          expect(placed.some((one) => gone.includes(one))).toBe(false);
        },
      ),
    );
  });
});

describe('a group checked', () => {
  it('names two strangers and the record that holds them together', () => {
    expect(checkGroup(members('abc'), by({ ab: MATCH, bc: MATCH, ac: STRANGERS }))).toEqual({
      kind: 'chain',
      a: 'a',
      b: 'c',
      through: 'b',
    });
  });

  it('says contradiction before chain, and nothing of what stewards placed', () => {
    const against: PairScore = { ...STRANGERS, contradicted: true };
    expect(checkGroup(members('abc'), by({ ab: MATCH, bc: MATCH, ac: against }))?.kind).toBe('contradiction');
    expect(checkGroup(members('abc', 'ac'), by({ ab: MATCH, bc: MATCH, ac: against }))).toBeUndefined();
  });

  it('finds a weak link, and nothing in a sound group', () => {
    expect(checkGroup(members('ab'), by({ ab: REVIEW }))?.kind).toBe('weak-link');
    expect(checkGroup(members('ab'), by({ ab: MATCH }))).toBeUndefined();
  });
});
