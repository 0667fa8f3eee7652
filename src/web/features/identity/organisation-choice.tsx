import type { ReactNode } from 'react';
import { OrganisationsAnswer } from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { LookUp, type LookUpProps } from '../../ui/look-up.tsx';

export interface OrganisationChoiceProps
  extends Pick<LookUpProps, 'label' | 'value' | 'onChange' | 'error' | 'placeholder'> {
  /** Not offered. */
  readonly without?: readonly string[];
  /** Chosen from the beginning. */
  readonly first?: { readonly id: string; readonly name: string };
}

/** One organisation among those one administers, found by a few letters. */
export function OrganisationChoice({ without = [], first, ...props }: OrganisationChoiceProps): ReactNode {
  return (
    <LookUp
      {...props}
      search={(letters) => searchOrganisations(letters, without)}
      nothing="No organisation of this name"
      {...(first === undefined ? {} : { first: { value: first.id, label: first.name } })}
    />
  );
}

function searchOrganisations(text: string, without: readonly string[]): ReturnType<LookUpProps['search']> {
  const asked = { text, state: 'active', after: 0 };
  return {
    queryKey: ['organisations', 'choice', text, without],
    queryFn: async ({ signal }) => {
      const answer = await api.send('POST', '/api/organisations/search', OrganisationsAnswer, asked, { signal });
      return answer.organisations
        .filter(({ id }) => !without.includes(id))
        .map(({ id, name }) => ({ value: id, label: name }));
    },
  };
}
