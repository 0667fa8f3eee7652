import { sealedAtRest } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import type { Actor } from '../../kernel/principal.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { lockAdministrators } from './administrators.ts';
import type { IdentityParts } from './compose.ts';
import { CREDENTIAL_COLUMNS, type CredentialColumns } from './credential-book.ts';
import type { BoundMark } from './row-binding.ts';
import {
  accountRow,
  type BoundRow,
  credentialsRow,
  exceptionRow,
  externalIdentityRow,
  linkRow,
  membershipRow,
  organisationRow,
  personalTokenRow,
  providerRow,
  roleRow,
} from './row-facts.ts';
import type { Sealing } from './sealing.ts';

/** A row as it is, and how to write its binding. */
interface Unbound {
  readonly row: BoundRow;
  readonly key: string;
}

interface Kind {
  read(sql: Sql, sealing: Sealing): Promise<Unbound[]>;
  readonly write: ReturnType<typeof statement<never>>;
}

function kind<Row>(
  name: string,
  where: { readonly table: string; readonly columns: string; readonly key: string; readonly column?: string },
  rowOf: (row: Row & { readonly key: string }, sealing: Sealing) => BoundRow,
): Kind {
  const column = where.column ?? 'binding';
  const read = statement<Row & { readonly key: string }>(
    `identity.unbound-${name}`,
    `SELECT ${where.key} AS key, ${where.columns} FROM identity.${where.table} u WHERE u.${column} IS NULL`,
  );
  return {
    read: async (sql, sealing) => (await sql.rows(read)).map((row) => ({ row: rowOf(row, sealing), key: row.key })),
    write: statement(
      `identity.bind-${name}`,
      `UPDATE identity.${where.table} u SET ${column} = $2 WHERE ${where.key} = $1`,
    ),
  };
}

const ID = 'u.id::text';
const KINDS: readonly Kind[] = [
  kind<{ id: string; central: boolean; ceiling: string[] | null; retired: boolean }>(
    'organisations',
    { table: 'organisations', key: ID, columns: 'u.id, u.central, u.ceiling, u.retired_at IS NOT NULL AS retired' },
    (row) => organisationRow(row),
  ),
  kind<{ permissions: string[] }>('roles', { table: 'roles', key: ID, columns: 'u.permissions' }, (row) =>
    roleRow(row.key, row.permissions),
  ),
  kind<{ state: string }>('users', { table: 'users', key: ID, columns: 'u.state' }, (row) =>
    accountRow(row.key, row.state),
  ),
  kind<CredentialColumns>(
    'credentials',
    { table: 'users', key: ID, columns: CREDENTIAL_COLUMNS, column: 'credentials_binding' },
    (row, sealing) => {
      const { sealed_password: sealed, unused_codes: unusedCodes } = row;
      const factorIds = [...row.authenticator_ids, ...row.passkey_ids];
      const passwordHash = sealed === null ? null : sealing.open('sealed_password', row.key, sealedAtRest(sealed));
      return credentialsRow(row.key, { passwordHash, factorIds, unusedCodes });
    },
  ),
  kind<{ user_id: string; organisation_id: string; roles: string[] }>(
    'memberships',
    {
      table: 'memberships',
      key: `u.user_id::text || ' ' || u.organisation_id::text`,
      columns: 'u.user_id, u.organisation_id, u.roles',
    },
    (row) => membershipRow(row.user_id, row.organisation_id, row.roles),
  ),
  kind<{ token_hash: Uint8Array; kind: string; user_id: string | null; expires_at: Date }>(
    'links',
    { table: 'links', key: `encode(u.token_hash, 'hex')`, columns: 'u.token_hash, u.kind, u.user_id, u.expires_at' },
    (row) =>
      linkRow({
        tokenHash: toHex(row.token_hash),
        kind: row.kind,
        userId: row.user_id,
        expiresMs: row.expires_at.getTime(),
      }),
  ),
  kind<{ user_id: string; approved_by: string | null; granted_at: Date; ends_at: Date }>(
    'exceptions',
    { table: 'exceptions', key: ID, columns: 'u.user_id, u.approved_by, u.granted_at, u.ends_at' },
    (row) =>
      exceptionRow({
        ...{ id: row.key, userId: row.user_id, approvedBy: row.approved_by },
        ...{ grantedMs: row.granted_at.getTime(), endsMs: row.ends_at.getTime() },
      }),
  ),
  kind<{ user_id: string; token_hash: Uint8Array; organisation_id: string; permissions: string[]; expires_at: Date }>(
    'personal-tokens',
    {
      table: 'personal_tokens',
      key: ID,
      columns: 'u.user_id, u.token_hash, u.organisation_id, u.permissions, u.expires_at',
    },
    (row) =>
      personalTokenRow({
        ...{ id: row.key, userId: row.user_id, tokenHash: toHex(row.token_hash), organisationId: row.organisation_id },
        ...{ permissions: row.permissions, expiresMs: row.expires_at.getTime() },
      }),
  ),
  kind<{ issuer: string }>('providers', { table: 'providers', key: ID, columns: 'u.issuer' }, (row) =>
    providerRow(row.key, row.issuer),
  ),
  kind<{ provider_id: string; user_id: string; sealed_subject: Uint8Array; pending: boolean }>(
    'external-identities',
    { table: 'external_identities', key: ID, columns: 'u.provider_id, u.user_id, u.sealed_subject, u.pending' },
    (row, sealing) =>
      externalIdentityRow({
        ...{ id: row.key, providerId: row.provider_id, userId: row.user_id },
        subject: sealing.open('sealed_subject', row.key, row.sealed_subject),
        pending: row.pending,
      }),
  ),
];

