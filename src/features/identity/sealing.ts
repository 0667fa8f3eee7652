import { z } from 'zod';
import { type SealedAtRest, sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { KeyRing } from '../../store/index.ts';
import { LinkDraft } from './model.ts';
import { createRowBinder, type RowBinder } from './row-binding.ts';

export const Profile = z.strictObject({ name: z.string(), email: z.string() });
export type Profile = z.output<typeof Profile>;
export const SessionOrigin = z.strictObject({ address: z.string().optional(), userAgent: z.string().optional() });
export type SessionOrigin = z.output<typeof SessionOrigin>;
const RoleText = z.strictObject({ name: z.string(), about: z.string() });
const ProviderFacts = z.strictObject({
  name: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
  /** Values of the ID token's `amr` and `acr` that prove a second factor. */
  amr: z.array(z.string()),
  acr: z.array(z.string()),
  authority: z.string().optional(),
});
const VisitFacts = z.strictObject({ nonce: z.string(), codeVerifier: z.string(), redirectUri: z.string() });

export const SealedPasskey = z.strictObject({
  /** base64url, as WebAuthn names it. */
  credentialId: z.string(),
  /** COSE key, base64url. */
  publicKey: z.string(),
  transports: z.array(z.string()),
  label: z.string(),
});
export type SealedPasskey = z.output<typeof SealedPasskey>;
const SealedNotice = z.strictObject({ title: z.string(), text: z.string() });
/** What is waited for: a signature over `challenge` (base64url), or the first code of `totpSecret`. */
export const SealedChallenge = z.strictObject({
  challenge: z.string().optional(),
  totpSecret: z.string().optional(),
  /** What it was made for, so that a row cannot be handed to another session or purpose. */
  purpose: z.string(),
  owner: z.string(),
});
export type SealedChallenge = z.output<typeof SealedChallenge>;

/** Every sealed column of this feature: where it lives and what it holds once opened. */
const COLUMNS = {
  sealed_name: { table: 'identity.organisations', schema: z.string() },
  sealed_profile: { table: 'identity.users', schema: Profile },
  sealed_password: { table: 'identity.users', schema: z.string() },
  sealed_secret: { table: 'identity.factors', schema: z.string() },
  sealed_origin: { table: 'identity.sessions', schema: SessionOrigin },
  sealed_draft: { table: 'identity.links', schema: LinkDraft },
  sealed_factor_name: { table: 'identity.factors', schema: z.string() },
  sealed_passkey: { table: 'identity.passkeys', schema: SealedPasskey },
  sealed_challenge: { table: 'identity.challenges', schema: SealedChallenge },
  sealed_browser: { table: 'identity.trusted_devices', schema: SessionOrigin },
  sealed_why: { table: 'identity.exceptions', schema: z.string() },
  sealed_network: { table: 'identity.bans', schema: z.string() },
  sealed_notice: { table: 'identity.notices', schema: SealedNotice },
  sealed_role: { table: 'identity.roles', schema: RoleText },
  sealed_reason: { table: 'identity.emergencies', schema: z.string() },
  sealed_note: { table: 'identity.emergencies', schema: z.string() },
  sealed_label: { table: 'identity.personal_tokens', schema: z.string() },
  sealed_provider: { table: 'identity.providers', schema: ProviderFacts },
  sealed_subject: { table: 'identity.external_identities', schema: z.string() },
  sealed_visit: { table: 'identity.provider_visits', schema: VisitFacts },
} as const;
export type SealedColumn = keyof typeof COLUMNS;
type Opened<C extends SealedColumn> = z.output<(typeof COLUMNS)[C]['schema']>;

/** Seals and opens identity's personal data and makes the blind tokens to find it by. */
export interface Sealing {
  /** `id` names the row: users, factors, sessions and organisations by their id, links and challenges by the hex of their token hash. */
  seal<C extends SealedColumn>(column: C, id: string, value: Opened<C>): SealedAtRest;
  /** Throws `seal-broken` when the bytes do not belong to this row and column. */
  open<C extends SealedColumn>(column: C, id: string, sealed: Uint8Array): Opened<C>;
  reseal(column: SealedColumn, id: string, sealed: Uint8Array): SealedAtRest;
  /** For what is not secret, but must be as we wrote it. */
  readonly rows: RowBinder;
  /** Under the current index key: what is written. */
  emailToken(email: string): bigint;
  /** Under every index key still in use: what is searched for. */
  emailTokens(email: string): readonly bigint[];
  networkToken(network: string): bigint;
  /** What a person is found by: each beginning of each word of the name and the address. */
  nameTokens(person: Profile): readonly bigint[];
  /** What must be among `nameTokens`, under the current index key. */
  searchTokens(text: string): readonly bigint[];
  /** Of an identity at a provider: issuer and subject together. */
  subjectToken(issuer: string, subject: string): bigint;
  /** Under every index key still in use. */
  subjectTokens(issuer: string, subject: string): readonly bigint[];
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
    rows: createRowBinder(keyRing),
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
    nameTokens: ({ name, email }) =>
      [...new Set(wordsOf(`${name} ${email}`).flatMap(beginnings))].map((start) => keyRing.blind(NAME, start)),
    searchTokens: (text) => wordsOf(text).map((word) => keyRing.blind(NAME, word)),
    subjectToken: (issuer, subject) => keyRing.blind(SUBJECT, `${issuer} ${subject}`),
    subjectTokens: (issuer, subject) =>
      keyRing.blindAll?.(SUBJECT, `${issuer} ${subject}`) ?? [keyRing.blind(SUBJECT, `${issuer} ${subject}`)],
  };
}

const NAME = 'identity.name';
const SUBJECT = 'identity.subject';
const WORD_LENGTH_MAX = 12;
const WORDS_MAX = 12;

/** Words as they are compared: without accents, case and punctuation, cut at twelve characters. */
function wordsOf(text: string): string[] {
  return text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .slice(0, WORDS_MAX)
    .map((word) => [...word].slice(0, WORD_LENGTH_MAX).join(''));
}

/** Whether each word of `text` begins a word of this name, as tokens are compared. */
export function namesFit(name: string, text: string): boolean {
  const words = wordsOf(name);
  return wordsOf(text).every((start) => words.some((word) => word.startsWith(start)));
}

function beginnings(word: string): string[] {
  const letters = [...word];
  return letters.map((_, at) => letters.slice(0, at + 1).join(''));
}
