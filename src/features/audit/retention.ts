import type { Actor } from '../../kernel/principal.ts';
import { type AuditEventId, parseId } from '../../kernel/ids.ts';
import { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import { type Database, type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { type Erasable, eraseEvents } from './erasure.ts';
import type { AuditDeps } from './deps.ts';
import {
  createHeldClients,
  type HeldClients,
  type Hold,
  type HoldId,
  placeHold,
  releaseHold,
  standingHolds,
} from './holds.ts';
import type { LogReader } from './log-reader.ts';
import type { AuditEventName } from './events.ts';
import type { AuditInput } from './model.ts';
import { clientId, TOKEN } from './sealed-event.ts';

/**
 * How long events are kept, and who may end that earlier: contents are destroyed when the law's time is over or a person is erased,
 * never while a legal hold stands. Leaves stay for ever. All of it is for the owner of the database, at the command line.
 */
export interface Retention {
  /** Destroys what the events about this client say. */
  eraseClient(run: ErasureRun & { readonly client: string }): Promise<Erased>;
  /** Destroys what all events before this moment say; refused when it is less than `keepYears` ago. */
  eraseBefore(run: ErasureRun & { readonly beforeMs: number }): Promise<Erased>;
  hold(act: Act & { readonly client?: string }): Promise<HoldId>;
  release(act: Act & { readonly hold: HoldId }): Promise<void>;
  holds(): Promise<Hold[]>;
  /**
   * For what other features keep of people's acts: enters an erasure into the log, and answers the event that says why. `what` names
   * nobody. Throws Problem `audit-kept` where `beforeMs` is given and too late.
   */
  because(act: Act, what: Readonly<Record<string, string>>, beforeMs?: number): Promise<AuditEventId>;
  /** What holds cover, for one run of an erasure. */
  heldClients(): HeldClients;
}

export interface Act {
  readonly actor: Actor;
  /** Why, in plain words; goes into the log. */
  readonly reason: string;
  /** The database as its owner. */
  readonly owner: Database;
}

export interface ErasureRun extends Act {
  readonly onProgress?: (erased: number) => void;
}

export interface Erased {
  readonly erased: number;
  /** Left alone because of a legal hold. */
  readonly held: number;
}

/** IHE and most laws ask for six years at least. */
export const KEEP_YEARS_MIN = 6;
const PAGE = 5_000;

interface Row extends Erasable {
  readonly recordedMs: bigint;
  readonly client: bigint | null;
}
const COLUMNS = `id, batch, client, (extract(epoch FROM recorded) * 1000)::bigint AS "recordedMs"`;
/** Events that say why something was erased stay: without them an erasure would have no reason. */
const KEPT = `event NOT IN ('audit.erase', 'audit.hold', 'audit.release')`;

const OF_CLIENT = statement<Row>(
  'audit.erasable-of-client',
  `SELECT ${COLUMNS} FROM audit.event WHERE client = ANY ($1::bigint[]) AND ${KEPT} AND (recorded, id) > ($2, $3)
   ORDER BY recorded, id LIMIT $4`,
);
const BEFORE = statement<Row>(
  'audit.erasable-before',
  `SELECT ${COLUMNS} FROM audit.event WHERE recorded < $1 AND ${KEPT} AND recorded >= $2 AND (recorded, id) > ($2, $3)
   ORDER BY recorded, id LIMIT $4`,
);
const FIRST = { recordedMs: 0n, id: '00000000-0000-0000-0000-000000000000' };

export interface RetentionDeps extends Pick<AuditDeps, 'database' | 'keyRing' | 'clock'> {
  readonly reader: LogReader;
  readonly keepYears: number;
  recordNow(inputs: readonly AuditInput[]): Promise<unknown>;
  sequence(): Promise<void>;
}

export function createRetention(deps: RetentionDeps): Retention {
  const { database, keyRing, clock } = deps;
  const erase = (run: ErasureRun, what: Erasing): Promise<Erased> => eraseInPages(deps, run, what);
  const assertOver = (beforeMs: number): void => {
    if (beforeMs > earliestKept(clock.nowMs(), deps.keepYears)) throw tooEarly(deps.keepYears);
  };

  return {
    async eraseClient(run) {
      const tokens = keyRing.blindAll(TOKEN.client, clientId(run.client));
      return await erase(run, {
        ...{ name: 'client', tokens },
        next: (sql, { recordedMs, id }) => sql.rows(OF_CLIENT, [tokens, new Date(Number(recordedMs)), id, PAGE]),
      });
    },
    async eraseBefore(run) {
      const { beforeMs } = run;
      assertOver(beforeMs);
      return await erase(run, {
        name: `before ${instant(beforeMs)}`,
        next: (sql, { recordedMs, id }) =>
          sql.rows(BEFORE, [new Date(beforeMs), new Date(Number(recordedMs)), id, PAGE]),
      });
    },
    async hold(act) {
      const id = act.client === undefined ? undefined : clientId(act.client);
      const because = await recordAct(deps, act, 'audit.hold', {
        ...(id === undefined ? { what: 'everything' } : { what: 'client', client: id }),
      });
      const token = id === undefined ? undefined : keyRing.blind(TOKEN.client, id);
      return await placeHold(act.owner, { client: token, because });
    },
    async release(act) {
      const because = await recordAct(deps, act, 'audit.release', { hold: act.hold });
      if (await releaseHold(act.owner, act.hold, because)) return;
      throw new Problem('not-found', 'audit-hold-not-found', 'There is no hold of this number that stands.');
    },
    holds: () => standingHolds(database),
    async because(act, what, beforeMs) {
      if (beforeMs !== undefined) assertOver(beforeMs);
      return await recordAct(deps, act, 'audit.erase', what);
    },
    heldClients: () => createHeldClients(keyRing),
  };
}

interface Erasing {
  readonly name: string;
  /** Of the one client it is about. */
  readonly tokens?: readonly bigint[];
  next(sql: Sql, after: typeof FIRST): Promise<Row[]>;
}

async function eraseInPages(deps: RetentionDeps, run: ErasureRun, what: Erasing): Promise<Erased> {
  const { keyRing } = deps;
  const holds = createHeldClients(keyRing);
  const covered = await run.owner.transaction((tx) => holds.within(tx));
  if (covered === 'everything' || what.tokens?.some((token) => covered.has(token))) throw underHold();
  const because = await recordAct(deps, run, 'audit.erase', { what: what.name });
  let [erased, held, after] = [0, 0, FIRST];
  for (;;) {
    const page = await what.next(run.owner, after);
    const last = page.at(-1);
    if (last === undefined) break;
    after = { recordedMs: last.recordedMs, id: last.id };
    let kept = 0;
    // Asked with every page: a hold that is placed while this runs ends it for what it covers.
    const free = async (tx: Transaction): Promise<readonly Row[]> => {
      const now = await holds.within(tx);
      if (now === 'everything') throw heldMeanwhile(erased);
      const going = page.filter(({ client }) => client === null || !now.has(client));
      kept = page.length - going.length;
      return going;
    };
    erased += await eraseEvents(run.owner, keyRing, { events: page, because, free });
    held += kept;
    run.onProgress?.(erased);
  }
  return { erased, held };
}

/** Records the act and answers its event, numbered: what it does refers to it. */
async function recordAct(
  deps: RetentionDeps,
  { actor, reason }: Act,
  event: AuditEventName,
  detail: Readonly<Record<string, string>>,
): Promise<AuditEventId> {
  await deps.recordNow([{ actor, event, action: 'D', outcome: 'success', reason, detail }]);
  await deps.sequence();
  const { events } = await deps.reader.search({ events: [event], limit: 20 });
  const own = events.find((one) => one.requestId === actor.origin.requestId && one.index !== undefined);
  const id = own === undefined ? undefined : parseId<AuditEventId>(own.id);
  if (id !== undefined) return id;
  throw new Problem(
    'unavailable',
    'audit-not-numbered',
    'The act could not be entered into the log. Nothing was done.',
  );
}

function earliestKept(nowMs: number, years: number): number {
  const then = new Date(nowMs);
  then.setUTCFullYear(then.getUTCFullYear() - years);
  return then.getTime();
}

const tooEarly = (years: number): Problem =>
  new Problem(
    'conflict',
    'audit-kept',
    `Events are kept for ${years} years (setting auditKeepYears), and this moment is less than that ago. Nothing was erased.`,
  );
const heldMeanwhile = (erased: number): Problem =>
  new Problem(
    'conflict',
    'audit-held',
    `A legal hold on everything was placed meanwhile. What ${erased} events said was destroyed before; nothing more is.`,
  );
const underHold = (): Problem =>
  new Problem(
    'conflict',
    'audit-held',
    'A legal hold covers these events. Nothing was erased. Whoever placed the hold has to release it first: careseal audit holds.',
  );
