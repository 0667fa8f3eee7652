import { reachOf } from '../../kernel/reach.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/index.ts';
import { A_FILE, BY_ID, NOTHING, type RouteDeps, SMALL, whichNode } from './route-parts.ts';
import { addInWay } from './adding.ts';
import { doorRoutes } from './routes-doors.ts';
import { trustRoutes } from './routes-trust.ts';
import { callRoutes } from './routes-calls.ts';
import { certificateRoutes } from './routes-certificates.ts';
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

/** Who gives access proves who they are; ending it waits for nothing. A system goes on when the session that made it is over. */
const GIVES = permission('node.manage', { stepUp: true });

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
        const names = await parts.organisationNames?.([...new Set(nodes.map((node) => node.organisationId))]);
        const named = nodes.map((node) => {
          const organisation = names?.get(node.organisationId);
          return { ...wireNode(node), ...(organisation === undefined ? {} : { organisation }) };
        });
        return { status: 200, body: { nodes: named }, audited };
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
        const reach = reachOf(actor.principal, 'node.read');
        const node = await parts.reader.find(parts.database, reach, whichNode(params.id));
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
      access: GIVES,
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
      access: GIVES,
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
      access: GIVES,
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
      access: GIVES,
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
