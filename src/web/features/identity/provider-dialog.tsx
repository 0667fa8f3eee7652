import { Button, PasswordInput, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { z } from 'zod';
import {
  ProviderAnswer,
  ProviderChange,
  type ProviderEntry,
  ProviderWanted,
} from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { useDraftForm } from '../../app/draft-form.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { providerList } from './rights-queries.ts';

interface ProviderDialogProps {
  /** The one to be changed; undefined: a new one. */
  readonly was: ProviderEntry | undefined;
  readonly onClose: () => void;
}

/** What is kept over the end of a session: never the secret. */
const ProviderDraft = z.object({
  name: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  authority: z.string(),
  amr: z.array(z.string()),
  acr: z.array(z.string()),
});

/** Adds a provider or changes one. It is asked for its description before anything is kept. */
export function ProviderDialog({ was, onClose: leave }: ProviderDialogProps): ReactNode {
  const queries = useQueryClient();
  const first = { name: '', issuer: '', clientId: '', amr: [], acr: [], ...was, authority: '' };
  const [draft, change, onClose] = useDraftForm(`provider ${was?.id ?? ''}`, ProviderDraft, first, leave);
  const [clientSecret, setClientSecret] = useState('');
  const given: Given = { ...draft, clientSecret };
  const { amr, acr } = draft;
  const [tried, setTried] = useState(false);
  const { authority } = given;
  const wanted = wantedOf(was, given, { amr, acr });
  const wrong = new Set(wanted.success || !tried ? [] : wanted.error.issues.map((issue) => String(issue.path[0])));
  const add = useMutation({
    mutationFn: () =>
      was === undefined
        ? api.send('POST', '/api/providers', ProviderAnswer, wanted.data)
        : api.send('PUT', `/api/providers/${was.id}`, ProviderAnswer, wanted.data),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: providerList.queryKey });
      onClose();
    },
  });
  const type =
    (key: keyof Given) =>
    (event: { readonly currentTarget: { readonly value: string } }): void => {
      const { value } = event.currentTarget;
      if (key === 'clientSecret') setClientSecret(value);
      else change({ [key]: value });
    };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (wanted.success) add.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title={was === undefined ? 'Add a provider' : 'Change the provider'} size="lg">
      <form className="stack" onSubmit={submit} noValidate>
        <ClientFields given={given} wrong={wrong} type={type} changing={was !== undefined} />
        <ProofFields
          amr={amr}
          acr={acr}
          onAmr={(next) => change({ amr: next })}
          onAcr={(next) => change({ acr: next })}
        />
        <Textarea
          label="Certificate authority (PEM)"
          description={
            was?.ownAuthority === true
              ? 'One is kept; paste another to replace it.'
              : 'Only where the provider’s certificate is not from a public authority.'
          }
          minRows={2}
          value={authority}
          onChange={type('authority')}
        />
        {add.isError && <FailureNotice error={add.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending}>
            {was === undefined ? 'Add' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What is asked of the server: all of a new one; of one that is there, what may change. */
function wantedOf(
  was: ProviderEntry | undefined,
  { name, issuer, clientId, clientSecret, authority }: Given,
  proofs: { readonly amr: string[]; readonly acr: string[] },
) {
  const facts = { name, clientId, ...proofs, ...(authority.trim() === '' ? {} : { authority }) };
  if (was === undefined) return ProviderWanted.safeParse({ ...facts, issuer, clientSecret });
  return ProviderChange.safeParse({ ...facts, ...(clientSecret === '' ? {} : { clientSecret }) });
}

interface Given {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authority: string;
}

interface ClientFieldsProps {
  readonly given: Given;
  readonly wrong: ReadonlySet<string>;
  readonly type: (key: keyof Given) => (event: { readonly currentTarget: { readonly value: string } }) => void;
  readonly changing: boolean;
}

function ClientFields({ given, wrong, type, changing }: ClientFieldsProps): ReactNode {
  return (
    <>
      <TextInput
        data-autofocus
        label="Name"
        description="Shown on the sign-in page."
        value={given.name}
        error={wrong.has('name') ? 'Type a name.' : undefined}
        onChange={type('name')}
      />
      <TextInput
        label="Issuer"
        description={
          changing
            ? 'Accounts are linked by it, so it stays. Another issuer is another provider.'
            : 'Exactly as the provider names itself, for example https://sso.example.org/realms/health.'
        }
        disabled={changing}
        value={given.issuer}
        error={wrong.has('issuer') ? 'An address that starts with https:// is needed.' : undefined}
        onChange={type('issuer')}
      />
      <TextInput
        label="Client id"
        value={given.clientId}
        error={wrong.has('clientId') ? 'Type the client id.' : undefined}
        onChange={type('clientId')}
      />
      <PasswordInput
        label="Client secret"
        description={changing ? 'Leave empty to keep the one there is.' : 'Kept sealed and never shown again.'}
        autoComplete="off"
        value={given.clientSecret}
        error={wrong.has('clientSecret') ? 'Type the client secret.' : undefined}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the secret', tabIndex: 0 }}
        onChange={type('clientSecret')}
      />
    </>
  );
}

interface ProofFieldsProps {
  readonly amr: string[];
  readonly acr: string[];
  readonly onAmr: (values: string[]) => void;
  readonly onAcr: (values: string[]) => void;
}

function ProofFields({ amr, acr, onAmr, onAcr }: ProofFieldsProps): ReactNode {
  return (
    <>
      {/* Nothing is offered: a list that counts as open would keep the first Escape for itself. */}
      <TagsInput
        dropdownOpened={false}
        label="amr values that prove a second factor"
        description="For example mfa or otp. Leave empty to always ask for the second factor here."
        value={amr}
        onChange={onAmr}
      />
      <TagsInput dropdownOpened={false} label="acr values that prove a second factor" value={acr} onChange={onAcr} />
    </>
  );
}
