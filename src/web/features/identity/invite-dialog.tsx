import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { EmailAddress, PersonName, UserLinkAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { useSession } from '../../app/session.tsx';
import { OrganisationChoice } from './organisation-choice.tsx';
import { organisationPage } from './rights-queries.ts';
import { RoleField } from './role-field.tsx';
import { forgetUsers } from './user-queries.ts';

export interface InviteDialogProps {
  readonly onClose: () => void;
  readonly onInvited: (answer: UserLinkAnswer) => void;
}

export function InviteDialog({ onClose, onInvited }: InviteDialogProps): ReactNode {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const here = useSession().user.organisation.id;
  const [organisationId, setOrganisationId] = useState<string | undefined>(here);
  const [roles, setRoles] = useState<readonly string[]>([]);
  const [tried, setTried] = useState(false);
  const nameFits = PersonName.safeParse(name).success;
  const emailFits = EmailAddress.safeParse(email).success;
  const invite = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/users', UserLinkAnswer, { name, email: email.trim(), roles, organisationId }),
    onSuccess: async (answer) => {
      onInvited(answer);
      await forgetUsers(queries);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (nameFits && emailFits && roles.length > 0 && organisationId !== undefined) invite.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title="Invite a colleague" size="md">
      <form className="stack" onSubmit={submit} noValidate>
        <TextInput
          data-autofocus
          label="Name"
          autoComplete="off"
          value={name}
          maxLength={120}
          error={tried && !nameFits ? 'Type a name.' : undefined}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="E-mail"
          description="To sign in with, and to be told of changes."
          type="email"
          autoComplete="off"
          value={email}
          maxLength={254}
          error={tried && !emailFits ? 'Type an e-mail address like name@example.org.' : undefined}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <OrganisationField
          value={organisationId}
          error={tried && organisationId === undefined ? 'Choose an organisation.' : undefined}
          onChange={setOrganisationId}
        />
        <RoleField
          value={roles}
          onChange={setRoles}
          error={tried && roles.length === 0 ? 'Choose at least one role.' : undefined}
        />
        {invite.isError && <FailureNotice error={invite.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={invite.isPending}>
            Make the link
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Shown to whoever administers several. */
function OrganisationField({
  value,
  error,
  onChange,
}: {
  readonly value: string | undefined;
  readonly error: string | undefined;
  readonly onChange: (id: string | undefined) => void;
}): ReactNode {
  const { organisation } = useSession().user;
  const organisations = useQuery(organisationPage({ text: '', state: 'active', after: 0 }));
  if ((organisations.data?.organisations.length ?? 0) < 2) return null;
  return (
    <OrganisationChoice label="Organisation" value={value} first={organisation} error={error} onChange={onChange} />
  );
}
