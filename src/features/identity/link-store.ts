import { toHex } from '../../kernel/bytes.ts';
import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { LinkDraft } from './model.ts';
import { linkRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';

/** `factor`: enrol another second factor; `password`: choose another password; `identity`: link one at a provider. */
export type LinkKind = 'setup' | 'enrol' | 'factor' | 'password' | 'identity';
/** Those that make or activate an account. */
export type FirstLinkKind = 'setup' | 'enrol';

export interface Link {
  readonly kind: LinkKind;
  readonly userId: UserId | undefined;
  readonly draft: LinkDraft | undefined;
  readonly expiresMs: number;
}

interface LinkRow {
  readonly binding: Uint8Array | null;
  readonly user_id: UserId | null;
  readonly sealed_draft: Uint8Array | null;
  readonly expires_at: Date;
}

const COLUMNS = 'user_id, sealed_draft, expires_at, binding';
const INSERT = statement(
  'identity.link-insert',
  'INSERT INTO identity.links (token_hash, kind, user_id, expires_at, binding) VALUES ($1, $2, $3, $4, $5)',
);
const FIND = statement<LinkRow>(
  'identity.link',
  `SELECT ${COLUMNS} FROM identity.links WHERE token_hash = $1 AND kind = $2 AND expires_at > $3`,
);
const FIND_LOCKED = statement<LinkRow>(
  'identity.link-locked',
  `SELECT ${COLUMNS} FROM identity.links WHERE token_hash = $1 AND kind = $2 AND expires_at > $3 FOR UPDATE`,
);
const SET_DRAFT = statement(
  'identity.link-draft',
  'UPDATE identity.links SET sealed_draft = $2 WHERE token_hash = $1 AND expires_at > $3',
);
const DELETE = statement('identity.link-delete', 'DELETE FROM identity.links WHERE token_hash = $1');
const DELETE_SETUP = statement('identity.link-delete-setup', `DELETE FROM identity.links WHERE kind = 'setup'`);
const DELETE_OF_USER = statement('identity.link-delete-user', 'DELETE FROM identity.links WHERE user_id = $1');
const NEWEST_END = statement<{ readonly expires_at: Date | null }>(
  'identity.link-newest',
  'SELECT max(expires_at) AS expires_at FROM identity.links WHERE user_id = $1 AND kind = $2',
);
const EXPIRED = statement('identity.expire-links', 'DELETE FROM identity.links WHERE expires_at <= $1');

/** SQL for one-time links. A used link's row is deleted: used, expired and never issued are the same to whoever asks. */
export type LinkStore = ReturnType<typeof createLinkStore>;

export function createLinkStore(sealing: Sealing) {
  const rowOf = (tokenHash: Uint8Array, { kind, userId, expiresMs }: Omit<Link, 'draft'>) =>
    linkRow({ tokenHash: toHex(tokenHash), kind, userId: userId ?? null, expiresMs });
  /** A link that somebody else has made, prolonged or aimed at another account is none. */
  function opened(kind: LinkKind, tokenHash: Uint8Array, row: LinkRow | undefined): Link | undefined {
    if (row === undefined) return undefined;
    const link = { kind, userId: row.user_id ?? undefined, expiresMs: row.expires_at.getTime() };
    if (!sealing.rows.fits(rowOf(tokenHash, link), row.binding)) return undefined;
    const { sealed_draft: draft } = row;
    return { ...link, draft: draft === null ? undefined : sealing.open('sealed_draft', toHex(tokenHash), draft) };
  }
  return {
    async insert(tx: Transaction, tokenHash: Uint8Array, link: Omit<Link, 'draft'>): Promise<void> {
      const binding = sealing.rows.bind(rowOf(tokenHash, link));
      await tx.run(INSERT, [tokenHash, link.kind, link.userId ?? null, new Date(link.expiresMs), binding]);
    },
    async find(sql: Sql, kind: LinkKind, tokenHash: Uint8Array, nowMs: number): Promise<Link | undefined> {
      return opened(kind, tokenHash, (await sql.rows(FIND, [tokenHash, kind, new Date(nowMs)]))[0]);
    },
    async findLocked(tx: Transaction, kind: LinkKind, tokenHash: Uint8Array, nowMs: number): Promise<Link | undefined> {
      return opened(kind, tokenHash, (await tx.rows(FIND_LOCKED, [tokenHash, kind, new Date(nowMs)]))[0]);
    },
    /** False when the link died meanwhile. */
    async setDraft(sql: Sql, tokenHash: Uint8Array, draft: LinkDraft, nowMs: number): Promise<boolean> {
      const sealed = sealing.seal('sealed_draft', toHex(tokenHash), draft);
      return (await sql.run(SET_DRAFT, [tokenHash, sealed, new Date(nowMs)])) === 1;
    },
    /** Unix ms at which the newest link of this kind ends. */
    async newestEnd(sql: Sql, kind: LinkKind, userId: UserId): Promise<number | undefined> {
      return (await sql.rows(NEWEST_END, [userId, kind]))[0]?.expires_at?.getTime();
    },
    async delete(tx: Transaction, tokenHash: Uint8Array): Promise<void> {
      await tx.run(DELETE, [tokenHash]);
    },
    async deleteSetup(tx: Transaction): Promise<void> {
      await tx.run(DELETE_SETUP);
    },
    async deleteOfUser(tx: Transaction, userId: UserId): Promise<void> {
      await tx.run(DELETE_OF_USER, [userId]);
    },
    async deleteExpired(sql: Sql, nowMs: number): Promise<void> {
      await sql.run(EXPIRED, [new Date(nowMs)]);
    },
  };
}
