import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ProviderCheckAnswer, type ProviderEntry } from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { plural } from '../../app/words.ts';
import { Exact } from '../../ui/bits.tsx';
import { IconKey, IconPlus } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { Empty, FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { SureDialog } from '../../ui/sure-dialog.tsx';
import { Own } from '../../ui/text.tsx';
import { PeoplePlaces } from './people-places.tsx';
import { ProviderDialog } from './provider-dialog.tsx';
import { providerList } from './rights-queries.ts';
import './rights.css';

/** Identity providers from which people may sign in. */
export function ProvidersPage(): ReactNode {
  const [asking, setAsking] = useState<'new' | ProviderEntry>();
  const list = useQuery(providerList);
  return (
    <Page
      title="Identity providers"
      sentence="Let people sign in from an OpenID Connect provider. An account is opened by the identity that was linked with it, never by a name or an e-mail address."
      width="reading"
      action={
        <Button leftSection={<IconPlus size={17} aria-hidden />} onClick={() => setAsking('new')}>
          Add a provider
        </Button>
      }
    >
      <PeoplePlaces />
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={2} />}
      {list.isSuccess && list.data.providers.length === 0 && (
        <Empty icon={<IconKey size={24} />} title="None yet">
          <p>
            Register Careseal at your provider as a confidential client with the code flow, then add it here with its
            issuer, client id and secret. It sends people back to this address:
          </p>
          <Exact text={`${window.location.origin}/sign-in/return`} what="the address" />
        </Empty>
      )}
      <ul className="cards">
        {list.data?.providers.map((one) => (
          <Card key={one.id} one={one} onChange={() => setAsking(one)} />
        ))}
      </ul>
      {asking !== undefined && (
        <ProviderDialog was={asking === 'new' ? undefined : asking} onClose={() => setAsking(undefined)} />
      )}
    </Page>
  );
}

function Card({ one, onChange }: { readonly one: ProviderEntry; readonly onChange: () => void }): ReactNode {
  const [ending, setEnding] = useState(false);
  const check = useMutation({
    mutationFn: () => api.send('POST', `/api/providers/${one.id}/check`, ProviderCheckAnswer),
  });
  return (
    <li>
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
        {check.isError && <FailureNotice error={check.error} focus />}
        {check.isSuccess && (
          <Notice tone="done" live title="It answers">
            <p>
              People who choose it are sent to <code>{check.data.signInUrl}</code>. Whether it knows the client id and
              secret shows at the first sign-in: link your own account and try.
            </p>
          </Notice>
        )}
      </div>
      <div className="row">
        <Button
          variant="default"
          size="xs"
          aria-label={`Test ${one.name}`}
          loading={check.isPending}
          onClick={() => check.mutate()}
        >
          Test
        </Button>
        <Button variant="default" size="xs" aria-label={`Change ${one.name}`} onClick={onChange}>
          Change
        </Button>
        <Button
          variant="default"
          size="xs"
          color="red"
          aria-label={`Take out of use: ${one.name}`}
          onClick={() => setEnding(true)}
        >
          Take out of use
        </Button>
      </div>
      {ending && <EndDialog one={one} onClose={() => setEnding(false)} />}
    </li>
  );
}

function EndDialog({ one, onClose }: { readonly one: ProviderEntry; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const retire = useMutation({
    mutationFn: () => api.act('DELETE', `/api/providers/${one.id}`),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: providerList.queryKey });
    },
  });
  return (
    <SureDialog
      title="Take this provider out of use"
      confirm="Take it out of use"
      busy={retire.isPending}
      error={retire.error}
      onClose={onClose}
      onSure={() => retire.mutate()}
    >
      <p>
        Nobody can sign in from <Own strong>{one.name}</Own> any more
        {one.linked > 0 && `: ${plural(one.linked, 'account is', 'accounts are')} linked with it`}. Whoever also has a
        password signs in with that. Added again with the same issuer, it finds the links it had.
      </p>
    </SureDialog>
  );
}
