import { Button } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import type { UserEntry, UserLinkAnswer } from '../../../features/identity/wire.ts';
import { useMay } from '../../app/session.tsx';
import { roleName } from '../../app/words.ts';
import { IconPlus, IconUsers } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { SideDrawer } from '../../ui/side-drawer.tsx';
import { Ago, Own } from '../../ui/text.tsx';
import { ImportDialog } from './import-dialog.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { PeoplePlaces } from './people-places.tsx';
import { type Kept, PeopleFilters } from './people-filters.tsx';
import { PersonDrawer, type PersonDrawerProps } from './person-drawer.tsx';
import { useOwnRoleNames } from './role-choices.ts';
import { UserLinkDialog } from './user-link.tsx';
import { UserState } from './user-state.tsx';
import { onePerson, type PeopleAsked, userPages } from './user-queries.ts';
import './people.css';
import './rights.css';

const columnsWith = (own: Readonly<Record<string, string>>): readonly Column<UserEntry>[] => [
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
    cell: (user) =>
      rolesOf(user)
        .map((role) => roleName(role, own))
        .join(', '),
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

/** Of all memberships that one may know of, each once. */
const rolesOf = (user: UserEntry): readonly string[] => [...new Set(user.memberships.flatMap(({ roles }) => roles))];

/** What the address of the page may say. */
interface PlaceSearch extends Kept {
  readonly person?: string;
  readonly invite?: true;
}

function usePeople(asked: PeopleAsked) {
  const list = useInfiniteQuery({ ...userPages(asked), placeholderData: (before) => before });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.users) ?? [], [list.data]);
  const names = useMemo(
    () => new Map(rows.flatMap((user) => user.memberships.map((one) => [one.organisation.id, one.organisation.name]))),
    [rows],
  );
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return { list, rows, names, total: list.data?.pages[0]?.total, onEnd };
}

/** Who has an account and what each may do. */
export function PeoplePage(): ReactNode {
  const manages = useMay()('user.manage');
  const navigate = useNavigate();
  const { invite, person, state, organisation } = useSearch({ from: '/frame/people' });
  const keep: Kept = { ...(state ? { state } : {}), ...(organisation ? { organisation } : {}) };
  const go = (search: PlaceSearch): void => void navigate({ to: '/people', search, resetScroll: false });
  const close = (): void => go(keep);
  const [link, setLink] = useState<UserLinkAnswer>();
  const [importing, setImporting] = useState(false);
  const [text, setText] = useState('');
  const [settled] = useDebouncedValue(text.trim(), 120);
  const found = usePeople({ text: settled, state, organisation });
  const all = settled === '' && state === undefined && organisation === undefined;
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
            <Button leftSection={<IconPlus size={17} aria-hidden />} onClick={() => go({ ...keep, invite: true })}>
              Invite a colleague
            </Button>
          </div>
        )
      }
    >
      <PeoplePlaces />
      <PeopleFilters text={text} onText={setText} kept={keep} onKept={go} total={found.total} names={found.names} />
      <PeopleList
        found={found}
        searched={settled !== ''}
        person={person}
        keep={keep}
        onEverybody={() => {
          setText('');
          go({});
        }}
      />
      {manages && found.total === 1 && all && (
        <p className="alone soft">
          You are alone so far. Invite a second administrator: if your telephone is lost, they get you back in.
        </p>
      )}
      {manages && importing && <ImportDialog onClose={() => setImporting(false)} />}
      {manages && invite && !link && <InviteDialog onClose={close} onInvited={setLink} />}
      {person !== undefined && !link && (
        <PersonOf
          id={person}
          listed={found.list.isPending ? undefined : found.rows}
          mayManage={manages}
          onClose={close}
          onLink={setLink}
        />
      )}
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

interface PersonOfProps extends Omit<PersonDrawerProps, 'user'> {
  readonly id: string;
  /** Undefined: not known yet. */
  readonly listed: readonly UserEntry[] | undefined;
}

/** Somebody's account: also of who is not among those listed, as when one comes from another page. */
function PersonOf({ id, listed, ...drawer }: PersonOfProps): ReactNode {
  const known = listed?.find((user) => user.id === id);
  const asked = useQuery({ ...onePerson(id), enabled: listed !== undefined && known === undefined });
  const user = known ?? asked.data?.user;
  if (user !== undefined) return <PersonDrawer user={user} {...drawer} />;
  if (!asked.isError) return null;
  return (
    <SideDrawer title="This account cannot be shown" onClose={drawer.onClose}>
      <FailureNotice error={asked.error} onRetry={() => void asked.refetch()} />
    </SideDrawer>
  );
}

interface PeopleListProps {
  readonly found: ReturnType<typeof usePeople>;
  readonly searched: boolean;
  readonly person: string | undefined;
  readonly keep: Kept;
  readonly onEverybody: () => void;
}

function PeopleList({ found, searched, person, keep, onEverybody }: PeopleListProps): ReactNode {
  const { list, rows, total, onEnd } = found;
  const own = useOwnRoleNames();
  const columns = useMemo(() => columnsWith(own), [own]);
  if (list.isError) return <FailureNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (list.isPending) return <ListSkeleton rows={5} />;
  if (rows.length === 0) {
    return (
      <Empty icon={<IconUsers size={24} />} title={searched ? 'Nobody’s name or address begins so' : 'Nobody here'}>
        <p>
          {searched
            ? 'The beginnings of names and of the address count, in any order.'
            : 'Nobody is in this state in this organisation.'}
        </p>
        <p>
          <Button variant="default" size="xs" onClick={onEverybody}>
            Show everybody
          </Button>
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
