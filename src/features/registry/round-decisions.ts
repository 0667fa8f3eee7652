/** Decides, in memory and in order, what each submission of a round becomes. No database, no clock: both came in as values. */

import { newId } from '../../crypto/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { clientAltered } from './altered-problem.ts';
import { type FormerRecord, type GoldenState, pairKey, type RoundState, type SourceState } from './batch-state.ts';
import { sameContent } from './content.ts';
import type { DomainTable, RegistryDeps } from './deps.ts';
import { ledgerActor } from './ledger.ts';
import type { Matcher } from './matcher.ts';
import { carriesKey, storedKey } from './own-key.ts';
import { clientNotFound, duplicateKey, keyChanged, notOwnRecord, unmergeRefused, versionConflict } from './problems.ts';
import type { Records } from './records.ts';
import { isReplaced } from './replacement.ts';
import { keptApart } from './review-settling.ts';
import { askInstead, decideAfterChange, decideLink, type LinkDecision, type ScoredGolden } from './rules.ts';
import { UNMADE } from './within.ts';
import { isInReach, ownsDomain, refused, type Work, type WorkContent } from './work.ts';

export interface DecisionInput {
  readonly state: RoundState;
  readonly domains: DomainTable;
  readonly matcher: Matcher;
  readonly records: Records;
  readonly keyRing: RegistryDeps['keyRing'];
  readonly nowMs: number;
  /** Whether a person's rows are as they were written. Missing: nothing will be written. */
  readonly isWhole?: (golden: GoldenState) => boolean;
}

/** What became of a submission, before its content is built. */
export interface Decided {
  readonly work: Work;
  readonly source: SourceState;
  readonly status: 'created' | 'updated' | 'unchanged' | 'deleted';
  readonly linked: boolean;
  readonly reviews: number;
  readonly candidatesCut: boolean;
}

/** Decides one submission; `undefined` when it was refused (its outcome says why). */
export function decideWork(input: DecisionInput, work: Work): Decided | undefined {
  if (work.outcome) return undefined;
  const existing = work.existingId === undefined ? undefined : input.state.sources.get(work.existingId);
  const { submission } = work;
  if (submission.kind === 'create') return existing ? alreadyThere(input, work, existing) : register(input, work);
  if (submission.kind === 'upsert' && !existing) return register(input, work);
  if (!existing) return refuse(work, clientNotFound());
  const domain = input.domains.byId(existing.domainId);
  // A domain that a dry run would make is the loader's own.
  if (existing.domainId !== UNMADE && !ownsDomain(work.actor.principal, domain)) {
    return refuse(work, isInReach(work.actor.principal, domain) ? notOwnRecord() : clientNotFound());
  }
  if (isAltered(input, existing.goldenId)) return refuse(work, clientAltered());
  if (submission.ifMatchVersion !== undefined && submission.ifMatchVersion !== existing.version) {
    return refuse(work, versionConflict(existing.version));
  }
  return submission.kind === 'delete' ? remove(input, work, existing) : revise(input, work, existing);
}

function refuse(work: Work, problem: Parameters<typeof refused>[0]): undefined {
  work.outcome = refused(problem);
  return undefined;
}

const isAltered = ({ state, isWhole }: DecisionInput, goldenId: ResourceId): boolean =>
  isWhole?.(state.golden(goldenId)) === false;

/** Nothing is put to a person whose rows somebody has changed: a steward is asked. */
const unlessAltered = (input: DecisionInput, decision: LinkDecision): LinkDecision =>
  decision.join !== undefined && isAltered(input, decision.join.goldenId) ? askInstead(decision) : decision;

function alreadyThere(input: DecisionInput, work: Work, existing: SourceState): Decided | undefined {
  if (isAltered(input, existing.goldenId)) return refuse(work, clientAltered());
  const conditional = work.submission.kind === 'create' && work.submission.ifNoneExist !== undefined;
  if (!conditional) return refuse(work, duplicateKey());
  return { work, source: existing, status: 'unchanged', linked: false, reviews: 0, candidatesCut: false };
}

