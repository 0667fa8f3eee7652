/** Writes what a round decided: each table once, all rows in one statement. */
import { newId } from '../../crypto/index.ts';
import type { ResourceId, ReviewId } from '../../kernel/ids.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import type { PreparedWrites } from '../../store/index.ts';
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
import type { DomainTable } from './deps.ts';
import { carryDecisions, keepFormer } from './former-records.ts';
import { bindGolden } from './golden-binding.ts';
import { goldenWrite, type Ownership, settleOwnership } from './golden.ts';
import { sealLedgerEntry } from './ledger.ts';
import { ABOUT_A_LINK, keptApart, settleReviewsApart } from './review-settling.ts';
import type { RoundDeps } from './round-loading.ts';
import { loadGoldenVersions, loadPatients } from './round-loading.ts';
import {
  addBlockingKeys,
  appendLedger,
  type BlockingRow,
  dropReviewsOf,
  type NewReview,
  type NewRows,
  openReviews,
  removeBlockingKeys,
  removeSources,
  settleReviewsWithin,
  writeGoldens,
  writeNew,
  writeSources,
} from './round-store.ts';
import { type GoldenRow, type SourceRow } from './store.ts';
import { createUnderWay, type UnderWay } from './under-way.ts';
import { UNMADE } from './within.ts';

/** Records are computed and sealed in parts, so that PostgreSQL has the first while the next are made. */
const SENT_TOGETHER = 64;

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
  const sources = [...state.sources.values()].filter((source) => source.change !== 'none');
  const underWay = createUnderWay();
  const lacking = goldens.filter((golden) => lacksContent(state, golden));
  // Asked for first and needed last: what does not depend on it is made and written meanwhile.
  const loaded = loadPatients(
    deps,
    tx,
    state,
    lacking.flatMap((golden) => [...golden.members]),
  );
  underWay.add(loaded);
  await loadGoldenVersions(deps, tx, state);
  const ownership = await ownershipFor(deps, state, goldens);
  for (const golden of goldens) settleOwnership(state, golden, ownership);
  const contents = new Map<ResourceId, Uint8Array | null>();
  const makeGolden = (golden: GoldenState) => () => goldenWrite(deps, state, { golden, nowMs });
  sendWrites(deps, tx, underWay, [
    ...sources
      .filter((source) => source.change !== 'moved')
      .map((source) => () => {
        const write = sourceWrite(source);
        contents.set(source.id, write.content);
        return write;
      }),
    ...goldens.filter((golden) => !lacking.includes(golden)).map(makeGolden),
  ]);
  underWay.add(writeRows(deps, tx, { state, sources, goldens, nowMs, domains: ownership.domains }));
  if (round.meanwhile) underWay.add(round.meanwhile());
  await loaded;
  sendWrites(deps, tx, underWay, lacking.map(makeGolden));
  await underWay.done();
  return { contents };
}

/** Whether something of a golden record's members must be read before it can be computed. */
function lacksContent(state: RoundState, golden: GoldenState): boolean {
  if (golden.replacedBy !== undefined) return false;
  for (const id of golden.members) if (state.sources.get(id)?.patient === undefined) return true;
  return false;
}

function sendWrites(
  deps: RoundDeps,
  tx: Transaction,
  underWay: UnderWay,
  makers: readonly (() => ResourceWrite)[],
): void {
  for (let at = 0; at < makers.length; at += SENT_TOGETHER) {
    const part = makers.slice(at, at + SENT_TOGETHER).map((make) => make());
    underWay.add(deps.resources.write(tx, part));
  }
}

interface RoundRows {
  readonly state: RoundState;
  readonly sources: readonly SourceState[];
  readonly goldens: readonly GoldenState[];
  readonly nowMs: number;
  readonly domains: DomainTable;
}

