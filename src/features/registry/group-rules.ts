/** Whether the records of one person still belong together. Pure: comparisons come in, a verdict goes out. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { PairScore } from './rules.ts';

export interface GroupMember {
  readonly id: ResourceId;
  /** A steward placed it: it stays with the others that a steward placed, whatever a model says. */
  readonly pinned: boolean;
}

export interface PairInGroup {
  readonly a: ResourceId;
  readonly b: ResourceId;
  readonly comparison: PairScore;
}

export interface GroupVerdict {
  /** Parts that nothing holds to the rest any more. */
  readonly leaving: readonly (readonly ResourceId[])[];
  /** The strongest pair of two parts that only a doubtful likeness holds together: a steward is asked. */
  readonly doubts: readonly PairInGroup[];
}

/**
 * A group falls apart where no pair across is worth even a look. The part that a steward placed stays, else the largest, else the one
 * with the oldest record.
 */
export function judgeGroup(
  members: readonly GroupMember[],
  compare: (a: ResourceId, b: ResourceId) => PairScore,
): GroupVerdict {
  const pairs: PairInGroup[] = [];
  for (const [at, { id: a }] of members.entries()) {
    for (const { id: b } of members.slice(at + 1)) pairs.push({ a, b, comparison: compare(a, b) });
  }
  const held = partsOf(members, pairs, ({ decision }) => decision !== 'none');
  const stays = stayingPart(members, held);
  const leaving = held.filter((part) => part !== stays);
  const doubts = held.flatMap((part) => doubtsWithin(members, part, pairs));
  return { leaving, doubts };
}

function doubtsWithin(
  members: readonly GroupMember[],
  part: readonly ResourceId[],
  pairs: readonly PairInGroup[],
): PairInGroup[] {
  const inside = members.filter(({ id }) => part.includes(id));
  const own = pairs.filter(({ a, b }) => part.includes(a) && part.includes(b));
  const sure = partsOf(inside, own, ({ decision }) => decision === 'match');
  const [first, ...others] = sure;
  if (first === undefined) return [];
  return others.flatMap((other) => {
    const across = own.filter(({ a, b }) => other.includes(a) !== other.includes(b));
    const best = across.reduce<PairInGroup | undefined>(
      (so, pair) => (so === undefined || pair.comparison.weight > so.comparison.weight ? pair : so),
      undefined,
    );
    return best ? [best] : [];
  });
}

/** Members that `holds` connects; all that a steward placed are one part. */
function partsOf(
  members: readonly GroupMember[],
  pairs: readonly PairInGroup[],
  holds: (comparison: PairScore) => boolean,
): ResourceId[][] {
  const of = new Map<ResourceId, ResourceId[]>(members.map(({ id }) => [id, [id]]));
  const unite = (x: ResourceId, y: ResourceId) => {
    const left = of.get(x) ?? [];
    const right = of.get(y) ?? [];
    if (left === right) return;
    left.push(...right);
    for (const id of right) of.set(id, left);
  };
  const [anchor, ...placed] = members.filter(({ pinned }) => pinned);
  if (anchor) for (const { id } of placed) unite(anchor.id, id);
  for (const { a, b, comparison } of pairs) if (holds(comparison)) unite(a, b);
  return [...new Set(of.values())];
}

function stayingPart(members: readonly GroupMember[], parts: readonly ResourceId[][]): ResourceId[] | undefined {
  const placed = members.find(({ pinned }) => pinned);
  if (placed) return parts.find((part) => part.includes(placed.id));
  const oldest = (part: readonly ResourceId[]) => part.toSorted()[0] ?? '';
  return [...parts].sort((x, y) => y.length - x.length || (oldest(x) < oldest(y) ? -1 : 1))[0];
}

/** Why a group deserves a look. Records by id: what they say is shown to whoever may see them. */
export type GroupFault =
  | {
      readonly kind: 'contradiction' | 'weak-link' | 'chain';
      readonly a: ResourceId;
      readonly b: ResourceId;
      readonly through?: ResourceId;
    }
  | { readonly kind: 'too-large' };

/**
 * The worst fault of a group. `chain`: two records look like strangers, and one other holds them together. `weak-link`: the group hangs
 * together by a likeness that today would be asked. What two stewards' hands placed is not doubted.
 */
export function checkGroup(
  members: readonly GroupMember[],
  compare: (a: ResourceId, b: ResourceId) => PairScore,
): GroupFault | undefined {
  const pinned = new Set(members.filter((one) => one.pinned).map((one) => one.id));
  const pairs: PairInGroup[] = [];
  for (const [at, { id: a }] of members.entries()) {
    for (const { id: b } of members.slice(at + 1)) pairs.push({ a, b, comparison: compare(a, b) });
  }
  const doubted = pairs.filter(({ a, b }) => !(pinned.has(a) && pinned.has(b)));
  const against = doubted.find(({ comparison }) => comparison.contradicted);
  if (against) return { kind: 'contradiction', a: against.a, b: against.b };
  const strangers = doubted.find(({ comparison }) => comparison.speaksAgainst);
  if (strangers) {
    const through = members.find(({ id }) => id !== strangers.a && id !== strangers.b && holds(pairs, id, strangers));
    return { kind: 'chain', a: strangers.a, b: strangers.b, ...(through ? { through: through.id } : {}) };
  }
  const [weak] = judgeGroup(members, compare).doubts;
  return weak && { kind: 'weak-link', a: weak.a, b: weak.b };
}

function holds(pairs: readonly PairInGroup[], id: ResourceId, { a, b }: PairInGroup): boolean {
  const linked = (other: ResourceId) =>
    pairs.some(
      (pair) =>
        [pair.a, pair.b].includes(id) && [pair.a, pair.b].includes(other) && pair.comparison.decision === 'match',
    );
  return linked(a) && linked(b);
}