const ENDED = [
  statement(
    'identity.unbind-tokens',
    'UPDATE identity.personal_tokens SET binding = NULL WHERE revoked_at IS NOT NULL',
  ),
  statement('identity.unbind-exceptions', 'UPDATE identity.exceptions SET binding = NULL WHERE ended_at IS NOT NULL'),
  statement('identity.unbind-roles', 'UPDATE identity.roles SET binding = NULL WHERE retired_at IS NOT NULL'),
  statement('identity.unbind-providers', 'UPDATE identity.providers SET binding = NULL WHERE retired_at IS NOT NULL'),
];

/**
 * Binds what an earlier version has written, once in the life of an installation. The mark lives outside the database, so that
 * whoever strips rows of their bindings does not get them bound at the next start.
 */
export async function bindEarlierRows(parts: IdentityParts, mark: BoundMark): Promise<void> {
  const { database, sealing, organisations, policy, audit } = parts;
  if (!(await mark.isSet())) {
    await database.transaction(async (tx) => {
      await lockAdministrators(tx);
      // Bound already, by another process of this installation or by one beside it on the same database.
      if ((await organisations.list(tx, undefined)).some((one) => one.central && !one.changed)) return;
      const counted = await bindAll(tx, sealing);
      await policy.found(tx);
      await audit.record(tx, [
        { actor: SYSTEM, event: 'identity.bound', action: 'U', outcome: 'success', detail: { rows: String(counted) } },
      ]);
    });
    await mark.set();
  }
  policy.expect();
}

async function bindAll(tx: Transaction, sealing: Sealing): Promise<number> {
  let counted = 0;
  for (const { read, write } of KINDS) {
    for (const { row, key } of await read(tx, sealing)) {
      await tx.run(write, [key, sealing.rows.bind(row)]);
      counted++;
    }
  }
  for (const ended of ENDED) await tx.run(ended);
  return counted;
}

const SYSTEM: Actor = {
  principal: { kind: 'system', permissions: new Set() },
  origin: { door: 'background', requestId: 'bindings' },
};