/** The registry's own tables. Most rounds hold new records only, and then one statement writes them all. */
async function writeRows(deps: RoundDeps, tx: Transaction, round: RoundRows): Promise<void> {
  const { state, sources, goldens, nowMs } = round;
  const goldenRows = goldens.map((golden) => goldenRow(deps, golden, round));
  const ledger = state.ledger.map((entry) => sealLedgerEntry(deps.keyRing, entry, nowMs));
  const reviews = newReviews(deps, state, nowMs);
  if (sources.every(isNew)) {
    await writeNew(tx, { ...newRows(deps, sources), goldens: goldenRows, ledger, reviews });
    await carry(tx, round);
    return;
  }
  // Reviews settle by where source records belong, so they follow these.
  await Promise.all([
    writeKeys(tx, sources),
    writeSourceRows(deps, tx, sources)
      .then(() => settleReviews(tx, round))
      .then(() => openReviews(tx, reviews))
      .then(() => carry(tx, round)),
    writeGoldens(tx, goldenRows),
    appendLedger(tx, ledger),
  ]);
}

const isNew = (source: SourceState) => source.storedVersion === 0 && source.change === 'written';

const newRows = (deps: RoundDeps, sources: readonly SourceState[]): Pick<NewRows, 'sources' | 'keys'> => ({
  sources: sources.map((one) => sourceRow(deps, one)),
  keys: sources.flatMap((source) => keysOf(source)),
});

/** What a round will write, made and sealed before its transaction begins. */
export interface RoundMade extends RoundWritten {
  readonly writes: PreparedWrites;
  readonly rows: NewRows;
}

/** All that making a round of new records takes, read and settled. */
export interface RoundReady {
  readonly sources: readonly SourceState[];
  readonly goldens: readonly GoldenState[];
  readonly goldenRows: readonly GoldenRow[];
  readonly reviews: readonly NewReview[];
}

/** Only for rounds of new records, about which no steward decided anything before they were deleted: `undefined` where there is more to it. */
export async function readyRound(
  deps: RoundDeps,
  sql: Sql,
  { state, nowMs }: { readonly state: RoundState; readonly nowMs: number },
): Promise<RoundReady | undefined> {
  const goldens = [...state.goldens.values()].filter((golden) => golden.touched);
  const sources = [...state.sources.values()].filter((source) => source.change !== 'none');
  if (!sources.every((source) => isNew(source) && source.formerId === undefined)) return undefined;
  const lacking = goldens.filter((golden) => lacksContent(state, golden)).flatMap((golden) => [...golden.members]);
  await Promise.all([loadPatients(deps, sql, state, lacking), loadGoldenVersions(deps, sql, state)]);
  const ownership = await ownershipFor(deps, state, goldens);
  for (const golden of goldens) settleOwnership(state, golden, ownership);
  return {
    sources,
    goldens,
    goldenRows: goldens.map((golden) => goldenRow(deps, golden, { state, nowMs, domains: ownership.domains })),
    reviews: newReviews(deps, state, nowMs),
  };
}

/** Makes and seals all that `sendRound` will write; `undefined` as `readyRound`. */
export async function makeRound(
  deps: RoundDeps,
  sql: Sql,
  round: { readonly state: RoundState; readonly nowMs: number },
): Promise<RoundMade | undefined> {
  const ready = await readyRound(deps, sql, round);
  if (ready === undefined) return undefined;
  const { state, nowMs } = round;
  const { sources, goldens, goldenRows, reviews } = ready;
  const own = sources.map(sourceWrite);
  return {
    contents: new Map(own.map(({ id, content }) => [id, content])),
    writes: deps.resources.prepare([...own, ...goldens.map((golden) => goldenWrite(deps, state, { golden, nowMs }))]),
    rows: {
      ...newRows(deps, sources),
      goldens: goldenRows,
      ledger: state.ledger.map((entry) => sealLedgerEntry(deps.keyRing, entry, nowMs)),
      reviews,
    },
  };
}

/** Begins all statements before it returns. */
export async function sendRound(deps: RoundDeps, tx: Transaction, made: RoundMade): Promise<void> {
  await Promise.all([deps.resources.writePrepared(tx, made.writes), writeNew(tx, made.rows)]);
}

