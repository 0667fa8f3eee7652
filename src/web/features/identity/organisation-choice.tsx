import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { LookUp, type LookUpProps } from './look-up.tsx';
import { organisationPage } from './rights-queries.ts';

export interface OrganisationChoiceProps extends Pick<LookUpProps, 'label' | 'value' | 'onChange' | 'error'> {
  /** Not offered. */
  readonly without?: readonly string[];
  /** Chosen from the beginning. */
  readonly first?: { readonly id: string; readonly name: string };
}

/** One organisation among those one administers, found by a few letters. */
export function OrganisationChoice({ without = [], first, ...props }: OrganisationChoiceProps): ReactNode {
  const useOthers: LookUpProps['useFound'] = (letters) => {
    const found = useOrganisations(letters);
    return { ...found, choices: found.choices.filter(({ value }) => !without.includes(value)) };
  };
  return (
    <LookUp
      {...props}
      useFound={useOthers}
      nothing="No organisation of this name"
      {...(first === undefined ? {} : { first: { value: first.id, label: first.name } })}
    />
  );
}

function useOrganisations(letters: string): ReturnType<LookUpProps['useFound']> {
  const found = useQuery(organisationPage({ text: letters, state: 'active', after: 0 }));
  const organisations = found.data?.organisations ?? [];
  return {
    pending: found.isPending || found.isPlaceholderData,
    choices: organisations.map(({ id, name }) => ({ value: id, label: name })),
  };
}
