import type { SealedAtRest } from '../../crypto/index.ts';
import { fromHex, toHex } from '../../kernel/bytes.ts';
import type { UserId } from '../../kernel/ids.ts';
import { isProblem } from '../../kernel/problem.ts';
import { type Sql, type SqlValue, type Statement, statement, type Transaction } from '../../platform/db/sql.ts';
import type { ResealBatch, ResealParticipant, ResealProgress } from '../../store/index.ts';
import type { BoundKind } from './row-facts.ts';
import type { SealedColumn, Sealing } from './sealing.ts';

/** How a key rotation walks over one of identity's tables, in the order of a key that never changes. */
interface SealedTable {
  readonly table: string;
  /** The key's column, and how it is written as text (which is also the row's id in the seal's context). */
  readonly key: 'id' | 'token_hash';
  readonly columns: readonly SealedColumn[];
}

const TABLES: readonly SealedTable[] = [
  { table: 'organisations', key: 'id', columns: ['sealed_name'] },
  { table: 'users', key: 'id', columns: ['sealed_profile', 'sealed_password'] },
  { table: 'factors', key: 'id', columns: ['sealed_secret', 'sealed_factor_name'] },
  { table: 'passkeys', key: 'id', columns: ['sealed_passkey'] },
  { table: 'challenges', key: 'token_hash', columns: ['sealed_challenge'] },
  { table: 'trusted_devices', key: 'id', columns: ['sealed_browser'] },
  { table: 'exceptions', key: 'id', columns: ['sealed_why'] },
  { table: 'bans', key: 'id', columns: ['sealed_network'] },
  { table: 'notices', key: 'id', columns: ['sealed_notice'] },
  { table: 'sessions', key: 'id', columns: ['sealed_origin'] },
  { table: 'links', key: 'token_hash', columns: ['sealed_draft'] },
  { table: 'roles', key: 'id', columns: ['sealed_role'] },
  { table: 'emergencies', key: 'id', columns: ['sealed_reason', 'sealed_note'] },
  { table: 'personal_tokens', key: 'id', columns: ['sealed_label'] },
  { table: 'providers', key: 'id', columns: ['sealed_provider'] },
  { table: 'external_identities', key: 'id', columns: ['sealed_subject'] },
  { table: 'provider_visits', key: 'id', columns: ['sealed_visit'] },
];
const NIL = '00000000-0000-0000-0000-000000000000';

type SealedRow = { readonly key: Uint8Array | string } & Readonly<Record<SealedColumn, Uint8Array | null>>;

/** Identity's part in key rotations: every sealed column, and the blind tokens of e-mail addresses, names and subjects. */
export function createResealParticipants(sealing: Sealing): readonly ResealParticipant[] {
  return [
    ...TABLES.map((table) => sealedParticipant(table, sealing)),
    ...BINDINGS.map((table) => bindingParticipant(table, sealing)),
    emailParticipant(sealing),
    subjectParticipant(sealing),
  ];
}

function sealedParticipant({ table, key, columns }: SealedTable, sealing: Sealing): ResealParticipant {
  const page = statement<SealedRow>(
    `identity.reseal-${table}`,
    `SELECT ${key} AS key, ${columns.join(', ')} FROM identity.${table} WHERE ${key} > $1 ORDER BY ${key} LIMIT $2 FOR UPDATE`,
  );
  const write = statement(
    `identity.reseal-${table}-write`,
    `UPDATE identity.${table} SET ${columns.map((name, at) => `${name} = $${at + 2}`).join(', ')} WHERE ${key} = $1`,
  );
  return {
    name: `identity.${table}`,
    kinds: ['data'],
    count: (sql) => countRows(sql, table),
    async resealBatch(tx, batch) {
      const rows = await tx.rows(page, [cursorValue(key, batch.cursor), batch.limit]);
      for (const row of rows) {
        const id = keyText(row.key);
        const sealed = columns.map((column) => {
          const bytes = row[column];
          return bytes === null ? null : sealing.reseal(column, id, bytes);
        });
        await tx.run(write, [row.key, ...sealed]);
      }
      return progress(rows, batch);
    },
  };
}

interface BoundTable {
  readonly table: string;
  readonly kind: BoundKind;
  /** SQL of the row's key as text: its id in the binding, in the order of pages. */
  readonly key: string;
  readonly column: 'binding' | 'credentials_binding';
}

const bound = (table: string, kind: BoundKind, key = 'id::text'): BoundTable => ({
  ...{ table, kind, key },
  column: kind === 'credentials' ? 'credentials_binding' : 'binding',
});
const TOKEN_HASH = `encode(token_hash, 'hex')`;
const BINDINGS: readonly BoundTable[] = [
  bound('users', 'account'),
  bound('users', 'credentials'),
  bound('memberships', 'membership', `user_id::text || ' ' || organisation_id::text`),
  bound('organisations', 'organisation'),
  bound('roles', 'role'),
  bound('sessions', 'session'),
  bound('pre_sessions', 'pre-session', TOKEN_HASH),
  bound('links', 'link', TOKEN_HASH),
  bound('trusted_devices', 'trusted-device'),
  bound('exceptions', 'exception'),
  bound('emergencies', 'emergency'),
  bound('personal_tokens', 'personal-token'),
  bound('providers', 'provider'),
  bound('external_identities', 'external-identity'),
  bound('provider_visits', 'visit'),
  bound('policy', 'policy', `'policy'::text`),
];

