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
