import { Button, Modal, PasswordInput, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import {
  ProviderAnswer,
  ProviderChange,
  type ProviderEntry,
  ProviderWanted,
} from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { plural } from '../../app/words.ts';
import { Exact } from '../../ui/bits.tsx';
import { IconKey, IconPlus } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Own } from '../../ui/text.tsx';
import { PeoplePlaces } from './people-places.tsx';
import { providerList } from './rights-queries.ts';

/** Identity providers from which people may sign in. */
export function ProvidersPage(): ReactNode {
  const queries = useQueryClient();
  const [asking, setAsking] = useState<'new' | ProviderEntry>();
  const list = useQuery(providerList);
  const retire = useMutation({
    mutationFn: (id: string) => api.act('DELETE', `/api/providers/${id}`),
    onSuccess: () => queries.invalidateQueries({ queryKey: providerList.queryKey }),
  });
  return (
    <Page
      title="Identity providers"
      sentence="Let people sign in from an OpenID Connect provider. An account is opened by the identity that was linked with it, never by a name or an e-mail address."
      above={<PeoplePlaces />}
      width="reading"
      action={
        <Button leftSection={<IconPlus size={17} aria-hidden />} onClick={() => setAsking('new')}>
          Add a provider
        </Button>
      }
    >
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {retire.isError && <FailureNotice error={retire.error} focus />}
      {list.isPending && <ListSkeleton rows={2} />}
      {list.isSuccess && list.data.providers.length === 0 && (
        <Empty icon={<IconKey size={24} />} title="None yet">
          <p>
            Register Careseal at your provider as a confidential client with the code flow, then add it here with its
            issuer, client id and secret.
          </p>
        </Empty>
      )}
      <ul className="cards">
        {list.data?.providers.map((one) => (
          <li key={one.id}>
            <div>
              <h2>
                <Own>{one.name}</Own>
              </h2>
              <p className="small">{one.issuer}</p>
              <p className="soft small">
                {plural(one.linked, 'account linked', 'accounts linked')};{' '}
                {one.amr.length + one.acr.length === 0
                  ? 'a second factor is always asked for here'
                  : `a second factor is proved by ${[...one.amr, ...one.acr].join(', ')}`}
              </p>
              <p className="soft small">Address to which it sends people back:</p>
              <Exact text={one.redirectUri} what="the address" />
            </div>
            <Button variant="default" size="xs" aria-label={`Change ${one.name}`} onClick={() => setAsking(one)}>
              Change
            </Button>
            <Button
              variant="default"
              size="xs"
              color="red"
              aria-label={`Take out of use: ${one.name}`}
              loading={retire.isPending}
              onClick={() => retire.mutate(one.id)}
            >
              Take out of use
            </Button>
          </li>
        ))}
      </ul>
      {asking !== undefined && (
        <ProviderDialog was={asking === 'new' ? undefined : asking} onClose={() => setAsking(undefined)} />
      )}
    </Page>
  );
}

interface ProviderDialogProps {
  /** The one to be changed; undefined: a new one. */
  readonly was: ProviderEntry | undefined;
  readonly onClose: () => void;
}

function ProviderDialog({ was, onClose }: ProviderDialogProps): ReactNode {
  const queries = useQueryClient();
  const [given, setGiven] = useState<Given>({
    name: '',
    issuer: '',
    clientId: '',
    ...was,
    clientSecret: '',
    authority: '',
  });
  const [amr, setAmr] = useState<string[]>(was?.amr ?? []);
  const [acr, setAcr] = useState<string[]>(was?.acr ?? []);
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
      setGiven((before) => ({ ...before, [key]: value }));
    };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (wanted.success) add.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={was === undefined ? 'Add a provider' : 'Change the provider'} size="lg">
      <form className="stack" onSubmit={submit} noValidate>
        <ClientFields given={given} wrong={wrong} type={type} changing={was !== undefined} />
        <ProofFields amr={amr} acr={acr} onAmr={setAmr} onAcr={setAcr} />
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
    </Modal>
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
      <TagsInput
        label="amr values that prove a second factor"
        description="For example mfa or otp. Leave empty to always ask for the second factor here."
        value={amr}
        onChange={onAmr}
      />
      <TagsInput label="acr values that prove a second factor" value={acr} onChange={onAcr} />
    </>
  );
}
