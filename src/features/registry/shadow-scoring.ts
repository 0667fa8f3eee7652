/**
 * A second model beside the one that decides: what would it have done with each new record? It sees the same candidates, decides
 * nothing, and works after the registration, while there is time: what it cannot keep up with is counted as skipped.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import type { CompiledModel, MatchRecord } from '../matching/index.ts';
import { createMatcher } from './matcher.ts';
import { decideLink, type LinkDecision, type ScoredGolden } from './rules.ts';
import type { JustDecided, ShadowListener, ShadowNote, ShadowScoring, ShadowWord } from './shadow-note.ts';

const WAITING_MAX = 200;
/** Records compared for one registration; who resembles more is skipped. */
const COMPARED_MAX = 60;

interface Waiting {
  readonly decided: Pick<JustDecided, 'id' | 'record' | 'goldens' | 'decision'>;
  readonly records: ReadonlyMap<ResourceId, MatchRecord>;
}

export function createShadowScoring(model: CompiledModel, listener: ShadowListener): ShadowScoring {
  const matcher = createMatcher(model);
  const waiting: Waiting[] = [];
  const workOne = (): void => {
    const next = waiting.shift();
    if (next === undefined) return;
    listener.note(compared(next));
    if (waiting.length > 0) setImmediate(workOne);
  };
  const compared = ({ decided, records }: Waiting): ShadowNote => {
    const own = matcher.prepare(decided.record);
    const goldens = decided.goldens.map(({ goldenId, members }) => ({
      goldenId,
      members: members.flatMap(({ sourceId, neverLinked }) => {
        const record = records.get(sourceId);
        if (!record) return [];
        return [{ sourceId, neverLinked, comparison: matcher.compare(own, matcher.prepare(record)) }];
      }),
    }));
    return noteOf(decided, goldens, decideLink(goldens));
  };
  return ({ id, record, goldens, decision, recordOf }) => {
    const ids = goldens.flatMap(({ members }) => members.map(({ sourceId }) => sourceId));
    if (waiting.length >= WAITING_MAX || ids.length > COMPARED_MAX) return listener.skipped();
    // The records of now: the round's own state changes as it goes on.
    const records = new Map(
      ids.flatMap((one) => {
        const found = recordOf(one);
        return found ? [[one, found] as const] : [];
      }),
    );
    waiting.push({ decided: { id, record, goldens, decision }, records });
    if (waiting.length === 1) setImmediate(workOne);
  };
}

const wordOf = ({ join, reviews }: LinkDecision): ShadowWord =>
  join ? 'link' : reviews.length > 0 ? 'review' : 'none';

function noteOf(decided: Waiting['decided'], goldens: readonly ScoredGolden[], decision: LinkDecision): ShadowNote {
  const [now, beside] = [wordOf(decided.decision), wordOf(decision)];
  const other =
    decided.decision.join?.through.sourceId ??
    decision.join?.through.sourceId ??
    decided.decision.reviews[0]?.other ??
    decision.reviews[0]?.other;
  const sameGolden = decided.decision.join?.goldenId === decision.join?.goldenId;
  if ((now === beside && sameGolden) || !other) return { now, beside };
  const scoreIn = (of: readonly ScoredGolden[]) =>
    of.flatMap(({ members }) => members).find(({ sourceId }) => sourceId === other)?.comparison.score ?? 0;
  return {
    now,
    beside,
    differs: { a: decided.id, b: other, scoreNow: scoreIn(decided.goldens), scoreThen: scoreIn(goldens) },
  };
}
