import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { UsersAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';

export interface PersonChoiceProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (id: string | undefined) => void;
}

/** One person, found by a few letters of the name or address; the server looks, so ten thousand are no matter. */
export function PersonChoice({ label, value, onChange }: PersonChoiceProps): ReactNode {
  const [text, setText] = useState('');
  const found = useQuery({
    queryKey: ['users', 'choice', text],
    queryFn: ({ signal }) =>
      text.trim() === ''
        ? api.get('/api/users', UsersAnswer, { signal })
        : api.send('POST', '/api/users/search', UsersAnswer, { text }, { signal }),
    placeholderData: (before) => before,
  });
  return (
    <Select
      label={label}
      searchable
      clearable
      placeholder="Type a name"
      nothingFoundMessage="Nobody of this name"
      filter={({ options }) => options}
      onSearchChange={setText}
      data={(found.data?.users ?? [])
        .slice(0, 30)
        .map(({ id, name, email }) => ({ value: id, label: `${name}, ${email}` }))}
      value={value ?? null}
      onChange={(id) => onChange(id ?? undefined)}
    />
  );
}
