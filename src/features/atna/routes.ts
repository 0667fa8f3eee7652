import { z } from 'zod';
import { event, permission, type RouteDeclaration, type RouteLimits, route } from '../../platform/http/route.ts';
import type { Targets } from './targets.ts';
import { AddTarget, ChangeTarget, ForwardingReply, TargetParams, TargetReply } from './wire.ts';

const NOTHING = z.strictObject({});
const limits = (bodyBytesMax: number): RouteLimits => ({ bodyBytesMax, perMinute: 120 });
const SETTINGS_BYTES = 131_072;

export interface TargetRoutesDeps {
  readonly targets: Targets;
  readonly about: () => Promise<Pick<ForwardingReply, 'identity' | 'repository'>>;
}

/** Where the log goes, and whether it goes on going there. */
const manages = permission('settings.manage', { everywhere: true, stepUp: true });

/** Forwarding for the people who run the server; auditors may look. */
export function targetRoutes({ targets, about }: TargetRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/forwarding',
      access: permission('audit.read', { everywhere: true }),
      audit: event('forwarding.list'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: ForwardingReply,
      limits: limits(0),
      async handle({ actor }) {
        const { targets: list, audited } = await targets.list(actor);
        return { status: 200, body: { targets: list, ...(await about()) }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/forwarding',
      access: manages,
      audit: event('forwarding.add'),
      input: { params: NOTHING, query: NOTHING, body: AddTarget },
      output: TargetReply,
      limits: limits(SETTINGS_BYTES),
      async handle({ actor, body }) {
        const { target, audited } = await targets.add(actor, body);
        return { status: 201, body: { target }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/forwarding/:id',
      access: manages,
      audit: event('forwarding.change'),
      input: { params: TargetParams, query: NOTHING, body: ChangeTarget },
      output: TargetReply,
      limits: limits(SETTINGS_BYTES),
      async handle({ actor, params, body }) {
        const { target, audited } = await targets.change(actor, params.id, body);
        return { status: 200, body: { target }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/forwarding/:id',
      access: manages,
      audit: event('forwarding.remove'),
      input: { params: TargetParams, query: NOTHING, body: 'none' },
      output: 'none',
      limits: limits(0),
      async handle({ actor, params }) {
        return { status: 204, audited: await targets.remove(actor, params.id) };
      },
    }),
  ];
}
