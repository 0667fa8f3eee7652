import { OpensslCertificate, sha256Hex } from '../../crypto/index.ts';
import { toHex, utf8Encode } from '../../kernel/bytes.ts';
import type { NodeId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import {
  assertFitForNode,
  type CertificateFacts,
  type CertificateNames,
  inspectCertificate,
  readCrl,
} from '../../platform/tls/index.ts';
import type { Binder } from './binding.ts';
import { nodeProblem } from './errors.ts';
import type { AuthorityTrustRow, NameRuleRow } from './rows.ts';
import { LIST_FOREIGN, LIST_RULES, LIST_TRUSTED } from './trust-store.ts';

const FRESH_MS = 1_000;

/** Whom we trust besides our own authority; at most a second old, and never older than a change made by this process. */
export interface Trust {
  /** Whether this fingerprint is trusted by itself. */
  isTrusted(sha256: string): Promise<boolean>;
  /** PEM of the authorities of others, for building chains. */
  authorities(): Promise<readonly string[]>;
  /**
   * Which node a certificate of another authority speaks for, by that authority's name rules; undefined when no authority we
   * trust signed it or no rule fits. Throws the Problem that refuses it: revoked, too long, weak.
   */
  match(der: Uint8Array): Promise<ForeignMatch | undefined>;
  forget(): void;
}

export interface ForeignMatch {
  readonly nodeId: NodeId;
  readonly authority: AuthorityTrustRow;
  readonly certificate: CertificateFacts;
}

interface Snapshot {
  readonly trusted: ReadonlySet<string>;
  readonly authorities: readonly KnownAuthority[];
}

interface KnownAuthority {
  readonly row: AuthorityTrustRow;
  readonly certificate: OpensslCertificate;
  readonly rules: readonly NameRuleRow[];
  /** Serials its newest list names; undefined when there is none or it has run out. */
  readonly revoked: ReadonlySet<string> | undefined;
}

interface TrustDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly binder: Binder;
}

export function createTrust(deps: TrustDeps): Trust {
  const lists = createListReader();
  let known: { readonly atMs: number; readonly snapshot: Promise<Snapshot> } | undefined;

  function current(): Promise<Snapshot> {
    const nowMs = deps.clock.nowMs();
    if (known !== undefined && nowMs >= known.atMs && nowMs - known.atMs < FRESH_MS) return known.snapshot;
    const made = { atMs: nowMs, snapshot: load(deps, nowMs, lists) };
    known = made;
    made.snapshot.catch(() => {
      if (known === made) known = undefined;
    });
    return made.snapshot;
  }

  async function match(der: Uint8Array): Promise<ForeignMatch | undefined> {
    const { authorities } = await current();
    if (authorities.length === 0) return undefined;
    const leaf = new OpensslCertificate(der);
    const issuer = authorities.find(
      ({ certificate }) => leaf.checkIssued(certificate) && leaf.verify(certificate.publicKey),
    );
    if (issuer === undefined) return undefined;
    const certificate = inspectCertificate(der);
    const rule = issuer.rules.find(({ attribute, value }) =>
      names(certificate.names, attribute).includes(value.toLowerCase()),
    );
    if (rule === undefined) return undefined;
    assertNotRevoked(issuer, certificate);
    assertFitForNode(certificate, { acceptLong: issuer.row.accept_long });
    return { nodeId: rule.node_id, authority: issuer.row, certificate };
  }

  return {
    isTrusted: async (sha256) => (await current()).trusted.has(sha256),
    authorities: async () => (await current()).authorities.map(({ row }) => row.certificate),
    match,
    forget: () => {
      known = undefined;
    },
  };
}

function names(of: CertificateNames, attribute: NameRuleRow['attribute']): string[] {
  return of[attribute].map((name) => name.toLowerCase());
}

function assertNotRevoked({ row, revoked }: KnownAuthority, certificate: CertificateFacts): void {
  if (revoked?.has(certificate.serial) === true)
    throw nodeProblem(
      'forbidden',
      'certificate-revoked',
      `This client certificate (serial ${certificate.serial}) was revoked by its authority "${row.name}".`,
    );
  if (revoked === undefined && row.crl_required)
    throw nodeProblem(
      'forbidden',
      'crl-stale',
      `The list of revoked certificates of the authority "${row.name}" is missing or has run out. An administrator has to give the newest one.`,
    );
}

/** Rows that are not as we wrote them are left out: what they claim is nobody's decision. */
async function load({ database, binder }: TrustDeps, nowMs: number, lists: ListReader): Promise<Snapshot> {
  const [trusted, foreign, rules] = await Promise.all([
    database.rows(LIST_TRUSTED),
    database.rows(LIST_FOREIGN),
    database.rows(LIST_RULES),
  ]);
  const intactRules = rules.filter((rule) => binder.isRuleIntact(rule));
  const authorities: KnownAuthority[] = [];
  for (const row of foreign) {
    if (!binder.isAuthorityIntact(row) || row.not_after.getTime() < nowMs) continue;
    authorities.push({
      row,
      certificate: new OpensslCertificate(row.certificate),
      rules: intactRules.filter((rule) => rule.authority_id === row.id),
      revoked: await revokedOf(row, nowMs, lists),
    });
  }
  return { trusted: new Set(trusted.map((row) => toHex(row.sha256))), authorities };
}

async function revokedOf(
  row: AuthorityTrustRow,
  nowMs: number,
  lists: ListReader,
): Promise<ReadonlySet<string> | undefined> {
  if (row.crl === null) return undefined;
  const { serials, nextUpdateMs } = await lists(row.crl, row.certificate);
  // A list that has run out still names what was revoked; only where lists are required does its age refuse everybody.
  return row.crl_required && (nextUpdateMs ?? Number.POSITIVE_INFINITY) < nowMs ? undefined : serials;
}

type ListReader = typeof readCrl;

/** Lists have 100,000 entries, and trust is looked at each second: each list is read and its signature checked once. */
function createListReader(): ListReader {
  const read = new Map<string, ReturnType<typeof readCrl>>();
  return (input, authorityPem) => {
    const name = sha256Hex(input instanceof Uint8Array ? input : utf8Encode(input)) + authorityPem;
    const known = read.get(name);
    if (known !== undefined) return known;
    if (read.size >= LISTS_MAX) read.clear();
    const made = readCrl(input, authorityPem);
    read.set(name, made);
    made.catch(() => read.delete(name));
    return made;
  };
}
const LISTS_MAX = 100;
