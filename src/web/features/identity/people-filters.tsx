import { Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { STORED_USER_STATES, type StoredUserState } from '../../../features/identity/wire.ts';
import { plural } from '../../app/words.ts';
import { OrganisationChoice } from './organisation-choice.tsx';
import { organisationPage } from './rights-queries.ts';

/** What stays in the address while somebody's account is opened and closed. */
export interface Kept {
  readonly state?: StoredUserState;
  readonly organisation?: string;
}

export interface PeopleFiltersProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly kept: Kept;
  readonly onKept: (kept: Kept) => void;
  readonly total: number | undefined;
  /** Names of organisations that the people listed belong to, by id. */
  readonly names: ReadonlyMap<string, string>;
}

const STATES: readonly { readonly value: StoredUserState | ''; readonly label: string }[] = [
  { value: '', label: 'everybody' },
  ...STORED_USER_STATES.map((value) => ({ value, label: value })),
];

/** Finds people by words, state and organisation, and says how many there are. */
export function PeopleFilters({ text, onText, kept, onKept, total, names }: PeopleFiltersProps): ReactNode {
  const { state, organisation, ...others } = kept;
  const first = useQuery(organisationPage({ text: '', state: 'active', after: 0 }));
  const several = (first.data?.total ?? 0) > 1;
  const name = organisation === undefined ? undefined : names.get(organisation);
  return (
    <div className="filters-row">
      <TextInput label="Find by name or e-mail" value={text} onChange={(event) => onText(event.currentTarget.value)} />
      <Select
        label="Show"
        allowDeselect={false}
        value={state ?? ''}
        data={STATES}
        onChange={(value) => {
          const next = STORED_USER_STATES.find((one) => one === value);
          onKept({ ...others, ...(organisation ? { organisation } : {}), ...(next ? { state: next } : {}) });
        }}
      />
      {several && (
        <OrganisationChoice
          label="In which organisation"
          placeholder="Everywhere"
          value={organisation}
          {...(organisation === undefined || name === undefined ? {} : { first: { id: organisation, name } })}
          onChange={(next) =>
            onKept({ ...others, ...(state ? { state } : {}), ...(next ? { organisation: next } : {}) })
          }
        />
      )}
      {total !== undefined && (
        <p className="soft small" role="status">
          {plural(total, 'person', 'people')}
        </p>
      )}
    </div>
  );
}
