import { hashToken, newId, randomToken } from '../../crypto/index.ts';
import type { Permission } from '../../kernel/access.ts';
import { toHex } from '../../kernel/bytes.ts';
import type { Branded, OrganisationId, SessionId, UserId } from '../../kernel/ids.ts';
import type { Actor, UserPrincipal } from '../../kernel/principal.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import { type Database, type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { Audit, AuditEntity, AuditInput } from '../audit/index.ts';
import { notSignedIn, rightsExceed, tokensMany, tokenUnknown } from './errors.ts';
import { MEMBERSHIPS, MUST_READ, parseMemberships } from './membership-sql.ts';
import type { OrganisationStore } from './organisation-store.ts';
import { lockOwnAccount } from './own-session.ts';
import { covers, reachOf } from '../../kernel/reach.ts';
import { makePrincipal } from './principal.ts';
import { knownPermissions } from './rights.ts';
import { accountRow, personalTokenRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';
import type { SessionStore } from './session-store.ts';
import type { UserStore } from './user-store.ts';
import type { TokenEntry } from './wire-organisations.ts';

export type TokenId = Branded<'TokenId'>;

/** Says what it is to whoever finds one, and to scanners of source code. */
const PREFIX = 'careseal_pat_';
const TOKEN = /^Bearer +(careseal_pat_[A-Za-z0-9_-]{43})$/i;
const TOKENS_MAX = 20;
/** Last use is written down this coarsely. */
const USED_EVERY_MS = 60_000;

interface TokenRow {
  readonly id: TokenId;
  readonly organisation_id: OrganisationId;
  readonly sealed_label: Uint8Array;
  readonly permissions: readonly string[];
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
}

interface LiveRow {
  readonly id: TokenId;
  readonly user_id: UserId;
  readonly organisation_id: OrganisationId;
  readonly permissions: readonly string[];
  readonly expires_at: Date;
  readonly last_used_at: Date | null;
  readonly binding: Uint8Array | null;
  readonly account_binding: Uint8Array | null;
  readonly sealed_profile: Uint8Array;
  readonly memberships: unknown;
  readonly must_read: boolean;
}

const COLUMNS = 'id, organisation_id, sealed_label, permissions, created_at, expires_at, last_used_at, revoked_at';
/** The living ones first: those are all shown, and can all be revoked, however many are over. */
const LIST = statement<TokenRow>(
  'identity.personal-tokens',
  `SELECT ${COLUMNS} FROM identity.personal_tokens WHERE user_id = $1
   ORDER BY (revoked_at IS NULL AND expires_at > $2) DESC, created_at DESC, id LIMIT 100`,
);
const LIVING = statement<{ readonly n: number }>(
  'identity.personal-tokens-living',
  'SELECT count(*)::int AS n FROM identity.personal_tokens WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2',
);
const INSERT = statement(
  'identity.personal-token-insert',
  `INSERT INTO identity.personal_tokens
     (id, user_id, token_hash, organisation_id, sealed_label, permissions, created_at, expires_at, binding)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);
const REVOKE = statement(
  'identity.personal-token-revoke',
  'UPDATE identity.personal_tokens SET revoked_at = $3, binding = NULL WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL',
);
const REVOKE_ALL = statement(
  'identity.personal-tokens-revoke',
  'UPDATE identity.personal_tokens SET revoked_at = $2, binding = NULL WHERE user_id = $1 AND revoked_at IS NULL',
);
/** Only while the person still belongs to the organisation for which it was made. */
const FIND = statement<LiveRow>(
  'identity.personal-token',
  `SELECT t.id, t.user_id, t.organisation_id, t.permissions, t.expires_at, t.last_used_at, t.binding,
     u.binding AS account_binding, u.sealed_profile, ${MEMBERSHIPS}, ${MUST_READ}
   FROM identity.personal_tokens t
   JOIN identity.users u ON u.id = t.user_id
   JOIN identity.memberships own ON own.user_id = t.user_id AND own.organisation_id = t.organisation_id
   WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND u.state = 'active'`,
);
const USED = statement(
  'identity.personal-token-used',
  'UPDATE identity.personal_tokens SET last_used_at = $2 WHERE id = $1',
);

/** Every token of a person ends: with the account's access, or when what opens it is set anew. */
export async function revokePersonalTokens(tx: Transaction, userId: UserId, nowMs: number): Promise<void> {
  await tx.run(REVOKE_ALL, [userId, new Date(nowMs)]);
}

export interface PersonalTokensDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly users: UserStore;
  readonly sessionStore: SessionStore;
  readonly organisations: OrganisationStore;
  readonly audit: Audit;
  readonly clock: Clock;
}

export type PersonalTokens = ReturnType<typeof createPersonalTokens>;

/** Tokens by which a person's scripts act as the person over FHIR: named, with fewer rights, for a time, ended at any moment. */
export function createPersonalTokens(deps: PersonalTokensDeps) {
  const { database, sealing, audit, clock } = deps;
  return {
    ...making(deps),
    ...ofOthers(deps),

    /**
     * The principal of a request that carries a token; undefined for every other Authorization header. Looked up anew each
     * time, so that an ended token ends with the next request, and rights are those of the moment.
     */
    async authenticate(authorization: string | undefined): Promise<UserPrincipal | undefined> {
      const token = TOKEN.exec(authorization ?? '')?.[1];
      if (token === undefined) return undefined;
      const nowMs = clock.nowMs();
      const [row] = await database.rows(FIND, [hashToken(token), new Date(nowMs)]);
      const principal = row && tokenPrincipal(sealing, row, hashToken(token));
      if (row === undefined || principal === undefined) return undefined;
      if (row.last_used_at === null || nowMs - row.last_used_at.getTime() >= USED_EVERY_MS) {
        await database.run(USED, [row.id, new Date(nowMs)]);
      }
      return principal;
    },

    async list(actor: Actor) {
      const { userId } = userOf(actor);
      const tokens = await entriesOf(deps, database, await database.rows(LIST, [userId, new Date(clock.nowMs())]));
      const audited = await audit.recordNow([{ actor, event: 'personal-token.list', action: 'R', outcome: 'success' }]);
      return { tokens, audited };
    },

    async revoke(actor: Actor, id: TokenId) {
      const { userId } = userOf(actor);
      return await database.transaction(async (tx) => {
        if ((await tx.run(REVOKE, [userId, id, new Date(clock.nowMs())])) !== 1) throw tokenUnknown();
        return await audit.record(tx, [event(actor, 'personal-token.revoke', id)]);
      });
    },
  };
}

function boundFacts(
  id: TokenId,
  of: Omit<Parameters<typeof personalTokenRow>[0], 'id' | 'tokenHash'> & { readonly tokenHash: Uint8Array },
) {
  return personalTokenRow({ ...of, id, tokenHash: toHex(of.tokenHash) });
}

function making(deps: PersonalTokensDeps) {
  const { database, sealing, audit, clock } = deps;
  return {
    /** Throws `rights-exceed` for a permission the person does not have, or `tokens-many`. The secret is never shown again. */
    async make(actor: Actor, wanted: { label: string; permissions: readonly Permission[]; days: number }) {
      const user = userOf(actor);
      if (wanted.permissions.some((permission) => !user.permissions.has(permission))) throw rightsExceed();
      const nowMs = clock.nowMs();
      const id = newId<TokenId>();
      const secret = `${PREFIX}${randomToken(256)}`;
      return await database.transaction(async (tx) => {
        await lockOwnAccount(tx, deps, user);
        const [living] = await tx.rows(LIVING, [user.userId, new Date(nowMs)]);
        if ((living?.n ?? 0) >= TOKENS_MAX) throw tokensMany();
        const label = sealing.seal('sealed_label', id, wanted.label);
        const times = [new Date(nowMs), new Date(nowMs + wanted.days * 86_400_000)];
        const facts = [user.organisationId, label, wanted.permissions];
        const tokenHash = hashToken(secret);
        const { userId, organisationId } = user;
        const expiresMs = nowMs + wanted.days * 86_400_000;
        const binding = sealing.rows.bind(
          boundFacts(id, { userId, tokenHash, organisationId, permissions: wanted.permissions, expiresMs }),
        );
        await tx.run(INSERT, [id, userId, tokenHash, ...facts, ...times, binding]);
        const detail = { permissions: wanted.permissions.join(' '), days: String(wanted.days) };
        const audited = await audit.record(tx, [{ ...event(actor, 'personal-token.make', id), detail }]);
        const rows = await tx.rows(LIST, [user.userId, new Date(clock.nowMs())]);
        const [token] = await entriesOf(
          deps,
          tx,
          rows.filter((row) => row.id === id),
        );
        if (token === undefined) throw tokenUnknown();
        return { token, secret, audited };
      });
    },
  };
}

/** For who administers people. */
function ofOthers(deps: PersonalTokensDeps) {
  const { database, audit, clock } = deps;
  return {
    /** Somebody's, for who administers an organisation for which they were made; elsewhere's are not told of. */
    async listOf(actor: Actor, user: { readonly id: UserId }) {
      const reach = reachOf(actor.principal, 'user.manage');
      const rows = await database.rows(LIST, [user.id, new Date(clock.nowMs())]);
      const tokens = await entriesOf(
        deps,
        database,
        rows.filter((row) => covers(reach, [row.organisation_id])),
      );
      const entities = [entityOf(user.id)];
      const audited = await audit.recordNow([
        { actor, event: 'personal-token.list', action: 'R', outcome: 'success', entities },
      ]);
      return { tokens, audited };
    },

    /** Throws `token-unknown`, also for one of an organisation that the actor does not administer. */
    async revokeOf(actor: Actor, user: { readonly id: UserId }, id: TokenId) {
      const reach = reachOf(actor.principal, 'user.manage');
      return await database.transaction(async (tx) => {
        const row = (await tx.rows(LIST, [user.id, new Date(clock.nowMs())])).find((one) => one.id === id);
        if (row === undefined || !covers(reach, [row.organisation_id])) throw tokenUnknown();
        if ((await tx.run(REVOKE, [user.id, id, new Date(clock.nowMs())])) !== 1) throw tokenUnknown();
        const made = event(actor, 'personal-token.revoke', id);
        return await audit.record(tx, [{ ...made, entities: [...(made.entities ?? []), entityOf(user.id)] }]);
      });
    },
  };
}

/** The person, with no more than the token names and no more than the person has now. */
function tokenPrincipal(sealing: Sealing, row: LiveRow, tokenHash: Uint8Array): UserPrincipal | undefined {
  const { rows } = sealing;
  const { memberships, intact } = parseMemberships(row.memberships, row.user_id, rows);
  const facts = boundFacts(row.id, {
    ...{ userId: row.user_id, tokenHash, organisationId: row.organisation_id, permissions: row.permissions },
    expiresMs: row.expires_at.getTime(),
  });
  const isOurs = rows.fits(facts, row.binding) && rows.fits(accountRow(row.user_id, 'active'), row.account_binding);
  if (!intact || !isOurs) return undefined;
  const { name } = sealing.open('sealed_profile', row.user_id, row.sealed_profile);
  const account = { id: row.user_id, name, organisationId: row.organisation_id, memberships };
  // No session has this id: what is asked of a session by it finds none. Nor is a token ever a fresh proof of the person.
  const id = row.id as string as SessionId;
  const whole = makePrincipal(account, {
    id,
    authenticatedAtMs: 0,
    acting: row.organisation_id,
    mustRead: row.must_read,
  });
  const allowed = new Set(knownPermissions(row.permissions));
  return {
    ...whole,
    permissions: whole.permissions.intersection(allowed),
    reach: new Map([...(whole.reach ?? [])].filter(([permission]) => allowed.has(permission))),
    tokenId: row.id,
  };
}

const entityOf = (id: UserId): AuditEntity => ({ reference: `User/${id}`, role: 'user' });

function userOf({ principal }: Actor): UserPrincipal {
  if (principal.kind !== 'user' || principal.tokenId !== undefined) throw notSignedIn();
  return principal;
}

function event(actor: Actor, name: AuditInput['event'], id: TokenId): AuditInput {
  const action = name === 'personal-token.make' ? 'C' : 'U';
  const entities = [{ reference: `Token/${id}`, role: 'security-resource' as const }];
  return { actor, event: name, action, outcome: 'success', entities };
}

async function entriesOf(deps: PersonalTokensDeps, sql: Sql, rows: readonly TokenRow[]): Promise<TokenEntry[]> {
  const names = await deps.organisations.names(sql, [...new Set(rows.map((row) => row.organisation_id))]);
  const nowMs = deps.clock.nowMs();
  return rows.map((row) => ({
    id: row.id,
    label: deps.sealing.open('sealed_label', row.id, row.sealed_label),
    permissions: knownPermissions(row.permissions),
    organisation: { id: row.organisation_id, name: names.get(row.organisation_id) ?? '' },
    createdAt: instant(row.created_at.getTime()),
    expiresAt: instant(row.expires_at.getTime()),
    ...(row.last_used_at === null ? {} : { lastUsedAt: instant(row.last_used_at.getTime()) }),
    state: row.revoked_at !== null ? 'revoked' : row.expires_at.getTime() <= nowMs ? 'expired' : 'active',
  }));
}
