import { z } from 'zod';
import { type SealedAtRest, sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { KeyRing } from '../../store/index.ts';
import { LinkDraft } from './model.ts';

export const Profile = z.strictObject({ name: z.string(), email: z.string() });
export type Profile = z.output<typeof Profile>;
export const SessionOrigin = z.strictObject({ address: z.string().optional(), userAgent: z.string().optional() });
export type SessionOrigin = z.output<typeof SessionOrigin>;

/** Every sealed column of this feature: where it lives and what it holds once opened. */
const COLUMNS = {
  sealed_name: { table: 'identity.organisations', schema: z.string() },
  sealed_profile: { table: 'identity.users', schema: Profile },
  sealed_password: { table: 'identity.users', schema: z.string() },
  sealed_secret: { table: 'identity.factors', schema: z.string() },
  sealed_origin: { table: 'identity.sessions', schema: SessionOrigin },
  sealed_draft: { table: 'identity.links', schema: LinkDraft },
} as const;
export type SealedColumn = keyof typeof COLUMNS;
type Opened<C extends SealedColumn> = z.output<(typeof COLUMNS)[C]['schema']>;

/** Seals and opens identity's personal data and makes the blind tokens to find it by. */
export interface Sealing {
  /** `id` names the row: users, factors, sessions and organisations by their id, links by the hex of their token hash. */
  seal<C extends SealedColumn>(column: C, id: string, value: Opened<C>): SealedAtRest;
  /** Throws `seal-broken` when the bytes do not belong to this row and column. */
  open<C extends SealedColumn>(column: C, id: string, sealed: Uint8Array): Opened<C>;
  reseal(column: SealedColumn, id: string, sealed: Uint8Array): SealedAtRest;
  /** Under the current index key: what is written. */
  emailToken(email: string): bigint;
  /** Under every index key still in use: what is searched for. */
  emailTokens(email: string): readonly bigint[];
  networkToken(network: string): bigint;
}

const EMAIL = 'identity.email';

export function createSealing(keyRing: KeyRing): Sealing {
  const context = (column: SealedColumn, id: string) => ({
    table: COLUMNS[column].table,
    type: column,
    id,
    version: 0,
  });
  return {
    seal: (column, id, value) => keyRing.seal(utf8Encode(JSON.stringify(value)), context(column, id)),
    open: <C extends SealedColumn>(column: C, id: string, sealed: Uint8Array) => {
      const text = utf8Decode(keyRing.open(sealedAtRest(sealed), context(column, id)));
      // The schema of this very column has just parsed it; TypeScript cannot follow the index.
      return COLUMNS[column].schema.parse(JSON.parse(text)) as Opened<C>;
    },
    reseal: (column, id, sealed) =>
      keyRing.seal(keyRing.open(sealedAtRest(sealed), context(column, id)), context(column, id)),
    emailToken: (email) => keyRing.blind(EMAIL, email),
    emailTokens: (email) => keyRing.blindAll?.(EMAIL, email) ?? [keyRing.blind(EMAIL, email)],
    networkToken: (network) => keyRing.blind('identity.network', network),
  };
}
