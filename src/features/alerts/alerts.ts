import { newId, sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { Actor } from '../../kernel/principal.ts';
import { isProblem } from '../../kernel/problem.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit, AuditInput } from '../audit/index.ts';
import { alertClosed, alertNotFound, ownAlert } from './errors.ts';
import { Content, Mark, SYSTEM, type Raised } from './model.ts';
import { RULES } from './rules.ts';
import * as store from './store.ts';
import type { AlertsQuery, AlertsReply, AlertView } from './wire.ts';

/** Alerts as rows: raised once per subject, counted while open, taken on, closed with words. */
export interface Alerts {
  /** Raises, or counts to the open alert about the same subject. True when it is a new one. */
  raise(raised: Raised): Promise<boolean>;
  /** `within`: ids of the only actors the asker may see; undefined: all. */
  list(query: AlertsQuery, within: readonly string[] | undefined): Promise<AlertsReply>;
  /** Opens those again that were said to be closed in the database and that nobody closed: their closing words do not open. */
  reopenChanged(): Promise<readonly string[]>;
  /** Throws `alert-not-found`, `alert-closed`, or `alert-own` where the alert is about whoever asks. */
  handle(actor: Actor, act: 'acknowledge' | 'close', id: string, note: string): Promise<AuditReceipt>;
}

export interface AlertsDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record'>;
}

const PAGE = 50;
const READ_PAGE = 200;
/** Alerts of one rule that may be open at once; what comes on top is one more alert that says so. */
const OPEN_MAX = 100;
const REST = 'rest';

/** Under audit's keys, which are never destroyed: no part in a rotation is needed. */
const place = (id: string, type: 'content' | 'acknowledgement' | 'closing') => ({
  table: 'audit.alert',
  type,
  id,
  version: 1,
});

export function createAlerts({ database, keyRing, clock, audit }: AlertsDeps): Alerts {
  const subjectOf = (rule: string, subject: string): bigint =>
    keyRing.blind('audit.alert-subject', `${rule} ${subject}`);

  async function insert(tx: Transaction, raised: Raised, whole: boolean): Promise<void> {
    const { rule, subject, atMs, mail, ...content } = raised;
    const id = newId();
    const shown = whole
      ? content
      : { what: `More than ${OPEN_MAX} alerts of this kind are open; further ones are only counted here` };
    const sealed = keyRing.seal(utf8Encode(JSON.stringify(Content.parse(shown))), place(id, 'content'));
    await store.insertAlert(tx, { id, rule, subject: subjectOf(rule, whole ? subject : REST), atMs, sealed, mail });
    await audit.record(tx, [raisedEvent(id, raised)]);
  }

  return {
    async raise(raised) {
      const { rule, subject, atMs } = raised;
      if (await store.countAgain(database, rule, subjectOf(rule, subject), atMs)) return false;
      const whole = (await store.openOf(database, rule)) < OPEN_MAX;
      if (!whole && (await store.countAgain(database, rule, subjectOf(rule, REST), atMs))) return false;
      await database.transaction((tx) => insert(tx, raised, whole));
      return true;
    },

    async list({ state, before }, within) {
      const found = await seen({ database, keyRing }, state, { before, within, count: PAGE + 1 });
      const alerts = found.slice(0, PAGE);
      // Of those that the asker sees: the place of another one would say that there are others.
      const last = found.length > PAGE ? alerts.at(-1) : undefined;
      return {
        alerts,
        ...(last === undefined ? {} : { next: last.id }),
        ...(await counts({ database, keyRing }, within)),
      };
    },

    reopenChanged: () => reopenChanged({ database, keyRing }),

    async handle(actor, act, id, note) {
      return await database.transaction(async (tx) => {
        const row = await store.findAlert(tx, id);
        if (row === undefined) throw alertNotFound();
        if (row.closedAt !== null) throw alertClosed();
        if (isAbout(keyRing, row, byOf(actor))) throw ownAlert();
        const type = act === 'close' ? 'closing' : 'acknowledgement';
        const mark = Mark.parse({ by: byOf(actor), note });
        const sealed = keyRing.seal(utf8Encode(JSON.stringify(mark)), place(id, type));
        await store.markAlert(tx, act, { id, atMs: clock.nowMs(), sealed });
        return await audit.record(tx, [
          {
            actor,
            event: act === 'close' ? 'alert.close' : 'alert.acknowledge',
            action: 'U',
            outcome: 'success',
            entities: [{ reference: `Alert/${id}`, role: 'security-resource' }],
            ...(note === '' ? {} : { reason: note }),
            detail: { rule: row.rule },
          },
        ]);
      });
    },
  };
}

async function reopenChanged({ database, keyRing }: Pick<AlertsDeps, 'database' | 'keyRing'>): Promise<string[]> {
  const reopened: string[] = [];
  for (const { id, sealedClosing } of await store.closedLately(database)) {
    if (sealedClosing !== null && opened(keyRing, sealedClosing, place(id, 'closing')) !== undefined) continue;
    if (await store.reopen(database, id)) reopened.push(id);
  }
  return reopened;
}

