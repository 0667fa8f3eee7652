/**
 * Going over all records with the model that decides now: blocking keys made anew, people joined whom it finds alike, groups parted
 * that it does not hold together. What a steward placed stays, never-links stand, and every move is kept so that it can be taken
 * back. One batch is one transaction under the registry's lock; registrations go on between batches.
 */
import { newId } from '../../crypto/index.ts';
import type { LinkEntryId, ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditInput } from '../audit/index.ts';
import { orderedPair, type RoundState, type SourceState } from './batch-state.ts';
import { CANDIDATES_PER_KEY_MAX } from './bounds.ts';
import { type GroupVerdict, judgeGroup } from './group-rules.ts';
import { ledgerActor } from './ledger.ts';
import { type ActivationId, type Move, relinkStore } from './relink-store.ts';
import { keptApart } from './review-settling.ts';
import { scoreReviewsAnew } from './review-rescoring.ts';
import { readFormerGolden } from './review-store.ts';
import { scoredGoldens } from './round-decisions.ts';
import { leaveOutAltered } from './altered.ts';
import { loadRound, type RoundDeps } from './round-loading.ts';
import { addBlockingKeys, readRound, removeBlockingKeys } from './round-store.ts';
import { writeRound } from './round-writing.ts';
import { askInstead, decideLink, type LinkDecision, SOURCES_PER_CLIENT_MAX } from './rules.ts';
import { REGISTRY_LOCK, type SourceRow } from './store.ts';

export interface RelinkBatch {
  readonly activationId: ActivationId;
  /** Where the last batch ended. */
  readonly after: ResourceId | undefined;
  readonly limit: number;
  /** False: only blocking keys are made anew. */
  readonly links: boolean;
  /** Keys may have been made in another way by an earlier version of the program: all are written, whatever the model says. */
  readonly allKeys?: boolean;
  readonly actor: Actor;
  /** Part of the same transaction: saves how far it is, or throws and undoes the batch when somebody else is at it. */
  readonly alongside: (tx: Transaction, done: RelinkDone) => Promise<void>;
}

export interface RelinkDone {
  /** Undefined when no records are left. */
  readonly after: ResourceId | undefined;
  readonly visited: number;
  readonly joined: number;
  readonly parted: number;
  readonly reviews: number;
}

interface Work {
  readonly deps: RoundDeps;
  readonly tx: Transaction;
  readonly actor: Actor;
  readonly state: RoundState;
  readonly moves: Move[];
  readonly judged: Set<ResourceId>;
  joined: number;
  parted: number;
}

export async function relinkBatch(live: RoundDeps, batch: RelinkBatch): Promise<RelinkDone> {
  return await live.database.transaction(
    async (tx) => {
      const deps = { ...live };
      const rows = await relinkStore.next(tx, batch.after, batch.limit);
      await makeKeysAnew(deps, tx, rows, batch.allKeys ?? false);
      const found = batch.links && rows.length > 0 ? await relinkRows(deps, tx, rows, batch) : NOTHING;
      await scoreReviewsAnew(deps, tx, rows);
      const done = {
        ...found,
        visited: rows.length,
        after: rows.length < batch.limit ? undefined : rows.at(-1)?.source_id,
      };
      await batch.alongside(tx, done);
      return done;
    },
    { lock: REGISTRY_LOCK },
  );
}

const NOTHING = { joined: 0, parted: 0, reviews: 0 } as const;

/** Keys of the model that decides, instead of those of models before it. Costs nothing where they are the same. */
async function makeKeysAnew(
  { records }: RoundDeps,
  tx: Transaction,
  rows: readonly SourceRow[],
  all: boolean,
): Promise<void> {
  const removed = [];
  const added = [];
  for (const row of rows) {
    const { prepared } = records.open(row);
    const current = new Set(records.blindKeys(prepared));
    const stale = records.lookupKeys(prepared).filter((token) => !current.has(token));
    if (!all && stale.length === 0 && !records.hasFormer) continue;
    removed.push(...stale.map((token) => ({ token, sourceId: row.source_id })));
    added.push(...[...current].map((token) => ({ token, sourceId: row.source_id })));
  }
  await removeBlockingKeys(tx, removed);
  await addBlockingKeys(tx, added);
}

