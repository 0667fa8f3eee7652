import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { organisationPage } from './rights-queries.ts';

export interface OrganisationChoiceProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (id: string | undefined) => void;
  /** Not offered. */
  readonly without?: readonly string[];
}

/** One organisation among those one administers, found by a few letters; the server looks, so five hundred are no matter. */
export function OrganisationChoice({ label, value, onChange, without = [] }: OrganisationChoiceProps): ReactNode {
  const [text, setText] = useState('');
  const found = useQuery(organisationPage({ text, state: 'active', after: 0 }));
  const offered = (found.data?.organisations ?? []).filter(({ id }) => !without.includes(id));
  return (
    <Select
      label={label}
      searchable
      clearable
      placeholder="Type a name"
      nothingFoundMessage="No organisation of this name"
      filter={({ options }) => options}
      onSearchChange={setText}
      data={offered.slice(0, 30).map(({ id, name }) => ({ value: id, label: name }))}
      value={value ?? null}
      onChange={(id) => onChange(id ?? undefined)}
    />
  );
}
