import { Button, CloseButton, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useCallback, useMemo, useRef, useState } from 'react';
import type { ClientSearchReply, ClientSummary } from '../../../features/registry/wire.ts';
import { useDraft } from '../../app/drafts.ts';
import { useKeys } from '../../app/keys.ts';
import { useMay, useSession } from '../../app/session.tsx';
import { GENDER_WORDS, plural } from '../../app/words.ts';
import { Key, Tag } from '../../ui/bits.tsx';
import { IconFileUpload, IconSearch, IconUsersGroup } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Ago, CalendarDate, Own } from '../../ui/text.tsx';
import { clientList } from './client-queries.ts';

const EmergencyDialog = lazy(async () => ({
  default: (await import('../identity/emergencies-page.tsx')).EmergencyDialog,
}));

const columns: readonly Column<ClientSummary>[] = [
  {
    key: 'name',
    header: 'Name',
    width: 'minmax(10rem, 2.2fr)',
    phone: 'title',
    cell: (client) => <Own>{client.name === '' ? '(no name)' : client.name}</Own>,
  },
  {
    key: 'born',
    header: 'Born',
    width: '7.5rem',
    phone: 'line',
    cell: (client) => (
      <>
        {client.birthDate === undefined ? <span className="soft">—</span> : <CalendarDate iso={client.birthDate} />}
        <span className="phone-only">
          {client.gender !== undefined && ` · ${GENDER_WORDS[client.gender] ?? client.gender}`}
        </span>
      </>
    ),
  },
  {
    key: 'gender',
    header: 'Sex',
    wideOnly: true,
    width: '5rem',
    cell: (client) =>
      client.gender === undefined ? <span className="soft">—</span> : (GENDER_WORDS[client.gender] ?? client.gender),
  },
  {
    key: 'identifiers',
    header: 'Identifiers',
    width: 'minmax(8rem, 2fr)',
    cell: (client) => <Identifiers client={client} />,
  },
  {
    key: 'sources',
    header: 'Records',
    width: '4.5rem',
    align: 'end',
    phone: 'side',
    cell: (client) => (
      <>
        {client.sources}
        <span className="phone-only"> {client.sources === 1 ? 'record' : 'records'}</span>
      </>
    ),
  },
  {
    key: 'changed',
    header: 'Changed',
    width: '8.5rem',
    phone: 'corner',
    cell: (client) => (client.active ? <Ago iso={client.updatedAt} /> : <Tag tone="quiet">not active</Tag>),
  },
];

function Identifiers({ client }: { readonly client: ClientSummary }): ReactNode {
  const [first, ...others] = client.identifiers;
  if (!first) return <span className="soft">—</span>;
  const all = client.identifiers.map((identifier) => `${identifier.label} ${identifier.value}`).join('\n');
  return (
    <span title={all}>
      <span className="soft">{first.label}</span> <Own>{first.value}</Own>
      {others.length > 0 && <span className="soft"> +{others.length}</span>}
    </span>
  );
}

/** For who cannot find somebody in an emergency. Central people reach everybody as it is. */
function EmergencyButton(): ReactNode {
  const session = useSession();
  const may = useMay();
  const [open, setOpen] = useState(false);
  if (!may('client.break-glass') || session.user.organisation.central || session.emergency) return null;
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        Emergency
      </Button>
      {open && (
        <Suspense fallback={null}>
          <EmergencyDialog onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

/** Find a person while typing. What is typed stays in this page's memory and in no address. */
export function ClientsPage(): ReactNode {
  const may = useMay();
  const [text, setText] = useDraft('clients.search');
  const [settled] = useDebouncedValue(text.trim(), 80);
  const list = useInfiniteQuery({ ...clientList(settled), placeholderData: (before) => before });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.clients) ?? [], [list.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const first = list.data?.pages[0];
  const nobody = first !== undefined && rows.length === 0;
  const { central } = useSession().user.organisation;
  return (
    <Page
      title="Clients"
      sentence={
        central
          ? 'Every person once, with all records that systems and files sent about them.'
          : 'Your organisation’s clients and those shared with it, every person once.'
      }
      action={
        may('client.load') && (
          <Button
            component={Link}
            to="/load/new"
            variant={nobody && settled === '' ? 'filled' : 'default'}
            leftSection={<IconFileUpload size={17} aria-hidden />}
          >
            Load a file
          </Button>
        )
      }
    >
      <div className="filters">
        <SearchField text={text} onChange={setText} />
        <EmergencyButton />
        <p className="filters-count" role="status">
          {first !== undefined && !list.isPlaceholderData && countText(first, settled)}
        </p>
      </div>
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={10} />}
      {nobody && (settled === '' ? <NoClients mayLoad={may('client.load')} /> : <NothingFound />)}
      {rows.length > 0 && (
        <ListTable
          label="Clients"
          columns={columns}
          rows={rows}
          rowKey={(client) => client.id}
          total={first?.totalIsAtLeast ? undefined : first?.total}
          renderOpen={(client, content) => (
            <Link to="/clients/$id" params={{ id: client.id }} className="row-link">
              {content}
            </Link>
          )}
          onEnd={onEnd}
          loadingMore={list.isFetchingNextPage}
        />
      )}
    </Page>
  );
}

interface SearchFieldProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
}

function SearchField({ text, onChange }: SearchFieldProps): ReactNode {
  const field = useRef<HTMLInputElement>(null);
  useKeys({ f: () => field.current?.focus() });
  return (
    <TextInput
      ref={field}
      className="search-field"
      size="md"
      type="text"
      aria-label="Search clients"
      placeholder="Name, birth date, identifier or telephone"
      autoComplete="off"
      spellCheck={false}
      maxLength={200}
      autoFocus
      leftSection={<IconSearch size={18} aria-hidden />}
      rightSection={
        text === '' ? (
          <Key>F</Key>
        ) : (
          <CloseButton
            aria-label="Clear the search"
            onClick={() => {
              onChange('');
              field.current?.focus();
            }}
          />
        )
      }
      value={text}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowDown') return;
        event.preventDefault();
        document.querySelector<HTMLElement>('.list-body .row-link')?.focus();
      }}
    />
  );
}

function countText(reply: ClientSearchReply, q: string): string {
  if (reply.total === undefined) return '';
  const count = plural(reply.total, 'client', 'clients');
  const text = reply.totalIsAtLeast ? `At least ${count}` : count;
  return q === '' ? text : `${text} found`;
}

function NoClients({ mayLoad }: { readonly mayLoad: boolean }): ReactNode {
  return (
    <Empty
      icon={<IconUsersGroup size={24} />}
      title="No clients yet"
      action={
        mayLoad && (
          <Button component={Link} to="/load/new" leftSection={<IconFileUpload size={17} aria-hidden />}>
            Load a file
          </Button>
        )
      }
    >
      <p>
        Clients come from files you load, or from systems connected as nodes. Start with a spreadsheet saved as CSV: a
        dry run shows what would happen before anything is kept.
      </p>
    </Empty>
  );
}

function NothingFound(): ReactNode {
  return (
    <Empty icon={<IconSearch size={24} />} title="Nobody found">
      <p>
        Fewer letters find more: every word may be the beginning of a name, a birth date (1984-05-01) or year, a whole
        identifier or a telephone number. “oke 1984” finds Okello, born in 1984.
      </p>
    </Empty>
  );
}