async function relinkRows(deps: RoundDeps, tx: Transaction, rows: readonly SourceRow[], batch: RelinkBatch) {
  const { records } = deps;
  const tokensOf = new Map(rows.map((row) => [row.source_id, records.lookupKeys(records.open(row).prepared)]));
  const found = await readRound(tx, {
    tokens: [...new Set([...tokensOf.values()].flat())],
    perKeyMax: CANDIDATES_PER_KEY_MAX + 1,
    ids: rows.map((row) => row.source_id),
    keys: [],
  });
  const state = loadRound(deps, { ...found, existing: [] });
  await leaveOutAltered(deps, state);
  const work: Work = { deps, tx, actor: batch.actor, state, moves: [], judged: new Set(), joined: 0, parted: 0 };
  for (const [id, lookupTokens] of tokensOf) {
    const source = state.sources.get(id);
    if (source) await relinkOne(work, source, lookupTokens);
  }
  const nowMs = deps.clock.nowMs();
  const audits = auditOf(work, batch);
  await writeRound(deps, tx, { state, nowMs });
  await relinkStore.insertMoves(tx, batch.activationId, work.moves);
  const pairs = state.reviews.map((review) => orderedPair(review.sourceId, review.other));
  const reviews = await relinkStore.noteReviews(tx, batch.activationId, { pairs, at: new Date(nowMs) });
  if (audits.length > 0) await deps.audit.record(tx, audits);
  return { joined: work.joined, parted: work.parted, reviews };
}

async function relinkOne(work: Work, source: SourceState, lookupTokens: readonly bigint[]): Promise<void> {
  const { state } = work;
  await judgeOwnGroup(work, source);
  const own = source.goldenId;
  const content = { prepared: source.prepared, lookupTokens };
  const apart = keptApart(state);
  const others = scoredGoldens({ ...work.deps, state }, content, source.id).filter(
    ({ goldenId }) => goldenId !== own && !apart(own, goldenId),
  );
  const decision = decideLink(others, apart);
  const mayMove = ![...state.golden(own).members].some((id) => state.sources.get(id)?.pinned);
  const joining = mayMove ? joinWhole(work, source, decision) : undefined;
  const { reviews } = joining === 'joined' ? decision : askInstead(decision);
  for (const review of reviews) state.reviews.push({ ...review, sourceId: source.id });
}

/** Once for each person that the batch meets: parts that nothing holds to the others leave. */
async function judgeOwnGroup(work: Work, source: SourceState): Promise<void> {
  const { state, deps } = work;
  const { goldenId } = source;
  const golden = state.golden(goldenId);
  if (golden.members.size < 2 || golden.members.size > SOURCES_PER_CLIENT_MAX || work.judged.has(goldenId)) return;
  work.judged.add(goldenId);
  const members = [...golden.members].toSorted().flatMap((id) => state.sources.get(id) ?? []);
  const byId = new Map(members.map((member) => [member.id, member]));
  const verdict = judgeGroup(members, (a, b) => {
    const [left, right] = [byId.get(a), byId.get(b)];
    if (!left || !right) throw new Error('a group was judged by records that are not its members');
    return deps.matcher.compare(left.prepared, right.prepared);
  });
  for (const part of verdict.leaving) await partWith(work, goldenId, part);
  askAbout(work, verdict);
}

function askAbout({ state }: Work, { doubts }: GroupVerdict): void {
  for (const { a, b, comparison } of doubts) {
    const { score, grade } = comparison;
    state.reviews.push({ sourceId: a, other: b, cause: 'linked-doubtful', score, grade });
  }
}

