import { z } from 'zod';
import { type NodeId, parseId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import {
  event,
  noneBecause,
  permission,
  publicBecause,
  type RouteDeclaration,
  route,
  signedInBecause,
} from '../../platform/http/index.ts';
import type { Authorities } from './authorities.ts';
import type { Domains } from './domains.ts';
import { nodeProblem } from './errors.ts';
import type { Node } from './model.ts';
import type { NodeService } from './service.ts';
import {
  addNodeRequestSchema,
  addNodeResponseSchema,
  domainListSchema,
  nodeListSchema,
  revokeNodeRequestSchema,
  revokeNodeResponseSchema,
  type WireDomainList,
  type WireNode,
} from './wire.ts';

interface RouteDeps {
  readonly service: NodeService;
  readonly domains: Domains;
  readonly authorities: Authorities;
  readonly fhirUrl: string;
}

const NOTHING = z.object({});

export function nodeRoutes(deps: RouteDeps): RouteDeclaration[] {
  return [...managingRoutes(deps), ...readingRoutes(deps)];
}

function managingRoutes({ service, fhirUrl }: RouteDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/nodes',
      access: permission('node.read'),
      audit: event('node.list'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: nodeListSchema,
      limits: { bodyBytesMax: 0, perMinute: 120 },
      async handle({ actor }) {
        const { nodes, audited } = await service.listNodes(actor);
        return { status: 200, body: { nodes: nodes.map(wireNode) }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/nodes',
      access: permission('node.manage'),
      audit: event('node.add'),
      input: { params: NOTHING, query: NOTHING, body: addNodeRequestSchema },
      output: addNodeResponseSchema,
      limits: { bodyBytesMax: 32_768, perMinute: 20 },
      async handle({ actor, body }) {
        const { node, files, audited } = await service.addNode(actor, body);
        return { status: 201, body: { node: wireNode(node), files, fhirUrl }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/nodes/:id/revoke',
      access: permission('node.manage'),
      audit: event('node.revoke'),
      input: { params: z.object({ id: z.string() }), query: NOTHING, body: revokeNodeRequestSchema },
      output: revokeNodeResponseSchema,
      limits: { bodyBytesMax: 4_096, perMinute: 20 },
      async handle({ actor, params, body }) {
        const id = parseId<NodeId>(params.id);
        if (id === undefined) throw nodeProblem('not-found', 'node-unknown', 'There is no such node.');
        const { node, audited } = await service.revokeNode(actor, { id }, body.reason);
        return { status: 200, body: { node: wireNode(node) }, audited };
      },
    }),
  ];
}

function readingRoutes({ domains, authorities }: RouteDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/ca.crt',
      access: publicBecause('the certificate that everybody has to trust before they can connect is no secret'),
      audit: noneBecause('holds no personal data'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: 'bytes',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle() {
        return {
          status: 200,
          body: Buffer.from(await authorities.rootsPem()),
          contentType: 'application/x-pem-file',
          headers: { 'content-disposition': 'attachment; filename="ca.crt"' },
          audited: null,
        };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/domains',
      access: signedInBecause('every role sees which system a record came from'),
      audit: noneBecause('names of identifier systems are no personal data'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: domainListSchema,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      async handle() {
        return { status: 200, body: await wireDomains(domains), audited: null };
      },
    }),
  ];
}

async function wireDomains(domains: Domains): Promise<WireDomainList> {
  const all = (await domains.table()).all();
  return {
    domains: all.map(({ system, ownerNodeId, ownerNodeName }) =>
      ownerNodeId === undefined ? { system } : { system, node: { id: ownerNodeId, name: ownerNodeName ?? '' } },
    ),
  };
}

/** A node as pages and the command line show it. */
export function wireNode(node: Node): WireNode {
  return {
    id: node.id,
    name: node.name,
    domains: [...node.domains],
    state: node.revoked === undefined ? 'active' : 'revoked',
    certificates: node.certificates.map((certificate) => ({
      sha256: certificate.sha256,
      subject: certificate.subject,
      notBefore: instant(certificate.notBeforeMs),
      notAfter: instant(certificate.notAfterMs),
      ...(certificate.revokedAtMs === undefined ? {} : { revokedAt: instant(certificate.revokedAtMs) }),
    })),
    createdAt: instant(node.createdAtMs),
    ...(node.lastSeenAtMs === undefined ? {} : { lastSeenAt: instant(node.lastSeenAtMs) }),
    ...(node.revoked === undefined
      ? {}
      : { revokedAt: instant(node.revoked.atMs), revokedReason: node.revoked.reason }),
  };
}
