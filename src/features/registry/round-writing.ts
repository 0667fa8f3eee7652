/** Writes what a round decided: each table once, all rows in one statement. */
import { newId } from '../../crypto/index.ts';
import type { ResourceId, ReviewId } from '../../kernel/ids.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { ResourceWrite } from '../../store/model.ts';
import {
  type GoldenState,
  orderedPair,
  type PendingReview,
  pairKey,
  type RoundState,
  type SourceState,
} from './batch-state.ts';
import { storedContent } from './content.ts';
import { goldenWrite, type Ownership, settleOwnership } from './golden.ts';
import { sealLedgerEntry } from './ledger.ts';
import type { RoundDeps } from './round-loading.ts';
import { loadGoldenVersions, loadPatients } from './round-loading.ts';
import {
  addBlockingKeys,
  appendLedger,
  type BlockingRow,
  dropReviewsOf,
  type GoldenRow,
  type NewReview,
  openReviews,
  removeBlockingKeys,
  removeSources,
  type SourceRow,
  settleReviewsWithin,
  writeGoldens,
  writeSources,
} from './store.ts';
import { createUnderWay } from './under-way.ts';

/** Golden records are computed and sealed in parts, so that PostgreSQL has the first while the next are made. */
const GOLDENS_SENT_TOGETHER = 64;

export interface RoundWritten {
  /** Stored content of each source record written, by id. */
  readonly contents: ReadonlyMap<ResourceId, Uint8Array | null>;
}

export async function writeRound(
  deps: RoundDeps,
  tx: Transaction,
  round: {
    readonly state: RoundState;
    readonly nowMs: number;
    /** Work to do while the rows are being written: what else belongs into this transaction. */
    readonly meanwhile?: () => Promise<void>;
  },
): Promise<RoundWritten> {
  const { state, nowMs } = round;
  const goldens = [...state.goldens.values()].filter((golden) => golden.touched);
  await Promise.all([
    loadPatients(
      deps,
      tx,
      state,
      goldens.flatMap((golden) => [...golden.members]),
    ),
    loadGoldenVersions(tx, state),
  ]);
  const ownership = await ownershipFor(deps, state, goldens);
  for (const golden of goldens) settleOwnership(state, golden, ownership);
  const contents = new Map<ResourceId, Uint8Array | null>();
  const writes: ResourceWrite[] = [];
  const sources = [...state.sources.values()].filter((source) => source.change !== 'none');
  for (const source of sources) {
    if (source.change === 'moved') continue;
    const write = sourceWrite(source);
    contents.set(source.id, write.content);
    writes.push(write);
  }
  const underWay = createUnderWay();
  underWay.add(deps.resources.write(tx, writes));
  underWay.add(writeKeys(tx, sources));
  for (let at = 0; at < goldens.length; at += GOLDENS_SENT_TOGETHER) {
    const part = goldens.slice(at, at + GOLDENS_SENT_TOGETHER);
    underWay.add(
      deps.resources.write(
        tx,
        part.map((golden) => goldenWrite(deps, state, { golden, nowMs })),
      ),
    );
  }
  // Reviews settle by where source records belong, so they follow these.
  underWay.add(writeSourceRows(deps, tx, sources).then(() => writeReviews(deps, tx, { state, goldens, nowMs })));
  underWay.add(
    writeGoldens(
      tx,
      goldens.map((golden) => goldenRow(golden, nowMs)),
    ),
  );
  underWay.add(
    appendLedger(
      tx,
      state.ledger.map((entry) => sealLedgerEntry(deps.keyRing, entry, nowMs)),
    ),
  );
  if (round.meanwhile) underWay.add(round.meanwhile());
  await underWay.done();
  return { contents };
}

/** Domains as they are now: one that another process made a moment ago is not in a table a second old. */
async function ownershipFor(deps: RoundDeps, state: RoundState, goldens: readonly GoldenState[]): Promise<Ownership> {
  const central = await deps.centralOrganisation?.();
  const domains = await deps.domains.table();
  const members = goldens.flatMap((golden) => [...golden.members]);
  const known = members.every((id) => {
    const source = state.sources.get(id);
    return source === undefined || domains.byId(source.domainId) !== undefined;
  });
  if (known) return { domains, central };
  deps.domains.forget?.();
  return { domains: await deps.domains.table(), central };
}