function register(input: DecisionInput, work: Work): Decided | undefined {
  const { submission, content } = work;
  if (submission.kind === 'delete' || submission.kind === 'update' || !content) return refuse(work, clientNotFound());
  const id = (submission.kind === 'create' ? submission.id : undefined) ?? newId<ResourceId>();
  const former = cameAgain(input, work, id);
  const goldens = scoredGoldens(input, content, id);
  const decision = unlessAltered(
    input,
    former?.pinned ? askInstead(decideLink(goldens)) : decideLink(goldens, keptApart(input.state)),
  );
  const source: SourceState = {
    id,
    goldenId: decision.join?.goldenId ?? newId<ResourceId>(),
    domainId: submission.domain.id,
    keyToken: work.keyTokens[0] ?? null,
    storedVersion: 0,
    version: 1,
    pinned: former?.pinned ?? false,
    ...(former && { formerId: former.id }),
    record: content.record,
    prepared: content.prepared,
    storedTokens: undefined,
    tokens: content.tokens,
    patient: content.patient,
    lastUpdatedMs: input.nowMs,
    change: 'written',
  };
  input.matcher.beside?.({
    ...{ id, record: content.record, goldens, decision },
    recordOf: (other) => input.state.sources.get(other)?.record,
  });
  input.state.add(source);
  const golden = input.state.golden(source.goldenId);
  golden.touched = true;
  golden.known ||= decision.join === undefined;
  input.state.index(content.tokens, source.id);
  noteLink(input, work.actor, source, decision);
  return decided(input, work, source, { status: 'created', decision });
}

/** A record that was deleted and is sent again: whom it was not, it is not now either. */
function cameAgain({ state }: DecisionInput, { keyTokens }: Work, id: ResourceId): FormerRecord | undefined {
  const former = keyTokens.map((token) => state.former.get(token)).find((one) => one !== undefined);
  for (const other of former?.apart ?? []) state.neverLinks.add(pairKey(id, other));
  return former;
}

function revise(input: DecisionInput, work: Work, source: SourceState): Decided | undefined {
  const { content } = work;
  if (!content || !source.patient) throw new Error('a revised record was not loaded');
  if (isReplaced(source.patient)) return refuse(work, unmergeRefused());
  if (sameContent(source.patient, content.patient)) {
    return { work, source, status: 'unchanged', linked: false, reviews: 0, candidatesCut: false };
  }
  if (keyWouldChange(input, source, content)) return refuse(work, keyChanged());
  if (work.gained && isTaken(input, source, work.gained)) return refuse(work, duplicateKey());
  source.storedTokens = input.records.lookupKeys(source.prepared);
  const isOverlay = input.matcher.becameSomebodyElse(source.record, content.record);
  Object.assign(source, {
    version: source.version + 1,
    keyToken: source.keyToken ?? work.gained?.[0] ?? null,
    record: content.record,
    prepared: content.prepared,
    tokens: content.tokens,
    patient: content.patient,
    lastUpdatedMs: input.nowMs,
    change: 'written',
  });
  input.state.golden(source.goldenId).touched = true;
  const decision = unlessAltered(input, relink(input, source, content, isOverlay));
  if (isOverlay) noteOverlay(input, work.actor, source);
  if (decision.join) {
    moveAlone(input, source, decision.join.goldenId);
    noteLink(input, work.actor, source, decision);
  }
  for (const review of decision.reviews) input.state.reviews.push({ ...review, sourceId: source.id });
  input.state.index(content.tokens, source.id);
  return decided(input, work, source, { status: 'updated', decision });
}

function keyWouldChange(input: DecisionInput, source: SourceState, content: WorkContent): boolean {
  const system = input.domains.byId(source.domainId)?.system;
  if (system === undefined || !source.patient) return false;
  const key = storedKey(input.keyRing, source.patient, { ...source, system });
  return key !== undefined && !carriesKey(content.patient, system, key);
}

function isTaken(input: DecisionInput, source: SourceState, tokens: readonly bigint[]): boolean {
  for (const other of input.state.sources.values()) {
    if (other.id === source.id || other.change === 'deleted' || other.keyToken === null) continue;
    if (tokens.includes(other.keyToken)) return true;
  }
  return false;
}

/**
 * A record that stands alone is matched anew; one among others stays, and a steward is asked if it no longer fits. One that has become
 * somebody else at once links nowhere by itself: perhaps two people's records were mixed up where it comes from.
 */
function relink(input: DecisionInput, source: SourceState, content: WorkContent, isOverlay: boolean): LinkDecision {
  const goldens = scoredGoldens(input, content, source.id);
  const own = input.state.golden(source.goldenId);
  if (own.members.size > 1) {
    const others = [...own.members].filter((id) => id !== source.id);
    const apart = keptApart(input.state);
    return decideAfterChange(
      scoreGolden(input, source.goldenId, { content, self: source.id, members: others }),
      goldens.filter(({ goldenId }) => goldenId !== own.id && !apart(own.id, goldenId)),
      isOverlay,
    );
  }
  const decision = decideLink(goldens);
  if (isOverlay) return askInstead(decision, 'changed-into');
  return source.pinned ? askInstead(decision) : decision;
}