function bindingParticipant({ table, kind, key, column }: BoundTable, sealing: Sealing): ResealParticipant {
  const page = statement<{ readonly key: string; readonly binding: Uint8Array | null }>(
    `identity.rebind-${kind}`,
    `SELECT ${key} COLLATE "C" AS key, ${column} AS binding FROM identity.${table}
     WHERE ${key} COLLATE "C" > $1 ORDER BY 1 LIMIT $2 FOR UPDATE`,
  );
  const write = statement(
    `identity.rebind-${kind}-write`,
    `UPDATE identity.${table} SET ${column} = $2 WHERE ${key} = $1`,
  );
  return {
    name: `identity.bindings.${kind}`,
    kinds: ['data'],
    count: (sql) => countRows(sql, table),
    async resealBatch(tx, batch) {
      const rows = await tx.rows(page, [batch.cursor ?? '', batch.limit]);
      for (const row of rows) {
        const sealed = row.binding === null ? undefined : resealed(sealing, kind, row.key, row.binding);
        if (sealed !== undefined) await tx.run(write, [row.key, sealed]);
      }
      return progress(rows, batch);
    },
  };
}

/** One that somebody else has put there stays as it is: it fits nothing, before and after. */
function resealed(sealing: Sealing, kind: BoundKind, id: string, binding: Uint8Array): SealedAtRest | undefined {
  try {
    return sealing.rows.reseal(kind, id, binding);
  } catch (error) {
    if (isProblem(error) && error.code === 'seal-broken') return undefined;
    throw error;
  }
}

const EMAIL_PAGE = statement<{
  readonly key: UserId;
  readonly sealed_profile: Uint8Array;
  readonly email_token: bigint;
}>(
  'identity.retoken-page',
  `SELECT id AS key, sealed_profile, email_token FROM identity.users WHERE id > $1 ORDER BY id LIMIT $2 FOR UPDATE`,
);
const EMAIL_WRITE = statement(
  'identity.retoken-write',
  'UPDATE identity.users SET email_token = $2, name_tokens = $3 WHERE id = $1',
);
/** Failures counted against the old token go on counting, unless there are newer ones under the new token already. */
const MOVE_ATTEMPTS = statement(
  'identity.retoken-attempts',
  `UPDATE identity.attempts a SET subject = $2 WHERE subject = $1 AND stage <> 'any' AND NOT EXISTS
     (SELECT FROM identity.attempts n
      WHERE n.subject = $2 AND n.stage = a.stage AND n.kind = a.kind AND n.device_hash = a.device_hash)`,
);

function emailParticipant(sealing: Sealing): ResealParticipant {
  return {
    name: 'identity.users.email',
    kinds: ['index'],
    count: (sql) => countRows(sql, 'users'),
    async resealBatch(tx: Transaction, batch: ResealBatch): Promise<ResealProgress> {
      const rows = await tx.rows(EMAIL_PAGE, [batch.cursor ?? NIL, batch.limit]);
      for (const row of rows) {
        const profile = sealing.open('sealed_profile', row.key, row.sealed_profile);
        const token = sealing.emailToken(profile.email);
        if (token === row.email_token) continue;
        await tx.run(EMAIL_WRITE, [row.key, token, sealing.nameTokens(profile)]);
        await tx.run(MOVE_ATTEMPTS, [row.email_token, token]);
      }
      return progress(rows, batch);
    },
  };
}

const SUBJECT_PAGE = statement<{
  readonly key: string;
  readonly issuer: string;
  readonly sealed_subject: Uint8Array;
  readonly subject_token: bigint;
}>(
  'identity.resubject-page',
  `SELECT e.id AS key, p.issuer, e.sealed_subject, e.subject_token
   FROM identity.external_identities e JOIN identity.providers p ON p.id = e.provider_id
   WHERE e.id > $1 ORDER BY e.id LIMIT $2 FOR UPDATE OF e`,
);
const SUBJECT_WRITE = statement(
  'identity.resubject-write',
  'UPDATE identity.external_identities SET subject_token = $2 WHERE id = $1',
);

function subjectParticipant(sealing: Sealing): ResealParticipant {
  return {
    name: 'identity.external_identities.subject',
    kinds: ['index'],
    count: (sql) => countRows(sql, 'external_identities'),
    async resealBatch(tx, batch) {
      const rows = await tx.rows(SUBJECT_PAGE, [batch.cursor ?? NIL, batch.limit]);
      for (const row of rows) {
        const subject = sealing.open('sealed_subject', row.key, row.sealed_subject);
        const token = sealing.subjectToken(row.issuer, subject);
        if (token !== row.subject_token) await tx.run(SUBJECT_WRITE, [row.key, token]);
      }
      return progress(rows, batch);
    },
  };
}

function progress(rows: readonly { readonly key: Uint8Array | string }[], { limit }: ResealBatch): ResealProgress {
  const last = rows.at(-1);
  return { cursor: last === undefined || rows.length < limit ? undefined : keyText(last.key), visited: rows.length };
}

const keyText = (key: Uint8Array | string): string => (typeof key === 'string' ? key : toHex(key));

function cursorValue(key: SealedTable['key'], cursor: string | undefined): SqlValue {
  if (key === 'id') return cursor ?? NIL;
  return (cursor === undefined ? undefined : fromHex(cursor)) ?? new Uint8Array(0);
}

async function countRows(sql: Sql, table: string): Promise<number> {
  const count: Statement<{ readonly n: number }> = statement(
    `identity.reseal-${table}-count`,
    `SELECT count(*)::int AS n FROM identity.${table}`,
  );
  return (await sql.rows(count))[0]?.n ?? 0;
}
