import { ROLES, type Role } from '../../kernel/access.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { User, UserState } from './model.ts';
import type { Sealing } from './sealing.ts';

interface UserRow {
  readonly id: UserId;
  readonly state: UserState;
  readonly sealed_profile: Uint8Array;
  readonly sealed_password: Uint8Array | null;
  readonly last_sign_in_at: Date | null;
  readonly organisation_id: OrganisationId;
  readonly roles: readonly string[];
  readonly second_factor: boolean;
}

/** A user with what a sign-in needs. */
export interface Account extends User {
  /** Argon2id, PHC string; undefined until enrolled. */
  readonly passwordHash: string | undefined;
}

const SELECT = `
  SELECT u.id, u.state, u.sealed_profile, u.sealed_password, u.last_sign_in_at, m.organisation_id, m.roles,
         EXISTS (SELECT FROM identity.factors f WHERE f.user_id = u.id) AS second_factor
  FROM identity.users u JOIN identity.memberships m ON m.user_id = u.id`;

const FIND = statement<UserRow>('identity.user', `${SELECT} WHERE u.id = $1`);
const FIND_LOCKED = statement<UserRow>('identity.user-locked', `${SELECT} WHERE u.id = $1 FOR UPDATE OF u`);
const FIND_BY_EMAIL = statement<UserRow>('identity.user-by-email', `${SELECT} WHERE u.email_token = ANY($1::bigint[])`);
const LIST = statement<UserRow>('identity.users', `${SELECT} ORDER BY u.id`);
const INSERT = statement(
  'identity.user-insert',
  `INSERT INTO identity.users (id, state, email_token, sealed_profile, sealed_password, created_at)
   VALUES ($1, $2, $3, $4, $5, $6)`,
);
const INSERT_MEMBERSHIP = statement(
  'identity.membership-insert',
  'INSERT INTO identity.memberships (user_id, organisation_id, roles) VALUES ($1, $2, $3)',
);
const SET_ROLES = statement('identity.roles', 'UPDATE identity.memberships SET roles = $2 WHERE user_id = $1');
const SET_STATE = statement('identity.user-state', 'UPDATE identity.users SET state = $2 WHERE id = $1');
const ACTIVATE = statement(
  'identity.user-activate',
  `UPDATE identity.users SET state = 'active', sealed_profile = $2, sealed_password = $3 WHERE id = $1`,
);
const SET_PASSWORD = statement(
  'identity.password',
  `UPDATE identity.users SET sealed_password = $2 WHERE id = $1 AND state = 'active'`,
);
const SIGNED_IN = statement('identity.signed-in', 'UPDATE identity.users SET last_sign_in_at = $2 WHERE id = $1');
const INVITE = statement(
  'identity.user-invite',
  `UPDATE identity.users SET state = 'invited', sealed_password = NULL WHERE id = $1`,
);
const NOTIFY = statement('identity.notify', `SELECT pg_notify('careseal_identity', $1)`);

export interface NewUser {
  readonly id: UserId;
  readonly name: string;
  readonly email: string;
  readonly state: UserState;
  readonly passwordHash?: string;
  readonly organisationId: OrganisationId;
  readonly roles: readonly Role[];
  readonly nowMs: number;
}

/** SQL for users and their memberships. Opens what it reads and seals what it writes. */
export type UserStore = ReturnType<typeof createUserStore>;

export function createUserStore(sealing: Sealing) {
  const opened = (row: UserRow): Account => openAccount(sealing, row);
  return {
    async find(sql: Sql, id: UserId): Promise<Account | undefined> {
      return (await sql.rows(FIND, [id])).map(opened)[0];
    },
    /** Locks the row until commit: a sign-in and the end of the account's access happen one after the other. */
    async findLocked(tx: Transaction, id: UserId): Promise<Account | undefined> {
      return (await tx.rows(FIND_LOCKED, [id])).map(opened)[0];
    },
    async findByEmail(sql: Sql, email: string): Promise<Account | undefined> {
      const rows = await sql.rows(FIND_BY_EMAIL, [sealing.emailTokens(email)]);
      // A token's 64 bits may collide; the address itself decides.
      return rows.map(opened).find((account) => account.email === email);
    },
    async list(sql: Sql): Promise<Account[]> {
      return (await sql.rows(LIST)).map(opened);
    },
    async insert(tx: Transaction, user: NewUser): Promise<void> {
      const { id, name, email, passwordHash } = user;
      const profile = sealing.seal('sealed_profile', id, { name, email });
      const password = passwordHash === undefined ? null : sealing.seal('sealed_password', id, passwordHash);
      const created = new Date(user.nowMs);
      await tx.run(INSERT, [id, user.state, sealing.emailToken(email), profile, password, created]);
      await tx.run(INSERT_MEMBERSHIP, [id, user.organisationId, user.roles]);
    },
    async activate(
      tx: Transaction,
      id: UserId,
      as: { name: string; email: string; passwordHash: string },
    ): Promise<void> {
      const profile = sealing.seal('sealed_profile', id, { name: as.name, email: as.email });
      await tx.run(ACTIVATE, [id, profile, sealing.seal('sealed_password', id, as.passwordHash)]);
    },
    async setRoles(tx: Transaction, id: UserId, roles: readonly Role[]): Promise<void> {
      await tx.run(SET_ROLES, [id, roles]);
    },
    async setState(tx: Transaction, id: UserId, state: UserState): Promise<void> {
      await tx.run(SET_STATE, [id, state]);
    },
    async setPassword(tx: Transaction, id: UserId, passwordHash: string): Promise<void> {
      await tx.run(SET_PASSWORD, [id, sealing.seal('sealed_password', id, passwordHash)]);
    },
    /** Back to the start: no password, enrols again by link. */
    async invite(tx: Transaction, id: UserId): Promise<void> {
      await tx.run(INVITE, [id]);
    },
    async signedIn(tx: Transaction, id: UserId, nowMs: number): Promise<void> {
      await tx.run(SIGNED_IN, [id, new Date(nowMs)]);
    },
    /** Tells every process that this user's sessions or rights have changed, at commit. */
    async notify(tx: Transaction, id: UserId): Promise<void> {
      await tx.run(NOTIFY, [id]);
    },
  };
}

function openAccount(sealing: Sealing, row: UserRow): Account {
  const { id, sealed_password: password } = row;
  return {
    id,
    ...sealing.open('sealed_profile', id, row.sealed_profile),
    state: row.state,
    organisationId: row.organisation_id,
    roles: parseRoles(row.roles),
    secondFactor: row.second_factor,
    lastSignInMs: row.last_sign_in_at?.getTime(),
    passwordHash: password === null ? undefined : sealing.open('sealed_password', id, password),
  };
}

/** Unknown names (written by a newer version) grant nothing. */
export function parseRoles(names: readonly string[]): readonly Role[] {
  return ROLES.filter((role) => names.includes(role));
}
