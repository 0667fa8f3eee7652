import { parseId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import type { AccessReview } from './access-review.ts';
import { roleUnknown } from './errors.ts';
import type { ListedOrganisation, Organisations } from './organisations.ts';
import type { RoleId } from './role-store.ts';
import type { Roles } from './roles.ts';
import { NOTHING, SMALL_BODY_BYTES } from './route-parts.ts';
import { organisationOf, userId } from './user-routes.ts';
import * as wire from './wire-organisations.ts';
import { IdParams, NoQuery } from './wire.ts';

const READ = { bodyBytesMax: 0, perMinute: 240 } as const;
const WRITE = { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 60 } as const;
const central = permission('organisation.manage', { stepUp: true });

/** Organisations under the central administration. */
export function organisationRoutes(organisations: Organisations): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/organisations/search',
      access: permission('user.read'),
      audit: event('organisation.list'),
      input: { ...NOTHING, body: wire.OrganisationsSearch },
      output: wire.OrganisationsAnswer,
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 240 },
      async handle({ actor, body }) {
        const { organisations: listed, total, next, audited } = await organisations.list(actor, body);
        const page = { organisations: listed.map(entry), total, ...(next === undefined ? {} : { next }) };
        return { status: 200, body: page, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/organisations',
      access: central,
      audit: event('organisation.add'),
      input: { ...NOTHING, body: wire.OrganisationAdd },
      output: wire.OrganisationAnswer,
      limits: WRITE,
      async handle({ actor, body }) {
        const { organisation, audited } = await organisations.add(actor, body);
        return { status: 201, body: { organisation: entry(organisation) }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/organisations/:id',
      access: central,
      audit: event('organisation.ceiling'),
      input: { params: IdParams, query: NoQuery, body: wire.OrganisationChange },
      output: wire.OrganisationAnswer,
      limits: WRITE,
      async handle({ actor, params, body }) {
        const { organisation, audited } = await organisations.change(actor, organisationOf(params.id), body);
        return { status: 200, body: { organisation: entry(organisation) }, audited };
      },
    }),
  ];
}

/** Names to choose from, for whoever shares a client. */
export function organisationChoicesRoute(organisations: Organisations): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: '/api/organisations/choices',
    access: permission('client.share'),
    audit: event('organisation.list'),
    input: { ...NOTHING, body: wire.OrganisationChoice },
    output: wire.OrganisationChoices,
    limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 240 },
    async handle({ actor, body }) {
      const { organisations: found, audited } = await organisations.choices(actor, body.text);
      return { status: 200, body: { organisations: found }, audited };
    },
  });
}

function entry(one: ListedOrganisation): wire.OrganisationEntry {
  const { id, name, central: isCentral, ceiling, users, retiredMs } = one;
  return {
    ...{ id, name, central: isCentral, users },
    ...(ceiling === undefined ? {} : { ceiling: [...ceiling] }),
    ...(retiredMs === undefined ? {} : { retiredAt: instant(retiredMs) }),
  };
}

const roleId = (text: string): RoleId => {
  const id = parseId<RoleId>(text);
  if (id === undefined) throw roleUnknown();
  return id;
};

/** Roles: whoever gives them reads them, the central administration makes them. */
export function roleRoutes(roles: Roles): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/roles',
      access: permission('user.read'),
      audit: event('role.list'),
      input: { ...NOTHING, body: 'none' },
      output: wire.RolesAnswer,
      limits: READ,
      async handle({ actor }) {
        const { audited, ...body } = await roles.list(actor);
        return { status: 200, body, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/roles',
      access: central,
      audit: event('role.add'),
      input: { ...NOTHING, body: wire.RoleWanted },
      output: wire.RoleAnswer,
      limits: WRITE,
      async handle({ actor, body }) {
        const { role, audited } = await roles.add(actor, body);
        return { status: 201, body: { role }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/roles/:id',
      access: central,
      audit: event('role.change'),
      input: { params: IdParams, query: NoQuery, body: wire.RoleWanted },
      output: wire.RoleAnswer,
      limits: WRITE,
      async handle({ actor, params, body }) {
        const { role, audited } = await roles.change(actor, roleId(params.id), body);
        return { status: 200, body: { role }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/roles/:id',
      access: central,
      audit: event('role.retire'),
      input: { params: IdParams, query: NoQuery, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      handle: async ({ actor, params }) => ({ status: 204, audited: await roles.retire(actor, roleId(params.id)) }),
    }),
  ];
}

/** Effective rights with their reasons, and the list to look through. */
export function accessReviewRoutes(review: AccessReview): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/rights',
      access: permission('user.read'),
      audit: event('user.rights'),
      input: { ...NOTHING, body: wire.RightsRequest },
      output: wire.RightsAnswer,
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 240 },
      async handle({ actor, body }) {
        const place = body.organisationId === undefined ? undefined : organisationOf(body.organisationId);
        const { answer, audited } = await review.explain(actor, userId(body.userId), place);
        return { status: 200, body: answer, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/access-review',
      access: permission('user.manage'),
      audit: event('access-review.list'),
      input: { params: NOTHING.params, query: wire.AccessReviewQuery, body: 'none' },
      output: wire.AccessReviewAnswer,
      limits: READ,
      async handle({ actor, query }) {
        const { organisation, ...rest } = query;
        const place = organisation === undefined ? {} : { organisationId: organisationOf(organisation) };
        const { audited, ...body } = await review.list(actor, { ...rest, ...place });
        return { status: 200, body, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/access-review/confirm',
      access: permission('user.manage'),
      audit: event('access-review.confirm'),
      input: { ...NOTHING, body: wire.AccessConfirm },
      output: 'none',
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 600 },
      async handle({ actor, body }) {
        const audited = await review.confirm(actor, userId(body.userId), organisationOf(body.organisationId));
        return { status: 204, audited };
      },
    }),
  ];
}
