/** What a second model, tried beside the one that decides, is told of, and what it tells. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { MatchRecord } from '../matching/index.ts';
import type { LinkDecision, ScoredGolden } from './rules.ts';

export type ShadowWord = 'link' | 'review' | 'none';

export interface ShadowNote {
  readonly now: ShadowWord;
  readonly beside: ShadowWord;
  /** The new record, and the one it is about, where the two models differ. */
  readonly differs?: {
    readonly a: ResourceId;
    readonly b: ResourceId;
    readonly scoreNow: number;
    readonly scoreThen: number;
  };
}

export interface ShadowListener {
  note(note: ShadowNote): void;
  /** There was no time for one. */
  skipped(): void;
}

/** What the active model has just decided about a new record. */
export interface JustDecided {
  readonly id: ResourceId;
  readonly record: MatchRecord;
  readonly goldens: readonly ScoredGolden[];
  readonly decision: LinkDecision;
  readonly recordOf: (id: ResourceId) => MatchRecord | undefined;
}

export type ShadowScoring = (decided: JustDecided) => void;