function sourceWrite(source: SourceState): ResourceWrite {
  const head = { id: source.id, version: source.version, lastUpdatedMs: source.lastUpdatedMs, kind: 'source' as const };
  const content = source.change === 'deleted' || !source.patient ? null : storedContent(source.patient, head);
  // Source records carry no tokens: they are found through their golden record, which carries the union.
  return {
    type: 'Patient',
    id: source.id,
    version: source.version,
    lastUpdatedMs: source.lastUpdatedMs,
    content,
    tokens: [],
  };
}

async function writeSourceRows(deps: RoundDeps, tx: Transaction, sources: readonly SourceState[]): Promise<void> {
  const gone = sources.filter((source) => source.change === 'deleted').map((source) => source.id);
  await dropReviewsIfAny(tx, gone);
  await removeSources(tx, gone);
  const rows: SourceRow[] = sources
    .filter((source) => source.change !== 'deleted')
    .map((source) => ({
      source_id: source.id,
      golden_id: source.goldenId,
      domain_id: source.domainId,
      key_token: source.keyToken,
      version: source.version,
      pinned: source.pinned,
      match_record: deps.records.seal(source.id, source.version, source.record),
    }));
  await writeSources(
    tx,
    rows,
    sources.every((source) => source.storedVersion === 0),
  );
}

async function dropReviewsIfAny(tx: Transaction, gone: readonly ResourceId[]): Promise<void> {
  if (gone.length > 0) await dropReviewsOf(tx, gone);
}

async function writeKeys(tx: Transaction, sources: readonly SourceState[]): Promise<void> {
  const removed: BlockingRow[] = [];
  const added: BlockingRow[] = [];
  const first: BlockingRow[] = [];
  for (const source of sources) {
    for (const token of source.storedTokens ?? []) removed.push({ token, sourceId: source.id });
    if (source.change !== 'written') continue;
    const rows = source.storedVersion === 0 ? first : added;
    for (const token of new Set(source.tokens)) rows.push({ token, sourceId: source.id });
  }
  await Promise.all([
    addBlockingKeys(tx, first, true),
    removeBlockingKeys(tx, removed).then(() => addBlockingKeys(tx, added)),
  ]);
}

function goldenRow(golden: GoldenState, nowMs: number): GoldenRow {
  return {
    golden_id: golden.id,
    version: golden.storedVersion + 1,
    updated_at: new Date(nowMs),
    replaced_by: golden.replacedBy ?? null,
    deleted: golden.members.size === 0 && golden.replacedBy === undefined,
    organisations: golden.organisations,
    shared_with: golden.sharedWith,
  };
}

async function writeReviews(
  deps: RoundDeps,
  tx: Transaction,
  round: { readonly state: RoundState; readonly goldens: readonly GoldenState[]; readonly nowMs: number },
): Promise<void> {
  const { moved } = round.state;
  const joined = round.goldens
    .filter(({ members }) => members.size > 1 && !members.isDisjointFrom(moved))
    .map(({ id }) => id);
  if (joined.length > 0) await settleReviewsWithin(tx, joined, new Date(round.nowMs));
  const seen = new Set<string>();
  const rows: NewReview[] = [];
  for (const review of round.state.reviews) {
    const pair = pairKey(review.sourceId, review.other);
    if (seen.has(pair) || !stillOpen(round.state, review)) continue;
    seen.add(pair);
    rows.push(reviewRow(review, deps.matcher.modelVersion, round.nowMs));
  }
  await openReviews(tx, rows);
}

/** A later submission of the same round may have linked the two, or removed one. */
function stillOpen(state: RoundState, review: PendingReview): boolean {
  const a = state.sources.get(review.sourceId);
  const b = state.sources.get(review.other);
  if (!a || !b || a.change === 'deleted' || b.change === 'deleted') return false;
  return review.cause === 'record-changed' || a.goldenId !== b.goldenId;
}

function reviewRow(review: PendingReview, modelVersion: string, nowMs: number): NewReview {
  const [a, b] = orderedPair(review.sourceId, review.other);
  return {
    review_id: newId<ReviewId>(),
    a,
    b,
    cause: review.cause,
    score: review.score,
    grade: review.grade,
    model_version: modelVersion,
    created_at: new Date(nowMs),
  };
}
