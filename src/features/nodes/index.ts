import type { Principal } from '../../kernel/principal.ts';
import type { PeerCertificate, RouteDeclaration } from '../../platform/http/index.ts';
import type { ResealParticipant } from '../../store/index.ts';
import { createAuthenticator } from './authenticate.ts';
import { type Authorities, createAuthorities } from './authorities.ts';
import type { NodesDeps } from './deps.ts';
import { createDomains, type Domains } from './domains.ts';
import { createLastSeen } from './last-seen.ts';
import { resealParticipants } from './reseal.ts';
import { nodeRoutes } from './routes.ts';
import { createNodeService, type NodeService } from './service.ts';
import { CHANNEL } from './store.ts';

export type { Authorities } from './authorities.ts';
export type { NodesDeps } from './deps.ts';
export type { Domains } from './domains.ts';
export { type NodeFigures, readNodeFigures } from './figures.ts';
export type { Domain, DomainTable, Node } from './model.ts';
/** A node in its wire form, for `careseal node … --json`. */
export { wireNode } from './routes.ts';
export type { AddedNode } from './service.ts';

/** Nodes, their certificates and domains, and the built-in authority. */
export interface Nodes extends NodeService {
  /**
   * Who a connection's certificate stands for. Asked for every request; answers rest on at most one second old data and on
   * none older than a change notified to this process. Throws the Problem that refuses it (401 or 403).
   */
  authenticateNode(peer: PeerCertificate | undefined): Promise<Principal>;
  readonly domains: Domains;
  readonly authorities: Authorities;
  readonly routes: readonly RouteDeclaration[];
  readonly reseal: readonly ResealParticipant[];
  /** Makes the authority where there is none, listens for changes, begins to write last-seen times. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createNodes(deps: NodesDeps): Nodes {
  const lastSeen = createLastSeen(deps);
  const authorities = createAuthorities(deps);
  const domains = createDomains(deps);
  const authenticator = createAuthenticator(deps, lastSeen.seen);
  const forget = (): void => {
    authenticator.forget();
    domains.forget();
  };
  const service = createNodeService(deps, authorities, forget);
  let unlisten: (() => Promise<void>) | undefined;
  return {
    ...service,
    authenticateNode: authenticator.authenticateNode,
    domains,
    authorities,
    routes: nodeRoutes({ service, domains, authorities, fhirUrl: deps.fhirUrl }),
    reseal: resealParticipants(deps.keyRing),
    async start() {
      await authorities.ensure();
      unlisten = await deps.database.listen(CHANNEL, forget);
      lastSeen.start();
    },
    async stop() {
      await unlisten?.();
      await lastSeen.stop();
    },
  };
}
