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
import { writePacked } from '../../store/index.ts';
import { type PackedRound, toMake } from './load-making.ts';
import { type Decided, decideWork } from './round-decisions.ts';
import type { RoundDeps } from './round-loading.ts';
import type { RoundMaker } from './round-maker.ts';
import { writeNewPacked } from './round-store.ts';
import { readyRound } from './round-writing.ts';
import { takeTurn } from './store.ts';
import type { SubmitOptions } from './submit-options.ts';
import { prepareWork, type Work } from './work.ts';

/** Groups that are decided and not yet committed: one or two are being made, the others written. */
const UNDER_WAY_MAX = 5;

export interface LoadSession {
  /** As the registry's `submit`, but for contents, which are not handed out; groups are decided in the order of the calls. */
  submit(actor: Actor, submissions: readonly Submission[], options: SubmitOptions): Promise<BatchResult>;
  /** Whether groups are still decided on the image. */
  isQuick(): boolean;
  /** When all submissions have their answers. */
  end(): Promise<void>;
}

export interface LoadSessionDeps {
  readonly live: RoundDeps;
  /** The one with which the image was made. */
  readonly deps: RoundDeps;
  readonly intake: Intake;
  readonly image: Image;
  readonly maker: RoundMaker;
  /** Number of the turn before which the image was read. */
  readonly turn: bigint;
  readonly bytesMax: number;
}

interface Group {
  readonly actor: Actor;
  readonly submissions: readonly Submission[];
  readonly options: SubmitOptions;
}

interface Sending {
  readonly made: Promise<PackedRound>;
  readonly inputs: ReturnType<typeof doneInputs>;
  readonly works: readonly Work[];
}

const NO_CONTENTS: ReadonlyMap<ResourceId, null> = new Map();

/** A group on its way: `written` rejects where it was not. */
interface Flight {
  readonly begun: Promise<void>;
  readonly written: Promise<BatchResult>;
}

export function createLoadSession(given: LoadSessionDeps): LoadSession {
  const session = new Session(given);
  return {
    isQuick: () => session.isQuick(),
    end: () => given.maker.end(),
    submit: (actor, submissions, options) => session.submit({ actor, submissions, options }),
  };
}

class Session {
  readonly #given: LoadSessionDeps;
  readonly #probe: string;
  readonly #recent = new Map<ResourceId, RecentPatient>();
  #flights: Flight[] = [];
  #lastTurn: bigint;
  #quick = true;
  /** Everything before is decided; everything before has its answer. */
  #decidedBefore: Promise<unknown> = Promise.resolve();
  #answeredBefore: Promise<unknown> = Promise.resolve();

  constructor(given: LoadSessionDeps) {
    this.#given = given;
    this.#probe = probeOf(given.deps);
    this.#lastTurn = given.turn;
  }

  isQuick(): boolean {
    return this.#quick;
  }

  async submit(group: Group): Promise<BatchResult> {
    const order = { decided: this.#decidedBefore, answered: this.#answeredBefore };
    const running = this.#run(group, order).catch(() => ({ result: this.#ordinarily(group, order.answered) }));
    this.#decidedBefore = running;
    const answered = running.then(({ result }) => result);
    this.#answeredBefore = answered.catch(() => undefined);
    return await answered;
  }

  #isRight(): boolean {
    const { live, deps, image, bytesMax } = this.#given;
    return this.#quick && live.matcher === deps.matcher && probeOf(deps) === this.#probe && image.bytes <= bytesMax;
  }

