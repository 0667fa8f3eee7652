import { sealedAtRest, sha256, sha256Hex } from '../../crypto/index.ts';
import { equalBytes, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { KeyRing } from '../../store/index.ts';
import type { AuthorityTrustRow, CertificateRow, EnrolmentRow, NameRuleRow, NodeRow } from './rows.ts';
import type { DomainRow } from './store.ts';

/**
 * Binds the rows that let somebody in to a key outside the database: a seal over the digest of the row's facts, in the row's
 * place. Whoever writes to the database alone can make or change such a row, but no binding that fits it.
 */
export interface Binder {
  node(row: NodeFacts): Uint8Array;
  certificate(row: CertificateFactsOnRecord): Uint8Array;
  enrolment(row: EnrolmentFacts): Uint8Array;
  authority(row: AuthorityFacts): Uint8Array;
  rule(row: RuleFacts): Uint8Array;
  domain(row: DomainFacts): Uint8Array;
  /** Whether the row is as we wrote it. Throws `key-unknown` while a new key is on its way to this process. */
  isNodeIntact(row: NodeRow): boolean;
  isCertificateIntact(row: CertificateRow): boolean;
  isEnrolmentIntact(row: EnrolmentRow): boolean;
  isAuthorityIntact(row: AuthorityTrustRow): boolean;
  isRuleIntact(row: NameRuleRow): boolean;
  isDomainIntact(row: DomainRow): boolean;
}

export type NodeFacts = Omit<NodeRow, 'binding' | 'last_seen_at' | 'sealed_reason' | 'sealed_contact'>;
export type CertificateFactsOnRecord = Omit<CertificateRow, 'binding' | 'subject' | 'warned_days' | 'last_seen_at'>;
export type EnrolmentFacts = Omit<EnrolmentRow, 'binding'>;
export type AuthorityFacts = Omit<AuthorityTrustRow, 'binding' | 'crl_tried_at' | 'crl_failure' | 'crl_stale_told_at'>;
export type RuleFacts = Omit<NameRuleRow, 'binding'>;
/** Which node sends a domain is bound with the node. */
export type DomainFacts = Pick<DomainRow, 'id' | 'system' | 'organisation_id'>;

type Fact = string | number | boolean | null | readonly string[];
/** The sealed column's place, shared with the key rotation. */
export function bindingContext(table: string, id: string) {
  return { table: `nodes.${table}`, type: 'binding', id, version: 1 };
}

export function createBinder(keyRing: KeyRing): Binder {
  const bind = (table: string, id: string, facts: readonly Fact[]) =>
    keyRing.seal(digest(facts), bindingContext(table, id));
  const fits = (table: string, id: string, facts: readonly Fact[], binding: Buffer | null): boolean => {
    if (binding === null) return false;
    try {
      return equalBytes(keyRing.open(sealedAtRest(binding), bindingContext(table, id)), digest(facts));
    } catch (error) {
      if (isProblem(error) && error.code === 'seal-broken') return false;
      throw error;
    }
  };
  const hex = (bytes: Buffer) => bytes.toString('hex');
  return {
    node: (row) => bind('node', row.id, nodeFacts(row)),
    certificate: (row) => bind('certificate', hex(row.sha256), certificateFacts(row)),
    enrolment: (row) => bind('enrolment', hex(row.token_hash), enrolmentFacts(row)),
    authority: (row) => bind('foreign_authority', row.id, authorityFacts(row)),
    rule: (row) => bind('name_rule', row.id, ruleFacts(row)),
    domain: (row) => bind('domain', String(row.id), domainFacts(row)),
    isNodeIntact: (row) => fits('node', row.id, nodeFacts(row), row.binding),
    isCertificateIntact: (row) => fits('certificate', hex(row.sha256), certificateFacts(row), row.binding),
    isEnrolmentIntact: (row) => fits('enrolment', hex(row.token_hash), enrolmentFacts(row), row.binding),
    isAuthorityIntact: (row) => fits('foreign_authority', row.id, authorityFacts(row), row.binding),
    isRuleIntact: (row) => fits('name_rule', row.id, ruleFacts(row), row.binding),
    isDomainIntact: (row) => fits('domain', String(row.id), domainFacts(row), row.binding),
  };
}

function digest(facts: readonly Fact[]): Uint8Array {
  return sha256(utf8Encode(JSON.stringify(facts)));
}

/** A revoked node's domains go to other nodes, so they are no fact of it any more. */
function nodeFacts(row: NodeFacts): Fact[] {
  return [
    row.id,
    row.name,
    row.organisation_id,
    time(row.created_at),
    time(row.activated_at),
    time(row.suspended_at),
    time(row.revoked_at),
    sorted(row.scopes),
    sorted(row.networks),
    row.per_minute,
    row.token_required,
    row.jwks,
    row.jwks_url,
    row.revoked_at === null ? sorted(row.domains) : [],
  ];
}

function certificateFacts(row: CertificateFactsOnRecord): Fact[] {
  const { origin, serial, authority_id, revocation_reason } = row;
  const times = [row.not_before, row.not_after, row.issued_at, row.ends_at, row.revoked_at].map(time);
  return [row.sha256.toString('hex'), row.node_id, origin, serial, authority_id, revocation_reason, ...times];
}

function enrolmentFacts(row: EnrolmentFacts): Fact[] {
  const times = [row.created_at, row.expires_at, row.ended_at].map(time);
  return [row.token_hash.toString('hex'), row.node_id, ...times];
}

function authorityFacts(row: AuthorityFacts): Fact[] {
  const { id, organisation_id, name, certificate, accept_long, crl_required } = row;
  const times = [row.not_after, row.created_at, row.removed_at, row.crl_next_update].map(time);
  const crl = row.crl === null ? null : sha256Hex(row.crl);
  const facts = [id, organisation_id, name, certificate, row.sha256.toString('hex'), accept_long, crl_required, crl];
  // Rows of before there were addresses keep their binding.
  return [...facts, ...times, ...(row.crl_url === null ? [] : [row.crl_url])];
}

function ruleFacts(row: RuleFacts): Fact[] {
  return [row.id, row.authority_id, row.node_id, row.attribute, row.value, time(row.created_at), time(row.removed_at)];
}

const domainFacts = ({ id, system, organisation_id }: DomainFacts): Fact[] => [id, system, organisation_id];

function time(at: Date | null): number | null {
  return at === null ? null : at.getTime();
}

function sorted(values: readonly string[]): string[] {
  return [...values].sort();
}
