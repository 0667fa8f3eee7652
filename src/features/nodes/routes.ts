import { z } from 'zod';
import { type NodeId, parseId } from '../../kernel/ids.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/index.ts';
import type { Certificates } from './certificates.ts';
import type { Domains } from './domains.ts';
import type { Enrolment } from './enrolment.ts';
import { nodeUnknown } from './errors.ts';
import type { ForeignAuthorities } from './foreign.ts';
import type { WhichNode } from './node-reader.ts';
import type { NodeKeys } from './node-keys.ts';
import { addInWay } from './adding.ts';
import type { NodeParts } from './parts.ts';
import { doorRoutes } from './routes-doors.ts';
import { trustRoutes } from './routes-trust.ts';
import { callRoutes } from './routes-calls.ts';
import { certificateRoutes } from './routes-certificates.ts';
import type { NodeService } from './service.ts';
import type { TokenEndpoint } from './token-endpoint.ts';
import { wireNode } from './views.ts';
import {
  addNodeRequestSchema,
  addNodeResponseSchema,
  changeNodeRequestSchema,
  nodeKeysRequestSchema,
  nodeListSchema,
  oneNodeSchema,
  revokeNodeRequestSchema,
} from './wire.ts';

export interface RouteDeps {
  readonly parts: NodeParts;
  readonly service: NodeService;
  readonly certificates: Certificates;
  readonly enrolment: Enrolment;
  readonly foreign: ForeignAuthorities;
  readonly keys: NodeKeys;
  readonly domains: Domains;
  readonly tokenEndpoint: TokenEndpoint;
  readonly tokenUrl: string;
}

export const NOTHING = z.object({});
export const BY_ID = z.object({ id: z.string() });
export const SMALL = { bodyBytesMax: 4_096, perMinute: 20 } as const;
/** A certificate or key set and words about it. */
export const A_FILE = { bodyBytesMax: 98_304, perMinute: 20 } as const;

export function nodeRoutes(deps: RouteDeps): RouteDeclaration[] {
  return [
    ...listingRoutes(deps),
    ...changingRoutes(deps),
    ...stateRoutes(deps),
    ...certificateRoutes(deps),
    ...trustRoutes(deps),
    ...doorRoutes(deps),
    ...callRoutes(deps),
  ];
}

/** Throws `node-unknown` for what is no id: an address that was typed wrongly. */
export function whichNode(id: string): WhichNode {
  const parsed = parseId<NodeId>(id);
  if (parsed === undefined) throw nodeUnknown();
  return { id: parsed };
}

function listingRoutes({ parts, service }: RouteDeps): RouteDeclaration[] {
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
      method: 'GET',
      path: '/api/nodes/:id',
      access: permission('node.read'),
      audit: event('node.read'),
      input: { params: BY_ID, query: NOTHING, body: 'none' },
      output: oneNodeSchema,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      async handle({ actor, params }) {
        const organisationId = await parts.organisationFor(actor);
        const node = await parts.reader.find(parts.database, organisationId, whichNode(params.id));
        const entities = [{ reference: `Node/${node.id}`, role: 'security-resource' as const }];
        const audited = await parts.audit.recordNow([
          { actor, event: 'node.read', action: 'R', outcome: 'success', entities },
        ]);
        return { status: 200, body: { node: wireNode(node) }, audited };
      },
    }),
  ];
}

function changingRoutes(deps: RouteDeps): RouteDeclaration[] {
  const { service, keys } = deps;
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/nodes',
      access: permission('node.manage'),
      audit: event('node.add'),
      input: { params: NOTHING, query: NOTHING, body: addNodeRequestSchema },
      output: addNodeResponseSchema,
      limits: A_FILE,
      async handle({ actor, body }) {
        const { answer, audited } = await addInWay(deps, actor, body);
        return { status: 201, body: answer, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'PATCH',
      path: '/api/nodes/:id',
      access: permission('node.manage'),
      audit: event('node.update'),
      input: { params: BY_ID, query: NOTHING, body: changeNodeRequestSchema },
      output: oneNodeSchema,
      limits: { bodyBytesMax: 65_536, perMinute: 60 },
      async handle({ actor, params, body }) {
        const { node, audited } = await service.changeSettings(actor, whichNode(params.id), body);
        return { status: 200, body: { node: wireNode(node) }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/nodes/:id/keys',
      access: permission('node.manage'),
      audit: event('node.keys'),
      input: { params: BY_ID, query: NOTHING, body: nodeKeysRequestSchema },
      output: oneNodeSchema,
      limits: A_FILE,
      async handle({ actor, params, body }) {
        const { node, audited } = await keys.set(actor, whichNode(params.id), body);
        return { status: 200, body: { node: wireNode(node) }, audited };
      },
    }),
  ];
}

function stateRoutes({ service }: RouteDeps): RouteDeclaration[] {
  const common = {
    doors: ['users'],
    method: 'POST',
    access: permission('node.manage'),
    output: oneNodeSchema,
    limits: SMALL,
  } as const;
  const reasoned = { params: BY_ID, query: NOTHING, body: revokeNodeRequestSchema } as const;
  return [
    route({
      ...common,
      path: '/api/nodes/:id/suspend',
      audit: event('node.suspend'),
      input: reasoned,
      async handle({ actor, params, body }) {
        const { node, audited } = await service.suspendNode(actor, whichNode(params.id), body.reason);
        return { status: 200, body: { node: wireNode(node) }, audited };
      },
    }),
    route({
      ...common,
      path: '/api/nodes/:id/resume',
      audit: event('node.resume'),
      limits: { bodyBytesMax: 0, perMinute: 20 },
      input: { params: BY_ID, query: NOTHING, body: 'none' },
      async handle({ actor, params }) {
        const { node, audited } = await service.resumeNode(actor, whichNode(params.id));
        return { status: 200, body: { node: wireNode(node) }, audited };
      },
    }),
    route({
      ...common,
      path: '/api/nodes/:id/revoke',
      audit: event('node.revoke'),
      input: reasoned,
      async handle({ actor, params, body }) {
        const { node, audited } = await service.revokeNode(actor, whichNode(params.id), body.reason);
        return { status: 200, body: { node: wireNode(node) }, audited };
      },
    }),
  ];
}
