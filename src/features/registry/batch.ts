/**
 * One batch of submissions: one transaction, one lock. Submissions that touch the same record are decided one after the other
 * in rounds, so that each sees what the former did.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import { reachOf } from '../../kernel/reach.ts';
import { domainsOf, isWhole } from './altered.ts';
import type { GoldenState, RoundState } from './batch-state.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import type { AuditInput } from '../audit/index.ts';
import { doneInputs, refusedInputs } from './batch-audit.ts';
import type { DomainTable } from './deps.ts';
import { golden404 } from './lookup-problems.ts';
import type { SubmissionOutcome } from './model.ts';
import { type Decided, decideWork } from './round-decisions.ts';
import { findRound, type Found, isMeant, loadPatients, loadRound, type RoundDeps } from './round-loading.ts';
import { writeRound } from './round-writing.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { SourceRow } from './store.ts';
import { refused, type Work } from './work.ts';

export interface BatchResult {
  readonly outcomes: readonly SubmissionOutcome[];
  /** Absent when nothing happened that is worth an event: every submission refused. */
  readonly audited: AuditReceipt | undefined;
}

/** Runs inside a transaction that holds the registry's lock; a throw rolls everything back. Answers in the order of the works. */
export async function runBatch(
  deps: RoundDeps,
  tx: Transaction,
  batch: {
    readonly works: readonly Work[];
    readonly domains: DomainTable;
    /** Of a dry run: nothing is written, and no event recorded. */
    readonly rehearsal?: Rehearsal | undefined;
  },
): Promise<BatchResult> {
  let audited: AuditReceipt | undefined;
  const record = async (inputs: readonly AuditInput[]): Promise<void> => {
    if (inputs.length > 0 && !batch.rehearsal) audited = await deps.audit.record(tx, inputs);
  };
  let waiting = batch.works.filter((work) => work.outcome === undefined);
  while (waiting.length > 0) {
    const also = batch.rehearsal?.anchors(waiting);
    const found = await findRound(deps, tx, { works: waiting, domains: batch.domains, ...(also && { also }) });
    const { now, later } = splitRound(waiting, found.existing, batch.rehearsal);
    await runRound(deps, tx, { works: now, found, domains: batch.domains, rehearsal: batch.rehearsal, record });
    waiting = later;
  }
  await record(refusedInputs(batch.works));
  return { outcomes: batch.works.map(outcomeOf), audited };
}

export function outcomeOf(work: Work): SubmissionOutcome {
  if (!work.outcome) throw new Error('a submission was left without an answer');
  return work.outcome;
}

/** Each record once per round. */
export function splitRound(
  works: readonly Work[],
  existing: readonly SourceRow[],
  rehearsal: Rehearsal | undefined,
): { now: Work[]; later: Work[] } {
  const byKey = new Map(
    existing.flatMap((row) => (row.key_token === null ? [] : [[row.key_token, row.source_id] as const])),
  );
  const known = new Set(existing.map((row) => row.source_id));
  const taken = new Set<string>();
  const now: Work[] = [];
  const later: Work[] = [];
  for (const work of works) {
    const { submission } = work;
    const byId = submission.kind === 'update' || submission.kind === 'delete';
    const stored = byId
      ? submission.id
      : work.keyTokens.map((token) => byKey.get(token)).find((id) => id !== undefined);
    const named = stored ?? rehearsal?.named(work.keyTokens);
    if (named !== undefined && (known.has(named) || named !== stored)) work.existingId = named;
    const names = [named, work.keyTokens[0], work.gained?.[0]].filter((name) => name !== undefined).map(String);
    if (names.some((name) => taken.has(name))) later.push(work);
    else now.push(work);
    // Of one that has to wait as well: what comes after it must not overtake it.
    for (const name of names) taken.add(name);
  }
  return { now, later };
}

const NO_CONTENTS: ReadonlyMap<ResourceId, null> = new Map();

async function runRound(
  deps: RoundDeps,
  tx: Transaction,
  round: {
    readonly works: readonly Work[];
    readonly found: Found;
    readonly domains: DomainTable;
    readonly rehearsal: Rehearsal | undefined;
    readonly record: (inputs: readonly AuditInput[]) => Promise<void>;
  },
): Promise<void> {
  const { rehearsal } = round;
  const { state, decided, nowMs } = await decideRound(deps, tx, round);
  await explainMissing(deps, tx, round.works);
  const { contents } = rehearsal
    ? { contents: NO_CONTENTS }
    : await writeRound(deps, tx, { state, nowMs, meanwhile: () => round.record(doneInputs(decided)) });
  rehearsal?.keep(state);
  for (const one of decided) one.work.outcome = answer(one, contents);
}

interface RoundDecided {
  readonly state: RoundState;
  readonly decided: readonly Decided[];
  readonly nowMs: number;
}

/** Reads what is lacking and decides, in memory; refused submissions have their outcome then. */
export async function decideRound(
  deps: RoundDeps,
  sql: Sql,
  round: {
    readonly works: readonly Work[];
    readonly found: Found;
    readonly domains: DomainTable;
    readonly rehearsal?: Rehearsal | undefined;
  },
): Promise<RoundDecided> {
  const state = loadRound(deps, round.found);
  round.rehearsal?.enter(state, round.works, deps.matcher);
  const meant = round.works.flatMap((work) => (work.existingId === undefined ? [] : [work.existingId]));
  await loadPatients(deps, sql, state, meant);
  const nowMs = deps.clock.nowMs();
  const decided: Decided[] = [];
  const domains = await domainsOf(
    deps,
    round.found.known.map((row) => row.domain_id),
  );
  // A dry run's persons are in part those it would make.
  const whole = round.rehearsal ? {} : { isWhole: (golden: GoldenState) => isWhole(deps, state, golden, domains) };
  for (const work of round.works) {
    const existing = work.existingId === undefined ? undefined : state.sources.get(work.existingId);
    if (existing && !isMeant(work, existing)) delete work.existingId;
    const found = decideWork(
      {
        state,
        domains: round.domains,
        matcher: deps.matcher,
        records: deps.records,
        keyRing: deps.keyRing,
        nowMs,
        ...whole,
      },
      work,
    );
    if (found) decided.push(found);
  }
  return { state, decided, nowMs };
}

/** "Not found" is said exactly: unknown, deleted, or a golden record that nobody may write. */
async function explainMissing(deps: RoundDeps, tx: Transaction, works: readonly Work[]): Promise<void> {
  for (const work of works) {
    const missing = work.outcome?.status === 'refused' && work.outcome.problem.code === 'client-not-found';
    // What a golden record or a deleted one is, is told to those who may know of all there are.
    const knowsAll = reachOf(work.actor.principal, 'client.read') === 'all';
    if (missing && knowsAll && (work.submission.kind === 'update' || work.submission.kind === 'delete')) {
      work.outcome = refused(await golden404(deps.resources, tx, work.submission.id));
    }
  }
}

export function answer(one: Decided, contents: ReadonlyMap<ResourceId, Uint8Array | null>): SubmissionOutcome {
  const { source, status, linked, reviews, candidatesCut } = one;
  return {
    status,
    id: source.id,
    version: source.version,
    lastUpdatedMs: source.lastUpdatedMs,
    goldenId: source.goldenId,
    content: contents.get(source.id) ?? (status === 'unchanged' ? (source.storedContent ?? null) : null),
    linked,
    reviewsOpened: reviews,
    candidatesCut,
  };
}