function moveAlone(input: DecisionInput, source: SourceState, goldenId: ResourceId): void {
  const left = input.state.golden(source.goldenId);
  input.state.place(source, goldenId);
  left.replacedBy = goldenId;
}

function remove(input: DecisionInput, work: Work, source: SourceState): Decided {
  const { state } = input;
  source.storedTokens = input.records.lookupKeys(source.prepared);
  source.tokens = [];
  source.version += 1;
  source.lastUpdatedMs = input.nowMs;
  source.change = 'deleted';
  const golden = state.golden(source.goldenId);
  golden.members.delete(source.id);
  golden.touched = true;
  state.ledger.push({
    kind: 'unlinked',
    goldenId: source.goldenId,
    sourceId: source.id,
    detail: { actor: ledgerActor(work.actor), reason: 'source record deleted' },
  });
  return { work, source, status: 'deleted', linked: false, reviews: 0, candidatesCut: false };
}

/** Scores a record against every member of every golden record that its blocking keys lead to. */
export function scoredGoldens(
  input: Pick<DecisionInput, 'state' | 'matcher'>,
  content: Pick<WorkContent, 'prepared' | 'lookupTokens'>,
  self?: ResourceId,
): ScoredGolden[] {
  const goldenIds = new Set<ResourceId>();
  for (const token of content.lookupTokens) {
    for (const id of input.state.byToken.get(token) ?? []) {
      const candidate = input.state.sources.get(id);
      if (candidate && id !== self && candidate.change !== 'deleted') goldenIds.add(candidate.goldenId);
    }
  }
  const scored: ScoredGolden[] = [];
  for (const goldenId of goldenIds) {
    const members = [...input.state.golden(goldenId).members].filter((id) => id !== self);
    if (members.length > 0) scored.push(scoreGolden(input, goldenId, { content, self, members }));
  }
  return scored;
}

function scoreGolden(
  input: Pick<DecisionInput, 'state' | 'matcher'>,
  goldenId: ResourceId,
  pair: {
    readonly content: Pick<WorkContent, 'prepared'>;
    readonly self: ResourceId | undefined;
    readonly members: readonly ResourceId[];
  },
): ScoredGolden {
  const members = pair.members.flatMap((id) => {
    const member = input.state.sources.get(id);
    if (!member) return [];
    const comparison = input.matcher.compare(pair.content.prepared, member.prepared);
    const neverLinked = pair.self !== undefined && input.state.neverLinked(pair.self, id);
    return [{ sourceId: id, comparison, neverLinked }];
  });
  return { goldenId, members };
}

function noteOverlay(input: DecisionInput, actor: Actor, source: SourceState): void {
  input.state.ledger.push({
    kind: 'review-opened',
    goldenId: source.goldenId,
    sourceId: source.id,
    detail: {
      actor: ledgerActor(actor),
      modelVersion: input.matcher.modelVersion,
      reason: 'this change made the record look like somebody else',
    },
  });
}

function noteLink(input: DecisionInput, actor: Actor, source: SourceState, decision: LinkDecision): void {
  const through = decision.join?.through;
  const explanation = through && explainPair(input, source, through.sourceId);
  input.state.ledger.push({
    kind: through ? 'linked' : 'created',
    goldenId: source.goldenId,
    sourceId: source.id,
    ...(through ? { otherSourceId: through.sourceId } : {}),
    detail: {
      actor: ledgerActor(actor),
      modelVersion: input.matcher.modelVersion,
      ...(explanation ? { score: explanation.score } : {}),
      ...(explanation?.rule ? { rule: explanation.rule } : {}),
    },
  });
}

function explainPair(input: DecisionInput, source: SourceState, otherId: ResourceId) {
  const other = input.state.sources.get(otherId);
  return other && input.matcher.explain(source.prepared, other.prepared);
}

function decided(
  input: DecisionInput,
  work: Work,
  source: SourceState,
  what: { readonly status: 'created' | 'updated'; readonly decision: LinkDecision },
): Decided {
  if (what.status === 'created') {
    for (const review of what.decision.reviews) input.state.reviews.push({ ...review, sourceId: source.id });
  }
  const candidatesCut = work.content?.lookupTokens.some((token) => input.state.cutTokens.has(token)) ?? false;
  return {
    work,
    source,
    status: what.status,
    linked: what.decision.join !== undefined,
    reviews: what.decision.reviews.length,
    candidatesCut,
  };
}
