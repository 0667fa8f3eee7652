import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import { type Audit, eventShape } from '../audit/index.ts';
import type { AuditEventSummary } from '../audit/wire.ts';
import type { Members } from './user-actions.ts';
import { FILE_EVENTS, isPersonsReason, plainWords, SYSTEM_EVENTS } from './words.ts';
import type { DisclosureRow, DisclosuresReply, OwnViewReply, OwnViewRow, ReportReply } from './wire.ts';

/** What the log says about one client. */
export interface ClientViews {
  /** Everything, newest first, as it was recorded. */
  accesses(actor: Actor, clientId: string, cursor: string | undefined): Promise<ReportReply>;
  disclosures(actor: Actor, clientId: string, years: number): Promise<DisclosuresReply>;
  ownView(actor: Actor, clientId: string, years: number): Promise<OwnViewReply>;
}

export interface ClientViewsDeps {
  readonly audit: Pick<Audit, 'search'>;
  /** The client and the records it is made of: an act on any of them concerns the person. */
  readonly idsOf: (clientId: string) => Promise<readonly string[]>;
  /** Whether the client is of an organisation whose log this one reads. */
  readonly audits: (actor: Actor, clientId: string) => Promise<boolean>;
  readonly members: Pick<Members, 'within'>;
  readonly nowMs: () => number;
}

const PAGE = 50;
const READ_PAGE = 200;
/** Events read for one list: a busy client of six years has some thousands. */
const EVENTS_MAX = 20_000;

export function createClientViews(deps: ClientViewsDeps): ClientViews {
  const { audit, idsOf, nowMs } = deps;

  function since(years: number): string {
    const start = new Date(nowMs());
    start.setUTCFullYear(start.getUTCFullYear() - years);
    return instant(start.getTime());
  }

  async function scopeOf(actor: Actor, clientId: string) {
    const [records, actors] = await Promise.all([idsOf(clientId), deps.members.within(actor)]);
    if (actors === undefined) return { clients: records };
    // Which records are one person is told by what was done with them: of others' clients it is not.
    return { clients: (await deps.audits(actor, clientId)) ? records : [], actors };
  }

  async function all(
    actor: Actor,
    clientId: string,
    filter: Pick<Parameters<Audit['search']>[0], 'from' | 'events' | 'kinds' | 'outcome'>,
  ): Promise<{ events: AuditEventSummary[]; more: boolean }> {
    const scope = await scopeOf(actor, clientId);
    const events: AuditEventSummary[] = [];
    let cursor: string | undefined;
    do {
      const page = await audit.search({
        ...filter,
        ...scope,
        limit: READ_PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      events.push(...page.events);
      cursor = page.next;
    } while (cursor !== undefined && events.length < EVENTS_MAX);
    return { events, more: cursor !== undefined };
  }

  return {
    async accesses(actor, clientId, cursor) {
      const { events, next } = await audit.search({
        ...(await scopeOf(actor, clientId)),
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      return next === undefined ? { rows: events } : { rows: events, next };
    },
    async disclosures(actor, clientId, years) {
      const from = since(years);
      const done = { from, outcome: 'success' } as const;
      const [systems, files, recorded] = await Promise.all([
        all(actor, clientId, { ...done, events: known(SYSTEM_EVENTS), kinds: ['node'] }),
        all(actor, clientId, { ...done, events: known(FILE_EVENTS) }),
        all(actor, clientId, { ...done, events: ['client.disclose'] }),
      ]);
      const rows = [
        ...byDay(systems.events).map(({ event, times }) => disclosure(event, 'system', times)),
        ...files.events.map((event) => disclosure(event, 'file', 1)),
        ...recorded.events.map((event) => disclosure(event, 'recorded', 1)),
      ].toSorted((a, b) => (a.at < b.at ? 1 : -1));
      return { since: from, rows, more: systems.more || files.more || recorded.more };
    },
    async ownView(actor, clientId, years) {
      const from = since(years);
      const { events, more } = await all(actor, clientId, { from, outcome: 'success' });
      const rows = byDay(events).map(({ event, times }) => ownRow(event, times));
      return { since: from, rows, more };
    },
  };
}

/** Names that this version's log knows; a filter with an unknown one is refused. */
const known = (names: readonly string[]): string[] => names.filter((name) => eventShape(name) !== undefined);

/** One line for the same act of the same actor for the same reason on the same day (UTC), where it first stood. */
function byDay(events: readonly AuditEventSummary[]): { event: AuditEventSummary; times: number }[] {
  const days = new Map<string, { event: AuditEventSummary; times: number }>();
  for (const event of events) {
    const { actor, recorded, reason } = event;
    const key = [recorded.slice(0, 10), actor.kind, actor.id, event.event, reason ?? ''].join('\n');
    const same = days.get(key);
    if (same === undefined) days.set(key, { event, times: 1 });
    else same.times += 1;
  }
  return [...days.values()];
}

function disclosure(event: AuditEventSummary, way: DisclosureRow['way'], times: number): DisclosureRow {
  const { detail = {}, actor, reason, outcome } = event;
  const told = way === 'recorded';
  return {
    id: event.id,
    at: told ? (detail['on'] ?? event.recorded) : event.recorded,
    way,
    to: told ? (detail['to'] ?? '') : actor.name,
    what: told ? (detail['what'] ?? '') : plainWords(event.event, event.title),
    ...(isPersonsReason(reason, outcome) ? { why: reason } : {}),
    times,
  };
}

function ownRow(event: AuditEventSummary, times: number): OwnViewRow {
  const { actor, reason, outcome, detail = {} } = event;
  const to = event.event === 'client.disclose' && detail['to'] !== undefined ? `: ${detail['to']}` : '';
  return {
    day: event.recorded.slice(0, 10),
    who: whoFor(actor),
    what: `${plainWords(event.event, event.title)}${to}`,
    ...(isPersonsReason(reason, outcome) ? { why: reason } : {}),
    times,
  };
}

function whoFor({ kind, name }: AuditEventSummary['actor']): string {
  switch (kind) {
    case 'node':
      return `The system “${name}”`;
    case 'operator':
      return 'The people who run the server';
    case 'system':
      return 'Careseal, by itself';
    case 'anonymous':
      return 'Somebody who was not signed in';
    case 'user':
      return name;
  }
}
