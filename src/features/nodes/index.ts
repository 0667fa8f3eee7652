import type { Actor, NodePrincipal } from '../../kernel/principal.ts';
import { createLimits, type PeerCertificate, type RouteDeclaration } from '../../platform/http/index.ts';
import type { ResealParticipant } from '../../store/index.ts';
import { type AccessTokens, createAccessTokens } from './access-token.ts';
import { addInWay } from './adding.ts';
import { createAuthenticator, type NodeRequest } from './authenticate.ts';
import { type Authorities, createAuthorities } from './authorities.ts';
import { type Calls, createCalls } from './calls.ts';
import { createBinder } from './binding.ts';
import { type Certificates, createCertificates } from './certificates.ts';
import { createClientKeys } from './client-keys.ts';
import type { NodesDeps } from './deps.ts';
import { createDomains, type Domains } from './domains.ts';
import { createEnrolment, type Enrolment } from './enrolment.ts';
import { warnOfEnding } from './expiry.ts';
import { createForeignLists, type ListWarning } from './foreign-lists.ts';
import { createForeignAuthorities, type ForeignAuthorities } from './foreign.ts';
import { createLastSeen } from './last-seen.ts';
import { createNodeKeys, type NodeKeys } from './node-keys.ts';
import { createNodeReader } from './node-reader.ts';
import { createNodeWriting } from './node-writing.ts';
import type { NodeParts } from './parts.ts';
import { resealParticipants } from './reseal.ts';
import { createRootKey, type RootKey } from './root-key.ts';
import { nodeRoutes } from './routes.ts';
import { createNodeService, type NodeService } from './service.ts';
import { CHANNEL } from './store.ts';
import { createTokenEndpoint } from './token-endpoint.ts';
import { createTrust } from './trust.ts';
import type { AddNodeRequest } from './wire.ts';

export type { Authorities } from './authorities.ts';
export type { NodesDeps } from './deps.ts';
export type { Domains } from './domains.ts';
export { type NodeFigures, readListFigures, readNodeFigures, readNodesOf } from './figures.ts';
export type { EndingCertificate } from './model.ts';
export { mayReceive } from './may-receive.ts';
export type { Domain, DomainTable, Node } from './model.ts';
/** Nodes and authorities in their wire forms, for `--json`. */
export { wireNode } from './views.ts';
export type { AddedNode } from './service.ts';

