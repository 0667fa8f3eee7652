import { toHex } from '../../kernel/bytes.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import {
  CREDENTIAL_COLUMNS,
  type CredentialBook,
  type CredentialColumns,
  credentialsOf,
  NO_CREDENTIALS,
  openedPassword,
} from './credential-book.ts';
import { homeOf, MEMBERSHIPS, parseMemberships } from './membership-sql.ts';
import type { StoredUserState, User } from './model.ts';
import { accountRow, type Credentials, membershipRow, preSessionRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';

/** Wrong codes after which the password must be given again. */
export const PRE_SESSION_CODES_MAX = 5;

interface UserRow extends CredentialColumns {
  readonly id: UserId;
  readonly state: StoredUserState;
  readonly binding: Uint8Array | null;
  readonly sealed_profile: Uint8Array;
  readonly last_sign_in_at: Date | null;
  /** For `parseMemberships`. */
  readonly memberships: unknown;
  readonly has_exception: boolean;
}

interface PreSessionColumns {
  readonly email_token: bigint;
  readonly pre_expires_at: Date;
  readonly pre_binding: Uint8Array;
}

/** A user with what a sign-in needs. */
export interface Account extends User {
  /** Argon2id, PHC string; undefined until enrolled, and where it is not ours. */
  readonly passwordHash: string | undefined;
  /** Undefined where somebody else has changed what opens the account. */
  readonly credentials: Credentials | undefined;
  readonly authenticators: number;
  readonly passkeys: number;
  /** Whether it is worth looking for a living exception of this person. */
  readonly hasException: boolean;
  /** Of the row as it was read: whoever changes state, password or factors changes one of them. */
  readonly bindings: { readonly account: Uint8Array | null; readonly credentials: Uint8Array | null };
}

const COLUMNS = `u.id, u.state, u.binding, u.sealed_profile, u.last_sign_in_at, ${CREDENTIAL_COLUMNS}, ${MEMBERSHIPS},
    EXISTS (SELECT FROM identity.exceptions x WHERE x.user_id = u.id AND x.ended_at IS NULL) AS has_exception`;
const SELECT = `SELECT ${COLUMNS} FROM identity.users u`;

const FIND = statement<UserRow>('identity.user', `${SELECT} WHERE u.id = $1`);
/**
 * Sent ahead of the look itself: a statement that waited for the lock would see the account's row as it is now, and factors and codes
 * as they were before the wait.
 */
const LOCK = statement<{ readonly id: UserId }>(
  'identity.user-lock',
  'SELECT id FROM identity.users WHERE id = $1 FOR UPDATE',
);
/** Whose password was given in this half-done sign-in ($1 hash of its token, $2 now, $3 codes tried at most). */
const OWING = `SELECT ${COLUMNS}, u.email_token, p.expires_at AS pre_expires_at, p.binding AS pre_binding
   FROM identity.users u JOIN identity.pre_sessions p ON p.user_id = u.id
   WHERE p.token_hash = $1 AND p.expires_at > $2 AND p.codes_tried < $3`;
const FIND_BY_PRE = statement<UserRow & PreSessionColumns>('identity.user-by-pre-session', OWING);
const LOCK_BY_PRE = statement<{ readonly id: UserId }>(
  'identity.user-by-pre-session-lock',
  `SELECT u.id FROM identity.users u JOIN identity.pre_sessions p ON p.user_id = u.id
   WHERE p.token_hash = $1 FOR UPDATE OF u, p`,
);
/** One token at a time: of a list PostgreSQL would make a new plan at every sign-in. */
const FIND_BY_EMAIL = statement<UserRow>('identity.user-by-email', `${SELECT} WHERE u.email_token = $1`);
/** Conditions of a list; $1 tokens or null, $2 state or null; $3 of a page the id to go on after, or null. */
const LISTED = `($1::bigint[] IS NULL OR u.name_tokens @> $1) AND ($2::text IS NULL OR u.state = $2)`;
const PAGED = `AND ($3::uuid IS NULL OR u.id < $3) ORDER BY u.id DESC LIMIT $4`;
const LIST = statement<UserRow>('identity.users-page', `${SELECT} WHERE ${LISTED} ${PAGED}`);
const COUNT = statement<{ readonly n: number }>(
  'identity.users-count',
  `SELECT count(*)::int AS n FROM identity.users u WHERE ${LISTED}`,
);
/** Of some organisations' people alone: by their memberships, so that one clinic's list does not walk over everybody. */
const LIST_WITHIN = statement<UserRow>(
  'identity.users-page-within',
  `${SELECT} WHERE u.id IN (SELECT m.user_id FROM identity.memberships m WHERE m.organisation_id = ANY ($5)) AND ${LISTED} ${PAGED}`,
);
const COUNT_WITHIN = statement<{ readonly n: number }>(
  'identity.users-count-within',
  `SELECT count(*)::int AS n FROM identity.users u
   WHERE u.id IN (SELECT m.user_id FROM identity.memberships m WHERE m.organisation_id = ANY ($3)) AND ${LISTED}`,
);
const NAMES = statement<{ readonly id: UserId; readonly sealed_profile: Uint8Array }>(
  'identity.user-names',
  'SELECT id, sealed_profile FROM identity.users WHERE id = ANY ($1::uuid[])',
);
const WITHOUT_TOKENS = statement<{ readonly id: UserId; readonly sealed_profile: Uint8Array }>(
  'identity.users-without-tokens',
  `SELECT id, sealed_profile FROM identity.users WHERE name_tokens = '{}' ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED`,
);
const SET_TOKENS = statement('identity.user-tokens', 'UPDATE identity.users SET name_tokens = $2 WHERE id = $1');
const INSERT = statement(
  'identity.user-insert',
  `INSERT INTO identity.users (id, state, email_token, sealed_profile, sealed_password, created_at, name_tokens,
     binding, credentials_binding)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);
const INSERT_MEMBERSHIP = statement(
  'identity.membership-insert',
  `INSERT INTO identity.memberships (user_id, organisation_id, roles, joined_at, reviewed_at, reviewed_by, binding)
   VALUES ($1, $2, $3, $4, $4, $5, $6)`,
);
/** Rights that somebody has just given are rights that somebody has just looked at. */
const SET_ROLES = statement(
  'identity.membership-roles',
  `UPDATE identity.memberships SET roles = $3, reviewed_at = $4, reviewed_by = $5, binding = $6 WHERE user_id = $1 AND organisation_id = $2`,
);
const DELETE_MEMBERSHIP = statement(
  'identity.membership-delete',
  'DELETE FROM identity.memberships WHERE user_id = $1 AND organisation_id = $2',
);
const SET_STATE = statement('identity.user-state', 'UPDATE identity.users SET state = $2, binding = $3 WHERE id = $1');
const ACTIVATE = statement(
  'identity.user-activate',
  `UPDATE identity.users SET state = 'active', sealed_profile = $2, sealed_password = $3, name_tokens = $4, binding = $5 WHERE id = $1`,
);
const SET_PASSWORD = statement(
  'identity.password',
  `UPDATE identity.users SET sealed_password = $2 WHERE id = $1 AND state = 'active'`,
);
const SIGNED_IN = statement('identity.signed-in', 'UPDATE identity.users SET last_sign_in_at = $2 WHERE id = $1');
const RETIRE = statement(
  'identity.user-retire',
  `UPDATE identity.users SET state = 'retired', sealed_password = NULL, binding = $2 WHERE id = $1`,
);
const INVITE = statement(
  'identity.user-invite',
  `UPDATE identity.users SET state = 'invited', sealed_password = NULL, binding = $2 WHERE id = $1`,
);
const NOTIFY = statement('identity.notify', `SELECT pg_notify('careseal_identity', $1)`);

export interface NewUser {
  readonly id: UserId;
  readonly name: string;
  readonly email: string;
  readonly state: StoredUserState;
  readonly passwordHash?: string;
  readonly organisationId: OrganisationId;
  readonly roles: readonly string[];
  /** Who gave the rights; undefined for set-up and the command line. */
  readonly by?: UserId | undefined;
  readonly nowMs: number;
}

/** What a list of users is made of. */
export interface UserFilter {
  /** Only who belongs to one of these; undefined: everybody. */
  readonly organisations: readonly OrganisationId[] | undefined;
  /** Words, of which each begins a word of the name or the address. */
  readonly text?: string | undefined;
  readonly state?: StoredUserState | undefined;
}

/** Roles given to a person in one organisation. */
export interface GivenRoles {
  readonly userId: UserId;
  readonly organisationId: OrganisationId;
  readonly roles: readonly string[];
  readonly by: UserId | undefined;
  readonly nowMs: number;
}

function membershipWrites(sealing: Sealing) {
  const values = ({ userId, organisationId, roles, by, nowMs }: GivenRoles) => [
    ...[userId, organisationId, roles, new Date(nowMs), by ?? null],
    sealing.rows.bind(membershipRow(userId, organisationId, roles)),
  ];
  return {
    /** Tells every process that this user's sessions or rights have changed, at commit. */
    async notify(tx: Transaction, id: UserId): Promise<void> {
      await tx.run(NOTIFY, [id]);
    },
    /** Whatever roles were there, and whoever put them there. */
    async setRoles(tx: Transaction, given: GivenRoles): Promise<void> {
      await tx.run(SET_ROLES, values(given));
    },
    async join(tx: Transaction, given: GivenRoles): Promise<void> {
      await tx.run(INSERT_MEMBERSHIP, values(given));
    },
    async leave(tx: Transaction, id: UserId, organisationId: OrganisationId): Promise<void> {
      await tx.run(DELETE_MEMBERSHIP, [id, organisationId]);
    },
  };
}

/** SQL for users and their memberships. Opens what it reads and seals what it writes. */
export type UserStore = ReturnType<typeof createUserStore>;

export function createUserStore(sealing: Sealing, book: CredentialBook) {
  const memberships = membershipWrites(sealing);
  const stateBinding = (id: UserId, state: StoredUserState) => sealing.rows.bind(accountRow(id, state));
  return {
    ...finding(sealing, book),
    ...tokenRepair(sealing),
    async insert(tx: Transaction, user: NewUser): Promise<void> {
      const { id, name, email, passwordHash } = user;
      const profile = sealing.seal('sealed_profile', id, { name, email });
      const password = passwordHash === undefined ? null : sealing.seal('sealed_password', id, passwordHash);
      const created = new Date(user.nowMs);
      const tokens = sealing.nameTokens({ name, email });
      const credentials = { ...NO_CREDENTIALS, passwordHash: passwordHash ?? null };
      const bindings = [sealing.rows.bind(accountRow(id, user.state)), book.binding(id, credentials)];
      await tx.run(INSERT, [
        ...[id, user.state, sealing.emailToken(email), profile, password, created, tokens],
        ...bindings,
      ]);
      book.remember(tx, id, credentials);
      const { organisationId, roles, by, nowMs } = user;
      await memberships.join(tx, { userId: id, organisationId, roles, by, nowMs });
    },
    async activate(
      tx: Transaction,
      id: UserId,
      as: { name: string; email: string; passwordHash: string },
    ): Promise<void> {
      const profile = sealing.seal('sealed_profile', id, { name: as.name, email: as.email });
      const password = sealing.seal('sealed_password', id, as.passwordHash);
      await tx.run(ACTIVATE, [id, profile, password, sealing.nameTokens(as), stateBinding(id, 'active')]);
      await book.replace(tx, id, { ...NO_CREDENTIALS, passwordHash: as.passwordHash });
    },
    ...memberships,
    async setState(tx: Transaction, id: UserId, state: StoredUserState): Promise<void> {
      await tx.run(SET_STATE, [id, state, stateBinding(id, state)]);
    },
    async setPassword(tx: Transaction, id: UserId, passwordHash: string): Promise<void> {
      await book.change(tx, id, (now) => ({ ...now, passwordHash }));
      await tx.run(SET_PASSWORD, [id, sealing.seal('sealed_password', id, passwordHash)]);
    },
    /** No longer here: nothing to sign in with is left, the name stays for the log. Its factors are deleted with it. */
    async retire(tx: Transaction, id: UserId): Promise<void> {
      await tx.run(RETIRE, [id, stateBinding(id, 'retired')]);
      await book.replace(tx, id, NO_CREDENTIALS);
    },
    /** Back to the start: no password, enrols again by link. Its factors are deleted with it. */
    async invite(tx: Transaction, id: UserId): Promise<void> {
      await tx.run(INVITE, [id, stateBinding(id, 'invited')]);
      await book.replace(tx, id, NO_CREDENTIALS);
    },
    async signedIn(tx: Transaction, id: UserId, nowMs: number): Promise<void> {
      await tx.run(SIGNED_IN, [id, new Date(nowMs)]);
    },
  };
}

function finding(sealing: Sealing, book: CredentialBook) {
  const opened = (row: UserRow): Account => openAccount(sealing, row);
  const isOursPre = (row: UserRow & PreSessionColumns, tokenHash: Uint8Array): boolean =>
    sealing.rows.fits(preSessionRow(toHex(tokenHash), row.id, row.pre_expires_at.getTime()), row.pre_binding);
  return {
    async names(sql: Sql, ids: readonly UserId[]): Promise<ReadonlyMap<UserId, string>> {
      if (ids.length === 0) return new Map();
      const rows = await sql.rows(NAMES, [ids]);
      return new Map(rows.map((row) => [row.id, sealing.open('sealed_profile', row.id, row.sealed_profile).name]));
    },
    async find(sql: Sql, id: UserId): Promise<Account | undefined> {
      return (await sql.rows(FIND, [id])).map(opened)[0];
    },
    /** Locks the row until commit: a sign-in and the end of the account's access happen one after the other. */
    async findLocked(tx: Transaction, id: UserId): Promise<Account | undefined> {
      const [, rows] = await Promise.all([tx.rows(LOCK, [id]), tx.rows(FIND, [id])]);
      const account = rows.map(opened)[0];
      if (account?.credentials !== undefined) book.remember(tx, id, account.credentials);
      return account;
    },
    /** Who owes a code under this token; undefined where that sign-in is unknown, over, used up or not ours. */
    async findByPreSession(sql: Sql, tokenHash: Uint8Array, nowMs: number): Promise<Account | undefined> {
      const [row] = await sql.rows(FIND_BY_PRE, [tokenHash, new Date(nowMs), PRE_SESSION_CODES_MAX]);
      return row && isOursPre(row, tokenHash) ? opened(row) : undefined;
    },
    /** The same with account and half-done sign-in locked until commit, as by `findLocked`. */
    async findOwing(
      tx: Transaction,
      tokenHash: Uint8Array,
      nowMs: number,
    ): Promise<(Account & { readonly emailToken: bigint }) | undefined> {
      const [, [row]] = await Promise.all([
        tx.rows(LOCK_BY_PRE, [tokenHash]),
        tx.rows(FIND_BY_PRE, [tokenHash, new Date(nowMs), PRE_SESSION_CODES_MAX]),
      ]);
      if (row === undefined || !isOursPre(row, tokenHash)) return undefined;
      const account = opened(row);
      if (account.credentials !== undefined) book.remember(tx, account.id, account.credentials);
      return { ...account, emailToken: row.email_token };
    },
    async findByEmail(sql: Sql, email: string): Promise<Account | undefined> {
      const tokens = sealing.emailTokens(email);
      const rows = (await Promise.all(tokens.map((token) => sql.rows(FIND_BY_EMAIL, [token])))).flat();
      // A token's 64 bits may collide; the address itself decides.
      return rows.map(opened).find((account) => account.email === email);
    },
    /** A page of users, newest first, and how many fit in all. */
    async page(
      sql: Sql,
      filter: UserFilter,
      page: { readonly after?: UserId | undefined; readonly limit: number },
    ): Promise<{ readonly accounts: Account[]; readonly total: number }> {
      const tokens = filter.text === undefined ? null : sealing.searchTokens(filter.text);
      const values = [tokens, filter.state ?? null];
      const paged = [...values, page.after ?? null, page.limit];
      const { organisations } = filter;
      const [rows, counts] = await Promise.all(
        organisations === undefined
          ? [sql.rows(LIST, paged), sql.rows(COUNT, values)]
          : [sql.rows(LIST_WITHIN, [...paged, organisations]), sql.rows(COUNT_WITHIN, [...values, organisations])],
      );
      return { accounts: rows.map(opened), total: counts[0]?.n ?? 0 };
    },
  };
}

function tokenRepair(sealing: Sealing) {
  return {
    /** Gives accounts made before lists could be searched what they are found by. Returns how many it did; repeat until 0. */
    async addMissingTokens(tx: Transaction): Promise<number> {
      const rows = await tx.rows(WITHOUT_TOKENS);
      for (const row of rows) {
        const profile = sealing.open('sealed_profile', row.id, row.sealed_profile);
        await tx.run(SET_TOKENS, [row.id, sealing.nameTokens(profile)]);
      }
      return rows.length;
    },
  };
}

/** An account of which anything was changed by somebody else is open to nobody: its state is `changed`. */
function openAccount(sealing: Sealing, row: UserRow): Account {
  const { id } = row;
  const { memberships, intact } = parseMemberships(row.memberships, id, sealing.rows);
  const credentials = credentialsOf(sealing, id, row);
  const isOurs = intact && sealing.rows.fits(accountRow(id, row.state), row.binding) && credentials !== undefined;
  return {
    id,
    ...sealing.open('sealed_profile', id, row.sealed_profile),
    state: isOurs ? row.state : 'changed',
    organisationId: homeOf(memberships),
    roles: memberships[0]?.roles.map((role) => role.id) ?? [],
    memberships,
    secondFactor: row.authenticator_ids.length + row.passkey_ids.length > 0,
    authenticators: row.authenticator_ids.length,
    passkeys: row.passkey_ids.length,
    hasException: row.has_exception,
    lastSignInMs: row.last_sign_in_at?.getTime(),
    credentials,
    bindings: { account: row.binding, credentials: row.credentials_binding },
    // Sealed for this account: whoever knows the password may be told that the rest is not ours.
    passwordHash: openedPassword(sealing, id, row.sealed_password) ?? undefined,
  };
}