  #end(): void {
    this.#quick = false;
  }

  /** The ordinary way, when all before have their answers: the order of groups stays. */
  async #ordinarily({ actor, submissions, options }: Group, before: Promise<unknown>): Promise<BatchResult> {
    this.#end();
    await before;
    return await this.#given.intake.submit(actor, submissions, options);
  }

  async #run(group: Group, order: { decided: Promise<unknown>; answered: Promise<unknown> }) {
    await order.decided;
    const own = this.#quick ? await this.#decide(group) : undefined;
    if (own === undefined) return { result: this.#ordinarily(group, order.answered) };
    this.#flights.push(own);
    const result = own.written.catch(() => this.#ordinarily(group, order.answered));
    const landed = () => {
      this.#flights = this.#flights.filter((one) => one !== own);
    };
    own.written.then(landed, landed);
    return { result };
  }

  async #decide(group: Group): Promise<Flight | undefined> {
    const { deps, image } = this.#given;
    if (this.#flights.length >= UNDER_WAY_MAX) await this.#flights[0]?.written.catch(() => undefined);
    if (!this.#isRight()) return undefined;
    const domains = await deps.domains.table();
    const works = group.submissions.map((submission) => prepareWork(deps, { ...group, submission }, domains));
    if (!areNew(image, works)) return await this.#underLock(works, group);
    const open = works.filter((work) => work.outcome === undefined);
    const state = roundFromImage(image, open, this.#recent);
    const nowMs = deps.clock.nowMs();
    const input = { state, domains, matcher: deps.matcher, records: deps.records, keyRing: deps.keyRing, nowMs };
    const decided: Decided[] = open.flatMap((work) => decideWork(input, work) ?? []);
    // Members that the round rewrites and that are not written yet are among the recent ones.
    const ready = await readyRound(deps, deps.database, { state, nowMs });
    if (ready === undefined) return await this.#underLock(works, group);
    const round = toMake(state, ready, nowMs);
    // What makers answer: load-making.ts.
    const made = this.#given.maker.make(round) as Promise<PackedRound>;
    const written = keepInImage(image, state, new Map(round.sources.map((one) => [one.source_id, one.record])));
    for (const { id, patient } of written) if (patient) this.#recent.set(id, { patient, lastUpdatedMs: nowMs });
    for (const one of decided) one.work.outcome = answer(one, NO_CONTENTS);
    const inputs = [...doneInputs(decided), ...refusedInputs(works)];
    const flight = this.#fly(group, { made, inputs, works });
    const forget = () => written.forEach(({ id }) => this.#recent.delete(id));
    flight.written.then(forget, () => undefined);
    return flight;
  }

  #fly(group: Group, sending: Sending): Flight {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const written = this.#send(group, sending, { before: this.#flights.at(-1), hadTurn: resolve });
    written.catch(() => this.#end());
    return { begun, written };
  }

  async #send(
    { options }: Group,
    { made, inputs, works }: Sending,
    { before, hadTurn }: { readonly before: Flight | undefined; readonly hadTurn: () => void },
  ): Promise<BatchResult> {
    const { deps } = this.#given;
    const packed = await made;
    // Whoever holds the lock cannot be overtaken any more.
    if (before) await Promise.race([before.begun, before.written.catch(() => undefined)]);
    if (!this.#quick) throw new Error('a group that this one rests on was not written');
    this.#lastTurn += 1n;
    const expected = this.#lastTurn;
    const outcomes = works.map(outcomeOf);
    return await deps.database.burst<BatchResult>((tx) => {
      const turn = takeTurn(tx, expected).then(hadTurn);
      const sent = Promise.all([writePacked(tx, packed.writes), writeNewPacked(tx, packed.rows)]);
      const recorded = inputs.length === 0 ? undefined : deps.audit.record(tx, inputs);
      const done = Promise.all([recorded, turn, sent, options.alongside?.(tx, outcomes), before?.written]);
      return { done: done.then(([audited]) => ({ outcomes, audited })), commit: 'when-done' };
    });
  }

  /** A group that changes records that are there, in its turn; the image is brought up to date. */
  async #underLock(works: readonly Work[], { options }: Group): Promise<Flight | undefined> {
    const { deps, image } = this.#given;
    await Promise.allSettled(this.#flights.map((flight) => flight.written));
    if (!this.#isRight()) return undefined;
    const domains = await deps.domains.table();
    this.#lastTurn += 1n;
    const expected = this.#lastTurn;
    const written = deps.database.transaction(async (tx) => {
      await takeTurn(tx, expected);
      const result = await runBatch(deps, tx, { works: works.map((work) => ({ ...work })), domains });
      await options.alongside?.(tx, result.outcomes);
      return result;
    });
    written.catch(() => this.#end());
    // It has ended before the next is decided: what it changed is read again.
    const flight = { begun: Promise.resolve(), written };
    const result = await written.catch(() => undefined);
    if (result === undefined) return flight;
    const ids = result.outcomes.flatMap((outcome) => (outcome.status === 'refused' ? [] : [outcome.id]));
    // It is written: whatever fails now only ends the image.
    if (!(await addRecords(deps, image, [...new Set(ids)]).catch(() => false))) this.#end();
    return flight;
  }
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
