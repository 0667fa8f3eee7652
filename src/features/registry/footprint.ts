/** What the decision about a batch of new records rested on, and what writing it changes of what others' decisions rest on. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { RoundState } from './batch-state.ts';
import type { Work } from './work.ts';

export interface Footprint {
  /** Blind blocking keys and own identifiers asked for. */
  readonly asked: ReadonlySet<bigint>;
  /** Golden records whose members were compared. */
  readonly seen: ReadonlySet<ResourceId>;
  /** Keys and identifiers that lead to other records once it is written. */
  readonly left: ReadonlySet<bigint>;
  /** Golden records made or changed. */
  readonly changed: ReadonlySet<ResourceId>;
}

export function footprintOf(works: readonly Work[], state: RoundState): Footprint {
  const asked = new Set<bigint>();
  for (const { content, keyTokens } of works) {
    for (const token of content?.lookupTokens ?? []) asked.add(token);
    for (const token of keyTokens) asked.add(token);
  }
  const left = new Set<bigint>();
  for (const source of state.sources.values()) {
    if (source.change === 'none') continue;
    for (const token of source.tokens ?? []) left.add(token);
    if (source.keyToken !== null) left.add(source.keyToken);
  }
  const changed = [...state.goldens.values()].filter(({ touched }) => touched).map(({ id }) => id);
  return { asked, seen: new Set(state.goldens.keys()), left, changed: new Set(changed) };
}

/** Whether the later batch could be decided otherwise once the earlier one is written. */
export function dependsOn(later: Footprint, earlier: Footprint): boolean {
  return !later.asked.isDisjointFrom(earlier.left) || !later.seen.isDisjointFrom(earlier.changed);
}
