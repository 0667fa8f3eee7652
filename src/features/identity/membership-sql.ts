import { z } from 'zod';
import type { OrganisationId } from '../../kernel/ids.ts';
import { builtInRole, type HeldRole, isBuiltIn, knownPermissions, type Membership } from './rights.ts';

/**
 * A user's memberships as one JSON value of a query that names `identity.users u`: the first joined comes first. All that
 * rights are computed from, in one look at the database, so that every request's rights are of one moment.
 */
export const MEMBERSHIPS = `(
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'organisationId', m.organisation_id, 'central', o.central, 'retired', o.retired_at IS NOT NULL,
           'ceiling', o.ceiling, 'roles', m.roles,
           'own', (SELECT jsonb_object_agg(r.id, r.permissions) FROM identity.roles r
                   WHERE r.retired_at IS NULL AND r.id::text = ANY (m.roles))
         ) ORDER BY m.joined_at, m.organisation_id), '[]')
  FROM identity.memberships m JOIN identity.organisations o ON o.id = m.organisation_id WHERE m.user_id = u.id
) AS memberships`;

const Row = z.object({
  organisationId: z.string(),
  central: z.boolean(),
  retired: z.boolean(),
  ceiling: z.array(z.string()).nullable(),
  roles: z.array(z.string()),
  own: z.record(z.string(), z.array(z.string())).nullable(),
});
const Rows = z.array(Row);

/** Opens what MEMBERSHIPS selects. */
export function parseMemberships(value: unknown): Membership[] {
  return Rows.parse(value).map((row) => ({
    organisationId: row.organisationId as OrganisationId,
    central: row.central,
    active: !row.retired,
    ceiling: row.ceiling === null ? undefined : knownPermissions(row.ceiling),
    roles: row.roles.flatMap((id) => heldRole(id, row.own ?? {})),
  }));
}

/** A role that is retired, or that a newer version wrote, grants nothing. */
function heldRole(id: string, own: Readonly<Record<string, readonly string[]>>): HeldRole[] {
  if (isBuiltIn(id)) return [builtInRole(id)];
  const permissions = own[id];
  return permissions === undefined ? [] : [{ id, permissions: knownPermissions(permissions) }];
}

/** The organisation joined first. Nobody is without one; should a row be missing, an id that is no organisation's reaches nothing. */
export function homeOf(memberships: readonly Membership[]): OrganisationId {
  return memberships[0]?.organisationId ?? NOWHERE;
}

const NOWHERE = '00000000-0000-0000-0000-000000000000' as OrganisationId;
