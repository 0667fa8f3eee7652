import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { UserAnswer, type UserEntry } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Own } from '../../ui/text.tsx';
import { OrganisationChoice } from './organisation-choice.tsx';
import { organisationPage } from './rights-queries.ts';
import { RoleField } from './role-field.tsx';
import { forgetUsers } from './user-queries.ts';

type Membership = UserEntry['memberships'][number];

/** Where a person belongs and what they hold there; joining and leaving. */
export function Memberships({ user, manages }: { readonly user: UserEntry; readonly manages: boolean }): ReactNode {
  return (
    <div className="person-roles">
      {user.memberships.map((one) => (
        <One key={one.organisation.id} user={user} one={one} manages={manages} />
      ))}
      {user.elsewhere && <p className="soft small">Also belongs to an organisation that you do not administer.</p>}
      <p className="small">
        <Link to="/people/rights" search={{ person: user.id }}>
          Why can, or can’t, they do a thing?
        </Link>
      </p>
      {manages && <Join user={user} />}
    </div>
  );
}

function One({
  user,
  one,
  manages,
}: {
  readonly user: UserEntry;
  readonly one: Membership;
  readonly manages: boolean;
}): ReactNode {
  const queries = useQueryClient();
  const [roles, setRoles] = useState<readonly string[]>(one.roles);
  const organisationId = one.organisation.id;
  const save = useMutation({
    mutationFn: () => api.send('PUT', `/api/users/${user.id}/roles`, UserAnswer, { roles, organisationId }),
    onSuccess: () => forgetUsers(queries),
  });
  const leave = useMutation({
    mutationFn: () => api.send('DELETE', `/api/users/${user.id}/memberships/${organisationId}`, UserAnswer),
    onSuccess: () => forgetUsers(queries),
  });
  const changed = roles.toSorted().join() !== one.roles.toSorted().join();
  return (
    <section aria-label={`Roles in ${one.organisation.name}`}>
      <h3>
        <Own>{one.organisation.name}</Own>
      </h3>
      <RoleField
        value={roles}
        onChange={setRoles}
        disabled={!manages}
        error={
          roles.length === 0 ? 'At least one role. To take all away, let them leave or disable the account.' : undefined
        }
      />
      {(save.isError || leave.isError) && <FailureNotice error={save.error ?? leave.error} focus />}
      {manages && (
        <div className="row">
          {changed && (
            <>
              <Button size="xs" disabled={roles.length === 0} loading={save.isPending} onClick={() => save.mutate()}>
                Save the roles
              </Button>
              <Button size="xs" variant="default" onClick={() => setRoles(one.roles)}>
                Leave as they were
              </Button>
            </>
          )}
          {!changed && (user.memberships.length > 1 || user.elsewhere) && (
            <Button
              size="xs"
              variant="default"
              aria-label={`Take out of this organisation: ${one.organisation.name}`}
              loading={leave.isPending}
              onClick={() => leave.mutate()}
            >
              Take out of this organisation
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

/** Shown where there is another organisation to join. */
function Join({ user }: { readonly user: UserEntry }): ReactNode {
  const queries = useQueryClient();
  const all = useQuery(organisationPage({ text: '', state: 'active', after: 0 }));
  const [organisationId, setOrganisationId] = useState<string>();
  const [roles, setRoles] = useState<readonly string[]>([]);
  const join = useMutation({
    mutationFn: () => api.send('POST', `/api/users/${user.id}/memberships`, UserAnswer, { organisationId, roles }),
    onSuccess: async () => {
      setOrganisationId(undefined);
      setRoles([]);
      await forgetUsers(queries);
    },
  });
  const others = (all.data?.organisations ?? []).filter(
    (one) => !user.memberships.some(({ organisation }) => organisation.id === one.id),
  );
  if (others.length === 0) return null;
  return (
    <details>
      <summary>Let them join another organisation</summary>
      <div className="stack">
        <OrganisationChoice
          label="Organisation"
          value={organisationId}
          without={user.memberships.map(({ organisation }) => organisation.id)}
          onChange={setOrganisationId}
        />
        {organisationId !== undefined && <RoleField value={roles} onChange={setRoles} />}
        {join.isError && <FailureNotice error={join.error} focus />}
        <Button
          size="xs"
          disabled={organisationId === undefined || roles.length === 0}
          loading={join.isPending}
          onClick={() => join.mutate()}
        >
          Join
        </Button>
      </div>
    </details>
  );
}