/** Newest first, from behind `before`. */
async function seen(
  { database, keyRing }: Pick<AlertsDeps, 'database' | 'keyRing'>,
  state: AlertsQuery['state'],
  asked: {
    readonly before: string | undefined;
    readonly within: readonly string[] | undefined;
    readonly count: number;
  },
): Promise<AlertView[]> {
  const { within, count } = asked;
  const found: AlertView[] = [];
  let { before } = asked;
  for (;;) {
    const rows = await store.listAlerts(database, state, before, READ_PAGE);
    for (const row of rows) {
      const alert = view(keyRing, row);
      if (within !== undefined && (alert.actor === undefined || !within.includes(alert.actor.id))) continue;
      found.push(alert);
      if (found.length === count) return found;
    }
    before = rows.at(-1)?.id;
    if (rows.length < READ_PAGE) return found;
  }
}

/** Open ones are a hundred and one of each rule at most. */
async function counts(
  deps: Pick<AlertsDeps, 'database' | 'keyRing'>,
  within: readonly string[] | undefined,
): Promise<Pick<AlertsReply, 'open' | 'unacknowledged'>> {
  if (within === undefined) return await store.counts(deps.database);
  const open = await seen(deps, 'open', { before: undefined, within, count: Number.POSITIVE_INFINITY });
  return { open: open.length, unacknowledged: open.filter(({ acknowledged }) => acknowledged === undefined).length };
}

/** Goes to every system the log is forwarded to: that is how an alert reaches syslog. */
function raisedEvent(id: string, raised: Raised): AuditInput {
  const { rule, actor, client, eventId, address } = raised;
  return {
    actor: { principal: SYSTEM, origin: { door: 'background', requestId: newId() } },
    event: 'alert.raise',
    action: 'E',
    outcome: 'success',
    ...(client === undefined ? {} : { patients: [`Patient/${client}`] }),
    entities: [
      { reference: `Alert/${id}`, role: 'security-resource' },
      ...(eventId === undefined ? [] : [{ reference: `AuditEvent/${eventId}`, role: 'security-resource' as const }]),
      ...(actor === undefined
        ? []
        : [{ reference: `${actor.kind === 'node' ? 'Node' : 'User'}/${actor.id}`, role: 'user' as const }]),
    ],
    detail: { rule, what: raised.what, ...(address === undefined ? {} : { address }) },
  };
}

function byOf({ principal }: Actor): AlertView['actor'] {
  switch (principal.kind) {
    case 'user':
      return { kind: 'user', id: principal.userId, name: principal.displayName };
    case 'node':
      return { kind: 'node', id: principal.nodeId, name: principal.name };
    case 'operator':
      return { kind: 'operator', id: principal.osUser, name: principal.osUser };
    default:
      return { kind: principal.kind, id: principal.kind, name: principal.kind };
  }
}

/** Nobody judges an alert about themselves, neither by taking it on nor by closing it. */
function isAbout(keyRing: KeyRing, { id, sealed }: store.AlertRow, by: AlertView['actor']): boolean {
  const { actor } = contentOf(keyRing, id, sealed);
  return actor !== undefined && actor.kind === by?.kind && actor.id === by.id;
}

/** A row that was changed in the database says so, and hides none of the others. */
function contentOf(keyRing: KeyRing, id: string, sealed: Buffer): Content {
  return Content.parse(opened(keyRing, sealed, place(id, 'content')) ?? { what: CHANGED });
}

const CHANGED = 'Somebody has changed this alert in the database; the log still has what raised it';

/** Undefined where the seal is not of this place. */
function opened(keyRing: KeyRing, sealed: Buffer, where: ReturnType<typeof place>): unknown {
  try {
    return JSON.parse(utf8Decode(keyRing.open(sealedAtRest(sealed), where)));
  } catch (error) {
    if (isProblem(error) && error.code === 'seal-broken') return undefined;
    throw error;
  }
}

function view(keyRing: KeyRing, row: store.AlertRow): AlertView {
  const { id, rule, raisedAt, lastAt, count, acknowledgedAt, closedAt } = row;
  const marked = (sealed: Buffer | null, at: Date | null, type: 'acknowledgement' | 'closing') => {
    const mark = sealed === null ? undefined : opened(keyRing, sealed, place(id, type));
    return mark === undefined || at === null ? undefined : { ...Mark.parse(mark), at: instant(at.getTime()) };
  };
  const acknowledged = marked(row.sealedAcknowledgement, acknowledgedAt, 'acknowledgement');
  const closed = marked(row.sealedClosing, closedAt, 'closing');
  return {
    id,
    rule,
    title: RULES[rule].title,
    ...contentOf(keyRing, id, row.sealed),
    raisedAt: instant(raisedAt.getTime()),
    lastAt: instant(lastAt.getTime()),
    count: Number(count),
    ...(acknowledged === undefined ? {} : { acknowledged }),
    ...(closed === undefined ? {} : { closed }),
  };
}
