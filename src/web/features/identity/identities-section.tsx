import { Button, Group } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { type IdentitiesAnswer, VisitAnswer } from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Ago, Moment, Own } from '../../ui/text.tsx';
import { identityList, providerChoices } from './rights-queries.ts';
import './rights.css';

/** Identities elsewhere by which one signs in here; shown where the programme has providers. */
export function IdentitiesSection(): ReactNode {
  const queries = useQueryClient();
  const choices = useQuery(providerChoices);
  const list = useQuery(identityList);
  const link = useMutation({
    mutationFn: (providerId: string) => api.send('POST', '/api/identities', VisitAnswer, { providerId }),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  const unlink = useMutation({
    mutationFn: (id: string) => api.act('DELETE', `/api/identities/${id}`),
    onSuccess: () => queries.invalidateQueries({ queryKey: identityList.queryKey }),
  });
  const confirm = useMutation({
    mutationFn: (id: string) => api.act('POST', `/api/identities/${id}/confirm`),
    onSuccess: () => queries.invalidateQueries({ queryKey: identityList.queryKey }),
  });
  const linked = list.data?.identities ?? [];
  const offered = (choices.data?.providers ?? []).filter(
    (one) => !linked.some(({ provider }) => provider.id === one.id),
  );
  if (linked.length === 0 && offered.length === 0) return null;
  return (
    <Section title="Sign-in from elsewhere" note="Link your identity at a provider to sign in with it here.">
      {(link.isError || unlink.isError || confirm.isError) && (
        <FailureNotice error={link.error ?? unlink.error ?? confirm.error} focus />
      )}
      <ul className="cards">
        {linked.map((one) => (
          <Linked
            key={one.id}
            one={one}
            busy={confirm.isPending || unlink.isPending}
            onConfirm={() => confirm.mutate(one.id)}
            onUnlink={() => unlink.mutate(one.id)}
          />
        ))}
        {offered.map((one) => (
          <li key={one.id}>
            <div>
              <Own>{one.name}</Own> <span className="soft small">not linked</span>
            </div>
            <Button
              variant="default"
              size="xs"
              aria-label={`Link: ${one.name}`}
              loading={link.isPending}
              onClick={() => link.mutate(one.id)}
            >
              Link
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

interface LinkedProps {
  readonly one: IdentitiesAnswer['identities'][number];
  readonly busy: boolean;
  readonly onConfirm: () => void;
  readonly onUnlink: () => void;
}

function Linked({ one, busy, onConfirm, onUnlink }: LinkedProps): ReactNode {
  return (
    <li>
      <div>
        <strong>
          <Own>{one.provider.name}</Own>
        </strong>
        <div className="soft small">
          linked <Moment iso={one.linkedAt} />
          {one.lastUsedAt !== undefined && (
            <>
              , last used <Ago iso={one.lastUsedAt} />
            </>
          )}
        </div>
        {one.waits && (
          <div className="small">
            This came through an administrator’s link and opens nothing until you confirm it. Confirm it only if you
            went through that link yourself.
          </div>
        )}
      </div>
      <Group gap="xs">
        {one.waits && (
          <Button size="xs" aria-label={`Confirm: ${one.provider.name}`} loading={busy} onClick={onConfirm}>
            Confirm
          </Button>
        )}
        <Button
          variant="default"
          size="xs"
          aria-label={`${one.waits ? 'Remove' : 'Unlink'}: ${one.provider.name}`}
          loading={busy}
          onClick={onUnlink}
        >
          {one.waits ? 'Remove' : 'Unlink'}
        </Button>
      </Group>
    </li>
  );
}
