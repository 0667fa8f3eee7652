import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { TokensAnswer } from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { TokenWords } from './token-words.tsx';

/** Tokens of somebody's scripts, for who administers them: what each may, when it was used, and its end. */
export function PersonTokens({ userId }: { readonly userId: string }): ReactNode {
  const queries = useQueryClient();
  const queryKey = ['users', userId, 'tokens'];
  const path = `/api/users/${userId}/personal-tokens`;
  const list = useQuery({
    queryKey,
    queryFn: ({ signal }) => api.get(path, TokensAnswer, { signal }),
    refetchOnMount: 'always',
  });
  const end = useMutation({
    mutationFn: (id: string) => api.act('DELETE', `${path}/${id}`),
    onSuccess: () => queries.invalidateQueries({ queryKey }),
  });
  const living = list.data?.tokens.filter((one) => one.state === 'active') ?? [];
  const error = list.error ?? end.error;
  if (error === null && living.length === 0) return null;
  return (
    <section className="person-roles" aria-label="Tokens for scripts">
      <h3>Tokens for scripts</h3>
      {error !== null && <FailureNotice error={error} />}
      <ul className="sessions">
        {living.map((one) => (
          <li key={one.id}>
            <TokenWords token={one} />
            <Button
              variant="default"
              size="xs"
              loading={end.isPending && end.variables === one.id}
              onClick={() => end.mutate(one.id)}
              aria-label={`End it: the token ${one.label}`}
            >
              End it
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
