import { toHex } from '../../kernel/bytes.ts';
import type { Branded, UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { externalIdentityRow, providerRow, visitRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';

export type ProviderId = Branded<'ProviderId'>;
export type IdentityId = Branded<'IdentityId'>;

export interface ProviderFacts {
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Values of the ID token's `amr` and `acr` that prove a second factor. */
  readonly amr: string[];
  readonly acr: string[];
  /** Authority to trust besides the public ones, PEM. */
  readonly authority?: string | undefined;
}

export interface Provider extends ProviderFacts {
  readonly id: ProviderId;
  readonly issuer: string;
  /** Accounts linked with an identity there. */
  readonly linked: number;
}

interface ProviderRow {
  readonly id: ProviderId;
  readonly issuer: string;
  readonly sealed_provider: Uint8Array;
  readonly binding: Uint8Array | null;
  readonly linked: number;
}

const COLUMNS = `p.id, p.issuer, p.sealed_provider, p.binding,
  (SELECT count(*)::int FROM identity.external_identities e WHERE e.provider_id = p.id) AS linked`;
const LIST = statement<ProviderRow>(
  'identity.providers',
  `SELECT ${COLUMNS} FROM identity.providers p WHERE p.retired_at IS NULL`,
);
const FIND = statement<ProviderRow>(
  'identity.provider',
  `SELECT ${COLUMNS} FROM identity.providers p WHERE p.id = $1 AND p.retired_at IS NULL`,
);
/** One that was retired comes back with its links. */
const PUT = statement<{ readonly id: ProviderId }>(
  'identity.provider-put',
  `INSERT INTO identity.providers (id, issuer, sealed_provider, created_at, binding) VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT (issuer) DO NOTHING RETURNING id`,
);
const BY_ISSUER = statement<{ readonly id: ProviderId; readonly retired_at: Date | null }>(
  'identity.provider-by-issuer',
  'SELECT id, retired_at FROM identity.providers WHERE issuer = $1 FOR UPDATE',
);
const UPDATE = statement(
  'identity.provider-update',
  'UPDATE identity.providers SET sealed_provider = $2, retired_at = NULL, binding = $3 WHERE id = $1',
);
const RETIRE = statement(
  'identity.provider-retire',
  'UPDATE identity.providers SET retired_at = $2, binding = NULL WHERE id = $1 AND retired_at IS NULL',
);

interface IdentityRow {
  readonly id: IdentityId;
  readonly provider_id: ProviderId;
  readonly user_id: UserId;
  readonly sealed_subject: Uint8Array;
  readonly binding: Uint8Array | null;
  readonly linked_at: Date;
  readonly last_used_at: Date | null;
  readonly pending: boolean;
}

const IDENTITY = 'id, provider_id, user_id, sealed_subject, linked_at, last_used_at, binding, pending';
const BY_SUBJECT = statement<IdentityRow>(
  'identity.external-by-subject',
  `SELECT ${IDENTITY} FROM identity.external_identities WHERE provider_id = $1 AND subject_token = ANY ($2::bigint[])`,
);
const OF_USER = statement<IdentityRow>(
  'identity.externals-of-user',
  `SELECT ${IDENTITY} FROM identity.external_identities WHERE user_id = $1 ORDER BY linked_at, id`,
);
const LINK = statement(
  'identity.external-insert',
  `INSERT INTO identity.external_identities (provider_id, subject_token, user_id, id, sealed_subject, linked_at, binding, pending)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
);
const UNLINK = statement(
  'identity.external-delete',
  'DELETE FROM identity.external_identities WHERE user_id = $1 AND id = $2',
);
const UNLINK_ALL = statement(
  'identity.externals-delete',
  'DELETE FROM identity.external_identities WHERE user_id = $1',
);
const PENDING = statement<IdentityRow>(
  'identity.external-pending',
  `SELECT ${IDENTITY} FROM identity.external_identities WHERE user_id = $1 AND id = $2 AND pending FOR UPDATE`,
);
const CONFIRM = statement(
  'identity.external-confirm',
  'UPDATE identity.external_identities SET pending = false, binding = $2 WHERE id = $1',
);
const FORGET_PENDING = statement(
  'identity.externals-unconfirmed',
  'DELETE FROM identity.external_identities WHERE pending AND linked_at <= $1',
);
const USED = statement(
  'identity.external-used',
  'UPDATE identity.external_identities SET last_used_at = $2 WHERE id = $1',
);

export interface VisitFacts {
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

export interface Visit {
  readonly providerId: ProviderId;
  readonly facts: VisitFacts;
  /** Whose account is to be linked; undefined: somebody signs in. */
  readonly userId: UserId | undefined;
  /** Hash of the one-time link that allows it; undefined: the person's session. */
  readonly linkHash: Uint8Array | undefined;
}

interface VisitRow {
  readonly id: string;
  readonly provider_id: ProviderId;
  readonly sealed_visit: Uint8Array;
  readonly user_id: UserId | null;
  readonly link_hash: Uint8Array | null;
  readonly binding: Uint8Array;
}

const BEGIN = statement(
  'identity.visit-insert',
  `INSERT INTO identity.provider_visits
     (state_hash, browser_hash, provider_id, id, sealed_visit, purpose, user_id, link_hash, expires_at, binding)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
);
/** One winner; only in the browser that set out. */
const TAKE = statement<VisitRow>(
  'identity.visit-take',
  `DELETE FROM identity.provider_visits WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > $3
   RETURNING id, provider_id, sealed_visit, user_id, link_hash, binding`,
);
const EXPIRED = statement('identity.expire-visits', 'DELETE FROM identity.provider_visits WHERE expires_at <= $1');

/** One that nobody has confirmed by then was nobody's wish. */
const PENDING_MS = 14 * 86_400_000;

export interface ExternalIdentity {
  readonly id: IdentityId;
  readonly providerId: ProviderId;
  readonly userId: UserId;
  readonly subject: string;
  readonly linkedMs: number;
  readonly lastUsedMs: number | undefined;
  /** Opens nothing until the person confirms it. */
  readonly pending: boolean;
}

/** SQL for identity providers, linked identities and journeys under way. */
export function createProviderStore(sealing: Sealing) {
  const provider = (row: ProviderRow): Provider => ({
    id: row.id,
    issuer: row.issuer,
    linked: row.linked,
    ...sealing.open('sealed_provider', row.id, row.sealed_provider),
  });
  const isProviderOurs = (row: ProviderRow): boolean => sealing.rows.fits(providerRow(row.id, row.issuer), row.binding);
  return {
    async list(sql: Sql): Promise<Provider[]> {
      return (await sql.rows(LIST))
        .filter(isProviderOurs)
        .map(provider)
        .sort((a, b) => a.name.localeCompare(b.name));
    },
    async find(sql: Sql, id: ProviderId): Promise<Provider | undefined> {
      return (await sql.rows(FIND, [id])).filter(isProviderOurs).map(provider)[0];
    },
    /** The id under which this issuer is known now; undefined when it was there already. */
    async add(tx: Transaction, id: ProviderId, issuer: string, facts: ProviderFacts & { nowMs: number }) {
      const { nowMs, ...rest } = facts;
      const [made] = await tx.rows(PUT, [
        ...[id, issuer, sealing.seal('sealed_provider', id, rest), new Date(nowMs)],
        sealing.rows.bind(providerRow(id, issuer)),
      ]);
      if (made !== undefined) return made.id;
      const [known] = await tx.rows(BY_ISSUER, [issuer]);
      if (known === undefined || known.retired_at === null) return undefined;
      await this.change(tx, { id: known.id, issuer }, rest);
      return known.id;
    },
    async change(tx: Transaction, at: Pick<Provider, 'id' | 'issuer'>, facts: ProviderFacts): Promise<void> {
      const binding = sealing.rows.bind(providerRow(at.id, at.issuer));
      await tx.run(UPDATE, [at.id, sealing.seal('sealed_provider', at.id, facts), binding]);
    },
    async retire(tx: Transaction, id: ProviderId, nowMs: number): Promise<boolean> {
      return (await tx.run(RETIRE, [id, new Date(nowMs)])) === 1;
    },
    ...linksIn(sealing),
    ...visitsIn(sealing),
  };
}

/** Whose identity there is which account here. */
function linksIn(sealing: Sealing) {
  const identity = (row: IdentityRow): ExternalIdentity => ({
    id: row.id,
    providerId: row.provider_id,
    userId: row.user_id,
    subject: sealing.open('sealed_subject', row.id, row.sealed_subject),
    linkedMs: row.linked_at.getTime(),
    lastUsedMs: row.last_used_at?.getTime(),
    pending: row.pending,
  });
  const isLinkOurs = (row: IdentityRow): boolean => sealing.rows.fits(externalIdentityRow(identity(row)), row.binding);
  return {
    /** By issuer and subject, and by nothing else. */
    async identityBySubject(sql: Sql, at: Pick<Provider, 'id' | 'issuer'>, subject: string) {
      const rows = await sql.rows(BY_SUBJECT, [at.id, sealing.subjectTokens(at.issuer, subject)]);
      // A token's 64 bits may collide; the subject itself decides.
      const found = rows.find((row) => identity(row).subject === subject);
      return found !== undefined && isLinkOurs(found) ? identity(found) : undefined;
    },
    async identitiesOf(sql: Sql, userId: UserId): Promise<ExternalIdentity[]> {
      return (await sql.rows(OF_USER, [userId])).map(identity);
    },
    async link(
      tx: Transaction,
      at: Pick<Provider, 'id' | 'issuer'>,
      link: Pick<ExternalIdentity, 'id' | 'userId' | 'subject' | 'pending'> & { readonly nowMs: number },
    ): Promise<void> {
      const { id, userId, subject, nowMs, pending } = link;
      const token = sealing.subjectToken(at.issuer, subject);
      const sealed = sealing.seal('sealed_subject', id, subject);
      const binding = sealing.rows.bind(externalIdentityRow({ id, providerId: at.id, userId, subject, pending }));
      await tx.run(LINK, [at.id, token, userId, id, sealed, new Date(nowMs), binding, pending]);
    },
    async unlink(tx: Transaction, userId: UserId, id: IdentityId): Promise<boolean> {
      return (await tx.run(UNLINK, [userId, id])) === 1;
    },
    /** From now on it opens the account; its provider. undefined where nothing of this id waits for this person. */
    async confirm(tx: Transaction, userId: UserId, id: IdentityId): Promise<ProviderId | undefined> {
      const [row] = await tx.rows(PENDING, [userId, id]);
      if (row === undefined || !isLinkOurs(row)) return undefined;
      const confirmed = { ...identity(row), pending: false };
      await tx.run(CONFIRM, [id, sealing.rows.bind(externalIdentityRow(confirmed))]);
      return row.provider_id;
    },
    async used(tx: Transaction, id: IdentityId, nowMs: number): Promise<void> {
      await tx.run(USED, [id, new Date(nowMs)]);
    },
  };
}

function visitsIn(sealing: Sealing) {
  return {
    async beginVisit(
      sql: Sql,
      begun: Visit & { id: string; stateHash: Uint8Array; browserHash: Uint8Array; expiresMs: number },
    ): Promise<void> {
      const { id, stateHash, browserHash, providerId, facts, userId, linkHash, expiresMs } = begun;
      const sealed = sealing.seal('sealed_visit', id, facts);
      const purpose = userId === undefined ? 'sign-in' : 'link';
      const values = [stateHash, browserHash, providerId, id, sealed, purpose, userId ?? null, linkHash ?? null];
      const row = visitRow({
        ...{ id, stateHash: toHex(stateHash), browserHash: toHex(browserHash), providerId },
        ...{ userId: userId ?? null, linkHash: linkHash === undefined ? null : toHex(linkHash) },
      });
      await sql.run(BEGIN, [...values, new Date(expiresMs), sealing.rows.bind(row)]);
    },
    async takeVisit(sql: Sql, at: { stateHash: Uint8Array; browserHash: Uint8Array; nowMs: number }) {
      const [row] = await sql.rows(TAKE, [at.stateHash, at.browserHash, new Date(at.nowMs)]);
      if (row === undefined) return undefined;
      const bound = visitRow({
        ...{
          id: row.id,
          stateHash: toHex(at.stateHash),
          browserHash: toHex(at.browserHash),
          providerId: row.provider_id,
        },
        ...{ userId: row.user_id, linkHash: row.link_hash === null ? null : toHex(row.link_hash) },
      });
      if (!sealing.rows.fits(bound, row.binding)) return undefined;
      const facts: VisitFacts = sealing.open('sealed_visit', row.id, row.sealed_visit);
      const visit: Visit = {
        providerId: row.provider_id,
        facts,
        userId: row.user_id ?? undefined,
        linkHash: row.link_hash ?? undefined,
      };
      return visit;
    },
    async deleteExpired(sql: Sql, nowMs: number): Promise<void> {
      await sql.run(EXPIRED, [new Date(nowMs)]);
      await sql.run(FORGET_PENDING, [new Date(nowMs - PENDING_MS)]);
    },
  };
}

/** A reset ends every way in, those over providers too. */
export async function unlinkIdentities(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(UNLINK_ALL, [userId]);
}
