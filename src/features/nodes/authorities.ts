import { newId, randomBytes, sealedAtRest } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import { bySystem } from './actor.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Sql, Transaction } from '../../platform/db/index.ts';
import {
  type Authority,
  issueLeaf,
  makeCrl,
  NODE_DAYS,
  newIssuing,
  newRoot,
  readCertificate,
  REVOCATION_REASONS,
  type RevocationReason,
  SERVER_DAYS,
  type SignServerCertificate,
} from '../../platform/tls/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { NodeAudit } from './deps.ts';
import { nodeProblem } from './errors.ts';
import type { AuthorityRow } from './rows.ts';
import { INSERT_AUTHORITY, LIST_AUTHORITIES, LIST_REVOKED, LOCK_AUTHORITIES, WRITE_CRL } from './store.ts';

/**
 * The built-in certificate authority: a root, kept for its successor, and an issuing authority that signs from day to day.
 * Their keys are sealed rows of the database, so that every process of a cluster has the same authority and a backup of
 * the database holds it without giving it away. A key is opened for one signature and not kept. The root's key can be taken
 * elsewhere (root-key.ts); then the next issuing authority waits until somebody brings it.
 */
export interface Authorities {
  /** Makes what is missing or about to end, and lists of revoked certificates that are due. Called at start and by the renewal timer. */
  ensure(): Promise<void>;
  /** The roots, PEM: what nodes and browsers have to trust (`ca.crt`). */
  rootsPem(): Promise<string>;
  /** All authorities whose certificates have not expired, PEM: what the nodes' door builds chains with. */
  trusted(): Promise<readonly string[]>;
  issueForNode(node: NodeCertificateRequest): Promise<IssuedChain>;
  signServerCertificate: SignServerCertificate;
  /** Signs the issuing authorities' lists of revoked certificates anew, with what the transaction has changed. */
  publishCrl(tx: Transaction): Promise<void>;
  /** The newest list of an authority, DER; undefined where there is no such authority. */
  crl(authorityId: string): Promise<Uint8Array | undefined>;
  status(): Promise<readonly AuthorityStatus[]>;
}

export interface AuthorityStatus {
  readonly id: string;
  readonly kind: AuthorityRow['kind'];
  readonly subject: string;
  readonly sha256: string;
  readonly notAfterMs: number;
  /** Whether this installation can sign with it. */
  readonly keyIsHere: boolean;
  readonly crlNextUpdateMs?: number;
}

export interface NodeCertificateRequest {
  readonly nodeId: string;
  readonly commonName: string;
  readonly spki: Uint8Array<ArrayBuffer>;
}

export interface IssuedChain {
  readonly certificate: Awaited<ReturnType<typeof issueLeaf>>;
  /** Leaf, then issuing authority, PEM. */
  readonly chain: string;
  readonly authorityId: string;
}

export interface AuthoritiesDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: NodeAudit;
  readonly clock: Clock;
  /** `https://host:port` of the users' door, where lists of revoked certificates are fetched. */
  readonly publicUrl: string;
}

const DAY_MS = 86_400_000;
/** A certificate never outlives its issuer, so the issuer is replaced while it can still give a full lifetime. */
const ISSUING_LEFT_MIN_MS = NODE_DAYS * DAY_MS;
const ROOT_LEFT_MIN_MS = 5 * 366 * DAY_MS;
/** Whoever checks our lists needs one that is not over; made anew each day and at each revocation. */
const CRL_DAYS: Readonly<Record<AuthorityRow['kind'], number>> = { issuing: 7, root: 2 * 366 };
const CRL_LEFT_MIN_MS: Readonly<Record<AuthorityRow['kind'], number>> = { issuing: 6 * DAY_MS, root: 366 * DAY_MS };

