import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { homeOf, MEMBERSHIPS, parseMemberships } from './membership-sql.ts';
import type { User, UserState } from './model.ts';
import type { Sealing } from './sealing.ts';

interface UserRow {
  readonly id: UserId;
  readonly state: UserState;
  readonly sealed_profile: Uint8Array;
  readonly sealed_password: Uint8Array | null;
  readonly last_sign_in_at: Date | null;
  /** For `parseMemberships`. */
  readonly memberships: unknown;
  readonly second_factor: boolean;
}

/** A user with what a sign-in needs. */
export interface Account extends User {
  /** Argon2id, PHC string; undefined until enrolled. */
  readonly passwordHash: string | undefined;
}

const SELECT = `
  SELECT u.id, u.state, u.sealed_profile, u.sealed_password, u.last_sign_in_at, ${MEMBERSHIPS},
         (EXISTS (SELECT FROM identity.factors f WHERE f.user_id = u.id)
           OR EXISTS (SELECT FROM identity.passkeys k WHERE k.user_id = u.id)) AS second_factor
  FROM identity.users u`;

const FIND = statement<UserRow>('identity.user', `${SELECT} WHERE u.id = $1`);
const FIND_LOCKED = statement<UserRow>('identity.user-locked', `${SELECT} WHERE u.id = $1 FOR UPDATE OF u`);
const FIND_BY_EMAIL = statement<UserRow>('identity.user-by-email', `${SELECT} WHERE u.email_token = ANY($1::bigint[])`);
/** Conditions of a list; $1 organisations or null, $2 tokens or null, $3 state or null. */
const LISTED = `($1::uuid[] IS NULL OR EXISTS (
     SELECT FROM identity.memberships m WHERE m.user_id = u.id AND m.organisation_id = ANY ($1)))
   AND ($2::bigint[] IS NULL OR u.name_tokens @> $2) AND ($3::text IS NULL OR u.state = $3)`;
