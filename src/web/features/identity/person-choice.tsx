import type { ReactNode } from 'react';
import { UsersAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { LookUp, type LookUpProps } from '../../ui/look-up.tsx';

export type PersonChoiceProps = Pick<LookUpProps, 'label' | 'value' | 'onChange'>;

/** One person, found by a few letters of the name or address. */
export function PersonChoice(props: PersonChoiceProps): ReactNode {
  return <LookUp {...props} search={searchPeople} nothing="Nobody of this name" />;
}

const searchPeople: LookUpProps['search'] = (letters) => ({
  queryKey: ['users', 'choice', letters],
  queryFn: async ({ signal }) => {
    const { users } =
      letters === ''
        ? await api.get('/api/users', UsersAnswer, { signal })
        : await api.send('POST', '/api/users/search', UsersAnswer, { text: letters }, { signal });
    return users.map(({ id, name, email }) => ({ value: id, label: `${name}, ${email}` }));
  },
});