export function createAuthorities(deps: AuthoritiesDeps): Authorities {
  const { database, keyRing, clock } = deps;

  async function current(): Promise<Authority & { readonly id: string }> {
    const row = (await database.rows(LIST_AUTHORITIES)).find((candidate) => candidate.kind === 'issuing');
    if (row === undefined) throw new Error('There is no certificate authority; ensure() was not called.');
    return { ...openAuthority(keyRing, row), id: row.id };
  }

  async function unexpired(): Promise<readonly AuthorityRow[]> {
    return (await database.rows(LIST_AUTHORITIES)).filter((row) => leftMs(row, clock.nowMs()) > 0);
  }

  return {
    ensure: () => ensureAuthorities(deps),
    publishCrl: (tx) => publishCrls(deps, tx, (row) => row.kind === 'issuing'),
    async rootsPem() {
      const roots = (await unexpired()).filter((row) => row.kind === 'root');
      return roots.map((row) => row.certificate).join('');
    },
    async trusted() {
      return (await unexpired()).map((row) => row.certificate);
    },
    async issueForNode({ nodeId, commonName, spki }) {
      const issuer = await current();
      const names = [`urn:uuid:${nodeId}`];
      const crlUrl = crlAddress(deps.publicUrl, issuer.id);
      const request = {
        usage: 'client',
        commonName,
        spki,
        names,
        days: NODE_DAYS,
        nowMs: clock.nowMs(),
        crlUrl,
      } as const;
      const certificate = await issueLeaf(issuer, request);
      return { certificate, chain: certificate.pem + issuer.certificate.pem, authorityId: issuer.id };
    },
    async signServerCertificate(spki, names) {
      const issuer = await current();
      const commonName = (names[0] ?? 'localhost').slice(0, 64);
      const request = { usage: 'server', commonName, spki, names, days: SERVER_DAYS, nowMs: clock.nowMs() } as const;
      const { pem, sha256 } = await issueLeaf(issuer, request);
      const detail = { names: names.join(' '), certificateSha256: sha256 };
      const event = {
        ...bySystem(newId()),
        event: 'certificate.renew',
        action: 'C',
        outcome: 'success',
        detail,
      } as const;
      await deps.audit.recordNow([event]);
      return pem + issuer.certificate.pem;
    },
    async crl(authorityId) {
      const row = (await database.rows(LIST_AUTHORITIES)).find((candidate) => candidate.id === authorityId);
      return row?.crl ?? undefined;
    },
    status: async () => (await unexpired()).map(statusOf),
  };
}

function statusOf(row: AuthorityRow): AuthorityStatus {
  const { subject, sha256 } = readCertificate(row.certificate);
  const { id, kind, crl_next_update: next } = row;
  const more = next === null ? {} : { crlNextUpdateMs: next.getTime() };
  return {
    id,
    kind,
    subject,
    sha256,
    notAfterMs: row.not_after.getTime(),
    keyIsHere: row.sealed_key !== null,
    ...more,
  };
}

/** Where everybody fetches an authority's list of revoked certificates. */
export function crlAddress(publicUrl: string, authorityId: string): string {
  return `${publicUrl}/pki/${authorityId}.crl`;
}

/** `bring`: the root with its key, where that is kept elsewhere; then a new issuing authority is made at once. */
export async function ensureAuthorities(deps: AuthoritiesDeps, bring?: Authority): Promise<void> {
  const { database, keyRing, clock } = deps;
  const nowMs = clock.nowMs();
  const rows = await database.rows(LIST_AUTHORITIES);
  if (bring === undefined && isSufficient(rows, nowMs) && !rows.some((row) => isCrlDue(row, nowMs))) return;
  await database.transaction(async (tx) => {
    await tx.rows(LOCK_AUTHORITIES);
    const seen = await tx.rows(LIST_AUTHORITIES);
    if (bring !== undefined || !isSufficient(seen, nowMs)) await makeMissing(tx, seen);
    await publishCrls(deps, tx, (row) => isCrlDue(row, nowMs), bring);
  });

  async function makeMissing(tx: Transaction, seen: readonly AuthorityRow[]): Promise<void> {
    const name = `Careseal ${toHex(randomBytes(4))}`;
    const kept = seen.find((row) => row.kind === 'root' && leftMs(row, nowMs) > ROOT_LEFT_MIN_MS);
    // Its key lies elsewhere and nobody brought it: what there is serves on, and the pages say what to do.
    if (bring === undefined && kept?.sealed_key === null && seen.some((row) => row.kind === 'issuing')) return;
    const root =
      bring ?? (kept === undefined ? await keep(tx, 'root', await newRoot(name, nowMs)) : openAuthority(keyRing, kept));
    await keep(tx, 'issuing', await newIssuing(root, name, nowMs));
  }

  async function keep(tx: Transaction, kind: AuthorityRow['kind'], made: Authority): Promise<Authority> {
    const id = newId();
    const { pem, notAfterMs, sha256 } = made.certificate;
    const sealed = keyRing.seal(made.pkcs8, sealContext(kind, id));
    await tx.run(INSERT_AUTHORITY, [id, kind, pem, sealed, new Date(notAfterMs), new Date(nowMs)]);
    const entities = [{ reference: `Authority/${id}`, role: 'security-resource' as const }];
    const detail = { kind, certificateSha256: sha256 };
    const event = {
      ...bySystem(id),
      event: 'authority.make',
      action: 'C',
      outcome: 'success',
      entities,
      detail,
    } as const;
    await deps.audit.record(tx, [event]);
    return made;
  }
}

