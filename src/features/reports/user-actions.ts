import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { Audit, EventFilter } from '../audit/index.ts';
import type { AuditEventSummary } from '../audit/wire.ts';
import { CSV_START, csvEnd, csvLine } from './csv.ts';
import { tooLong, unknownOrganisation } from './errors.ts';
import { printPdf } from './pdf.ts';
import type { ReportFileQuery, ReportQuery, ReportReply } from './wire.ts';

/** The User Action Report: who did what in a stretch of time, for an organisation, an action, a person, a client. */
export interface UserActions {
  page(actor: Actor, query: ReportQuery): Promise<ReportReply>;
  /** The whole report as bytes, and whether it had to be cut. */
  file(
    actor: Actor,
    query: ReportFileQuery,
  ): Promise<{ readonly bytes: AsyncIterable<string> | Uint8Array; readonly rows?: number }>;
}

export interface UserActionsDeps {
  readonly audit: Pick<Audit, 'search' | 'status'>;
  readonly members: Members;
  readonly nowMs: () => number;
}

/** Whose acts somebody may see. */
export interface Members {
  /** Ids of the people and nodes of this organisation, as far as the actor may see them. */
  of(actor: Actor, organisation: string): Promise<readonly string[]>;
  /** Those whose acts the actor may see; undefined: everybody's. */
  within(actor: Actor): Promise<readonly string[] | undefined>;
}

const PAGE = 100;
const FILE_PAGE = 200;
const CSV_ROWS_MAX = 1_000_000;
const PDF_ROWS_MAX = 5_000;
const DAYS_MAX = 3_700;

export function createUserActions(deps: UserActionsDeps): UserActions {
  async function filterOf(asker: Actor, query: Omit<ReportQuery, 'cursor'>): Promise<Omit<EventFilter, 'limit'>> {
    if (Date.parse(query.to) - Date.parse(query.from) > DAYS_MAX * 86_400_000) throw tooLong(DAYS_MAX);
    const { from, to, organisation, events, actor, client, outcome } = query;
    const { members: known } = deps;
    const members = organisation === undefined ? await known.within(asker) : await known.of(asker, organisation);
    if (organisation !== undefined && members?.length === 0) throw unknownOrganisation();
    // Somebody who is not of the organisation has done nothing for it.
    const actors = actor === undefined ? members : members?.includes(actor) === false ? ['-'] : [actor];
    return {
      from,
      to,
      ...(events === undefined || events.length === 0 ? {} : { events }),
      ...(actors === undefined ? {} : { actors }),
      ...(client === undefined ? {} : { clients: [client] }),
      ...(outcome === undefined ? {} : { outcome }),
    };
  }

  async function* rowsOf(
    asker: Actor,
    query: ReportFileQuery,
    max: number,
  ): AsyncGenerator<readonly AuditEventSummary[]> {
    const filter = await filterOf(asker, query);
    let cursor: string | undefined;
    for (let rows = 0; rows < max; ) {
      const page = await deps.audit.search({
        ...filter,
        limit: FILE_PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      yield page.events;
      rows += page.events.length;
      cursor = page.next;
      if (cursor === undefined) return;
    }
  }

  async function* csv(asker: Actor, query: ReportFileQuery): AsyncGenerator<string> {
    yield CSV_START + csvLine(COLUMNS.map(({ header }) => header));
    for await (const rows of rowsOf(asker, query, CSV_ROWS_MAX)) yield rows.map((row) => csvLine(cells(row))).join('');
    yield csvEnd(await headOfLog(deps));
  }

  return {
    async page(asker, { cursor, ...query }) {
      const filter = await filterOf(asker, query);
      const { events, next } = await deps.audit.search({
        ...filter,
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      return next === undefined ? { rows: events } : { rows: events, next };
    },
    async file(asker, query) {
      if (query.format === 'csv') {
        // Faults in the question are told before the first byte of an answer.
        await filterOf(asker, query);
        return { bytes: csv(asker, query) };
      }
      const rows: AuditEventSummary[] = [];
      for await (const page of rowsOf(asker, query, PDF_ROWS_MAX)) rows.push(...page);
      return { bytes: await reportPdf(deps, query, rows), rows: rows.length };
    },
  };
}

async function reportPdf(
  deps: UserActionsDeps,
  query: ReportFileQuery,
  rows: readonly AuditEventSummary[],
): Promise<Uint8Array> {
  return await printPdf({
    title: 'User Action Report',
    about: [
      `From ${query.from} to ${query.to}. Newest first. Times are UTC.`,
      `${rows.length} acts${rows.length >= PDF_ROWS_MAX ? '; there are more, which the CSV file has' : ''}. Made ${instant(deps.nowMs())}.`,
    ],
    columns: COLUMNS,
    rows: rows.map(cells),
    end: await headOfLog(deps),
    landscape: true,
  });
}

const COLUMNS = [
  { header: 'When (UTC)', share: 14 },
  { header: 'Who', share: 16 },
  { header: 'Kind', share: 7 },
  { header: 'What', share: 16 },
  { header: 'Outcome', share: 8 },
  { header: 'Client', share: 20 },
  { header: 'From', share: 11 },
  { header: 'Reason', share: 14 },
];
const KINDS = { user: 'person', node: 'system', operator: 'command line', system: 'Careseal', anonymous: 'nobody' };
const OUTCOMES = { success: 'done', 'minor-failure': 'refused', 'serious-failure': 'failed' };

function cells(row: AuditEventSummary): string[] {
  return [
    row.recorded.replace('T', ' ').replace(/\.\d+Z$/, ''),
    row.actor.name,
    KINDS[row.actor.kind],
    row.title,
    OUTCOMES[row.outcome],
    (row.client ?? []).join(' '),
    row.address ?? '',
    row.reason ?? '',
  ];
}

/** Put at the end of what is printed or saved: whoever keeps it keeps a head of the log, which nobody can change afterwards. */
export async function headOfLog({ audit }: { readonly audit: Pick<Audit, 'status'> }): Promise<string[]> {
  const { checkpoint, verifierKey } = await audit.status();
  if (checkpoint === '') return [];
  return [
    'Signed head of the audit log when this was made; keep it to check the log against:',
    checkpoint,
    verifierKey,
  ];
}
