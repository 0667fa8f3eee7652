import { Button, Menu, Modal, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../../app/api.ts';
import { IconX } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { savedSearches } from './report-queries.ts';

export interface SavedSearchesProps {
  readonly filters: Readonly<Record<string, string | undefined>>;
  readonly onOpen: (filters: Record<string, string>) => void;
}

/** Filters kept under a name; everybody has their own. */
export function SavedSearches({ filters, onOpen }: SavedSearchesProps): ReactNode {
  const saved = useQuery(savedSearches);
  const queries = useQueryClient();
  const [naming, setNaming] = useState(false);
  const remove = useMutation({
    mutationFn: (id: string) => api.act('DELETE', `/api/audit/searches/${id}`),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['audit', 'saved'] }),
  });
  const searches = saved.data?.searches ?? [];
  const any = Object.values(filters).some((value) => value !== undefined);
  return (
    <>
      <Menu position="bottom-end" width={280} withinPortal>
        <Menu.Target>
          <Button variant="default" size="xs">
            Saved searches
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {searches.length === 0 && <Menu.Label>None yet. Choose filters, then keep them here.</Menu.Label>}
          {searches.map((search) => (
            <Menu.Item key={search.id} onClick={() => onOpen(search.filters)}>
              {search.name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item disabled={!any} onClick={() => setNaming(true)}>
            Keep these filters
          </Menu.Item>
          {searches.map((search) => (
            <Menu.Item
              key={search.id}
              leftSection={<IconX size={15} aria-hidden />}
              closeMenuOnClick={false}
              onClick={() => remove.mutate(search.id)}
            >
              Remove “{search.name}”
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {remove.isError && <FailureNotice error={remove.error} focus />}
      {naming && <NameDialog filters={filters} onClose={() => setNaming(false)} />}
    </>
  );
}

function NameDialog({
  filters,
  onClose,
}: Pick<SavedSearchesProps, 'filters'> & { readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
  const save = useMutation({
    mutationFn: () => api.act('POST', '/api/audit/searches', { name, filters: given }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['audit', 'saved'] });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title="Keep these filters" size="sm">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <TextInput
          data-autofocus
          label="Name"
          required
          withAsterisk={false}
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {save.isError && <FailureNotice error={save.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={name.trim() === ''}>
            Keep
          </Button>
        </div>
      </form>
    </Modal>
  );
}
