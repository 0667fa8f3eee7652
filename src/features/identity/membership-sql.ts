import { z } from 'zod';
import { fromHex } from '../../kernel/bytes.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import { builtInRole, type HeldRole, isBuiltIn, knownPermissions, type Membership } from './rights.ts';
import type { RowBinder } from './row-binding.ts';
import { membershipRow, organisationRow, roleRow } from './row-facts.ts';

/**
 * A user's memberships as one JSON value of a query that names `identity.users u`: the first joined comes first. All that
 * rights are computed from, in one look at the database, so that every request's rights are of one moment.
 */
export const MEMBERSHIPS = `(
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'organisationId', m.organisation_id, 'central', o.central, 'retired', o.retired_at IS NOT NULL,
           'ceiling', o.ceiling, 'roles', m.roles,
           'binding', encode(m.binding, 'hex'), 'organisationBinding', encode(o.binding, 'hex'),
           'own', (SELECT jsonb_object_agg(r.id, jsonb_build_object(
                     'permissions', r.permissions, 'binding', encode(r.binding, 'hex'))) FROM identity.roles r
                   WHERE r.retired_at IS NULL AND r.id::text = ANY (m.roles))
         ) ORDER BY m.joined_at, m.organisation_id), '[]')
  FROM identity.memberships m JOIN identity.organisations o ON o.id = m.organisation_id WHERE m.user_id = u.id
) AS memberships`;

/** Whether a living notice waits to be read by `identity.users u`; the time of the database is near enough. */
export const MUST_READ = `EXISTS (
  SELECT FROM identity.notices n WHERE n.withdrawn_at IS NULL AND (n.ends_at IS NULL OR n.ends_at > now())
    AND (cardinality(n.roles) = 0 OR EXISTS (SELECT FROM identity.memberships m WHERE m.user_id = u.id AND m.roles && n.roles))
    AND NOT EXISTS (SELECT FROM identity.acknowledgements a WHERE a.notice_id = n.id AND a.user_id = u.id)
) AS must_read`;

const OwnRole = z.object({ permissions: z.array(z.string()), binding: z.string().nullable() });
const Row = z.object({
  organisationId: z.string(),
  central: z.boolean(),
  retired: z.boolean(),
  ceiling: z.array(z.string()).nullable(),
  roles: z.array(z.string()),
  binding: z.string().nullable(),
  organisationBinding: z.string().nullable(),
  own: z.record(z.string(), OwnRole).nullable(),
});
type Row = z.output<typeof Row>;
const Rows = z.array(Row);

export interface ParsedMemberships {
  readonly memberships: Membership[];
  /** False when somebody else has made or changed one of them: it holds no role then. */
  readonly intact: boolean;
}

/** Opens what MEMBERSHIPS selects for this user. What an organisation or a role grants counts where its row is ours. */
export function parseMemberships(value: unknown, userId: UserId, rows: RowBinder): ParsedMemberships {
  let intact = true;
  const memberships = Rows.parse(value).map((row): Membership => {
    const own = rows.fits(membershipRow(userId, row.organisationId, row.roles), bytesOf(row.binding));
    if (!own) intact = false;
    if (!own) return { ...placeOf(row, rows), roles: [], changed: true };
    return { ...placeOf(row, rows), roles: row.roles.flatMap((id) => heldRole(id, row.own ?? {}, rows)) };
  });
  return { memberships, intact };
}

/** An organisation whose row somebody else has changed is as good as retired: nobody has rights there. */
function placeOf(row: Row, rows: RowBinder): Omit<Membership, 'roles'> {
  const { central, ceiling, retired } = row;
  const organisationId = row.organisationId as OrganisationId;
  const facts = organisationRow({ id: organisationId, central, ceiling, retired });
  const intact = rows.fits(facts, bytesOf(row.organisationBinding));
  return {
    organisationId,
    central: central && intact,
    active: !retired && intact,
    ceiling: ceiling === null ? undefined : knownPermissions(ceiling),
  };
}

/** A role that is retired, changed by somebody else, or that a newer version wrote, grants nothing. */
function heldRole(id: string, own: Readonly<Record<string, z.output<typeof OwnRole>>>, rows: RowBinder): HeldRole[] {
  if (isBuiltIn(id)) return [builtInRole(id)];
  const role = own[id];
  if (role === undefined || !rows.fits(roleRow(id, role.permissions), bytesOf(role.binding))) return [];
  return [{ id, permissions: knownPermissions(role.permissions) }];
}

const bytesOf = (hex: string | null): Uint8Array | null => (hex === null ? null : (fromHex(hex) ?? null));

/** The organisation joined first. Nobody is without one; should a row be missing, an id that is no organisation's reaches nothing. */
export function homeOf(memberships: readonly Membership[]): OrganisationId {
  return memberships[0]?.organisationId ?? NOWHERE;
}

const NOWHERE = '00000000-0000-0000-0000-000000000000' as OrganisationId;
