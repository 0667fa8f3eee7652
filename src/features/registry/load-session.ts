/**
 * Many new records one group after the other, by the only writer there is: decided on an image of the registry in memory while the groups
 * before are still being written, and sent as one message each. What comes out is what `intake.ts` would write. Three things prove
 * that the image is right: the numbers of turns follow each other (nobody else was here, in whichever process); no group is
 * committed before the one in front of it; and the model and the keys are those it was made with. As soon as one of them fails,
 * what was not written is decided by the ordinary way, and so is everything after it.
 */
import type { Actor } from '../../kernel/principal.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { answer, type BatchResult, outcomeOf, runBatch } from './batch.ts';
import { doneInputs, refusedInputs } from './batch-audit.ts';
import type { Image } from './image.ts';
import { addRecords } from './image-filling.ts';
import { keepInImage, type RecentPatient, roundFromImage } from './image-round.ts';
import type { Intake } from './intake.ts';
import type { Submission } from './model.ts';
import { type Decided, decideWork } from './round-decisions.ts';
import type { RoundDeps } from './round-loading.ts';
import { makeRound, type RoundMade, sendRound } from './round-writing.ts';
import { takeTurn } from './store.ts';
import type { SubmitOptions } from './submit-options.ts';
import { prepareWork, type Work } from './work.ts';

/** Groups that are decided and not yet committed. */
const UNDER_WAY_MAX = 3;

export interface LoadSession {
  /** As the registry's `submit`; groups are decided in the order of the calls. */
  submit(actor: Actor, submissions: readonly Submission[], options: SubmitOptions): Promise<BatchResult>;
  /** Whether groups are still decided on the image. */
  isQuick(): boolean;
}

export interface LoadSessionDeps {
  readonly live: RoundDeps;
  /** The one with which the image was made. */
  readonly deps: RoundDeps;
  readonly intake: Intake;
  readonly image: Image;
  /** Number of the turn before which the image was read. */
  readonly turn: bigint;
  readonly bytesMax: number;
}

interface Group {
  readonly actor: Actor;
  readonly submissions: readonly Submission[];
  readonly options: SubmitOptions;
}

/** A group on its way: `written` rejects where it was not. */
interface Flight {
  readonly begun: Promise<void>;
  readonly written: Promise<BatchResult>;
}