const LIST = statement<UserRow>(
  'identity.users-page',
  `${SELECT} WHERE ${LISTED} AND ($4::uuid IS NULL OR u.id < $4) ORDER BY u.id DESC LIMIT $5`,
);
const COUNT = statement<{ readonly n: number }>(
  'identity.users-count',
  `SELECT count(*)::int AS n FROM identity.users u WHERE ${LISTED}`,
);
const WITHOUT_TOKENS = statement<{ readonly id: UserId; readonly sealed_profile: Uint8Array }>(
  'identity.users-without-tokens',
  `SELECT id, sealed_profile FROM identity.users WHERE name_tokens = '{}' ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED`,
);
const SET_TOKENS = statement('identity.user-tokens', 'UPDATE identity.users SET name_tokens = $2 WHERE id = $1');
const INSERT = statement(
  'identity.user-insert',
  `INSERT INTO identity.users (id, state, email_token, sealed_profile, sealed_password, created_at, name_tokens)
   VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);
const INSERT_MEMBERSHIP = statement(
  'identity.membership-insert',
  `INSERT INTO identity.memberships (user_id, organisation_id, roles, joined_at, reviewed_at, reviewed_by)
   VALUES ($1, $2, $3, $4, $4, $5)`,
);
/** Rights that somebody has just given are rights that somebody has just looked at. */
const SET_ROLES = statement(
  'identity.membership-roles',
  `UPDATE identity.memberships SET roles = $3, reviewed_at = $4, reviewed_by = $5 WHERE user_id = $1 AND organisation_id = $2`,
);
const DELETE_MEMBERSHIP = statement(
  'identity.membership-delete',
  'DELETE FROM identity.memberships WHERE user_id = $1 AND organisation_id = $2',
);
const SET_STATE = statement('identity.user-state', 'UPDATE identity.users SET state = $2 WHERE id = $1');
const ACTIVATE = statement(
  'identity.user-activate',
  `UPDATE identity.users SET state = 'active', sealed_profile = $2, sealed_password = $3, name_tokens = $4 WHERE id = $1`,
);
const SET_PASSWORD = statement(
  'identity.password',
  `UPDATE identity.users SET sealed_password = $2 WHERE id = $1 AND state = 'active'`,
);
const SIGNED_IN = statement('identity.signed-in', 'UPDATE identity.users SET last_sign_in_at = $2 WHERE id = $1');
const RETIRE = statement(
  'identity.user-retire',
  `UPDATE identity.users SET state = 'retired', sealed_password = NULL WHERE id = $1`,
);
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
  readonly state?: UserState | undefined;
}

/** Roles given to a person in one organisation. */
export interface GivenRoles {
  readonly userId: UserId;
  readonly organisationId: OrganisationId;
  readonly roles: readonly string[];
  readonly by: UserId | undefined;
  readonly nowMs: number;
}

const MEMBERSHIP_WRITES = {
  /** Tells every process that this user's sessions or rights have changed, at commit. */
  async notify(tx: Transaction, id: UserId): Promise<void> {
    await tx.run(NOTIFY, [id]);
  },
  async setRoles(tx: Transaction, given: GivenRoles): Promise<void> {
    const { userId, organisationId, roles, by, nowMs } = given;
    await tx.run(SET_ROLES, [userId, organisationId, roles, new Date(nowMs), by ?? null]);
  },
  async join(tx: Transaction, given: GivenRoles): Promise<void> {
    const { userId, organisationId, roles, by, nowMs } = given;
    await tx.run(INSERT_MEMBERSHIP, [userId, organisationId, roles, new Date(nowMs), by ?? null]);
  },
  async leave(tx: Transaction, id: UserId, organisationId: OrganisationId): Promise<void> {
    await tx.run(DELETE_MEMBERSHIP, [id, organisationId]);
  },
};

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
    /** A page of users, newest first, and how many fit in all. */
    async page(
      sql: Sql,
      filter: UserFilter,
      page: { readonly after?: UserId | undefined; readonly limit: number },
    ): Promise<{ readonly accounts: Account[]; readonly total: number }> {
      const tokens = filter.text === undefined ? null : sealing.searchTokens(filter.text);
      const values = [filter.organisations ?? null, tokens, filter.state ?? null];
      const [rows, counts] = await Promise.all([
        sql.rows(LIST, [...values, page.after ?? null, page.limit]),
        sql.rows(COUNT, values),
      ]);
      return { accounts: rows.map(opened), total: counts[0]?.n ?? 0 };
    },
    ...tokenRepair(sealing),
    async insert(tx: Transaction, user: NewUser): Promise<void> {
      const { id, name, email, passwordHash } = user;
      const profile = sealing.seal('sealed_profile', id, { name, email });
      const password = passwordHash === undefined ? null : sealing.seal('sealed_password', id, passwordHash);
      const created = new Date(user.nowMs);
      const tokens = sealing.nameTokens({ name, email });
      await tx.run(INSERT, [id, user.state, sealing.emailToken(email), profile, password, created, tokens]);
      await tx.run(INSERT_MEMBERSHIP, [id, user.organisationId, user.roles, created, user.by ?? null]);
    },
    async activate(
      tx: Transaction,
      id: UserId,
      as: { name: string; email: string; passwordHash: string },
    ): Promise<void> {
      const profile = sealing.seal('sealed_profile', id, { name: as.name, email: as.email });
      const password = sealing.seal('sealed_password', id, as.passwordHash);
      await tx.run(ACTIVATE, [id, profile, password, sealing.nameTokens(as)]);
    },
    ...MEMBERSHIP_WRITES,
    async setState(tx: Transaction, id: UserId, state: UserState): Promise<void> {
      await tx.run(SET_STATE, [id, state]);
    },
    async setPassword(tx: Transaction, id: UserId, passwordHash: string): Promise<void> {
      await tx.run(SET_PASSWORD, [id, sealing.seal('sealed_password', id, passwordHash)]);
    },
    /** No longer here: nothing to sign in with is left, the name stays for the log. */
    async retire(tx: Transaction, id: UserId): Promise<void> {
      await tx.run(RETIRE, [id]);
    },
    /** Back to the start: no password, enrols again by link. */
    async invite(tx: Transaction, id: UserId): Promise<void> {
      await tx.run(INVITE, [id]);
    },
    async signedIn(tx: Transaction, id: UserId, nowMs: number): Promise<void> {
      await tx.run(SIGNED_IN, [id, new Date(nowMs)]);
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

function openAccount(sealing: Sealing, row: UserRow): Account {
  const { id, sealed_password: password } = row;
  const memberships = parseMemberships(row.memberships);
  return {
    id,
    ...sealing.open('sealed_profile', id, row.sealed_profile),
    state: row.state,
    organisationId: homeOf(memberships),
    roles: memberships[0]?.roles.map((role) => role.id) ?? [],
    memberships,
    secondFactor: row.second_factor,
    lastSignInMs: row.last_sign_in_at?.getTime(),
    passwordHash: password === null ? undefined : sealing.open('sealed_password', id, password),
  };
}
