import { guardCell } from '../../kernel/spreadsheet.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { KeptNotice } from './model.ts';
import { noticeContext, openJson } from './sealing.ts';
import { readNotices } from './store.ts';

/**
 * The file of rejected rows (or of warnings): the file's own columns as they were, then three of ours that say where and why. Put right, it
 * can be loaded again with the same mapping, which does not look at our columns.
 */
export const OUR_COLUMNS = ['careseal_line', 'careseal_column', 'careseal_reason'] as const;

export interface NoticesFile {
  readonly loadId: string;
  readonly kind: 'rejected' | 'warning';
  readonly header: readonly string[];
}

export async function* noticesCsv(
  deps: { readonly database: Database; readonly keyRing: KeyRing },
  file: NoticesFile,
): AsyncGenerator<string> {
  const header = file.header.length > 0 ? file.header : ['text'];
  yield csvRow([...header, ...OUR_COLUMNS]);
  let after = -1n;
  for (;;) {
    const pieces = await deps.database.rows(readNotices, [file.loadId, file.kind, after]);
    if (pieces.length === 0) return;
    for (const { seq, content } of pieces) {
      const notices = openJson<KeptNotice[]>(deps.keyRing, content, noticeContext(file.loadId, file.kind, Number(seq)));
      yield notices.map((notice) => csvRow(cells(notice, header.length))).join('');
      after = seq;
    }
  }
}

/** A ragged row keeps all its fields: missing ones are empty, surplus ones stand behind our columns. */
function cells(notice: KeptNotice, width: number): string[] {
  const own = Array.from({ length: width }, (_, index) => notice.fields[index] ?? '');
  return [...own, String(notice.line), notice.column ?? '', notice.reason, ...notice.fields.slice(width)];
}

function csvRow(values: readonly string[]): string {
  return `${values.map(csvField).join(',')}\r\n`;
}

/**
 * A spreadsheet runs what looks like a formula, and this file is opened in one by somebody who trusts it. Apostrophes make it text there;
 * loading takes them off again (row-values.ts).
 */
function csvField(value: string): string {
  const text = guardCell(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
