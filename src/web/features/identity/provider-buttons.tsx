import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { VisitAnswer } from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { providerChoices } from './rights-queries.ts';

/** "Sign in with …", where the programme has identity providers. */
export function ProviderButtons(): ReactNode {
  const choices = useQuery(providerChoices);
  const go = useMutation({
    mutationFn: (providerId: string) =>
      api.send('POST', '/api/sign-in/provider', VisitAnswer, { providerId }, { signingIn: true }),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  const offered = choices.data?.providers ?? [];
  if (offered.length === 0) return null;
  return (
    <>
      {go.isError && <FailureNotice error={go.error} focus />}
      {offered.map(({ id, name }) => (
        <Button
          key={id}
          type="button"
          variant="default"
          size="md"
          fullWidth
          loading={go.isPending && go.variables === id}
          onClick={() => go.mutate(id)}
        >
          Sign in with {name}
        </Button>
      ))}
    </>
  );
}
