import type { Actor } from '../../kernel/principal.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Audit } from '../audit/index.ts';
import { importRefused } from './errors.ts';
import type { Users } from './users.ts';
import { EmailAddress, PersonName } from './wire.ts';
import type { UserImportAnswer } from './wire-policy.ts';

const ROWS_MAX = 2_000;
const TEXT_MAX = 1_000;
const HEAD = ['name', 'email', 'roles'] as const;

interface ImportDeps {
  readonly users: Users;
  readonly audit: Audit;
  /** Which roles the actor may give, checked by the invitation itself; here only whether the word is one. */
  readonly isRole: (text: string) => boolean;
}

interface Row {
  readonly line: number;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
}

/**
 * Invites everybody of a CSV file; each by itself, as if typed: the same rights are needed, the same refusals come. One
 * refused row stops no other. Throws `import-refused` when the file cannot be read at all.
 */
export async function importUsers(
  deps: ImportDeps,
  request: { readonly actor: Actor; readonly csv: string; readonly dryRun: boolean; readonly baseUrl: string },
): Promise<{ readonly body: UserImportAnswer; readonly audited: AuditReceipt }> {
  const { actor, csv, dryRun, baseUrl } = request;
  const seen = new Set<string>();
  const rows: UserImportAnswer['rows'] = [];
  for (const row of readRows(csv)) {
    const fault = faultOf(row, seen, deps.isRole);
    seen.add(row.email.toLowerCase());
    const shown = { line: row.line, name: row.name, email: row.email, roles: [...row.roles], mailed: false };
    if (fault !== undefined) rows.push({ ...shown, outcome: 'refused', reason: fault });
    else if (dryRun) rows.push({ ...shown, outcome: 'would-invite' });
    else rows.push(await invite(deps, { actor, row, baseUrl }, shown));
  }
  const invited = rows.filter(({ outcome }) => outcome !== 'refused').length;
  const refused = rows.length - invited;
  const detail = { invited: String(invited), refused: String(refused), dryRun: String(dryRun) };
  const audited = await deps.audit.recordNow([
    { actor, event: 'user.import', action: 'E', outcome: 'success', detail },
  ]);
  return { body: { rows, invited, refused }, audited };
}

type Shown = Pick<UserImportAnswer['rows'][number], 'line' | 'name' | 'email' | 'roles' | 'mailed'>;

async function invite(
  { users }: ImportDeps,
  { actor, row, baseUrl }: { readonly actor: Actor; readonly row: Row; readonly baseUrl: string },
  shown: Shown,
): Promise<UserImportAnswer['rows'][number]> {
  try {
    const email = EmailAddress.parse(row.email);
    const person = { name: PersonName.parse(row.name), email, roles: row.roles };
    const { link, mailed } = await users.add(actor, person, baseUrl);
    // What was mailed is not shown as well: two copies of a key are one too many.
    return { ...shown, outcome: 'invited', mailed, ...(mailed || link === undefined ? {} : { link: link.url }) };
  } catch (error) {
    if (!isProblem(error)) throw error;
    return { ...shown, outcome: 'refused', reason: error.publicDetail };
  }
}

function faultOf(row: Row, seen: ReadonlySet<string>, isRole: (text: string) => boolean): string | undefined {
  // Before it is put into its normal form, which takes long for a text that is nothing but marks.
  if (row.name.length > TEXT_MAX) return 'The name is too long.';
  if (!PersonName.safeParse(row.name).success) return 'The name is missing or cannot be shown.';
  if (!EmailAddress.safeParse(row.email).success) return 'This is not an e-mail address.';
  if (seen.has(row.email.toLowerCase())) return 'This address is in the file twice.';
  if (row.roles.length === 0) return 'There is no role.';
  const unknown = row.roles.find((role) => !isRole(role));
  return unknown === undefined ? undefined : 'One of the roles does not exist.';
}

/** Rows of a small CSV file (RFC 4180) with the head line `name,email,roles`, in any order; `;` instead of `,` as well. */
function readRows(csv: string): Row[] {
  const lines = splitCsv(csv.replace(/^\uFEFF/, ''));
  const head = lines[0]?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
  const places = HEAD.map((name) => head.indexOf(name));
  if (places.some((at) => at < 0))
    throw importRefused([{ detail: 'The first line must name the columns: name,email,roles' }]);
  if (lines.length - 1 > ROWS_MAX) throw importRefused([{ detail: `At most ${ROWS_MAX} people at once.` }]);
  return lines.slice(1).map(({ line, cells }) => {
    const [name = '', email = '', roles = ''] = places.map((at) => cells[at]?.trim() ?? '');
    return { line, name, email, roles: roles.split(/[\s|]+/).filter((role) => role !== '') };
  });
}

function splitCsv(text: string): { readonly line: number; readonly cells: string[] }[] {
  const separator = (text.split('\n', 1)[0] ?? '').includes(';') ? ';' : ',';
  const rows: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let startLine = 1;
  const endRow = (): void => {
    cells.push(cell);
    if (cells.some((one) => one.trim() !== '')) rows.push({ line: startLine, cells });
    cells = [];
    cell = '';
    startLine = line + 1;
  };
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at);
    if (quoted) {
      if (sign === '"' && text.charAt(at + 1) === '"') cell += text.charAt(++at);
      else if (sign === '"') quoted = false;
      else cell += sign;
    } else if (sign === '"' && cell === '') quoted = true;
    else if (sign === separator) {
      cells.push(cell);
      cell = '';
    } else if (sign === '\n') endRow();
    else if (sign !== '\r') cell += sign;
    if (sign === '\n') line++;
  }
  endRow();
  return rows;
}
