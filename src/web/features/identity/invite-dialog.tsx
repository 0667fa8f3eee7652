import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { EmailAddress, PersonName, UserLinkAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { useSession } from '../../app/session.tsx';
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
  const [organisationId, setOrganisationId] = useState(here);
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
    if (nameFits && emailFits && roles.length > 0) invite.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="Invite a colleague" size="md">
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
        <OrganisationField value={organisationId} onChange={setOrganisationId} />
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
    </Modal>
  );
}

/** Shown to whoever administers several. */
function OrganisationField({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (id: string) => void;
}): ReactNode {
  const organisations = useQuery(organisationPage({ text: '', state: 'active', after: 0 }));
  const all = organisations.data?.organisations ?? [];
  if (all.length < 2) return null;
  return (
    <Select
      label="Organisation"
      searchable
      allowDeselect={false}
      value={value}
      data={all.map((one) => ({ value: one.id, label: one.name }))}
      onChange={(id) => onChange(id ?? value)}
    />
  );
}
