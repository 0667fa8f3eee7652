import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { z } from 'zod';
import {
  OrganisationAnswer,
  type OrganisationEntry,
  PermissionName,
} from '../../../features/identity/wire-organisations.ts';
import { OrganisationName } from '../../../features/identity/wire.ts';
import { PERMISSIONS, type Permission } from '../../../kernel/access.ts';
import { api } from '../../app/api.ts';
import { useDraftForm } from '../../app/draft-form.ts';
import { useMay } from '../../app/session.tsx';
import { plural } from '../../app/words.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Tag } from '../../ui/bits.tsx';
import { IconPlus, IconUsersGroup } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { SureDialog, type SureDialogProps } from '../../ui/sure-dialog.tsx';
import { Own } from '../../ui/text.tsx';
import { PeoplePlaces } from './people-places.tsx';
import { PermissionField } from './permission-field.tsx';
import { organisationPage, roleList } from './rights-queries.ts';
import './rights.css';

const columns: readonly Column<OrganisationEntry>[] = [
  { key: 'name', header: 'Name', width: 'minmax(12rem, 2fr)', phone: 'title', cell: (one) => <Own>{one.name}</Own> },
  {
    key: 'kind',
    header: 'Part in the programme',
    width: '13rem',
    phone: 'side',
    cell: (one) => (one.central ? <Tag tone="accent">central administration</Tag> : 'provider'),
  },
  {
    key: 'ceiling',
    header: 'Ceiling',
    width: 'minmax(10rem, 1fr)',
    phone: 'line',
    cell: (one) => ceilingWords(one),
  },
  { key: 'users', header: 'People', width: '7rem', align: 'end', phone: 'corner', cell: (one) => one.users },
];

function ceilingWords({ central, ceiling }: OrganisationEntry): string {
  if (central) return 'never capped';
  return ceiling === undefined ? 'none' : plural(ceiling.length, 'permission at most', 'permissions at most');
}

/** The organisations of the programme and what their people may at most. */
export function OrganisationsPage(): ReactNode {
  const may = useMay();
  const [text, setText] = useState('');
  const [state, setState] = useState<'active' | 'retired'>('active');
  const [after, setAfter] = useState(0);
  const [open, setOpen] = useState<OrganisationEntry | 'new'>();
  const [settled] = useDebouncedValue(text.trim(), 120);
  const list = useQuery(organisationPage({ text: settled, state, after }));
  const manages = may('organisation.manage');
  const rows = list.data?.organisations ?? [];
  return (
    <Page
      title="Organisations"
      sentence="The providers of the programme. Their people see their own clients and those shared with them; the central administration sees all."
      action={
        manages && (
          <Button leftSection={<IconPlus size={17} aria-hidden />} onClick={() => setOpen('new')}>
            Add an organisation
          </Button>
        )
      }
    >
      <PeoplePlaces />
      <Filters
        text={text}
        state={state}
        total={list.data?.total}
        onChange={(asked) => {
          setText(asked.text);
          setState(asked.state);
          setAfter(0);
        }}
      />
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={5} />}
      {list.isSuccess && rows.length === 0 && (
        <Empty
          icon={<IconUsersGroup size={24} />}
          title={text === '' ? 'None in this state' : 'No name has these words'}
        >
          <p>
            {state === 'retired'
              ? 'A retired organisation keeps its records and people; nobody has rights there.'
              : 'Try fewer letters.'}
          </p>
        </Empty>
      )}
      {rows.length > 0 && (
        <ListTable
          label="Organisations"
          columns={columns}
          rows={rows}
          total={list.data?.total}
          rowKey={(one) => one.id}
          renderOpen={(one, content) => (
            <button type="button" className="row-link" onClick={() => setOpen(one)} disabled={!manages}>
              {content}
            </button>
          )}
        />
      )}
      <Pager label="organisations" offset={after} page={100} total={list.data?.total ?? 0} onMove={setAfter} />
      {open !== undefined && (
        <OrganisationDialog entry={open === 'new' ? undefined : open} onClose={() => setOpen(undefined)} />
      )}
    </Page>
  );
}

interface Asked {
  readonly text: string;
  readonly state: 'active' | 'retired';
}

interface FiltersProps extends Asked {
  readonly total: number | undefined;
  readonly onChange: (asked: Asked) => void;
}

function Filters({ text, state, total, onChange }: FiltersProps): ReactNode {
  return (
    <div className="filters-row">
      <TextInput
        label="Find by name"
        value={text}
        onChange={(event) => onChange({ text: event.currentTarget.value, state })}
      />
      <Select
        label="Show"
        allowDeselect={false}
        value={state}
        data={[
          { value: 'active', label: 'at work' },
          { value: 'retired', label: 'retired' },
        ]}
        onChange={(value) => onChange({ text, state: value === 'retired' ? 'retired' : 'active' })}
      />
      {total !== undefined && (
        <p className="soft small" role="status">
          {plural(total, 'organisation', 'organisations')}
        </p>
      )}
    </div>
  );
}