/** The part goes to the id one of its records had before it was linked, where that stood for nobody else. */
async function partWith(work: Work, from: ResourceId, part: readonly ResourceId[]): Promise<void> {
  const [first] = part;
  if (first === undefined) return;
  const to = (await readFormerGolden(work.tx, first, from)) ?? newId<ResourceId>();
  for (const id of part) {
    move(work, {
      id,
      to,
      kind: 'unlinked',
      reason: 'the present model does not hold this record and the others together',
    });
  }
  work.parted += part.length;
}

/**
 * The person of this record joins the one it was found alike to, with all records. Several records go together only where none of
 * them contradicts any of the other's.
 */
function joinWhole(work: Work, source: SourceState, { join }: LinkDecision): 'joined' | undefined {
  const { state } = work;
  if (!join) return undefined;
  const own = state.golden(source.goldenId);
  const other = state.golden(join.goldenId);
  if (own.members.size + other.members.size > SOURCES_PER_CLIENT_MAX) return undefined;
  const ids = [...own.members].toSorted();
  if (!ids.every((id) => agreesWithAll(work, id, [...other.members]))) return undefined;
  const from = own.id;
  for (const id of ids) {
    move(work, { id, to: join.goldenId, kind: 'linked', through: { from: source.id, to: join.through.sourceId } });
  }
  state.golden(from).replacedBy = join.goldenId;
  work.joined += ids.length;
  return 'joined';
}

function agreesWithAll({ state, deps }: Work, id: ResourceId, others: readonly ResourceId[]): boolean {
  const source = state.sources.get(id);
  if (!source) return false;
  const members = others.flatMap((other) => {
    const found = state.sources.get(other);
    if (!found) return [];
    const comparison = deps.matcher.compare(source.prepared, found.prepared);
    return [{ sourceId: other, comparison, neverLinked: state.neverLinked(id, other) }];
  });
  return members.every(
    ({ comparison, neverLinked }) => !neverLinked && !comparison.contradicted && !comparison.speaksAgainst,
  );
}

function move(
  { state, deps, moves, actor }: Work,
  what: {
    readonly id: ResourceId;
    readonly to: ResourceId;
    readonly kind: 'linked' | 'unlinked';
    readonly reason?: string;
    readonly through?: { readonly from: ResourceId; readonly to: ResourceId };
  },
): void {
  const source = state.sources.get(what.id);
  if (!source) return;
  const from = source.goldenId;
  const entryId = newId<LinkEntryId>();
  const { through } = what;
  const pair = through && [state.sources.get(through.from), state.sources.get(through.to)];
  const explained = pair?.[0] && pair[1] ? deps.matcher.explain(pair[0].prepared, pair[1].prepared) : undefined;
  state.place(source, what.to);
  moves.push({ sourceId: source.id, from, to: what.to, entryId });
  state.ledger.push({
    entryId,
    kind: what.kind,
    goldenId: what.kind === 'linked' ? what.to : from,
    otherGoldenId: what.kind === 'linked' ? from : what.to,
    sourceId: source.id,
    ...(through ? { otherSourceId: through.to } : {}),
    detail: {
      actor: ledgerActor(actor),
      modelVersion: deps.matcher.modelVersion,
      reason: what.reason ?? 'linked again by the present model',
      ...(explained ? { score: explained.score } : {}),
      ...(explained?.rule ? { rule: explained.rule } : {}),
    },
  });
}

function auditOf({ moves, state, actor }: Work, { activationId }: RelinkBatch): AuditInput[] {
  const of = (event: 'client.link' | 'client.unlink', kind: 'linked' | 'unlinked'): AuditInput[] => {
    const entries = new Set(state.ledger.filter((entry) => entry.kind === kind).map((entry) => entry.entryId));
    const goldens = moves.filter(({ entryId }) => entries.has(entryId)).flatMap(({ from, to }) => [from, to]);
    if (goldens.length === 0) return [];
    return [
      {
        ...{ actor, event, action: 'U', outcome: 'success' },
        patients: [...new Set(goldens)].map((id) => `Patient/${id}`),
        detail: { activation: activationId },
      },
    ];
  };
  return [...of('client.link', 'linked'), ...of('client.unlink', 'unlinked')];
}