/** Domains as they are now: one that another process made a moment ago is not in a table a second old. */
async function ownershipFor(deps: RoundDeps, state: RoundState, goldens: readonly GoldenState[]): Promise<Ownership> {
  const central = await deps.centralOrganisation?.();
  const domains = await deps.domains.table();
  const members = goldens.flatMap((golden) => [...golden.members]);
  const known = members.every((id) => {
    const source = state.sources.get(id);
    return source === undefined || source.domainId === UNMADE || domains.byId(source.domainId) !== undefined;
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
  await keepFormer(tx, gone);
  await removeSources(tx, gone);
  await writeSources(
    tx,
    sources.filter((source) => source.change !== 'deleted').map((source) => sourceRow(deps, source)),
  );
}

function sourceRow(deps: RoundDeps, source: SourceState): SourceRow {
  return {
    source_id: source.id,
    golden_id: source.goldenId,
    domain_id: source.domainId,
    key_token: source.keyToken,
    version: source.version,
    pinned: source.pinned,
    match_record: deps.records.seal(source.id, source.version, source.record),
  };
}

async function dropReviewsIfAny(tx: Transaction, gone: readonly ResourceId[]): Promise<void> {
  if (gone.length > 0) await dropReviewsOf(tx, gone);
}

async function writeKeys(tx: Transaction, sources: readonly SourceState[]): Promise<void> {
  const removed: BlockingRow[] = [];
  for (const source of sources) {
    for (const token of source.storedTokens ?? []) removed.push({ token, sourceId: source.id });
  }
  await removeBlockingKeys(tx, removed);
  await addBlockingKeys(
    tx,
    sources.flatMap((source) => keysOf(source)),
  );
}

function keysOf(source: SourceState): BlockingRow[] {
  if (source.change !== 'written') return [];
  return Array.from(new Set(source.tokens), (token) => ({ token, sourceId: source.id }));
}

function goldenRow(
  { keyRing }: Pick<RoundDeps, 'keyRing'>,
  golden: GoldenState,
  { state, nowMs, domains }: Pick<RoundRows, 'state' | 'nowMs' | 'domains'>,
): GoldenRow {
  const version = golden.storedVersion + 1;
  const { id: goldenId, organisations, sharedWith } = golden;
  const members = [...golden.members].flatMap((id) => state.sources.get(id) ?? []);
  return {
    golden_id: golden.id,
    version,
    updated_at: new Date(nowMs),
    replaced_by: golden.replacedBy ?? null,
    deleted: golden.members.size === 0 && golden.replacedBy === undefined,
    organisations: golden.organisations,
    shared_with: golden.sharedWith,
    binding: bindGolden(keyRing, { goldenId, version, organisations, sharedWith, members }, domains),
  };
}

/** Two records that stood apart and came together need no review between them any more, nor one with whom either is kept apart from. */
async function settleReviews(tx: Transaction, { state, goldens, nowMs }: RoundRows): Promise<void> {
  const joined = goldens
    .filter(({ members }) => members.size > 1 && !members.isDisjointFrom(state.moved))
    .map(({ id }) => id);
  if (joined.length === 0) return;
  await settleReviewsWithin(tx, joined, new Date(nowMs));
  await settleReviewsApart(tx, joined, new Date(nowMs));
}

/** Records that came again bring along from whom they are kept apart. */
async function carry(tx: Transaction, { sources, nowMs }: RoundRows): Promise<void> {
  const again = await carryDecisions(tx, sources);
  await settleReviewsApart(tx, new Set(again.map(({ goldenId }) => goldenId)), new Date(nowMs));
}

function newReviews(deps: RoundDeps, state: RoundState, nowMs: number): NewReview[] {
  if (state.reviews.length === 0) return [];
  const seen = new Set<string>();
  const rows: NewReview[] = [];
  const apart = keptApart(state);
  for (const review of state.reviews) {
    const pair = pairKey(review.sourceId, review.other);
    if (seen.has(pair) || !stillOpen(state, review, apart)) continue;
    seen.add(pair);
    rows.push(reviewRow(review, deps.matcher.modelVersion, nowMs));
  }
  return rows;
}

/** A later submission of the same round may have linked the two, or removed one; and who is kept apart is not asked about. */
function stillOpen(state: RoundState, review: PendingReview, apart: ReturnType<typeof keptApart>): boolean {
  const a = state.sources.get(review.sourceId);
  const b = state.sources.get(review.other);
  if (!a || !b || a.change === 'deleted' || b.change === 'deleted') return false;
  return a.goldenId === b.goldenId ? ABOUT_A_LINK.has(review.cause) : !apart(a.goldenId, b.goldenId);
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