async function publishCrls(
  { keyRing, clock }: AuthoritiesDeps,
  tx: Transaction,
  wanted: (row: AuthorityRow) => boolean,
  bring?: Authority,
): Promise<void> {
  const nowMs = clock.nowMs();
  await tx.rows(LOCK_AUTHORITIES); // numbers rise one by one
  for (const row of await tx.rows(LIST_AUTHORITIES)) {
    const isBrought = bring !== undefined && row.kind === 'root' && row.certificate === bring.certificate.pem;
    if (leftMs(row, nowMs) <= 0 || !wanted(row) || (row.sealed_key === null && !isBrought)) continue;
    const authority = isBrought ? bring : openAuthority(keyRing, row);
    const validMs = Math.min(CRL_DAYS[row.kind] * DAY_MS, leftMs(row, nowMs));
    const number = row.crl_number + 1;
    const revoked = row.kind === 'issuing' ? await revokedBy(tx, row.id, nowMs) : [];
    const crl = await makeCrl({ authority, revoked, number, nowMs, validMs });
    await tx.run(WRITE_CRL, [row.id, crl, number, new Date(nowMs + validMs)]);
  }
}

async function revokedBy(sql: Sql, authorityId: string, nowMs: number) {
  const rows = await sql.rows(LIST_REVOKED, [authorityId, new Date(nowMs)]);
  return rows.map((row) => ({
    serial: row.serial,
    revokedAtMs: row.revoked_at?.getTime() ?? nowMs,
    reason: knownReason(row.revocation_reason),
  }));
}

function knownReason(text: string | null): RevocationReason {
  return REVOCATION_REASONS.find((reason) => reason === text) ?? 'unspecified';
}

function isCrlDue(row: AuthorityRow, nowMs: number): boolean {
  if (row.sealed_key === null || leftMs(row, nowMs) <= 0) return false;
  const left = (row.crl_next_update?.getTime() ?? 0) - nowMs;
  // The last list of an authority runs to its own end.
  return left < Math.min(CRL_LEFT_MIN_MS[row.kind], leftMs(row, nowMs) - DAY_MS);
}

function isSufficient(rows: readonly AuthorityRow[], nowMs: number): boolean {
  const root = rows.find((row) => row.kind === 'root');
  const issuing = rows.find((row) => row.kind === 'issuing');
  return root !== undefined && issuing !== undefined && leftMs(issuing, nowMs) > ISSUING_LEFT_MIN_MS;
}

function leftMs(row: AuthorityRow, nowMs: number): number {
  return row.not_after.getTime() - nowMs;
}

/** Binds a sealed authority key to its row. Shared with the key rotation. */
export function sealContext(kind: AuthorityRow['kind'], id: string) {
  return { table: 'nodes.authority', type: kind, id, version: 1 };
}

export function openAuthority(keyRing: KeyRing, row: AuthorityRow): Authority {
  if (row.sealed_key === null)
    throw nodeProblem(
      'unavailable',
      'authority-offline',
      'The key of the root authority is kept elsewhere. Bring it with "careseal ca renew --root-key FILE".',
    );
  const opened = keyRing.open(sealedAtRest(row.sealed_key), sealContext(row.kind, row.id));
  return { certificate: readCertificate(row.certificate), pkcs8: new Uint8Array(opened) };
}
