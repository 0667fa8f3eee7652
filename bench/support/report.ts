import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

export type Row = Readonly<Record<string, string | number>>;

/** What the figures were measured on; figures without it mean nothing. */
export function machine(): string {
  const [cpu] = cpus();
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cpus().length} × ${cpu?.model ?? 'unknown processor'}, ${memory}, Node ${process.version}, embedded PostgreSQL 18, commit ${commit}\n`;
}

/** A Markdown table, to be pasted into RESULTS.md. */
export function printTable(title: string, rows: readonly Row[]): void {
  const columns = Object.keys(rows[0] ?? {});
  const lines = [
    columns,
    columns.map(() => '---'),
    ...rows.map((row) => columns.map((column) => String(row[column] ?? ''))),
  ];
  console.log(`### ${title}\n`);
  for (const cells of lines) console.log(`| ${cells.join(' | ')} |`);
  console.log('');
}
