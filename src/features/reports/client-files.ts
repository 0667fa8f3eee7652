import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { Audit } from '../audit/index.ts';
import type { ClientViews } from './client-views.ts';
import { CSV_START, csvEnd, csvLine } from './csv.ts';
import { type PaperTable, printPdf } from './pdf.ts';
import { headOfLog } from './user-actions.ts';
import type { ClientFileQuery } from './wire.ts';

export interface ClientFilesDeps {
  readonly audit: Pick<Audit, 'status'>;
  readonly views: ClientViews;
  readonly nowMs: () => number;
  /** Who asks. */
  readonly actor: Actor;
}

type Table = Pick<PaperTable, 'title' | 'about' | 'columns' | 'rows'>;

/**
 * A list that leaves the house with the client or with an inspector. It names the client by id only: whoever hands it over knows
 * whom it is about, and a lost sheet tells a stranger less.
 */
export async function makeClientFile(
  deps: ClientFilesDeps,
  clientId: string,
  { kind, format, years }: ClientFileQuery,
): Promise<Uint8Array> {
  const made = `Made ${instant(deps.nowMs())}. Record ${clientId}.`;
  const table =
    kind === 'disclosures'
      ? await disclosures(deps, clientId, years, made)
      : await ownView(deps, clientId, years, made);
  const end = await headOfLog(deps);
  if (format === 'pdf') return await printPdf({ ...table, end });
  const lines = [table.columns.map(({ header }) => header), ...table.rows];
  return Buffer.from(CSV_START + lines.map(csvLine).join('') + csvEnd(end));
}

const WAYS = { system: 'another system', file: 'file, print or copy', recorded: 'handed over' } as const;
const cut = (more: boolean): string[] => (more ? ['There are more entries than this list can hold.'] : []);

async function disclosures(
  { views, actor }: ClientFilesDeps,
  clientId: string,
  years: number,
  made: string,
): Promise<Table> {
  const { rows, since, more } = await views.disclosures(actor, clientId, years);
  return {
    title: 'Accounting of disclosures',
    about: [
      `To whom information from this record was given since ${since.slice(0, 10)}. Days are UTC.`,
      made,
      ...cut(more),
    ],
    columns: [
      { header: 'Day', share: 12 },
      { header: 'To', share: 24 },
      { header: 'How', share: 18 },
      { header: 'What', share: 26 },
      { header: 'Why', share: 20 },
      { header: 'Times', share: 8 },
    ],
    rows: rows.map((row) => [row.at.slice(0, 10), row.to, WAYS[row.way], row.what, row.why ?? '', String(row.times)]),
  };
}

async function ownView(
  { views, actor }: ClientFilesDeps,
  clientId: string,
  years: number,
  made: string,
): Promise<Table> {
  const { rows, since, more } = await views.ownView(actor, clientId, years);
  return {
    title: 'Who used your record',
    about: [
      `Everybody who looked at, changed or was given your record since ${since.slice(0, 10)}, newest first. Days are UTC.`,
      'Ask about anything you do not understand. You need not say why you ask.',
      made,
      ...cut(more),
    ],
    columns: [
      { header: 'Day', share: 12 },
      { header: 'Who', share: 28 },
      { header: 'What they did', share: 32 },
      { header: 'Why', share: 20 },
      { header: 'Times', share: 8 },
    ],
    rows: rows.map((row) => [row.day, row.who, row.what, row.why ?? '', String(row.times)]),
  };
}
