import type { Actor } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Refusal } from '../../platform/http/refusals.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import { postText } from '../../platform/small-http/index.ts';
import { createEventWriter } from './audit-event.ts';
import type { AuditDeps } from './deps.ts';
import { createEventFeed, type EventFeed } from './event-feed.ts';
import { unknownEvents } from './events.ts';
import { createLogExport, type LogExport } from './export.ts';
import { createLogReader, type LogReader } from './log-reader.ts';
import type { AuditInput, AuditVerification, SetAsideBatch } from './model.ts';
import { createRecorder } from './recorder.ts';
import { refusalInput } from './refusals.ts';
import { createRetention, KEEP_YEARS_MIN, type Retention } from './retention.ts';
import { auditRoutes } from './routes.ts';
import { createBatchSealer } from './sealed-event.ts';
import { createRound } from './sequencer.ts';
import { createSequencerLoop } from './sequencer-loop.ts';
import { createSetAside, type SetAsideAct } from './set-aside.ts';
import { ensureSigner } from './signer.ts';
import { type VerifyOptions, verifyLog } from './verify.ts';
import type { AuditStatusReply } from './wire.ts';
import { createWitnesses } from './witnesses.ts';

export type { AuditDeps } from './deps.ts';
/** An event as it rests, and its canonical JSON. */
export type { PackedEvent } from './event-batch.ts';
/** For whoever finds a row that is not as it was written. */
export { type ChangedPast, createChangedPast } from './changed-past.ts';
export type { EventFeed, PackedPage, PackedSequencedEvent, SequencedEvent, Wanted } from './event-feed.ts';
/** Every event there is; `eventNames` reads a filter (`client.*`). */
export { type AuditEventName, EVENTS, eventNames, eventShape } from './events.ts';
export { createHeadMail } from './head-mail.ts';
export type { HeldClients, HoldId } from './holds.ts';
export type { EventFilter, WholeEvent } from './log-reader.ts';
export type { AuditEntity, AuditInput, AuditVerification } from './model.ts';
export type { Erased, ErasureRun, Retention } from './retention.ts';
export { unpackEvent } from './sealed-event.ts';
export { summariseEvent } from './sequenced-summary.ts';
export { createPageVerifier, type PageFindings, type PageVerifier } from './verify-page.ts';
export type { WitnessSetting } from './witnesses.ts';

/** The audit log: who did what, and the proof that nothing of it was changed. Makes the only receipts a route can answer with. */
export interface Audit {
  /** Writes events in the transaction of the act, so both happen or neither. One AuditEvent per patient of each input. */
  record(tx: Transaction, inputs: readonly AuditInput[]): Promise<AuditReceipt>;
  /**
   * Writes events on their own and resolves once they are durable; concurrent callers share a commit. Await it before data
   * leaves. Rejects with Problem('unavailable', 'audit-unavailable') when the log cannot be written: then nothing may be shown.
   */
  recordNow(inputs: readonly AuditInput[]): Promise<AuditReceipt>;
  /** Writes the refusal of a request; for the doors. */
  recordRefusal(refusal: Refusal): Promise<void>;
  /** Throws unless every event these routes declare is one the log knows. To be called at start with all routes. */
  assertKnownEvents(routes: readonly RouteDeclaration[]): void;
  /** Size and signed head; `ok` is false when events wait too long or the head does not verify. A few quick look-ups. */
  status(): Promise<AuditStatusReply>;
  /** Starts taking events into the tree. May run in any number of processes; one of them works at a time. */
  startSequencer(): void;
  /** Takes all committed events into the tree now. */
  sequence(): Promise<void>;
  /** Starts asking the witnesses of the settings to sign new heads. In one process; does nothing where there is none. */
  startWitnessing(): void;
  /** Asks them now. How it went, `status` says. */
  askWitnesses(): Promise<void>;
  /** Signs a last checkpoint over what was committed, if the sequencer was started. The database must still be open. */
  stop(): Promise<void>;
  /** Takes what waits into the tree, then recomputes everything from the events. */
  verify(options?: VerifyOptions): Promise<AuditVerification>;
  /** The log in the order of its leaves, for whoever follows it: forwarding, alerts, counts. */
  readonly feed: EventFeed;
  /** Questions to the log by other features. Whoever answers somebody with it records that the log was used. */
  readonly search: LogReader['search'];
  readonly searchWhole: LogReader['searchWhole'];
  /** Erasing what events say, and legal holds: for the owner of the database. */
  readonly retention: Retention;
  /** Passes over a batch that was damaged before it was numbered, with an event that says so. */
  setAside(act: SetAsideAct): Promise<SetAsideBatch>;
  /** What outsiders check without this server. Whoever hands it out records that. */
  readonly export: LogExport;
  readonly routes: readonly RouteDeclaration[];
}

const CHECKPOINT_EVERY_MS = 1_000;

export function createAudit(deps: AuditDeps): Audit {
  const { database, keyRing, clock, source } = deps;
  const signer = lazily(() => ensureSigner(database, { keyRing, clock, baseUrl: source.baseUrl }));
  const sequencer = createSequencerLoop({
    round: createRound({ database, keyRing, clock, signer }),
    everyMs: deps.checkpointEveryMs ?? CHECKPOINT_EVERY_MS,
    onFailure: deps.onFailure,
  });
  const sequence = (): Promise<void> => sequencer.drain(SEQUENCE_MS);
  const seal = createBatchSealer(keyRing, createEventWriter(source));
  const recorder = createRecorder({ database, seal });
  const witnesses = createWitnesses({ database, clock, settings: deps.witnesses ?? [], post: postText });
  const reader = createLogReader({ database, keyRing, clock, signer, witnesses });
  const exported = createLogExport(reader);
  return {
    ...recorder,
    status: reader.status,
    feed: createEventFeed({ database, keyRing }),
    search: reader.search,
    searchWhole: reader.searchWhole,
    startSequencer: sequencer.start,
    sequence,
    startWitnessing: witnesses.start,
    askWitnesses: witnesses.ask,
    async stop() {
      await witnesses.stop();
      await sequencer.stop();
    },
    async verify(options) {
      // A tree that cannot be built on is what the verification then explains.
      await sequence().catch(() => undefined);
      return await verifyLog(deps, options);
    },
    recordRefusal: async (refusal) => {
      await recorder.recordNow([refusalInput(refusal)]);
    },
    assertKnownEvents(routes) {
      const unknown = unknownEvents(routes);
      if (unknown.length > 0)
        throw new Error(`Audit events in no table (features/audit/events.ts): ${unknown.join(', ')}`);
    },
    setAside: createSetAside({ database, keyRing, reader, recordNow: recorder.recordNow, sequence }),
    export: exported,
    retention: createRetention({
      ...{ database, keyRing, clock, reader },
      keepYears: Math.max(KEEP_YEARS_MIN, deps.keepYears ?? KEEP_YEARS_MIN),
      recordNow: recorder.recordNow,
      sequence,
    }),
    routes: auditRoutes({ reader, recorder, exported, within: deps.within ?? everybodyOrNobody }),
  };
}

const everybodyOrNobody = async ({ principal }: Actor): Promise<readonly string[] | undefined> =>
  reachOf(principal, 'audit.read') === 'all' ? undefined : [];

/** How long who needs all events in the log waits for transactions that are open meanwhile, in any database of the cluster. */
const SEQUENCE_MS = 20_000;

/** Makes a value at its first use; a failure is forgotten, so the next use tries again. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
