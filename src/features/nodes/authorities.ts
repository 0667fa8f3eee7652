import { newId, randomBytes, sealedAtRest } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import type { SystemPrincipal } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/index.ts';
import {
  type Authority,
  issueLeaf,
  NODE_DAYS,
  newIssuing,
  newRoot,
  readCertificate,
  SERVER_DAYS,
  type SignServerCertificate,
} from '../../platform/tls/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { NodeAudit } from './deps.ts';
import { type AuthorityRow, INSERT_AUTHORITY, LIST_AUTHORITIES, LOCK_AUTHORITIES } from './store.ts';

/**
 * The built-in certificate authority: a root, kept for its successor, and an issuing authority that signs from day to day.
 * Their keys are sealed rows of the database, so that every process of a cluster has the same authority and a backup of
 * the database holds it without giving it away. A key is opened for one signature and not kept.
 */
export interface Authorities {
  /** Makes what is missing or about to end. Called at start and by the renewal timer. */
  ensure(): Promise<void>;
  /** The roots, PEM: what nodes and browsers have to trust (`ca.crt`). */
  rootsPem(): Promise<string>;
  /** All authorities whose certificates have not expired, PEM: what the nodes' door builds chains with. */
  trusted(): Promise<readonly string[]>;
  issueForNode(node: NodeCertificateRequest): Promise<IssuedChain>;
  signServerCertificate: SignServerCertificate;
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
}

interface AuthoritiesDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: NodeAudit;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;
/** A certificate never outlives its issuer, so the issuer is replaced while it can still give a full lifetime. */
const ISSUING_LEFT_MIN_MS = NODE_DAYS * DAY_MS;
const ROOT_LEFT_MIN_MS = 5 * 366 * DAY_MS;
const SYSTEM: SystemPrincipal = { kind: 'system', permissions: new Set() };

export function createAuthorities(deps: AuthoritiesDeps): Authorities {
  const { database, keyRing, clock } = deps;

  async function current(): Promise<Authority> {
    const row = (await database.rows(LIST_AUTHORITIES)).find((candidate) => candidate.kind === 'issuing');
    if (row === undefined) throw new Error('There is no certificate authority; ensure() was not called.');
    return openAuthority(keyRing, row);
  }

  async function unexpired(): Promise<readonly AuthorityRow[]> {
    return (await database.rows(LIST_AUTHORITIES)).filter((row) => leftMs(row, clock.nowMs()) > 0);
  }

  return {
    ensure: () => ensure(deps),
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
      const request = { usage: 'client', commonName, spki, names, days: NODE_DAYS, nowMs: clock.nowMs() } as const;
      const certificate = await issueLeaf(issuer, request);
      return { certificate, chain: certificate.pem + issuer.certificate.pem };
    },
    async signServerCertificate(spki, names) {
      const issuer = await current();
      const commonName = (names[0] ?? 'localhost').slice(0, 64);
      const request = { usage: 'server', commonName, spki, names, days: SERVER_DAYS, nowMs: clock.nowMs() } as const;
      const { pem, sha256 } = await issueLeaf(issuer, request);
      const detail = { names: names.join(' '), certificateSha256: sha256 };
      await deps.audit.recordNow([{ ...bySystem(newId()), event: 'certificate.renew', detail }]);
      return pem + issuer.certificate.pem;
    },
  };
}

async function ensure({ database, keyRing, audit, clock }: AuthoritiesDeps): Promise<void> {
  const nowMs = clock.nowMs();
  if (isSufficient(await database.rows(LIST_AUTHORITIES), nowMs)) return;
  await database.transaction(async (tx) => {
    await tx.rows(LOCK_AUTHORITIES);
    const rows = await tx.rows(LIST_AUTHORITIES);
    if (!isSufficient(rows, nowMs)) await makeMissing(tx, rows);
  });

  async function makeMissing(tx: Transaction, rows: readonly AuthorityRow[]): Promise<void> {
    const name = `Careseal ${toHex(randomBytes(4))}`;
    const kept = rows.find((row) => row.kind === 'root' && leftMs(row, nowMs) > ROOT_LEFT_MIN_MS);
    const root = kept === undefined ? await keep(tx, 'root', await newRoot(name, nowMs)) : openAuthority(keyRing, kept);
    await keep(tx, 'issuing', await newIssuing(root, name, nowMs));
  }

  async function keep(tx: Transaction, kind: AuthorityRow['kind'], made: Authority): Promise<Authority> {
    const id = newId();
    const { pem, notAfterMs, sha256 } = made.certificate;
    const sealed = keyRing.seal(made.pkcs8, sealContext(kind, id));
    await tx.run(INSERT_AUTHORITY, [id, kind, pem, sealed, new Date(notAfterMs), new Date(nowMs)]);
    const entities = [{ reference: `Authority/${id}`, role: 'security-resource' as const }];
    const detail = { kind, certificateSha256: sha256 };
    await audit.record(tx, [{ ...bySystem(id), event: 'authority.make', entities, detail }]);
    return made;
  }
}

/** What events of Careseal's own doing have in common. */
function bySystem(requestId: string) {
  const actor = { principal: SYSTEM, origin: { door: 'background', requestId } } as const;
  return { actor, action: 'C', outcome: 'success' } as const;
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

function openAuthority(keyRing: KeyRing, row: AuthorityRow): Authority {
  const opened = keyRing.open(sealedAtRest(row.sealed_key), sealContext(row.kind, row.id));
  return { certificate: readCertificate(row.certificate), pkcs8: new Uint8Array(opened) };
}
