import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { z } from 'zod';
import { EmailAddress, PersonName, UserLinkAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { useDraftForm } from '../../app/draft-form.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { useSession } from '../../app/session.tsx';
import { OrganisationChoice } from './organisation-choice.tsx';
import { organisationPage } from './rights-queries.ts';
import { RoleField } from './role-field.tsx';
import { forgetUsers } from './user-queries.ts';

const Invitation = z.object({
  name: z.string(),
  email: z.string(),
  organisation: z.object({ id: z.string(), name: z.string() }).optional(),
  roles: z.array(z.string()),
});
type Invitation = z.infer<typeof Invitation>;

export interface InviteDialogProps {
  readonly onClose: () => void;
  readonly onInvited: (answer: UserLinkAnswer) => void;
}

function useInvitation() {
  const { id, name } = useSession().user.organisation;
  const first = { name: '', email: '', organisation: { id, name }, roles: [] };
  return useDraftForm('invite', Invitation, first);
}

export function InviteDialog({ onClose, onInvited }: InviteDialogProps): ReactNode {
  const queries = useQueryClient();
  const [{ name, email, roles, organisation }, change, drop] = useInvitation();
  const organisationId = organisation?.id;
  const close = (): void => {
    drop();
    onClose();
  };
  const [tried, setTried] = useState(false);
  const nameFits = PersonName.safeParse(name).success;
  const emailFits = EmailAddress.safeParse(email).success;
  const invite = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/users', UserLinkAnswer, { name, email: email.trim(), roles, organisationId }),
    onSuccess: async (answer) => {
      drop();
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
    <Dialog opened onClose={close} title="Invite a colleague" size="md">
      <form className="stack" onSubmit={submit} noValidate>
        <TextInput
          data-autofocus
          label="Name"
          autoComplete="off"
          value={name}
          maxLength={120}
          error={tried && !nameFits ? 'Type a name.' : undefined}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <TextInput
          label="E-mail"
          description="To sign in with, and to be told of changes."
          type="email"
          autoComplete="off"
          value={email}
          maxLength={254}
          error={tried && !emailFits ? 'Type an e-mail address like name@example.org.' : undefined}
          onChange={(event) => change({ email: event.currentTarget.value })}
        />
        <OrganisationField
          value={organisation}
          error={tried && organisationId === undefined ? 'Choose an organisation.' : undefined}
          onChange={(next) => change({ organisation: next })}
        />
        <RoleField
          value={roles}
          onChange={(next) => change({ roles: [...next] })}
          error={tried && roles.length === 0 ? 'Choose at least one role.' : undefined}
        />
        {invite.isError && <FailureNotice error={invite.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={close}>
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
  readonly value: Invitation['organisation'];
  readonly error: string | undefined;
  readonly onChange: (organisation: Invitation['organisation']) => void;
}): ReactNode {
  const organisations = useQuery(organisationPage({ text: '', state: 'active', after: 0 }));
  const [first] = useState(value);
  if ((organisations.data?.organisations.length ?? 0) < 2) return null;
  return (
    <OrganisationChoice
      label="Organisation"
      value={value?.id}
      {...(first === undefined ? {} : { first })}
      error={error}
      onChange={(id, name = '') => onChange(id === undefined ? undefined : { id, name })}
    />
  );
}
