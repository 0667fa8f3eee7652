import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { UserAnswer } from '../../../features/identity/wire.ts';
import { FactorsAnswer } from '../../../features/identity/wire-factors.ts';
import { UserSessionsAnswer } from '../../../features/identity/wire-policy.ts';
import { api } from '../../app/api.ts';
import { Facts } from '../../ui/bits.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Ago, Own } from '../../ui/text.tsx';
import { deviceWords } from './user-agent.ts';

/** What an administrator sees of somebody's sign-in: what they have, and where they are signed in. */
export function PersonSignIn({ userId }: { readonly userId: string }): ReactNode {
  const queries = useQueryClient();
  const key = ['users', userId, 'sign-in'];
  const factors = useQuery({
    queryKey: [...key, 'factors'],
    queryFn: ({ signal }) => api.get(`/api/users/${userId}/factors`, FactorsAnswer, { signal }),
  });
  const sessions = useQuery({
    queryKey: [...key, 'sessions'],
    queryFn: ({ signal }) => api.get(`/api/users/${userId}/sessions`, UserSessionsAnswer, { signal }),
    refetchOnMount: 'always',
  });
  const end = useMutation({
    mutationFn: () => api.send('POST', `/api/users/${userId}/sessions-end`, UserAnswer),
    onSuccess: () => queries.invalidateQueries({ queryKey: key }),
  });
  const error = factors.error ?? sessions.error ?? end.error;
  return (
    <section className="person-roles" aria-label="Sign-in">
      {error !== null && <FailureNotice error={error} />}
      {factors.data && (
        <Facts
          facts={[
            [
              'Factors',
              <div key="factors">
                {namesOf(factors.data).length === 0
                  ? 'none'
                  : namesOf(factors.data).map(({ id, name }) => (
                      <div key={id}>
                        <Own>{name}</Own>
                      </div>
                    ))}
              </div>,
            ],
            ['Recovery codes', `${factors.data.recoveryCodesLeft} left`],
            ['Trusted devices', String(factors.data.trustedDevices.length)],
          ]}
        />
      )}
      {sessions.data && (
        <>
          <ul className="sessions">
            {sessions.data.sessions.map((one) => (
              <li key={one.id}>
                <div>
                  <strong>{deviceWords(one.userAgent)}</strong>
                  <div className="soft small">
                    {one.address !== undefined && `${one.address}, `}last seen <Ago iso={one.lastSeenAt} />
                  </div>
                </div>
              </li>
            ))}
          </ul>
          <div className="row">
            <Button
              variant="default"
              size="xs"
              loading={end.isPending}
              disabled={sessions.data.sessions.length === 0}
              onClick={() => end.mutate()}
            >
              {sessions.data.sessions.length === 0 ? 'Signed in nowhere' : 'End all sessions'}
            </Button>
          </div>
        </>
      )}
    </section>
  );
}

const namesOf = (factors: FactorsAnswer | undefined) => [
  ...(factors?.authenticators ?? []),
  ...(factors?.passkeys ?? []),
];