function ItsPeople({ entry }: { readonly entry: OrganisationEntry }): ReactNode {
  return (
    <p>
      <Link to="/people" search={{ organisation: entry.id }}>
        {plural(entry.users, 'person belongs to it', 'people belong to it')}
      </Link>
    </p>
  );
}

const OrganisationDraft = z.object({ name: z.string(), ceiling: z.array(PermissionName).optional() });

function useOrganisationDraft(entry: OrganisationEntry | undefined, leave: () => void) {
  const { name = '', ceiling } = entry ?? {};
  return useDraftForm(`organisation ${entry?.id ?? ''}`, OrganisationDraft, { name, ceiling }, leave);
}

function OrganisationDialog({
  entry,
  onClose: leave,
}: {
  readonly entry: OrganisationEntry | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const roles = useQuery(roleList);
  const centralOnly = roles.data?.centralOnly ?? [];
  const offered = PERMISSIONS.filter((permission) => !centralOnly.includes(permission));
  const [{ name, ceiling }, change, onClose] = useOrganisationDraft(entry, leave);
  const [tried, setTried] = useState(false);
  const [retiring, setRetiring] = useState(false);
  const fits = OrganisationName.safeParse(name).success;
  const save = useSave(entry, { name, ceiling }, onClose);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (fits) save.mutate({});
  };
  return (
    <Dialog opened onClose={onClose} size="lg" title={entry === undefined ? 'Add an organisation' : 'Organisation'}>
      <form className="stack" onSubmit={submit} noValidate>
        <TextInput
          data-autofocus
          label="Name"
          value={name}
          maxLength={160}
          error={tried && !fits ? 'Type a name.' : undefined}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        {entry !== undefined && entry.users > 0 && <ItsPeople entry={entry} />}
        <CentralOrCeiling
          central={entry?.central === true}
          ceiling={ceiling}
          offered={offered}
          onChange={(next) => change({ ceiling: next && [...next] })}
        />
        {save.isError && <FailureNotice error={save.error} focus />}
        <div className="dialog-actions">
          {entry !== undefined && !entry.central && (
            <Button
              variant="default"
              color="red"
              loading={save.isPending}
              onClick={() => (entry.retiredAt === undefined ? setRetiring(true) : save.mutate({ retired: false }))}
            >
              {entry.retiredAt === undefined ? 'Retire' : 'Restore'}
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
      {retiring && entry !== undefined && (
        <RetireQuestion
          entry={entry}
          busy={save.isPending}
          error={save.error}
          onClose={() => setRetiring(false)}
          onSure={() => save.mutate({ retired: true })}
        />
      )}
    </Dialog>
  );
}

type QuestionProps = Pick<SureDialogProps, 'busy' | 'error' | 'onClose' | 'onSure'> & {
  readonly entry: OrganisationEntry;
};

function RetireQuestion({ entry, ...rest }: QuestionProps): ReactNode {
  return (
    <SureDialog title="Retire this organisation" confirm="Retire it" {...rest}>
      <p>
        <Own strong>{entry.name}</Own> keeps its records, and {plural(entry.users, 'person stays', 'people stay')} in
        the list, but nobody has rights there from the next request on. You can restore it.
      </p>
    </SureDialog>
  );
}

function CentralOrCeiling({
  central,
  ceiling,
  offered,
  onChange,
}: {
  readonly central: boolean;
  /** Undefined: not capped. */
  readonly ceiling: readonly Permission[] | undefined;
  readonly offered: readonly Permission[];
  readonly onChange: (ceiling: readonly Permission[] | undefined) => void;
}): ReactNode {
  const [last, setLast] = useState(ceiling ?? offered);
  if (central)
    return (
      <p className="soft">The central administration has no ceiling and is never retired: nobody could undo it.</p>
    );
  const change = (next: readonly Permission[]): void => {
    setLast(next);
    onChange(next);
  };
  return (
    <>
      <Checkbox
        label="Cap what its people may"
        description="The ceiling counts for everybody there, whatever roles they hold."
        checked={ceiling !== undefined}
        onChange={(event) => onChange(event.currentTarget.checked ? last : undefined)}
      />
      {ceiling !== undefined && <PermissionField label="At most" value={ceiling} onChange={change} offered={offered} />}
    </>
  );
}

function useSave(
  entry: OrganisationEntry | undefined,
  wanted: { readonly name: string; readonly ceiling: readonly Permission[] | undefined },
  onClose: () => void,
) {
  const queries = useQueryClient();
  const { name, ceiling } = wanted;
  return useMutation({
    mutationFn: (more: { retired?: boolean }) => {
      if (entry === undefined) return api.send('POST', '/api/organisations', OrganisationAnswer, wanted);
      const change = entry.central ? { name } : { name, ceiling: ceiling ?? null, ...more };
      return api.send('PUT', `/api/organisations/${entry.id}`, OrganisationAnswer, change);
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['organisations'] });
      onClose();
    },
  });
}
