import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import type { StoredUserState, UserEntry, UserLinkAnswer } from '../../../features/identity/wire.ts';
import { useMay } from '../../app/session.tsx';
import { plural, roleName } from '../../app/words.ts';
import { IconPlus, IconUsers } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Ago, Own } from '../../ui/text.tsx';
import { ImportDialog } from './import-dialog.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { PeoplePlaces } from './people-places.tsx';
import { PersonDrawer } from './person-drawer.tsx';
import { UserLinkDialog } from './user-link.tsx';
import { UserState } from './user-state.tsx';
import { userPages } from './user-queries.ts';
import './people.css';
import './rights.css';

const columns: readonly Column<UserEntry>[] = [
  {
    key: 'name',
    header: 'Name',
    width: 'minmax(10rem, 1.5fr)',
    phone: 'title',
    cell: (user) => <Own>{user.name}</Own>,
  },
  { key: 'email', header: 'E-mail', wideOnly: true, width: 'minmax(10rem, 1.5fr)', cell: (user) => user.email },
  {
    key: 'roles',
    header: 'Roles',
    width: 'minmax(8rem, 1.2fr)',
    phone: 'line',
    cell: (user) => user.roles.map((role) => roleName(role)).join(', '),
  },
  {
    key: 'organisation',
    header: 'Organisation',
    wideOnly: true,
    width: 'minmax(8rem, 1.2fr)',
    cell: (user) => <Own>{user.memberships.map(({ organisation }) => organisation.name).join(', ')}</Own>,
  },
  { key: 'state', header: 'State', width: '10rem', phone: 'side', cell: (user) => <UserState user={user} /> },
  {
    key: 'seen',
    header: 'Last sign-in',
    width: '9rem',
    phone: 'corner',
    cell: (user) =>
      user.lastSignInAt === undefined ? <span className="soft">not yet</span> : <Ago iso={user.lastSignInAt} />,
  },
];

function usePeople(text: string, state: StoredUserState | undefined) {
  const list = useInfiniteQuery({ ...userPages({ text, state }), placeholderData: (before) => before });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.users) ?? [], [list.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return { list, rows, total: list.data?.pages[0]?.total, onEnd };
}

/** Who has an account and what each may do. */
export function PeoplePage(): ReactNode {
  const may = useMay();
  const navigate = useNavigate();
  const { invite, person, state } = useSearch({ from: '/frame/people' });
  const [link, setLink] = useState<UserLinkAnswer>();
  const [importing, setImporting] = useState(false);
  const [text, setText] = useState('');
  const [settled] = useDebouncedValue(text.trim(), 120);
  const found = usePeople(settled, state);
  const { rows, total } = found;
  const chosen = rows.find((user) => user.id === person);
  const keep = state === undefined ? {} : { state };
  const close = (): void => void navigate({ to: '/people', search: keep, resetScroll: false });
  const manages = may('user.manage');
  return (
    <Page
      title="People"
      sentence="Who has an account and what each may do. Everybody chooses their own password and second factor."
      action={
        manages && (
          <div className="row">
            <Button variant="default" onClick={() => setImporting(true)}>
              Invite from a file
            </Button>
            <Button
              leftSection={<IconPlus size={17} aria-hidden />}
              onClick={() => void navigate({ to: '/people', search: { ...keep, invite: true } })}
            >
              Invite a colleague
            </Button>
          </div>
        )
      }
    >
      <PeoplePlaces />
      <PeopleSearch text={text} onChange={setText} total={total} />
      <PeopleList found={found} searched={settled !== ''} person={person} keep={keep} onEverybody={() => setText('')} />
      {manages && total === 1 && settled === '' && state === undefined && (
        <p className="alone soft">
          You are alone so far. Invite a second administrator: if your telephone is lost, they get you back in.
        </p>
      )}
      {manages && importing && <ImportDialog onClose={() => setImporting(false)} />}
      {manages && invite && !link && <InviteDialog onClose={close} onInvited={setLink} />}
      {chosen && !link && <PersonDrawer user={chosen} mayManage={manages} onClose={close} onLink={setLink} />}
      {link && (
        <UserLinkDialog
          answer={link}
          onClose={() => {
            setLink(undefined);
            close();
          }}
        />
      )}
    </Page>
  );
}

interface PeopleSearchProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly total: number | undefined;
}

function PeopleSearch({ text, onChange, total }: PeopleSearchProps): ReactNode {
  return (
    <div className="filters-row">
      <TextInput
        label="Find by name or e-mail"
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      {total !== undefined && (
        <p className="soft small" role="status">
          {plural(total, 'person', 'people')}
        </p>
      )}
    </div>
  );
}

interface PeopleListProps {
  readonly found: ReturnType<typeof usePeople>;
  readonly searched: boolean;
  readonly person: string | undefined;
  readonly keep: { readonly state?: StoredUserState };
  readonly onEverybody: () => void;
}

function PeopleList({ found, searched, person, keep, onEverybody }: PeopleListProps): ReactNode {
  const { list, rows, total, onEnd } = found;
  if (list.isError) return <FailureNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (list.isPending) return <ListSkeleton rows={5} />;
  if (rows.length === 0) {
    return (
      <Empty
        icon={<IconUsers size={24} />}
        title={searched ? 'Nobody’s name or address begins so' : 'Nobody in this state'}
      >
        <p>
          <Link to="/people" onClick={onEverybody}>
            Show everybody
          </Link>
        </p>
      </Empty>
    );
  }
  return (
    <ListTable
      label="People"
      columns={columns}
      rows={rows}
      rowKey={(user) => user.id}
      selectedKey={person}
      onEnd={onEnd}
      loadingMore={list.isFetchingNextPage}
      total={total}
      renderOpen={(user, content) => (
        <Link to="/people" search={{ ...keep, person: user.id }} className="row-link" resetScroll={false}>
          {content}
        </Link>
      )}
    />
  );
}
