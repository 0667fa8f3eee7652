import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { UsersAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { LookUp, type LookUpProps } from './look-up.tsx';

export type PersonChoiceProps = Pick<LookUpProps, 'label' | 'value' | 'onChange'>;

/** One person, found by a few letters of the name or address. */
export function PersonChoice(props: PersonChoiceProps): ReactNode {
  return <LookUp {...props} useFound={usePeople} nothing="Nobody of this name" />;
}

function usePeople(letters: string): ReturnType<LookUpProps['useFound']> {
  const found = useQuery({
    queryKey: ['users', 'choice', letters],
    queryFn: ({ signal }) =>
      letters === ''
        ? api.get('/api/users', UsersAnswer, { signal })
        : api.send('POST', '/api/users/search', UsersAnswer, { text: letters }, { signal }),
  });
  const users = found.data?.users ?? [];
  return {
    pending: found.isPending,
    choices: users.map(({ id, name, email }) => ({ value: id, label: `${name}, ${email}` })),
  };
}