/** Nodes, their certificates and domains, the built-in authority, others' authorities, and tokens. */
export interface Nodes extends NodeService {
  /**
   * Who a connection's certificate stands for. Asked for every request; answers rest on at most one second old data and on
   * none older than a change notified to this process. Throws the Problem that refuses it (401, 403 or 429).
   */
  authenticateNode(peer: PeerCertificate | undefined, request?: NodeRequest): Promise<NodePrincipal>;
  readonly domains: Domains;
  readonly authorities: Authorities;
  readonly certificates: Certificates;
  readonly enrolment: Enrolment;
  readonly foreign: ForeignAuthorities;
  readonly rootKey: RootKey;
  readonly keys: NodeKeys;
  /** Adds a node in the way that was asked for: for the page and the command line. */
  addInWay(actor: Actor, wanted: AddNodeRequest): ReturnType<typeof addInWay>;
  readonly calls: Pick<Calls, 'observe' | 'flush'>;
  /** PEM of every authority whose certificates may be met at the nodes' door: ours and others'. */
  clientAuthorities(): Promise<readonly string[]>;
  readonly routes: readonly RouteDeclaration[];
  readonly reseal: readonly ResealParticipant[];
  /** Told when authorities were added or removed, so that open doors take them over. Returns how to stop that. */
  onTrustChanged(act: () => void): () => void;
  /** Warns of certificates that end soon, renews lists of revoked ones, clears what is kept no longer. Some times a day, in one process. */
  housekeep(): Promise<{ readonly warned: number }>;
  /** Fetches foreign lists of revoked certificates that are due, and answers what to warn of. Every few minutes, in one process. */
  refreshLists(): Promise<readonly ListWarning[]>;
  /** Makes the authority where there is none, listens for changes, begins to write last-seen times. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createNodes(deps: NodesDeps): Nodes {
  const { keyRing, clock, database } = deps;
  const listeners = new Set<() => void>();
  const lastSeen = createLastSeen(deps);
  const calls = createCalls(deps);
  const authorities = createAuthorities(deps);
  const binder = createBinder(keyRing);
  const domains = createDomains(deps, binder);
  const trust = createTrust({ database, clock, binder });
  const tokens = createAccessTokens(deps);
  const forget = (): void => {
    authenticator.forget();
    domains.forget();
    trust.forget();
    for (const listener of listeners) listener();
  };
  const parts: NodeParts = {
    ...deps,
    binder,
    reader: createNodeReader(keyRing, binder),
    writing: createNodeWriting(binder),
    authorities,
    forget: () => forget(),
  };
  const certificates = createCertificates(parts);
  const lists = createForeignLists(parts);
  const { learn } = certificates;
  const { narrow } = tokens;
  const { rates = createLimits() } = deps;
  const { seen } = lastSeen;
  const authenticator = createAuthenticator({ database, clock, binder, trust, learn, narrow, seen, rates });
  const { service, ...acts } = composeActs(parts, { certificates, domains, tokens });
  return {
    ...service,
    authenticateNode: authenticator.authenticateNode,
    ...acts,
    domains,
    authorities,
    certificates,
    addInWay: (actor, wanted) => addInWay({ parts, service, certificates }, actor, wanted),
    calls,
    rootKey: createRootKey(deps),
    async clientAuthorities() {
      return [...(await authorities.trusted()), ...(await trust.authorities())];
    },
    onTrustChanged(act) {
      listeners.add(act);
      return () => listeners.delete(act);
    },
    reseal: resealParticipants(keyRing),
    async housekeep() {
      await authorities.ensure();
      await calls.clear();
      return { warned: await warnOfEnding(deps) };
    },
    refreshLists: () => lists.refresh(),
    ...running({ database, authorities, domains, lastSeen, calls, forget }),
  };
}

interface Running {
  readonly database: NodesDeps['database'];
  readonly authorities: Authorities;
  readonly domains: ReturnType<typeof createDomains>;
  readonly lastSeen: ReturnType<typeof createLastSeen>;
  readonly calls: Calls;
  readonly forget: () => void;
}

function running({ database, authorities, domains, lastSeen, calls, forget }: Running): Pick<Nodes, 'start' | 'stop'> {
  let unlisten: (() => Promise<void>) | undefined;
  return {
    async start() {
      await authorities.ensure();
      await domains.bindEarlier();
      unlisten = await database.listen(CHANNEL, forget);
      lastSeen.start();
      calls.start();
    },
    async stop() {
      await unlisten?.();
      await lastSeen.stop();
      await calls.stop();
    },
  };
}

interface Composed {
  readonly certificates: Certificates;
  readonly domains: Domains;
  readonly tokens: AccessTokens;
}

/** What people and nodes do, and the routes by which they do it. */
function composeActs(parts: NodeParts, { certificates, domains, tokens }: Composed) {
  const clientKeys = createClientKeys(parts);
  const enrolment = createEnrolment(parts);
  const foreign = createForeignAuthorities(parts);
  const service = createNodeService(parts, enrolment);
  const keys = createNodeKeys(parts, clientKeys);
  const tokenUrl = `${new URL(parts.fhirUrl).origin}/oauth/token`;
  const tokenEndpoint = createTokenEndpoint({ parts, tokens, keys: clientKeys, tokenUrl });
  const routes = nodeRoutes({
    parts,
    service,
    certificates,
    enrolment,
    foreign,
    keys,
    domains,
    tokenEndpoint,
    tokenUrl,
  });
  return { service, enrolment, foreign, keys, routes };
}
