import { fromHex, toHex } from '../../kernel/bytes.ts';
import { NODE_SCOPES, type NodeScope } from '../../kernel/access.ts';
import type { NodeId } from '../../kernel/ids.ts';
import type { NodePrincipal } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import { type Limiter, type Limits, networkCheck, type PeerCertificate } from '../../platform/http/index.ts';
import type { Binder } from './binding.ts';
import { nodeProblem } from './errors.ts';
import type { Registration } from './model.ts';
import type { CertificateRow, NodeRow } from './rows.ts';
import { isForeign, judgeCertificate, nodePermissions } from './rules.ts';
import { FIND_CERTIFICATE, FIND_NODE_BY_ID } from './store.ts';
import type { ForeignMatch, Trust } from './trust.ts';

/** Registrations looked up in the last second. Changes are notified as well, so this bounds what a lost notice can cost. */
const FRESH_MS = 1_000;
const ENTRIES_MAX = 10_000;

/** What a request brings besides its certificate. */
export interface NodeRequest {
  /** Absent in tests and where no network is involved; then networks are not checked. */
  readonly address?: string | undefined;
  readonly authorization?: string | undefined;
}

export interface Authenticator {
  /** Who a connection's certificate stands for, decided anew for each request. Throws the Problem that refuses it. */
  authenticateNode(peer: PeerCertificate | undefined, request?: NodeRequest): Promise<NodePrincipal>;
  /** Forgets everything: a node, certificate or domain changed. */
  forget(): void;
}

export interface AuthenticatorDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly binder: Binder;
  readonly trust: Trust;
  /** Puts a certificate of a trusted authority on record when it is seen first. */
  readonly learn: (match: ForeignMatch) => Promise<void>;
  /** Narrows the scopes by the request's token; throws when the token is bad, or missing where the node needs one. */
  readonly narrow: (registration: Registration, authorization: string | undefined) => NodePrincipal;
  readonly seen: (nodeId: NodeId, sha256: string) => void;
  readonly rates: Limits;
}

interface Entry {
  readonly atMs: number;
  readonly registration: Promise<Registration | undefined>;
}

export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { clock, trust } = deps;
  const entries = new Map<string, Entry>();
  const limit = nodeLimiter(deps.rates);

  function lookUp(peer: PeerCertificate, nowMs: number): Promise<Registration | undefined> {
    const { sha256 } = peer;
    const known = entries.get(sha256);
    if (known !== undefined && nowMs >= known.atMs && nowMs - known.atMs < FRESH_MS) return known.registration;
    const registration = load(deps, peer);
    if (entries.size >= ENTRIES_MAX) entries.clear();
    entries.set(sha256, { atMs: nowMs, registration });
    // Neither failures nor strangers are remembered: the next request asks again, and junk takes no room.
    const drop = (): void => {
      if (entries.get(sha256)?.registration === registration) entries.delete(sha256);
    };
    registration.then((found) => (found === undefined ? drop() : undefined), drop);
    return registration;
  }

  return {
    async authenticateNode(peer, request = {}) {
      if (peer === undefined)
        throw nodeProblem(
          'unauthenticated',
          'certificate-missing',
          'This door is for systems with a client certificate, and the connection came without one.',
        );
      const nowMs = clock.nowMs();
      const isStranger = isForeign(peer.chainError) && !(await trust.isTrusted(peer.sha256));
      const registration = isStranger ? undefined : await lookUp(peer, nowMs);
      const refused = judgeCertificate(registration, peer, nowMs);
      if (refused !== undefined) throw refused;
      // judgeCertificate refuses what is not registered; this tells the compiler.
      if (registration === undefined) throw new Error('unreachable');
      const { node } = registration;
      if (request.address !== undefined && !registration.isAllowedFrom(request.address))
        throw nodeProblem(
          'forbidden',
          'network-not-allowed',
          `The node "${node.name}" may not connect from ${request.address}. An administrator can allow the network on the node's page.`,
        );
      limit(node, nowMs);
      const principal = deps.narrow(registration, request.authorization);
      deps.seen(node.id, peer.sha256);
      return principal;
    },
    forget: () => entries.clear(),
  };
}

/** Each node's own bound on all its requests, whichever process they reach. */
function nodeLimiter(rates: Limits): (node: NodeRow, nowMs: number) => void {
  const limiters = new Map<number, Limiter>();
  return (node, nowMs) => {
    let limiter = limiters.get(node.per_minute);
    if (limiter === undefined) limiters.set(node.per_minute, (limiter = rates.limiter('nodes', node.per_minute)));
    const retryAfterSeconds = limiter(node.id, nowMs);
    if (retryAfterSeconds === 0) return;
    const text = `The node "${node.name}" may send ${node.per_minute} requests a minute. Try again in ${retryAfterSeconds} s.`;
    throw nodeProblem('too-many-requests', 'node-too-fast', text, { retryAfterSeconds });
  };
}

async function load(deps: AuthenticatorDeps, peer: PeerCertificate): Promise<Registration | undefined> {
  const known = await find(deps, peer.sha256);
  if (known !== undefined && known.certificate.origin !== 'foreign') return known;
  // Every second anew: the authority, its rule or its list of revoked certificates may have changed.
  const match = await deps.trust.match(peer.der);
  if (match === undefined) return undefined;
  if (known === undefined) {
    await deps.learn(match);
    return find(deps, peer.sha256);
  }
  const isSame = known.node.id === match.nodeId && known.certificate.authority_id === match.authority.id;
  return isSame ? known : undefined;
}

async function find({ database, binder }: AuthenticatorDeps, sha256: string): Promise<Registration | undefined> {
  const [certificate] = await database.rows(FIND_CERTIFICATE, [fromHex(sha256) ?? new Uint8Array(0)]);
  if (certificate === undefined) return undefined;
  const [node] = await database.rows(FIND_NODE_BY_ID, [certificate.node_id]);
  if (node === undefined) return undefined;
  const intact = binder.isNodeIntact(node) && binder.isCertificateIntact(certificate);
  return {
    node,
    certificate,
    intact,
    principal: principalOf(node, certificate),
    isAllowedFrom: networkCheck(node.networks),
  };
}

export function principalOf(node: NodeRow, certificate: Pick<CertificateRow, 'sha256'>): NodePrincipal {
  const scopes = knownScopes(node.scopes);
  return {
    kind: 'node',
    nodeId: node.id,
    name: node.name,
    organisationId: node.organisation_id,
    domains: node.domains,
    permissions: nodePermissions(scopes),
    scopes: new Set(scopes),
    certificateSha256: toHex(certificate.sha256),
  };
}

/** Scopes as the database has them; one that this version does not know gives nothing. */
export function knownScopes(scopes: readonly string[]): NodeScope[] {
  return NODE_SCOPES.filter((scope) => scopes.includes(scope));
}