export function createLoadSession(given: LoadSessionDeps): LoadSession {
  const { deps, live, image } = given;
  const probe = probeOf(deps);
  const recent = new Map<ResourceId, RecentPatient>();
  let flights: Flight[] = [];
  let lastTurn = given.turn;
  let quick = true;
  /** Everything before is decided; everything before has its answer. */
  let decidedBefore: Promise<unknown> = Promise.resolve();
  let answeredBefore: Promise<unknown> = Promise.resolve();

  const isRight = () =>
    quick && live.matcher === deps.matcher && probeOf(deps) === probe && image.bytes <= given.bytesMax;

  const end = (): void => {
    quick = false;
  };

  const settled = () => Promise.allSettled(flights.map(({ written }) => written));

  /** The ordinary way, when all before have their answers: the order of groups stays. */
  async function ordinarily(group: Group, before: Promise<unknown>): Promise<BatchResult> {
    end();
    await before;
    return await given.intake.submit(group.actor, group.submissions, group.options);
  }

  async function decide(group: Group): Promise<Flight | undefined> {
    if (flights.length >= UNDER_WAY_MAX) await flights[0]?.written.catch(() => undefined);
    if (!isRight()) return undefined;
    const domains = await deps.domains.table();
    const works = group.submissions.map((submission) => prepareWork(deps, { ...group, submission }, domains));
    if (!areNew(image, works)) return await underLock(works, group);
    const open = works.filter((work) => work.outcome === undefined);
    const state = roundFromImage(image, open, recent);
    const nowMs = deps.clock.nowMs();
    const input = { state, domains, matcher: deps.matcher, records: deps.records, keyRing: deps.keyRing, nowMs };
    const decided: Decided[] = open.flatMap((work) => decideWork(input, work) ?? []);
    // Members that the round rewrites and that are not written yet are among the recent ones.
    const made = await makeRound(deps, deps.database, { state, nowMs });
    if (made === undefined) return await underLock(works, group);
    const written = keepInImage(image, state);
    for (const { id, patient } of written) if (patient) recent.set(id, { patient, lastUpdatedMs: nowMs });
    for (const one of decided) one.work.outcome = answer(one, made.contents);
    const inputs = [...doneInputs(decided), ...refusedInputs(works)];
    const flight = await send(group, { made, inputs, works });
    if (flight === undefined) return undefined;
    const forget = () => written.forEach(({ id }) => recent.delete(id));
    flight.written.then(forget, () => undefined);
    return flight;
  }

  async function send(
    { options }: Group,
    { made, inputs, works }: { made: RoundMade; inputs: ReturnType<typeof doneInputs>; works: readonly Work[] },
  ): Promise<Flight | undefined> {
    const before = flights.at(-1);
    // Whoever holds the lock cannot be overtaken any more.
    if (before) await Promise.race([before.begun, before.written.catch(() => undefined)]);
    // One that has failed and is no longer among the flights: this group rests on it.
    if (!quick) return undefined;
    lastTurn += 1n;
    const expected = lastTurn;
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const outcomes = works.map(outcomeOf);
    const written = deps.database.burst<BatchResult>((tx) => {
      const turn = takeTurn(tx, expected).then(() => resolve());
      const sent = sendRound(deps, tx, made);
      const recorded = inputs.length === 0 ? undefined : deps.audit.record(tx, inputs);
      const done = Promise.all([recorded, turn, sent, options.alongside?.(tx, outcomes), before?.written]);
      return { done: done.then(([audited]) => ({ outcomes, audited })), commit: 'when-done' };
    });
    written.catch(end);
    return { begun, written };
  }

  /** A group that changes records that are there, in its turn; the image is brought up to date. */
  async function underLock(works: readonly Work[], { options }: Group): Promise<Flight | undefined> {
    await settled();
    if (!isRight()) return undefined;
    const domains = await deps.domains.table();
    lastTurn += 1n;
    const expected = lastTurn;
    const written = deps.database.transaction(async (tx) => {
      await takeTurn(tx, expected);
      const result = await runBatch(deps, tx, { works: works.map((work) => ({ ...work })), domains });
      await options.alongside?.(tx, result.outcomes);
      return result;
    });
    written.catch(end);
    // It has ended before the next is decided: what it changed is read again.
    const flight = { begun: Promise.resolve(), written };
    const result = await written.catch(() => undefined);
    if (result === undefined) return flight;
    const ids = result.outcomes.flatMap((outcome) => (outcome.status === 'refused' ? [] : [outcome.id]));
    if (!(await addRecords(deps, image, [...new Set(ids)]))) end();
    return flight;
  }

  async function run(group: Group, order: { decided: Promise<unknown>; answered: Promise<unknown> }) {
    await order.decided;
    const own = quick ? await decide(group) : undefined;
    if (own === undefined) return { result: ordinarily(group, order.answered) };
    flights.push(own);
    const result = own.written.catch(() => ordinarily(group, order.answered));
    const landed = () => {
      flights = flights.filter((one) => one !== own);
    };
    own.written.then(landed, landed);
    return { result };
  }

  return {
    isQuick: () => quick,
    async submit(actor, submissions, options) {
      const order = { decided: decidedBefore, answered: answeredBefore };
      const group = { actor, submissions, options };
      const running = run(group, order).catch(() => ({ result: ordinarily(group, order.answered) }));
      decidedBefore = running;
      const answered = running.then(({ result }) => result);
      answeredBefore = answered.catch(() => undefined);
      return await answered;
    },
  };
}

/** Changes with the index key, and with the number of index keys in use. */
const probeOf = ({ keyRing }: Pick<RoundDeps, 'keyRing'>): string =>
  keyRing.blindAll('registry.blocking', 'probe').join(' ');

/** New records that name each other by no own identifier, and are looked for by the keys they are found by. */
function areNew(image: Image, works: readonly Work[]): boolean {
  const named = new Set<bigint>();
  for (const { submission, keyTokens, content, outcome } of works) {
    if (outcome !== undefined) continue;
    if (submission.kind !== 'upsert' && submission.kind !== 'create') return false;
    if (content === undefined || content.lookupTokens !== content.tokens) return false;
    for (const token of keyTokens) {
      if (named.has(token) || image.byKey(token) !== undefined) return false;
      named.add(token);
    }
  }
  return true;
}
